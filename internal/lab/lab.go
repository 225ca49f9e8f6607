// Package lab runs throwaway NATS servers with JetStream on loopback: in this
// process for tests, or in a child process that can be measured, paused and
// killed on its own. It is the only importer of nats-server.
//
// Whatever a lab writes, unless the caller chose a StoreDir, is in one
// directory, which is removed when the lab ends: by [Server.Stop]; by the child
// itself when its parent dies, however it dies; and, when nobody was left to do
// it, by the next lab that starts with the same temporary directory.
package lab

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strconv"
	"sync"
)

// A Server is a running lab server. Its methods may be called concurrently.
type Server struct {
	boot  bootFunc
	dir   *directory
	creds Credentials
	url   string
	mon   string

	mu      sync.Mutex
	spec    spec
	node    node // nil while the server is down
	stopped bool
}

// A spec is all that a node needs to know to boot, and to boot again as the
// same server.
type spec struct {
	Config      Config
	Dir         string
	MonitorPort int // 0: a free one
	NKey        string
	Credentials Credentials
}

// A node is one life of a server, in this process or in a child.
type node interface {
	ports() (client, monitor int)
	pid() int
	// halt ends the node and waits for its end. It returns an error when the
	// node had already crashed. With keep, a child leaves the lab's directory.
	halt(keep bool) error
}

// A bootFunc starts a node and returns when JetStream on it is usable; ctx
// ends only the attempt.
type bootFunc func(ctx context.Context, s spec) (node, error)

// Start runs a server in this process. It returns when clients can connect and
// JetStream is usable.
func Start(cfg Config) (*Server, error) {
	return start(context.Background(), cfg, func(_ context.Context, s spec) (node, error) { return embed(s) })
}

// StartChild runs a server in a child process: this executable, called with
// [ChildCommand] as its only argument. It returns when clients can connect and
// JetStream is usable; ctx ends only the attempt. The child ignores Ctrl-C, so
// that an interrupted parent can finish with it first, and ends when the
// parent does.
func StartChild(ctx context.Context, cfg Config) (*Server, error) {
	return start(ctx, cfg, spawn)
}

func start(ctx context.Context, cfg Config, boot bootFunc) (*Server, error) {
	cfg, err := cfg.withDefaults()
	if err != nil {
		return nil, err
	}
	sweep(os.TempDir())
	dir, err := newDirectory(os.TempDir())
	if err != nil {
		return nil, fmt.Errorf("make the lab's directory: %w", err)
	}
	s := &Server{boot: boot, dir: dir}
	if s.spec, err = newSpec(cfg, dir.path); err == nil {
		err = s.up(ctx)
	}
	if err != nil {
		_ = dir.remove() // the first error matters; the next sweep removes what is left
		return nil, err
	}
	s.creds = s.spec.Credentials
	s.url = "nats://127.0.0.1:" + strconv.Itoa(s.spec.Config.Port)
	if cfg.TLS != TLSOff {
		s.url = "tls://127.0.0.1:" + strconv.Itoa(s.spec.Config.Port)
	}
	s.mon = "http://127.0.0.1:" + strconv.Itoa(s.spec.MonitorPort)
	return s, nil
}

// up boots a node and pins its ports for the next life.
func (s *Server) up(ctx context.Context) error {
	n, err := s.boot(ctx, s.spec)
	if err != nil {
		return fmt.Errorf("start the lab server: %w", err)
	}
	s.node = n
	s.spec.Config.Port, s.spec.MonitorPort = n.ports()
	return nil
}

func (s *Server) down(keep bool) error {
	if s.node == nil {
		return nil
	}
	err := s.node.halt(keep)
	s.node = nil
	return err
}

// URL is the address for clients, without secrets.
func (s *Server) URL() string { return s.url }

// MonitorURL is the address of the HTTP monitoring endpoint.
func (s *Server) MonitorURL() string { return s.mon }

// Credentials are what a client needs to be let in.
func (s *Server) Credentials() Credentials { return s.creds }

// PID is the process the server runs in: this one or the child, which gets a
// new one on [Server.Restart]. It is 0 after Stop or a Restart that failed.
func (s *Server) PID() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.node == nil {
		return 0
	}
	return s.node.pid()
}

// Restart ends the server, if it still runs, and starts it again with the same
// ports, store and credentials. Use it also after the child was killed. When
// the child had crashed by itself, the crash is returned and the server stays
// down until the next Restart.
func (s *Server) Restart(ctx context.Context) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.stopped {
		return errors.New("restart the lab server: it was stopped for good")
	}
	if err := s.down(true); err != nil {
		return err
	}
	return s.up(ctx)
}

// Stop ends the server, waits for its end and removes the lab's directory. It
// returns an error when the child had crashed by itself or the directory could
// not be removed. Further calls do nothing.
func (s *Server) Stop() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.stopped {
		return nil
	}
	s.stopped = true
	return errors.Join(s.down(false), s.dir.remove())
}
