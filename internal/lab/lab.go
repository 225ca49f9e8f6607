// Package lab runs throwaway NATS servers with JetStream on loopback, one or a
// cluster of them: in this process for tests, or in child processes that can be
// measured, paused and killed on their own. It is the only importer of
// nats-server.
//
// Whatever a lab writes, unless the caller chose a StoreDir, is in one
// directory, which is removed when the lab ends: by [Server.Stop] or
// [Cluster.Stop]; by the last child when the parent dies, however it dies; and,
// when nobody was left to do it, by the next lab that starts with the same
// temporary directory.
package lab

import "context"

// A Server is a lab of one node. Its methods may be called concurrently. Only
// the Stop of its Node leaves it something to restart.
type Server struct {
	*Node
	lab *Cluster
}

// Start runs a server in this process. It returns when clients can connect and
// JetStream is usable.
func Start(cfg Config) (*Server, error) { return start(context.Background(), cfg, false) }

// StartChild runs a server in a child process: this executable, called with
// [ChildCommand] as its only argument. It returns when clients can connect and
// JetStream is usable; ctx ends only the attempt. The child ignores Ctrl-C, so
// that an interrupted parent can finish with it first, and ends when the
// parent does.
func StartChild(ctx context.Context, cfg Config) (*Server, error) { return start(ctx, cfg, true) }

func start(ctx context.Context, cfg Config, child bool) (*Server, error) {
	cfg, err := cfg.withDefaults()
	if err != nil {
		return nil, err
	}
	c, err := launch(ctx, ClusterConfig{Config: cfg, Children: child}, []string{cfg.Name})
	if err != nil {
		return nil, err
	}
	return &Server{Node: c.nodes[0], lab: c}, nil
}

// Credentials are what a client needs to be let in, to [AppAccount].
func (s *Server) Credentials() Credentials { return s.lab.Credentials() }

// SystemCredentials let a client in to [SystemAccount]. There are none where
// the lab asks for a token.
func (s *Server) SystemCredentials() (Credentials, bool) { return s.lab.SystemCredentials() }

// UserCredentials are those of the user called name, see [Config.Users].
func (s *Server) UserCredentials(name string) (Credentials, bool) { return s.lab.UserCredentials(name) }

// Stop ends the server for good, waits for its end and removes the lab's
// directory. It returns an error when the child had crashed by itself or the
// directory could not be removed. Further calls do nothing.
func (s *Server) Stop() error { return s.lab.Stop() }
