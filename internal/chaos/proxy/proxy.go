// Package proxy stands between the ends of TCP links and breaks them: it holds,
// loses, delays, throttles and slices what passes, resets and refuses
// connections, one direction at a time, and heals all of it in one call. It
// knows nothing of what it carries, TLS included.
//
// A [Proxy] is one link. A [Fabric] is all links of a cluster, and partitions
// it. Both are gone with the process: a link through a proxy that is no more
// refuses connections, so a cluster lives no longer than its fabric.
//
// One thing differs from a network that loses packets: while the flow is not
// [Pass], a dial succeeds, since the system accepts for the proxy, and then
// hangs. The target hears of it only afterwards, if who dialled is still there.
package proxy

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
	"time"

	"github.com/natsops/natsops/internal/hint"
)

// A Config describes a proxy.
type Config struct {
	Name   string // of the link, in its Status and events
	Target string // host:port
	Addr   string // where to listen, an IPv4 address and port; "": a free port of 127.0.0.1
	Seed   uint64 // of the jitter; the same connections get the same
	// Observe is told what happens; nil: nobody is. It is called by many
	// goroutines, must not block and must not call the proxy.
	Observe func(Event)

	net network // the zero value is TCP
}

// A Proxy is one link. Its methods may be called concurrently.
type Proxy struct {
	cfg    Config
	addr   string
	ctx    context.Context // of the proxy's life
	cancel context.CancelCauseFunc
	claim  io.Closer
	wg     sync.WaitGroup

	changing sync.Mutex // held by who changes the toxics

	mu       sync.Mutex
	toxics   Toxics
	changed  chan struct{} // closed when toxics changes
	listener net.Listener  // nil: refusing
	conns    map[*conn]struct{}
	opened   uint64
	up, down Traffic // of connections that are over
}

// Listen runs a proxy until [Proxy.Close].
func Listen(cfg Config) (*Proxy, error) {
	if cfg.net.dial == nil {
		cfg.net = tcp()
	}
	addr, claim, err := cfg.net.claim(cfg.Addr)
	if err != nil {
		return nil, fmt.Errorf("find a port for the proxy of %s: %w", cfg.Target, err)
	}
	p := &Proxy{cfg: cfg, addr: addr, claim: claim, changed: make(chan struct{}), conns: make(map[*conn]struct{})}
	p.ctx, p.cancel = context.WithCancelCause(context.Background())
	if err := p.listen(); err != nil {
		return nil, errors.Join(err, p.Close())
	}
	return p, nil
}

// Addr is where the proxy listens, or did until it was told to refuse.
func (p *Proxy) Addr() string { return p.addr }

// Set replaces the toxics, for connections that are open and for new ones. What
// is just being written, one read at most for each direction of a connection,
// still arrives. An error says which part could not be done; the rest is.
func (p *Proxy) Set(t Toxics) error {
	return p.change(func(old *Toxics) { *old = t })
}

// Edit changes some of the toxics and lets the others be, also those that
// somebody else changes at the same time; else it is as [Proxy.Set].
func (p *Proxy) Edit(change func(*Toxics)) error { return p.change(change) }

// Heal takes all toxics away: what was held is on its way, and connections that
// lost something are reset. After an error, it may be called again.
func (p *Proxy) Heal() error {
	if err := p.Set(Toxics{}); !errors.Is(err, ErrClosed) {
		return err
	}
	return nil // nothing passes, but nothing is broken on purpose either
}

// Reset closes all open connections so that both ends see a reset, and returns
// how many. New ones are served as ever.
func (p *Proxy) Reset() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	for c := range p.conns {
		c.kill(ErrCut)
	}
	return len(p.conns)
}

// Close resets all connections, and returns when nothing of the proxy runs any
// more. Further calls do nothing.
func (p *Proxy) Close() error {
	p.cancel(ErrClosed)
	p.changing.Lock()
	defer p.changing.Unlock()
	p.refuse()
	p.mu.Lock()
	claim := p.claim
	p.claim = nil
	for c := range p.conns {
		c.kill(ErrClosed)
	}
	p.mu.Unlock()
	p.wg.Wait()
	if claim == nil {
		return nil
	}
	return claim.Close()
}

// change lets edit have its way with the toxics.
func (p *Proxy) change(edit func(*Toxics)) error {
	p.changing.Lock()
	defer p.changing.Unlock()
	if p.ctx.Err() != nil {
		return ErrClosed
	}
	t, _ := p.state()
	edit(&t)
	if err := t.Validate(); err != nil {
		return fmt.Errorf("change the link %s: %w", p.cfg.Name, err)
	}
	var err error
	if t.Refuse {
		p.refuse()
	}
	p.apply(t)
	if !t.Refuse {
		err = p.listen()
	}
	p.tell(Event{Kind: Changed, Toxics: t, Err: err})
	return err
}

// apply tells all connections.
func (p *Proxy) apply(t Toxics) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for c := range p.conns {
		c.set(p.toxics, t)
	}
	p.toxics = t
	close(p.changed)
	p.changed = make(chan struct{})
}

// state is the toxics, and a channel that is closed when they change.
func (p *Proxy) state() (Toxics, <-chan struct{}) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.toxics, p.changed
}

// refuse stops listening, if the proxy does.
func (p *Proxy) refuse() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.listener != nil {
		_ = p.listener.Close() // nothing can be left of it
		p.listener = nil
	}
}

const (
	// listenLimit bounds the attempts to listen again, should somebody have
	// taken the port for a moment.
	listenLimit = 2 * time.Second
	retryTick   = 10 * time.Millisecond
)

// listen listens, unless the proxy does.
func (p *Proxy) listen() error {
	p.mu.Lock()
	listening := p.listener != nil
	p.mu.Unlock()
	if listening {
		return nil
	}
	ctx, cancel := context.WithTimeout(p.ctx, listenLimit)
	defer cancel()
	for {
		l, err := p.cfg.net.listen(p.addr)
		if err == nil {
			p.mu.Lock()
			p.listener = l
			p.mu.Unlock()
			p.wg.Go(func() { p.accept(l) })
			return nil
		}
		if !wait(ctx, retryTick) {
			err = fmt.Errorf("link %s: listen: %w", p.cfg.Name, err)
			return hint.Wrap(err, "ending what has taken that port")
		}
	}
}

// accept serves l until it is closed.
func (p *Proxy) accept(l net.Listener) {
	for {
		in, err := l.Accept()
		if err == nil {
			p.welcome(in)
		} else if errors.Is(err, net.ErrClosed) || !wait(p.ctx, retryTick) { // or too many files are open
			return
		}
	}
}

func (p *Proxy) welcome(in net.Conn) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.toxics.Refuse || p.ctx.Err() != nil {
		abort(in)
		return
	}
	p.opened++
	c := newConn(p, in, p.toxics)
	p.conns[c] = struct{}{}
	p.wg.Go(func() {
		p.tell(Event{At: c.opened, Kind: Accepted, Conn: c.status()})
		c.serve()
		p.tell(Event{Kind: Closed, Conn: p.forget(c), Err: context.Cause(c.ctx)})
	})
}

// forget returns the last of c.
func (p *Proxy) forget(c *conn) Conn {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.conns, c)
	s := c.status()
	s.Up.Dropped += s.Up.Held()
	s.Down.Dropped += s.Down.Held()
	p.up.add(s.Up)
	p.down.add(s.Down)
	return s
}

func (p *Proxy) tell(e Event) {
	if p.cfg.Observe == nil {
		return
	}
	if e.At.IsZero() {
		e.At = time.Now()
	}
	e.Proxy = p.cfg.Name
	p.cfg.Observe(e)
}

// wait waits for d. It returns false when ctx is done first.
func wait(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-t.C:
		return true
	}
}
