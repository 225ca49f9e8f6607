package deadletter

import (
	"context"
	"errors"
	"fmt"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/natsops/natsops/internal/hint"
)

// ErrMissed says that advisories came faster than they could be looked at.
var ErrMissed = errors.New("advisories were missed")

// mostWaiting is how many advisories may wait to be looked at.
const mostWaiting = 1 << 16

// Listen calls each with every message that is given up from now on, with the
// message as far as it is still there, until ctx ends; then it returns nil.
// Only the stream, the consumer and the time of the query matter. It returns
// [ErrMissed] at the end when not all advisories could be looked at.
func Listen(ctx context.Context, js jetstream.JetStream, q Query, each func(Letter)) error {
	s, err := newSearch(js, q)
	if err != nil {
		return err
	}
	arrived := make(chan *nats.Msg, mostWaiting)
	names := glob(q.Stream).token() + "." + glob(q.Consumer).token()
	var subs []*nats.Subscription
	defer func() {
		for _, sub := range subs {
			_ = sub.Unsubscribe() // the connection is closed, or it is unsubscribed
		}
	}()
	for _, subject := range []string{maxDeliveriesPrefix + names, terminatedPrefix + names} {
		sub, err := s.subscribe(ctx, subject, arrived)
		if err != nil {
			return err
		}
		subs = append(subs, sub)
	}
	closed := s.nc.StatusChanged(nats.CLOSED)
	defer s.nc.RemoveStatusListener(closed)
	for !s.nc.IsClosed() {
		select {
		case m := <-arrived:
			s.receive(ctx, m, each)
		case <-closed:
		case <-ctx.Done():
			return missed(subs)
		}
	}
	return nats.ErrConnectionClosed
}

// subscribe returns when the server has agreed.
func (a api) subscribe(ctx context.Context, subject string, arrived chan *nats.Msg) (*nats.Subscription, error) {
	sub, err := a.nc.ChanSubscribe(subject, arrived)
	if err != nil {
		return nil, err
	}
	flush, cancel := context.WithTimeout(ctx, a.timeout)
	defer cancel()
	if err := a.nc.FlushWithContext(flush); err != nil {
		return nil, err
	}
	if a.denied(subject) != nil {
		_ = sub.Unsubscribe() // the server never had it
		return nil, hint.Wrap(fmt.Errorf("%w to subscribe to %s", ErrDenied, subject), "a user who may subscribe to $JS.EVENT.ADVISORY.>")
	}
	return sub, nil
}

// receive passes the letter on that m announces, if it is a wanted one.
func (s *search) receive(ctx context.Context, m *nats.Msg, each func(Letter)) {
	l, err := parseAdvisory(m.Data)
	if err != nil || !s.query.wants(l.Key) || l.GivenUp.Before(s.query.Since) {
		return
	}
	info, err := s.stream(ctx, l.Key.Stream)
	if err != nil {
		l.Why = err.Error()
	} else {
		s.fetch(ctx, &l, info)
	}
	each(l)
}

// missed counts what did not fit between the connection and the listener.
func missed(subs []*nats.Subscription) error {
	lost := 0
	for _, sub := range subs {
		if n, err := sub.Dropped(); err == nil {
			lost += n
		}
	}
	if lost == 0 {
		return nil
	}
	return fmt.Errorf("%w: %d", ErrMissed, lost)
}
