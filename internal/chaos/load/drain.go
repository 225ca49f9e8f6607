package load

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/nats-io/nats.go/jetstream"
)

const (
	drainEvery = 250 * time.Millisecond
	// drainedLooks is how often in a row the consumer has to be seen without
	// anything left: a new leader may believe so before it has caught up.
	drainedLooks = 5
)

// Drain waits until the consumer has got and acknowledged everything that is
// stored. Without a consumer it does nothing. The error says what is left.
func (l *Load) Drain(ctx context.Context) error {
	if len(l.workers) == 0 {
		return nil
	}
	for empty := 0; empty < drainedLooks; {
		left := l.left(ctx)
		if left == nil {
			empty++
		} else {
			empty = 0
		}
		if !wait(ctx, drainEvery) {
			return fmt.Errorf("consumer %s has not come to its end: %w", l.cfg.Consumer, errors.Join(context.Cause(ctx), left))
		}
	}
	return nil
}

// left says what the consumer has still to do; nil: nothing.
func (l *Load) left(ctx context.Context) error {
	js := l.connected()
	if js == nil {
		return errors.New("no worker is connected")
	}
	ctx, cancel := context.WithTimeout(ctx, apiTimeout)
	defer cancel()
	consumer, err := js.Consumer(ctx, l.cfg.Stream, l.cfg.Consumer)
	if err != nil {
		return err
	}
	switch info := consumer.CachedInfo(); {
	case info.Cluster != nil && info.Cluster.Leader == "":
		return errors.New("it has no leader")
	case info.NumPending > 0 || info.NumAckPending > 0:
		return fmt.Errorf("%d messages wait and %d are not acknowledged", info.NumPending, info.NumAckPending)
	default:
		return nil
	}
}

// connected is JetStream over a connection that is up; nil: there is none.
func (l *Load) connected() jetstream.JetStream {
	for _, w := range l.workers {
		if w.conn.IsConnected() {
			return w.js
		}
	}
	return nil
}
