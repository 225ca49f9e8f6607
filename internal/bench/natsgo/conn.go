package natsgo

import (
	"context"
	"net/url"
	"sync"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/natsops/natsops/internal/bench"
)

// A conn is a bench.Conn over a nats.Conn.
type conn struct {
	nc     *nats.Conn
	header nats.Header
	once   sync.Once
	closed chan struct{}
}

func (c *conn) isClosed() bool {
	select {
	case <-c.closed:
		return true
	default:
		return false
	}
}

func (c *conn) Publish(subject, reply string, data []byte) error {
	if c.header != nil {
		return c.nc.PublishMsg(&nats.Msg{Subject: subject, Reply: reply, Header: c.header, Data: data})
	}
	if reply != "" {
		return c.nc.PublishRequest(subject, reply, data)
	}
	return c.nc.Publish(subject, data)
}

func (c *conn) Flush(ctx context.Context) error { return c.nc.FlushWithContext(ctx) }

func (c *conn) Inbox() string { return c.nc.NewInbox() }

func (c *conn) Server() bench.ServerInfo {
	return bench.ServerInfo{
		URL:        withoutUser(c.nc.ConnectedUrl()),
		ID:         c.nc.ConnectedServerId(),
		Name:       c.nc.ConnectedServerName(),
		Version:    c.nc.ConnectedServerVersion(),
		Cluster:    c.nc.ConnectedClusterName(),
		MaxPayload: c.nc.MaxPayload(),
	}
}

// withoutUser removes what may be a secret: nats.go would hide a password, but
// not a token, which stands where the user is.
func withoutUser(server string) string {
	u, err := url.Parse(server)
	if err != nil {
		return ""
	}
	u.User = nil
	return u.String()
}

func (c *conn) Close() {
	c.once.Do(func() {
		close(c.closed)
		c.nc.Close()
	})
}

func (c *conn) Subscribe(subject, queue string, buffer int) (bench.Subscription, error) {
	s := &subscription{arrived: make(chan *nats.Msg, buffer), closed: c.closed}
	var err error
	if queue == "" {
		s.sub, err = c.nc.ChanSubscribe(subject, s.arrived)
	} else {
		s.sub, err = c.nc.ChanQueueSubscribe(subject, queue, s.arrived)
	}
	if err != nil {
		return nil, err
	}
	s.timer = time.NewTimer(time.Hour)
	return s, nil
}

// A subscription is a bench.Subscription. nats.go puts messages into a channel
// and drops what does not fit; Receive empties it.
type subscription struct {
	sub     *nats.Subscription
	arrived chan *nats.Msg
	closed  <-chan struct{}
	timer   *time.Timer
}

func (s *subscription) Receive(batch []bench.Message, wait time.Duration) int {
	n := s.ready(batch)
	if n > 0 || wait <= 0 {
		return n
	}
	s.timer.Reset(wait)
	select {
	case m := <-s.arrived:
		batch[0] = message(m)
		return 1 + s.ready(batch[1:])
	case <-s.timer.C:
	case <-s.closed:
	}
	return 0
}

// ready fills batch with what has arrived, without waiting.
func (s *subscription) ready(batch []bench.Message) int {
	for i := range batch {
		select {
		case m := <-s.arrived:
			batch[i] = message(m)
		default:
			return i
		}
	}
	return len(batch)
}

func (s *subscription) Dropped() uint64 {
	n, err := s.sub.Dropped()
	if err != nil {
		return 0
	}
	return uint64(n)
}

// Headers by which the system, and not the responder's payload, answers.
const (
	statusHeader       = "Status"
	noRespondersStatus = "503"
	serviceErrorHeader = "Nats-Service-Error-Code" // nats.go/micro
)

func message(m *nats.Msg) bench.Message {
	out := bench.Message{Subject: m.Subject, Reply: m.Reply, Data: m.Data}
	if len(m.Header) == 0 {
		return out
	}
	switch {
	case len(m.Data) == 0 && m.Header.Get(statusHeader) == noRespondersStatus:
		out.Failed = bench.ClassNoResponders
	case m.Header.Get(serviceErrorHeader) != "":
		out.Failed = bench.ClassService
	}
	return out
}
