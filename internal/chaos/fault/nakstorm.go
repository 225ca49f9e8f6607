package fault

import (
	"context"
	"time"

	"github.com/nats-io/nats.go/jetstream"
)

const kindNakStorm = "nak-storm"

func nakStormKind() Kind {
	return Kind{
		Name:    kindNakStorm,
		About:   "One more worker of a consumer wants every message again that it gets, at once.",
		Expect:  "The same messages are delivered again and again; other workers get their share, and no message is lost that has deliveries left.",
		Class:   DiesToo,
		Default: 15 * time.Second,
		Selects: SelectConsumer,
		// Without a cap the server delivers 80,000 to 170,000 messages per second
		// of a few hundred, and does little else.
		Params: []Param{rateParam("200/s", 5_000, "messages that are wanted again, at most")},
		aim: func(ctx context.Context, a aim) (*Strike, error) {
			var rate *bucket
			return aimWorker(ctx, a, func(w *worker, ctx context.Context, c jetstream.Consumer) error {
				if rate == nil {
					rate = newBucket(w.settings.number("rate"))
				}
				return w.storm(ctx, c, rate)
			})
		},
	}
}

// batch is how many messages are asked for at once, so that few wait for their
// turn to be refused.
func (w *worker) batch() int {
	return min(w.most, max(1, int(w.settings.number("rate")/20)))
}

// storm takes messages and wants them again.
func (w *worker) storm(ctx context.Context, c jetstream.Consumer, rate *bucket) error {
	return w.pull(c, w.batch(), func(m jetstream.Msg) {
		if _, err := rate.take(ctx, 1); err != nil {
			return // healed: it is given back with the others
		}
		if at, err := m.Metadata(); err == nil && m.Nak() == nil {
			w.count("naked", 1)
			delete(w.due, at.Sequence.Stream)
		}
	})
}
