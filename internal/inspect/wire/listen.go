package wire

import (
	"context"
	"errors"
	"fmt"

	"github.com/nats-io/nats.go"
)

// A Listener hears what is published.
type Listener struct {
	sub  *nats.Subscription
	ctx  context.Context
	done func()
}

// Listen calls each with what is published from now on, one at a time, until
// Close.
func (c *Conn) Listen(subject string, each func(data []byte)) (*Listener, error) {
	ctx, done := c.expect(context.Background(), subject)
	sub, err := c.nc.Subscribe(subject, func(m *nats.Msg) { each(m.Data) })
	if err != nil {
		done()
		return nil, fmt.Errorf("listen to %s: %w", subject, err)
	}
	return &Listener{sub: sub, ctx: ctx, done: done}, nil
}

// Err returns why nothing is heard: the server has refused it.
func (l *Listener) Err() error {
	if err := context.Cause(l.ctx); errors.Is(err, ErrNoPermission) {
		return err
	}
	return nil
}

// Close ends it.
func (l *Listener) Close() {
	_ = l.sub.Unsubscribe() // fails when the connection is gone, and the subscription with it
	l.done()
}
