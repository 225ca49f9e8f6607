package proxy

import (
	"context"
	"errors"
	"io"
	"math/rand/v2"
	"net"
	"sync"
	"time"
)

// An ending is how a side of a connection ended; a later one outdoes it.
type ending int

const (
	open   ending = iota
	closed        // it sends no more: FIN
	reset         // it is gone: RST
)

// A pipe is one direction of a connection. One goroutine reads. It also writes,
// as long as nothing stands in the way; otherwise it queues, and a second one
// writes, which alone takes from the queue.
type pipe struct {
	ctx  context.Context // of the connection
	conn *conn
	rng  *rand.Rand    // of the reader
	wake chan struct{} // the writer may have something to do
	room chan struct{} // the queue has become shorter

	mu      sync.Mutex
	dst     net.Conn // nil: not connected yet
	toxic   Toxic
	queue   queue
	traffic Traffic
	passed  int64     // bytes delivered under the limit
	free    time.Time // when the next write may be
	end     ending    // of the source
	told    ending    // what the destination knows of it
	torn    bool      // something is missing, so nothing may follow
	void    bool      // the destination is gone, so nothing can follow
}

func newPipe(c *conn, t Toxic, seed uint64) *pipe {
	return &pipe{
		ctx: c.ctx, conn: c, toxic: t,
		rng:  rand.New(rand.NewPCG(seed, c.id)), //nolint:gosec // it must be repeatable
		wake: make(chan struct{}, 1), room: make(chan struct{}, 1),
	}
}

// notify makes the receiver on c look again, once.
func notify(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// read takes all that src sends.
func (p *pipe) read(src net.Conn) {
	buf := make([]byte, chunkSize)
	for {
		n, err := src.Read(buf)
		if n > 0 && !p.take(buf[:n]) {
			return
		}
		if err != nil {
			p.finish(err)
			return
		}
	}
}

// take delivers b, or a copy of it later. It returns false when the connection
// is over.
func (p *pipe) take(b []byte) bool {
	p.mu.Lock()
	p.traffic.Read += uint64(len(b))
	if p.clear() {
		p.mu.Unlock()
		p.send(b)
		return true
	}
	c := chunk{append([]byte(nil), b...), time.Now(), 2*p.rng.Float64() - 1}
	for !p.queue.fits(len(b)) {
		p.mu.Unlock()
		select {
		case <-p.room:
		case <-p.ctx.Done():
			return false
		}
		p.mu.Lock()
	}
	p.queue.push(c)
	p.mu.Unlock()
	notify(p.wake)
	return true
}

// clear tells whether the reader may write: nothing stands in the way, and the
// writer has nothing that comes first.
func (p *pipe) clear() bool {
	return p.queue.empty() && p.toxic == Toxic{} && p.dst != nil && !p.torn && !p.void
}

// finish is told how the source ended.
func (p *pipe) finish(err error) {
	p.mu.Lock()
	p.end = max(p.end, closed)
	if !errors.Is(err, io.EOF) {
		p.end = reset
	}
	alone := p.dst == nil || p.void
	p.mu.Unlock()
	if alone {
		p.conn.kill(ErrAbandoned)
		return
	}
	notify(p.wake)
}

// fail tells that the source is gone, as a write to it found out.
func (p *pipe) fail() {
	p.mu.Lock()
	p.end = reset
	p.mu.Unlock()
	notify(p.wake)
}

// A step is what the writer does next.
type step struct {
	do    func(*pipe, []byte) // nil: wait
	piece []byte
	wait  time.Duration // 0: until woken
}

// next decides on it.
func (p *pipe) next(now time.Time) step {
	switch {
	case p.queue.empty() && p.end == p.told:
		return step{}
	case p.void || p.torn || p.toxic.loses():
		return step{do: (*pipe).discard}
	case p.toxic.Flow == Freeze || p.dst == nil:
		return step{}
	case p.queue.empty():
		return step{do: (*pipe).tell}
	}
	head := p.queue.chunks[0]
	at := p.toxic.due(head)
	if at.Before(p.free) {
		at = p.free
	}
	if wait := at.Sub(now); wait > 0 {
		return step{wait: wait}
	}
	return step{do: (*pipe).forward, piece: head.bytes[:p.toxic.piece(len(head.bytes), p.passed)]}
}

// write delivers what is queued until the connection is over.
func (p *pipe) write() {
	for p.ctx.Err() == nil {
		p.mu.Lock()
		s := p.next(time.Now())
		p.mu.Unlock()
		if s.do != nil {
			s.do(p, s.piece)
		} else if !p.sleep(s.wait) {
			return
		}
	}
}

// sleep waits for d, or less when woken. It returns false when the connection
// is over.
func (p *pipe) sleep(d time.Duration) bool {
	var over <-chan time.Time
	if d > 0 {
		t := time.NewTimer(d)
		defer t.Stop()
		over = t.C
	}
	select {
	case <-p.ctx.Done():
		return false
	case <-p.wake:
	case <-over:
	}
	return true
}

// forward delivers the head of the queue or the first piece of it.
func (p *pipe) forward(piece []byte) {
	n := p.send(piece)
	p.mu.Lock()
	p.queue.pop(n)
	p.mu.Unlock()
	notify(p.room)
}

// send writes b and returns how much of it is dealt with.
func (p *pipe) send(b []byte) int {
	start := time.Now()
	n, err := p.dst.Write(b)
	p.mu.Lock()
	p.traffic.Written += uint64(n)
	if err != nil {
		p.traffic.Dropped += uint64(len(b) - n)
		p.void = true
		gone := p.end != open
		p.mu.Unlock()
		if gone {
			p.conn.kill(ErrAbandoned)
		}
		p.conn.other(p).fail()
		return len(b)
	}
	p.passed += int64(n)
	if p.free.Before(start) {
		p.free = start
	}
	p.free = p.free.Add(p.toxic.pause(n))
	over := p.toxic.Limit > 0 && p.passed >= p.toxic.Limit
	p.mu.Unlock()
	if over {
		p.conn.kill(ErrLimit)
	}
	return n
}

// discard loses all that is queued.
func (p *pipe) discard([]byte) {
	p.mu.Lock()
	p.traffic.Dropped += uint64(p.queue.bytes)
	p.queue = queue{}
	p.told = p.end
	p.torn = true
	p.mu.Unlock()
	notify(p.room)
}

// tell passes on how the source ended.
func (p *pipe) tell([]byte) {
	p.mu.Lock()
	end := p.end
	p.told = end
	p.mu.Unlock()
	p.conn.ended(p, end)
}

// set changes what happens to bytes that have not been delivered yet. It tells
// whether some are missing already.
func (p *pipe) set(t Toxic) (torn bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if t.Limit != p.toxic.Limit {
		p.passed = 0
	}
	p.toxic, p.free = t, time.Time{}
	notify(p.wake)
	return p.torn
}

// mute makes p deliver nothing more, not even that its source has ended.
func (p *pipe) mute() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.torn = true
	notify(p.wake)
}

// strand takes the destination of p away.
func (p *pipe) strand() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.void = true
	notify(p.wake)
}

// attach gives p its destination.
func (p *pipe) attach(dst net.Conn) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.dst = dst
	notify(p.wake)
}

// status returns what p has carried, and whether it is torn.
func (p *pipe) status() (t Traffic, torn bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.traffic, p.torn
}
