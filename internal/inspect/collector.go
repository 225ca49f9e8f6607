package inspect

import (
	"cmp"
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/natsops/natsops/internal/hint"
	"github.com/natsops/natsops/internal/inspect/wire"
)

// Options say whom to ask, and about what.
type Options struct {
	Timeout   time.Duration            // for all that one snapshot asks; 0: 2 s
	Account   string                   // on the system route: only this account, by name or ID; "": all
	Route     Route                    // "": the best that the credentials allow
	Monitors  []string                 // monitoring endpoints, as in http://host:8222
	APIPrefix string                   // of the JetStream API; "": $JS.API
	Match     func(stream string) bool // only these streams; nil: all
}

// usualTimeout is long enough for a server on another continent and short
// enough for somebody who waits.
const usualTimeout = 2 * time.Second

func (o Options) withDefaults() Options {
	o.Timeout = cmp.Or(o.Timeout, usualTimeout)
	o.APIPrefix = cmp.Or(o.APIPrefix, "$JS.API")
	if o.Match == nil {
		o.Match = func(string) bool { return true }
	}
	return o
}

// A Collector takes snapshots. What it remembers of one makes the next
// cheaper, and lets it say what a server that fell silent had said before. Its
// methods may be called concurrently; snapshots are taken one at a time.
type Collector struct {
	o     Options
	route Route

	nc       *nats.Conn // nil on the monitor route
	conn     *wire.Conn // likewise
	monitors []*wire.Monitor

	account   string // name of the own account, on the account route; "": not known
	accountID string // of it, or of o.Account on the system route; "": all
	near      near

	turn   sync.Mutex // who has it takes a snapshot
	memory memory
	events *journal // nil until they are needed
}

// Route is the way that questions take.
func (c *Collector) Route() Route { return c.route }

// Close stops listening. The connection stays open.
func (c *Collector) Close() {
	c.turn.Lock()
	defer c.turn.Unlock()
	if c.events != nil {
		c.events.stop()
		c.events = nil
	}
	if c.conn != nil {
		c.conn.Close()
	}
	for _, m := range c.monitors {
		m.Close()
	}
}

// Collect takes a snapshot. It takes one timeout at the most, whoever is
// silent. What could not be learnt is in the snapshot's gaps; an error means
// that nothing was.
func (c *Collector) Collect(ctx context.Context, need Need) (*Snapshot, error) {
	c.turn.Lock()
	defer c.turn.Unlock()
	asking, cancel := context.WithTimeout(ctx, c.o.Timeout)
	defer cancel()
	asking, done := c.whileConnected(asking)
	defer done()
	r := newRound(c, need)
	if err := context.Cause(asking); err != nil {
		r.gap("the servers", err)
	} else {
		r.take(asking)
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	s := r.snapshot()
	if !r.learnt && len(r.gaps) > 0 {
		return nil, r.failure()
	}
	return s, nil
}

// whileConnected returns a context that ends when the connection is lost:
// answers to what was asked before will not come any more.
func (c *Collector) whileConnected(ctx context.Context) (context.Context, func()) {
	if c.nc == nil {
		return ctx, func() {}
	}
	ctx, cancel := context.WithCancelCause(ctx)
	lost := c.nc.StatusChanged(nats.DISCONNECTED, nats.RECONNECTING, nats.CLOSED)
	if !c.nc.IsConnected() {
		cancel(wire.ErrLost)
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		select {
		case <-lost:
			cancel(wire.ErrLost)
		case <-ctx.Done():
		}
	}()
	return ctx, func() {
		cancel(nil)
		<-ended
		c.nc.RemoveStatusListener(lost)
	}
}

// cost is what was asked and answered since Open.
func (c *Collector) cost() wire.Cost {
	var sum wire.Cost
	add := func(d wire.Cost) {
		sum.Requests += d.Requests
		sum.Replies += d.Replies
		sum.Bytes += d.Bytes
	}
	if c.conn != nil {
		add(c.conn.Cost())
	}
	for _, m := range c.monitors {
		add(m.Cost())
	}
	return sum
}

// failure is the error of a round that learnt nothing.
func (r *round) failure() error {
	first := r.gaps[0]
	err := fmt.Errorf("cannot inspect %s: %s", first.What, first.Why)
	if first.Remedy != "" {
		err = hint.Wrap(err, first.Remedy)
	}
	return err
}
