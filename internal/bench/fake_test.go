package bench

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// A fakeNet is a broker in memory whose faults a test chooses.
type fakeNet struct {
	mu      sync.Mutex // held for moments only: whoever waits for it stops a synctest bubble
	subs    []*fakeSub
	next    atomic.Uint64
	servers atomic.Int64
	// fate says when a message arrives (by its delays; none: it is lost, two: it
	// is duplicated) and what it holds then.
	fate       func(n uint64, subject string, data []byte) ([]time.Duration, []byte)
	refuse     func(n uint64) error      // makes Publish fail
	failed     func(n uint64) ErrorClass // of a reply
	maxPayload int64
	dialError  error
}

func newFakeNet() *fakeNet { return &fakeNet{maxPayload: 1 << 20} }

func (f *fakeNet) Connect(context.Context, string, func(Event)) (Conn, error) {
	return &fakeConn{net: f, closed: make(chan struct{})}, f.dialError
}

var (
	errRefused   = errors.New("refused")
	errForbidden = errors.New("forbidden")
)

func (*fakeNet) Classify(err error) ErrorClass {
	switch {
	case errors.Is(err, errRefused):
		return ClassDisconnected
	case errors.Is(err, errForbidden):
		return ClassPermission
	default:
		return ClassOther
	}
}

type fakeConn struct {
	net    *fakeNet
	closed chan struct{}
}

type fakeSub struct {
	subject, queue string
	arrived        chan Message
	closed         chan struct{}
	dropped        atomic.Uint64
}

func (c *fakeConn) Publish(subject, reply string, data []byte) error {
	n := c.net.next.Add(1)
	if c.net.refuse != nil {
		if err := c.net.refuse(n); err != nil {
			return err
		}
	}
	delays, body := []time.Duration{0}, append([]byte(nil), data...)
	if c.net.fate != nil {
		delays, body = c.net.fate(n, subject, body)
	}
	m := Message{Subject: subject, Reply: reply, Data: body}
	if c.net.failed != nil && reply == "" {
		m.Failed = c.net.failed(n)
	}
	for _, d := range delays {
		if d == 0 {
			c.net.deliver(n, m)
		} else {
			time.AfterFunc(d, func() { c.net.deliver(n, m) })
		}
	}
	return nil
}

func (f *fakeNet) deliver(n uint64, m Message) {
	f.mu.Lock()
	subs := slices.Clone(f.subs)
	f.mu.Unlock()
	var members []*fakeSub
	for _, s := range subs {
		prefix, wild := strings.CutSuffix(s.subject, "*")
		switch {
		case wild && !strings.HasPrefix(m.Subject, prefix), !wild && s.subject != m.Subject:
		case s.queue != "":
			members = append(members, s)
		default:
			s.put(m)
		}
	}
	if len(members) > 0 {
		members[n%uint64(len(members))].put(m)
	}
}

func (s *fakeSub) put(m Message) {
	select {
	case s.arrived <- m:
	default:
		s.dropped.Add(1)
	}
}

func (c *fakeConn) Subscribe(subject, queue string, buffer int) (Subscription, error) {
	s := &fakeSub{subject: subject, queue: queue, arrived: make(chan Message, buffer), closed: c.closed}
	c.net.mu.Lock()
	defer c.net.mu.Unlock()
	c.net.subs = append(c.net.subs, s)
	return s, nil
}

func (*fakeConn) Flush(context.Context) error { return nil }

func (c *fakeConn) Inbox() string { return "_INBOX." + strconv.FormatUint(c.net.next.Add(1), 10) }

// Server says another ID each time, as in a cluster, so that runs probe.
func (c *fakeConn) Server() ServerInfo {
	return ServerInfo{MaxPayload: c.net.maxPayload, ID: strconv.FormatInt(c.net.servers.Add(1), 10)}
}

func (c *fakeConn) Close() {
	select {
	case <-c.closed:
	default:
		close(c.closed)
	}
}

func (s *fakeSub) Receive(batch []Message, wait time.Duration) int {
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case batch[0] = <-s.arrived:
	case <-timer.C:
		return 0
	case <-s.closed:
		return 0
	}
	for n := 1; n < len(batch); n++ {
		select {
		case batch[n] = <-s.arrived:
		default:
			return n
		}
	}
	return len(batch)
}

func (s *fakeSub) Dropped() uint64 { return s.dropped.Load() }
