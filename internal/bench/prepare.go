package bench

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/natsops/natsops/internal/hint"
	"github.com/natsops/natsops/internal/ledger"
)

// prepare returns once messages will arrive where they should.
func (r *run) prepare(ctx context.Context) error {
	for _, c := range r.conns {
		if err := r.flushed(ctx, c); err != nil {
			return err
		}
	}
	if r.cfg.Workload == Request {
		r.respond()
	}
	switch {
	case r.cfg.External:
		return r.probeResponders(ctx, r.requesters[:1]) // a stranger's service: trouble it as little as may be
	case r.oneServer():
		return nil // it has acted on every subscription
	case r.cfg.Workload == PubSub:
		return r.probeSubscribers(ctx)
	default:
		return r.probeResponders(ctx, r.requesters)
	}
}

// flushed returns once the server has acted on what c has subscribed to.
func (r *run) flushed(ctx context.Context, c Conn) error {
	ctx, cancel := context.WithTimeout(ctx, r.cfg.Timeout)
	defer cancel()
	if err := c.Flush(ctx); err != nil {
		return fmt.Errorf("cannot prepare the connections: %w", err)
	}
	return r.gaveUp(ctx)
}

// oneServer reports whether all connections are to the same server.
func (r *run) oneServer() bool {
	return !slices.ContainsFunc(r.conns, func(c Conn) bool { return c.Server().ID != r.server.ID })
}

// How long to wait for a probe before it is sent again.
const probeEvery = 20 * time.Millisecond

// probeSubscribers publishes until every unit has received something from every
// publisher's connection: in a cluster a subscription takes a while to be known
// everywhere, and what is published before would be lost.
func (r *run) probeSubscribers(ctx context.Context) error {
	for i := range r.publishers {
		if err := r.probeFrom(ctx, i); err != nil {
			return fmt.Errorf("cannot reach the subscribers: %w", err)
		}
	}
	return nil
}

func (r *run) probeFrom(ctx context.Context, publisher int) error {
	ctx, cancel := context.WithTimeout(ctx, r.cfg.Timeout)
	defer cancel()
	var (
		batch   = make([]Message, receiveBatch)
		reached = make([]bool, len(r.units))
		wait    = probeEvery / time.Duration(1+len(r.subscribers)/8)
	)
	for slices.Contains(reached, false) {
		if err := r.publishers[publisher].probe(); err != nil {
			return err
		}
		for _, s := range r.subscribers {
			if reached[s.unit.id] {
				continue
			}
			n := s.sub.Receive(batch, wait)
			reached[s.unit.id] = slices.ContainsFunc(batch[:n], func(m Message) bool {
				st, err := ledger.Read(m.Data)
				return err == nil && st.Run == r.id && int(st.Publisher) == publisher
			})
		}
		if err := r.gaveUp(ctx); err != nil {
			return err
		}
	}
	return nil
}

// probeResponders sends a request from each requester until it is answered.
func (r *run) probeResponders(ctx context.Context, probed []*requester) error {
	for _, q := range probed {
		if err := r.probeOnce(ctx, q); err != nil {
			return err
		}
	}
	return nil
}

func (r *run) probeOnce(ctx context.Context, q *requester) error {
	ctx, cancel := context.WithTimeout(ctx, r.cfg.Timeout)
	defer cancel()
	batch := make([]Message, receiveBatch)
	for {
		if err := q.publish(free); err != nil {
			return err
		}
		if n := q.sub.Receive(batch, r.cfg.Timeout); n > 0 && batch[0].Failed != ClassNoResponders {
			return nil
		}
		if r.cfg.External {
			return hint.Wrap(fmt.Errorf("cannot request: nobody answers on %q", q.subjects[0]),
				"to start a responder with: natsops bench reply "+r.cfg.Subject)
		}
		q.sub.Receive(batch, probeEvery) // a pause
		if err := r.gaveUp(ctx); err != nil {
			return fmt.Errorf("cannot reach the responders: %w", err)
		}
	}
}

// gaveUp returns why preparing cannot go on, or nil.
func (r *run) gaveUp(ctx context.Context) error {
	select {
	case err := <-r.fatal:
		return err
	case <-ctx.Done():
		return context.Cause(ctx)
	default:
		return nil
	}
}
