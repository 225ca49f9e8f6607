package proxy

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
	"time"
)

// Why a connection was closed, in [Event.Err]; io.EOF says that both sides
// ended it in good order.
var (
	ErrCut       = errors.New("reset on request")
	ErrTorn      = errors.New("reset, since bytes had been lost")
	ErrLimit     = errors.New("the limit of bytes was reached")
	ErrPeer      = errors.New("one side was gone")
	ErrAbandoned = errors.New("nobody was left to deliver to")
	ErrClosed    = errors.New("the proxy was closed")
)

// A conn is a connection from its accept to its end.
type conn struct {
	id     uint64
	proxy  *Proxy
	ctx    context.Context
	cancel context.CancelCauseFunc
	opened time.Time
	in     net.Conn
	up     *pipe
	down   *pipe

	mu  sync.Mutex
	out net.Conn // nil: not connected yet
}

// newConn is called under the proxy's lock, so that no change of t is missed.
func newConn(p *Proxy, in net.Conn, t Toxics) *conn {
	c := &conn{id: p.opened, proxy: p, opened: time.Now(), in: in}
	c.ctx, c.cancel = context.WithCancelCause(p.ctx)
	if t.Up.Flow == HalfOpen {
		t.Up.Flow = Pass // this is a dialler that came back
	}
	c.up, c.down = newPipe(c, t.Up, p.cfg.Seed), newPipe(c, t.Down, ^p.cfg.Seed)
	c.down.dst = in
	if t.Down.Flow == HalfOpen {
		c.vanish(c.down)
	}
	return c
}

// serve returns when the connection is over.
func (c *conn) serve() {
	var wg sync.WaitGroup
	wg.Go(func() { c.up.read(c.in) })
	wg.Go(c.up.write)
	if out := c.connect(); out != nil {
		wg.Go(func() { c.down.read(out) })
		wg.Go(c.down.write)
	}
	wg.Wait()
}

// connect dials the target as soon as the answer could come back. It returns
// nil when the connection is over before, or has no other end.
func (c *conn) connect() net.Conn {
	if !c.admitted() {
		return nil
	}
	out, err := c.proxy.cfg.net.dial(c.ctx, c.proxy.cfg.Target)
	if err != nil {
		c.kill(fmt.Errorf("dial the target: %w", err))
		return nil
	}
	c.mu.Lock()
	c.out = out
	c.mu.Unlock()
	if _, vanished := c.down.status(); vanished || c.ctx.Err() != nil { // it was not there to be closed then
		abort(out)
		return nil
	}
	c.up.attach(out)
	c.proxy.tell(Event{Kind: Connected, Conn: c.status()})
	return out
}

// admitted waits until a connection could be made.
func (c *conn) admitted() bool {
	for {
		t, changed := c.proxy.state()
		_, torn := c.down.status()
		if t.Down.Flow == Pass && (t.Up.Flow == Pass || t.Up.Flow == HalfOpen) && !torn {
			return true
		}
		select {
		case <-changed:
		case <-c.ctx.Done():
			return false
		}
	}
}

// set is called under the proxy's lock.
func (c *conn) set(old, t Toxics) {
	torn := c.up.set(t.Up)
	torn = c.down.set(t.Down) || torn
	if torn && t.passes() {
		c.kill(ErrTorn)
		return
	}
	if t.Up.Flow == HalfOpen && old.Up.Flow != HalfOpen {
		c.vanish(c.up)
	}
	if t.Down.Flow == HalfOpen && old.Down.Flow != HalfOpen {
		c.vanish(c.down)
	}
}

// vanish takes away the side that is the source of p, without telling the
// other.
func (c *conn) vanish(p *pipe) {
	p.mute()
	c.other(p).strand()
	side := c.in
	if p == c.down {
		side = c.target()
	}
	if side != nil {
		abort(side)
	}
}

// target is the other side, nil when it is not connected yet.
func (c *conn) target() net.Conn {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.out
}

// ended passes on how the source of p ended.
func (c *conn) ended(p *pipe, end ending) {
	if end == reset {
		c.kill(ErrPeer)
		return
	}
	closeWrite(p.dst)
	other := c.other(p)
	other.mu.Lock()
	both := other.told != open
	other.mu.Unlock()
	if both {
		c.kill(io.EOF)
	}
}

func (c *conn) other(p *pipe) *pipe {
	if p == c.up {
		return c.down
	}
	return c.up
}

// kill closes both sides: in good order if that is why, or else by a reset. The
// first reason counts.
func (c *conn) kill(why error) {
	c.cancel(why)
	end := abort
	if errors.Is(why, io.EOF) || errors.Is(why, ErrLimit) {
		end = func(side net.Conn) { _ = side.Close() }
	}
	end(c.in)
	if out := c.target(); out != nil {
		end(out)
	}
}

func (c *conn) status() Conn {
	s := Conn{ID: c.id, Opened: c.opened, From: c.in.RemoteAddr().String()}
	if out := c.target(); out != nil {
		s.Via = out.LocalAddr().String()
	}
	s.Up, _ = c.up.status()
	s.Down, _ = c.down.status()
	return s
}

// abort closes a side so that its peer sees a reset, where there is such a
// thing.
func abort(side net.Conn) {
	if l, ok := side.(interface{ SetLinger(sec int) error }); ok {
		_ = l.SetLinger(0) // it is closed either way
	}
	_ = side.Close()
}

// closeWrite tells the peer that no more comes, where a side can be half closed.
func closeWrite(side net.Conn) {
	if h, ok := side.(interface{ CloseWrite() error }); ok {
		_ = h.CloseWrite() // what the peer sends next shows that it is gone
		return
	}
	_ = side.Close()
}
