package lab

import (
	"context"
	"errors"
	"fmt"
	"sync"
)

// A Node is one server of a lab. Its name, addresses and data outlive its
// process: it can be stopped, killed and restarted. Its methods may be called
// concurrently.
type Node struct {
	boot bootFunc
	spec spec // as in every life of the node
	url  string

	mu    sync.Mutex
	life  life // nil while the node is down
	ended bool // for good
}

// A life is a node from one start to its end, in this process or in a child.
type life interface {
	pid() int
	// exited is closed when the node has ended, for whatever reason.
	exited() <-chan struct{}
	// halt ends the node and waits for its end. It returns an error when the
	// node had already crashed.
	halt() error
	// retire has the node end by itself, soon, see [Node.LameDuck].
	retire() error
}

// A bootFunc starts a node and returns when clients can connect; ctx ends only
// the attempt.
type bootFunc func(ctx context.Context, s spec) (life, error)

// Name is the server's name.
func (n *Node) Name() string { return n.spec.Config.Name }

// URL is the address for clients, without secrets.
func (n *Node) URL() string { return n.url }

// MonitorURL is the address of the HTTP monitoring endpoint.
func (n *Node) MonitorURL() string { return "http://" + loopback(n.spec.MonitorPort) }

// LeafURL is the address for leaf nodes, without secrets; "" unless
// [Config.Leafs] is set.
func (n *Node) LeafURL() string {
	if n.spec.LeafPort == 0 {
		return ""
	}
	return "nats-leaf://" + loopback(n.spec.LeafPort)
}

// StoreDir is where the node keeps its data, see [Config.StoreDir]: that of its
// JetStream is in a directory of nats-server's in there.
func (n *Node) StoreDir() string { return n.spec.Config.StoreDir }

// PID is the process the node runs in: this one or the child, which gets a new
// one on [Node.Restart]. It is 0 while the node is down.
func (n *Node) PID() int {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.life == nil {
		return 0
	}
	select {
	case <-n.life.exited():
		return 0
	default:
		return n.life.pid()
	}
}

// Exited is closed once the node, as it runs now, has ended: stopped, killed,
// or by itself. A restart makes a new channel.
func (n *Node) Exited() <-chan struct{} {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.life != nil {
		return n.life.exited()
	}
	down := make(chan struct{})
	close(down)
	return down
}

// Restart ends the node, if it still runs, and starts it again with the same
// name, ports, store and credentials. It does not wait for a cluster to be
// whole again, see [Cluster.Ready]. When the child had crashed by itself, the
// crash is returned and the node stays down until the next Restart.
func (n *Node) Restart(ctx context.Context) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.ended {
		return errors.New("restart the lab server: it was stopped for good")
	}
	if err := n.down(); err != nil {
		return err
	}
	return n.up(ctx)
}

// Stop ends the node as a SIGTERM does, in good order, and waits for its end.
// It returns an error when the child had crashed by itself.
func (n *Node) Stop() error {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.down()
}

// Kill ends the node as a crash does, by SIGKILL, and waits for its end. Only a
// node in a child process can be killed.
func (n *Node) Kill() error {
	n.mu.Lock()
	defer n.mu.Unlock()
	c, err := n.child("kill")
	if err != nil {
		return err
	}
	n.life = nil
	return c.kill()
}

// Pause stops the node's process in the middle of what it does, by SIGSTOP,
// until [Node.Resume]. Its connections stay open, and silent. Only a node in a
// child process can be paused, and not on Windows.
func (n *Node) Pause() error {
	n.mu.Lock()
	defer n.mu.Unlock()
	c, err := n.child("pause")
	if err != nil {
		return err
	}
	return pause(c.cmd.Process)
}

// Resume lets a paused node go on, by SIGCONT. It means nothing to one that
// runs.
func (n *Node) Resume() error {
	n.mu.Lock()
	defer n.mu.Unlock()
	c, err := n.child("resume")
	if err != nil {
		return err
	}
	return resume(c.cmd.Process)
}

// child is the process of a node that is up.
func (n *Node) child(to string) (*child, error) {
	if n.life == nil {
		return nil, fmt.Errorf("%s lab server %s: it is down", to, n.Name())
	}
	c, ok := n.life.(*child)
	if !ok {
		return nil, fmt.Errorf("%s lab server %s: it has no process of its own: %w", to, n.Name(), errors.ErrUnsupported)
	}
	return c, nil
}

func (n *Node) up(ctx context.Context) error {
	l, err := n.boot(ctx, n.spec)
	if err != nil {
		return fmt.Errorf("start the lab server: %w", err)
	}
	n.life = l
	return nil
}

func (n *Node) down() error {
	if n.life == nil {
		return nil
	}
	err := n.life.halt()
	n.life = nil
	return err
}

// end is a stop that nothing can follow.
func (n *Node) end() error {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.ended = true
	return n.down()
}
