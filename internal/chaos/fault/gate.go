package fault

import (
	"net"
	"net/url"
	"sync"
	"time"

	"github.com/natsops/natsops/internal/hint"
)

// gateTimeout bounds the wait for a server to take a connection.
const gateTimeout = 5 * time.Second

// A gate makes connections to one server that read nothing any more once it is
// shut. It is a [nats.InProcessConnProvider], which is where nats.go gets its
// sockets from before it asks a dialer: the dialer of a target replaces that of
// others, and TLS stays as the target has it.
type gate struct {
	addr string
	shut chan struct{}
	lost chan struct{} // closed when a server is found not to listen any more
	once struct{ shut, lost sync.Once }
}

// newGate returns an open one to the server at a URL.
func newGate(server string) (*gate, error) {
	u, err := url.Parse(server)
	if err != nil || u.Hostname() == "" {
		return nil, refuse(ErrNeeds, "%q is no address of a server", server)
	}
	if u.Scheme == "ws" || u.Scheme == "wss" {
		return nil, hint.Wrap(refuse(ErrNeeds, "a websocket has no socket that could stop reading"), "a server at nats:// or tls://")
	}
	port := u.Port()
	if port == "" {
		port = "4222"
	}
	return &gate{addr: net.JoinHostPort(u.Hostname(), port), shut: make(chan struct{}), lost: make(chan struct{})}, nil
}

// close shuts the gate for good.
func (g *gate) close() { g.once.shut.Do(func() { close(g.shut) }) }

// InProcessConn connects to the server.
func (g *gate) InProcessConn() (net.Conn, error) {
	conn, err := net.DialTimeout("tcp", g.addr, gateTimeout)
	if err != nil {
		return nil, err
	}
	return &gated{Conn: conn, gate: g, closed: make(chan struct{})}, nil
}

// A gated connection reads nothing once the gate is shut, until it is closed.
type gated struct {
	net.Conn

	gate   *gate
	closed chan struct{}
	once   sync.Once
}

// Read reads, or blocks until Close.
func (g *gated) Read(b []byte) (int, error) {
	n, err := g.Conn.Read(b)
	select {
	case <-g.gate.shut: // what was just read is not handed on either
		<-g.closed
		return 0, net.ErrClosed
	default:
		return n, err
	}
}

// Write writes. nats.go learns from its reads alone that a connection is over, so
// a write that fails is noted.
func (g *gated) Write(b []byte) (int, error) {
	n, err := g.Conn.Write(b)
	if err != nil {
		g.gate.once.lost.Do(func() { close(g.gate.lost) })
	}
	return n, err
}

// Close closes the connection, and ends a Read that is blocked.
func (g *gated) Close() error {
	g.once.Do(func() { close(g.closed) })
	return g.Conn.Close()
}
