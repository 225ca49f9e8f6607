package lab

import (
	"fmt"
	"time"
)

// How a node leaves, see [Node.LameDuck]: nats-server's own 10 s and 2 min are
// for clusters with thousands of clients.
const (
	lameDuckGrace = time.Second
	lameDuckLimit = 5 * time.Second
)

// LameDuck has the node leave as nats-server does on SIGUSR2: it gives its
// leaderships to others, asks its clients to go, closes those that stay, and
// ends, see [Node.Exited], within seconds; it does not wait for that. Nothing
// calls it back but [Node.Restart]. A node in a child process cannot be asked
// on Windows.
func (n *Node) LameDuck() error {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.life == nil {
		return fmt.Errorf("retire lab server %s: it is down", n.Name())
	}
	return n.life.retire()
}

func (e *embedded) retire() error {
	e.retiring.Go(func() {
		e.server.LameDuckShutdown() // returns at once when it was called before, or when the server ends
		e.server.WaitForShutdown()
		e.end()
	})
	return nil
}

func (c *child) retire() error { return lameDuck(c.cmd.Process) }
