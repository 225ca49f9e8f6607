package wire

import (
	"context"
	"errors"
	"net/http"
	"strconv"
	"sync"
	"time"

	"github.com/nats-io/nats.go"
)

// manyServers bounds the replies of one question that may wait to be looked at.
const manyServers = 8192

// A Tally is a number of answers to wait for that may become known while they
// are waited for.
type Tally struct {
	known chan struct{}
	once  sync.Once
	n     int
}

// NewTally returns a tally that is not known yet.
func NewTally() *Tally { return &Tally{known: make(chan struct{})} }

// Set makes the tally known. Only the first call counts. 0 says that nobody
// knows.
func (t *Tally) Set(n int) {
	t.once.Do(func() {
		t.n = n
		close(t.known)
	})
}

// An Audience says how many answers to wait for. Whoever waits for more than
// come waits until ctx ends, or, when Hasty or nobody knows how many, until
// three times what the slowest answer took and 300 ms have passed.
type Audience struct {
	Expect *Tally
	Hasty  bool
}

// Gather puts a question that any number of servers answer, and calls each
// with every answer, in order, one at a time. That less came than was waited
// for is not an error; that nothing came is.
func (c *Conn) Gather(ctx context.Context, q Question, a Audience, each func(Reply)) error {
	ctx, done := c.expect(ctx, q.Subject)
	defer done()
	msgs := make(chan *nats.Msg, manyServers)
	m := q.msg()
	m.Reply = c.nc.NewInbox()
	sub, err := c.nc.ChanSubscribe(m.Reply, msgs)
	if err != nil {
		return explain(ctx, q.Subject, time.Now(), err)
	}
	defer func() { _ = sub.Unsubscribe() }() // fails when the connection is gone, and the subscription with it
	w := wait{sent: time.Now(), audience: a, want: -1, catchUp: func() { _ = c.nc.FlushWithContext(ctx) }}
	c.requests.Add(1)
	if err := c.nc.PublishMsg(m); err != nil {
		return explain(ctx, q.Subject, w.sent, err)
	}
	err = w.collect(ctx, msgs, func(m *nats.Msg) { each(c.received(m, w.sent)) })
	if w.got > 0 || err == nil {
		return nil
	}
	return explain(ctx, q.Subject, w.sent, err)
}

// A wait is for the answers to one question.
type wait struct {
	sent     time.Time
	audience Audience
	want     int // answers; -1: not known yet, 0: nobody knows
	got      int
	slowest  time.Duration // answer so far
	// catchUp returns when everything has come that was under way, if it is not
	// nil. Whoever was held up himself must not take others for slow.
	catchUp func()
}

// collect returns the reason why waiting ended before all that was waited for
// had come.
func (w *wait) collect(ctx context.Context, msgs <-chan *nats.Msg, each func(*nats.Msg)) error {
	known := w.audience.Expect.known
	patience := time.NewTimer(time.Hour)
	defer patience.Stop()
	for w.want <= 0 || w.got < w.want {
		patience.Reset(w.patience())
		select {
		case m := <-msgs:
			if none(m) {
				return nats.ErrNoResponders
			}
			w.got, w.slowest = w.got+1, time.Since(w.sent)
			each(m)
		case <-known:
			w.want, known = w.audience.Expect.n, nil
		case <-patience.C:
			if w.catchUp != nil {
				w.catchUp()
			}
			if len(msgs) == 0 {
				return errors.New("nothing more came")
			}
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return nil
}

// patience is for how long to wait for the next answer. Nobody who has not
// heard anything yet is hasty.
func (w *wait) patience() time.Duration {
	if w.got == 0 || !w.audience.Hasty && w.want != 0 {
		return time.Hour // until ctx ends
	}
	return time.Until(w.sent.Add(3*w.slowest + 300*time.Millisecond))
}

// none reports whether the message says that nobody listens to the question.
func none(m *nats.Msg) bool {
	return len(m.Data) == 0 && m.Header.Get("Status") == strconv.Itoa(http.StatusServiceUnavailable)
}
