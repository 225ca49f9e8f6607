package sample

import (
	"context"
	"net"
	"sync"
	"time"

	"github.com/nats-io/nats.go"
)

const (
	slowReader  = "wall-display"
	slowSubject = "shop.report.full"

	// The server drops a client to which it could not write for ten seconds
	// (write_deadline), once all buffers in between are full. The pieces add up
	// to more than those of one TCP connection hold.
	deafFor   = 12 * time.Second
	restFor   = 30 * time.Second
	piece     = 64 << 10
	allPieces = 16 << 20
)

// overwhelm opens a second connection that stops reading, and publishes more
// than the buffers hold; again and again.
func overwhelm(ctx context.Context, c *conn) error {
	for {
		dropped, err := c.overwhelmOnce(ctx)
		if err != nil {
			return err
		}
		if dropped {
			c.reached()
		}
		if err := pause(ctx, restFor); err != nil {
			return err
		}
	}
}

// overwhelmOnce reports whether the server dropped the reader.
func (c *conn) overwhelmOnce(ctx context.Context) (bool, error) {
	reader, ears, err := c.reader()
	if err != nil {
		return false, err
	}
	defer reader.Close()
	ended := reader.StatusChanged(nats.CLOSED)
	if _, err := reader.Subscribe(slowSubject, func(*nats.Msg) {}); err != nil {
		return false, err
	}
	if err := flush(ctx, reader); err != nil {
		return false, err
	}
	ears.shut()
	for range allPieces / piece {
		if err := c.Publish(slowSubject, make([]byte, piece)); err != nil {
			return false, err
		}
	}
	// The time counts from when the server has it all, however slow the machine is.
	if err := flush(ctx, c.Conn); err != nil {
		return false, err
	}
	if err := pause(ctx, deafFor); err != nil {
		return false, err
	}
	ears.open() // it notices only when it reads on
	select {
	case <-ended:
		return true, nil
	case <-time.After(time.Second):
		return false, nil
	case <-ctx.Done():
		return false, ctx.Err()
	}
}

// reader opens a connection like c, that can be made deaf.
func (c *conn) reader() (*nats.Conn, *ears, error) {
	e := &ears{opened: make(chan struct{})}
	e.open()
	o := c.Opts
	o.Name, o.AllowReconnect = slowReader, false
	o.CustomDialer = &deafDialer{inner: o.CustomDialer, timeout: o.Timeout, ears: e}
	nc, err := o.Connect()
	return nc, e, err
}

// ears let a connection read or not.
type ears struct {
	mu     sync.Mutex
	opened chan struct{} // closed: open
}

func (e *ears) shut() {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.opened = make(chan struct{})
}

func (e *ears) open() {
	e.mu.Lock()
	defer e.mu.Unlock()
	select {
	case <-e.opened:
	default:
		close(e.opened)
	}
}

func (e *ears) state() <-chan struct{} {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.opened
}

// A deafDialer makes connections that read while their ears are open.
type deafDialer struct {
	inner   nats.CustomDialer // nil: that of the net package
	timeout time.Duration
	ears    *ears
}

// Dial implements [nats.CustomDialer].
func (d *deafDialer) Dial(network, address string) (net.Conn, error) {
	dial := (&net.Dialer{Timeout: d.timeout}).Dial
	if d.inner != nil {
		dial = d.inner.Dial
	}
	c, err := dial(network, address)
	if err != nil {
		return nil, err
	}
	if small, ok := c.(interface{ SetReadBuffer(bytes int) error }); ok {
		_ = small.SetReadBuffer(piece) // less to send until it is full
	}
	return &deafConn{Conn: c, ears: d.ears, closed: make(chan struct{})}, nil
}

type deafConn struct {
	net.Conn
	ears   *ears
	closed chan struct{}
	once   sync.Once
}

func (c *deafConn) Read(p []byte) (int, error) {
	select {
	case <-c.ears.state():
	case <-c.closed:
	}
	return c.Conn.Read(p)
}

func (c *deafConn) Close() error {
	c.once.Do(func() { close(c.closed) })
	return c.Conn.Close()
}
