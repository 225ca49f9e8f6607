package sample

import (
	"context"
	"time"

	"github.com/nats-io/nats.go/jetstream"
)

// A handler is what a worker does with a message. It gets one at a time.
type handler func(ctx context.Context, m jetstream.Msg, at *jetstream.MsgMetadata) error

// worker returns an application that keeps batch messages requested and handles
// them in order, each life of it with a handler of its own.
func worker(name string, batch int, begin func(*conn) handler) client {
	return client{name: name, run: func(ctx context.Context, c *conn) error {
		consumer, err := c.js.Consumer(ctx, c.stream, c.consumer)
		if err != nil {
			return err
		}
		return drain(ctx, consumer, batch, begin(c))
	}}
}

// askFor is how long a request for messages is open. A request that was lost
// with the leader of the consumer is noticed after as long.
const askFor = 10 * time.Second

// drain handles messages until ctx ends or no more can be had.
func drain(ctx context.Context, from jetstream.Consumer, batch int, handle handler) error {
	messages, err := from.Messages(jetstream.PullMaxMessages(batch), jetstream.PullExpiry(askFor))
	if err != nil {
		return err
	}
	defer messages.Stop()
	for {
		m, err := messages.Next(jetstream.NextContext(ctx))
		if err != nil {
			return err
		}
		at, err := m.Metadata()
		if err != nil {
			return err
		}
		if err := handle(ctx, m, at); err != nil {
			return err
		}
	}
}

// visitor returns an application that takes n messages and does then: once, not
// each time that it is restarted.
func visitor(name string, n int, then func(context.Context, []jetstream.Msg) error) client {
	return client{name: name, run: func(ctx context.Context, c *conn) error {
		consumer, err := c.js.Consumer(ctx, c.stream, c.consumer)
		if err != nil {
			return err
		}
		var taken []jetstream.Msg
		seen := map[uint64]bool{} // what is delivered again, to a visitor who was held up, is not another message
		for len(taken) < n {
			// The request ends with its last message, so that none is left open.
			batch, err := consumer.Fetch(n-len(taken), jetstream.FetchMaxWait(askFor))
			if err != nil {
				return err
			}
			for m := range batch.Messages() {
				at, err := m.Metadata()
				if err != nil {
					return err
				}
				if !seen[at.Sequence.Stream] {
					taken = append(taken, m)
				}
				seen[at.Sequence.Stream] = true
			}
			if ctx.Err() != nil || c.IsClosed() {
				return errClosed
			}
		}
		return then(ctx, taken)
	}}
}

// acknowledge is quick and faultless.
func acknowledge(*conn) handler {
	return func(_ context.Context, m jetstream.Msg, _ *jetstream.MsgMetadata) error { return m.Ack() }
}

// look handles messages that need no acknowledgement.
func look(*conn) handler {
	return func(context.Context, jetstream.Msg, *jetstream.MsgMetadata) error { return nil }
}

// keep never acknowledges.
func keep(*conn) handler { return look(nil) }

// paced acknowledges so many messages per second, however many wait. When more
// than relief are waiting it hurries until few are, so that a set that runs for
// days needs no more room than one that runs for minutes; 0: it never does.
func paced(rate float64, relief int) func(*conn) handler {
	return func(c *conn) handler {
		pace := perSecond(rate * c.scale)
		most, hurry := uint64(c.scaled(relief)), false
		return func(ctx context.Context, m jetstream.Msg, at *jetstream.MsgMetadata) error {
			switch {
			case most > 0 && at.NumPending > most:
				hurry = true
			case at.NumPending < most/20:
				hurry = false
			}
			if hurry {
				pace.next = time.Time{}
			} else if err := pace.wait(ctx); err != nil {
				return err
			}
			return m.Ack()
		}
	}
}

// laborious needs so long for each message.
func laborious(d time.Duration) func(*conn) handler {
	return func(*conn) handler {
		return func(ctx context.Context, m jetstream.Msg, _ *jetstream.MsgMetadata) error {
			if err := pause(ctx, d); err != nil {
				return err
			}
			return m.Ack()
		}
	}
}

// refuse lets no message pass of those that bad says are: it wants them again
// after a delay.
func refuse(delay time.Duration, bad func(*jetstream.MsgMetadata) bool) func(*conn) handler {
	return func(*conn) handler {
		return func(_ context.Context, m jetstream.Msg, at *jetstream.MsgMetadata) error {
			switch {
			case !bad(at):
				return m.Ack()
			case delay == 0:
				return m.Nak()
			default:
				return m.NakWithDelay(delay)
			}
		}
	}
}

// first says that the first n messages of the stream are bad.
func first(n uint64) func(*jetstream.MsgMetadata) bool {
	return func(at *jetstream.MsgMetadata) bool { return at.Sequence.Stream <= n }
}

// threeInTen says that 30 % of the messages are bad at their first delivery.
func threeInTen(at *jetstream.MsgMetadata) bool {
	return at.NumDelivered == 1 && at.Sequence.Stream%10 < 3
}

// clutch works on the first message of the stream for ever, and says so in time
// to have no other worker get it; the others are acknowledged.
func clutch(*conn) handler {
	var (
		head jetstream.Msg
		said time.Time
	)
	return func(_ context.Context, m jetstream.Msg, at *jetstream.MsgMetadata) error {
		if at.Sequence.Stream == 1 {
			head, said = m, time.Now()
			return nil
		}
		if head != nil && time.Since(said) > time.Second {
			said = time.Now()
			if err := head.InProgress(); err != nil {
				return err
			}
		}
		return m.Ack()
	}
}
