// Package wire puts questions to NATS servers, over NATS or HTTP, and says in
// plain words why one was not answered. It does not know what the questions
// mean.
package wire

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"github.com/nats-io/nats.go"
)

// A Question is one request.
type Question struct {
	Subject  string
	Body     []byte
	Encoding string // that answers may come in: [Snappy], [Gzip]; "": as they are
}

// A Reply is one answer to a question.
type Reply struct {
	Header    nats.Header
	Sent, Got time.Time // the question and the answer, by our clock
	Size      int       // bytes as they came

	body []byte
}

// Cost is what has been asked and answered so far.
type Cost struct {
	Requests, Replies, Bytes int64
}

// A Conn asks over one NATS connection, which stays its owner's. Its methods
// may be called concurrently.
type Conn struct {
	nc       *nats.Conn
	previous nats.ErrHandler

	mu      sync.Mutex
	waiting map[*pending]struct{}

	requests, replies, bytes atomic.Int64
}

// A pending question is one that waits for its first answer.
type pending struct {
	subject string
	fail    context.CancelCauseFunc
}

// New returns a Conn over nc. Until Close it listens to the connection's
// asynchronous errors, since that is how a server refuses a question; all others
// are passed on to the handler that was there before.
func New(nc *nats.Conn) *Conn {
	c := &Conn{nc: nc, previous: nc.ErrorHandler(), waiting: map[*pending]struct{}{}}
	nc.SetErrorHandler(func(nc *nats.Conn, sub *nats.Subscription, err error) {
		if !c.refused(err) && c.previous != nil {
			c.previous(nc, sub, err)
		}
	})
	return c
}

// Close gives the connection's error handler back. The connection stays open.
func (c *Conn) Close() { c.nc.SetErrorHandler(c.previous) }

// Cost returns what has been asked and answered since New.
func (c *Conn) Cost() Cost {
	return Cost{c.requests.Load(), c.replies.Load(), c.bytes.Load()}
}

// Ask puts a question that one answers. The error says why there is no answer
// and wraps one of the errors of this package, or ctx's.
func (c *Conn) Ask(ctx context.Context, q Question) (Reply, error) {
	ctx, done := c.expect(ctx, q.Subject)
	defer done()
	sent := time.Now()
	c.requests.Add(1)
	m, err := c.nc.RequestMsgWithContext(ctx, q.msg())
	if err != nil {
		return Reply{}, explain(ctx, q.Subject, sent, err)
	}
	return c.received(m, sent), nil
}

func (q Question) msg() *nats.Msg {
	m := &nats.Msg{Subject: q.Subject, Data: q.Body}
	if q.Encoding != "" {
		m.Header = nats.Header{"Accept-Encoding": {q.Encoding}}
	}
	return m
}

func (c *Conn) received(m *nats.Msg, sent time.Time) Reply {
	r := Reply{Header: m.Header, Sent: sent, Got: time.Now(), Size: len(m.Data), body: m.Data}
	c.replies.Add(1)
	c.bytes.Add(int64(r.Size))
	return r
}

// expect returns a context that ends when a server refuses the subject.
func (c *Conn) expect(ctx context.Context, subject string) (context.Context, func()) {
	ctx, cancel := context.WithCancelCause(ctx)
	p := &pending{subject, cancel}
	c.mu.Lock()
	c.waiting[p] = struct{}{}
	c.mu.Unlock()
	return ctx, func() {
		c.mu.Lock()
		delete(c.waiting, p)
		c.mu.Unlock()
		cancel(nil)
	}
}

// refused fails the questions that a permission violation is about, and returns
// whether there are any.
func (c *Conn) refused(err error) bool {
	subject, aboutInbox, ok := violation(err)
	if !ok {
		return false
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	ours := false
	for p := range c.waiting {
		// Without its inbox no question can be answered.
		if p.subject == subject || aboutInbox {
			p.fail(refusal(subject))
			ours = true
		}
	}
	return ours
}
