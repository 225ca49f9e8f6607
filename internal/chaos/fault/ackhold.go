package fault

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/natsops/natsops/internal/hint"
)

// pullWait is how long a request for messages of a bad worker is open. A heal
// waits for its end, so that no message is on its way to nobody.
const pullWait = 500 * time.Millisecond

func ackHoldKind() Kind {
	return Kind{
		Name:    "ack-hold",
		About:   "One more worker takes all messages that a consumer gives out, and acknowledges none.",
		Expect:  "Other workers starve until the ack wait is over and in turn with the bad one; no message is lost.",
		Class:   DiesToo,
		Default: 15 * time.Second,
		Selects: SelectConsumer,
		aim:     func(ctx context.Context, a aim) (*Strike, error) { return aimWorker(ctx, a, (*worker).hold) },
	}
}

// A worker is a bad one: a client of a pull consumer.
type worker struct {
	aim
	course
	stream, consumer string
	most             int // messages that it may ask for at once

	nc  *nats.Conn
	due map[uint64]string // where to answer, of the messages that it keeps, by their place in the stream
}

// aimWorker aims a worker that does work until it is healed.
func aimWorker(ctx context.Context, a aim, work func(*worker, context.Context, jetstream.Consumer) error) (*Strike, error) {
	c, err := a.consumer(ctx)
	if errors.Is(err, jetstream.ErrNotPullConsumer) {
		return nil, hint.Wrap(refuse(ErrNeeds, "consumer %s is not pulled from: the server pushes", a.consumerName()), "a pull consumer")
	}
	if err != nil {
		return nil, err
	}
	info := c.CachedInfo()
	if err := a.workable(info); err != nil {
		return nil, err
	}
	w := &worker{aim: a, stream: info.Stream, consumer: info.Name, due: map[uint64]string{}}
	w.most = info.Config.MaxAckPending
	if limit := info.Config.MaxRequestBatch; limit > 0 {
		w.most = min(w.most, limit)
	}
	return &Strike{
		Victims: []string{"consumer " + info.Stream + "/" + info.Name},
		Steps:   w.steps(),
		Inject: func(ctx context.Context) error {
			return w.inject(ctx, func(ctx context.Context) error { return w.start(ctx, work) })
		},
		Heal:   func(ctx context.Context) error { return w.heal(ctx, w.leave) },
		Healed: w.healed,
		Counts: w.tally,
	}, nil
}

// workable refuses consumers that a bad worker would do nothing to, or too much.
func (a aim) workable(info *jetstream.ConsumerInfo) error {
	name, cfg := info.Stream+"/"+info.Name, info.Config
	switch {
	case cfg.AckPolicy == jetstream.AckNonePolicy:
		return refuse(ErrNeeds, "consumer %s wants no acknowledgements", name)
	case cfg.MaxAckPending <= 0:
		return refuse(ErrNeeds, "consumer %s has no max_ack_pending: there is no end to what it gives out", name)
	case cfg.MaxDeliver > 0 && info.Name != a.Consumer:
		err := refuse(ErrNeeds, "consumer %s gives up on a message after %d deliveries, so it would lose what is not acknowledged", name, cfg.MaxDeliver)
		return hint.Wrap(err, "a consumer without max_deliver")
	}
	return nil
}

func (w *worker) steps() []Step {
	next := w.api("CONSUMER.MSG.NEXT." + w.stream + "." + w.consumer)
	steps := []Step{{Do: "connect", Object: w.ownName(), Payload: "1 connection"}}
	if w.Kind == kindNakStorm {
		return append(
			steps,
			Step{Do: "request", Object: next, Payload: fmt.Sprintf(`{"batch":%d} again and again`, w.batch())},
			Step{Do: "publish", Object: ackSubject(w.stream, w.consumer), Payload: fmt.Sprintf("-NAK, %s at most", Rate.format(w.settings.number("rate")))},
		)
	}
	return append(
		steps,
		Step{Do: "request", Object: next, Payload: fmt.Sprintf(`{"batch":%d} again and again`, w.most)},
		Step{Do: "publish", Object: ackSubject(w.stream, w.consumer), Payload: "-NAK for all of them, at the heal"},
	)
}

func ackSubject(stream, consumer string) string {
	return "$JS.ACK." + stream + "." + consumer + ".>"
}

// start connects, and has the work done.
func (w *worker) start(ctx context.Context, work func(*worker, context.Context, jetstream.Consumer) error) error {
	nc, err := w.connect(ctx, nil)
	if err != nil {
		return err
	}
	w.nc = nc
	js, err := w.jetStream(nc)
	if err != nil {
		return err
	}
	c, err := js.Consumer(ctx, w.stream, w.consumer)
	if err != nil {
		return err
	}
	w.keep(func(ctx context.Context) {
		for ctx.Err() == nil {
			if err := work(w, ctx, c); err != nil {
				w.count("failed_pulls", 1)
				_ = wait(ctx, pullWait) // the consumer may have no leader for now
			}
		}
	})
	return nil
}

// pull asks for up to n messages, and calls do with each. It returns at the end
// of the request, not before: what the server has sent by then has come.
func (w *worker) pull(c jetstream.Consumer, n int, do func(jetstream.Msg)) error {
	batch, err := c.Fetch(n, jetstream.FetchMaxWait(pullWait))
	if err != nil {
		return err
	}
	for m := range batch.Messages() {
		at, err := m.Metadata()
		if err != nil {
			return err
		}
		w.count("taken", 1)
		w.due[at.Sequence.Stream] = m.Reply()
		do(m)
	}
	return batch.Error()
}

// hold takes messages and does nothing.
func (w *worker) hold(_ context.Context, c jetstream.Consumer) error {
	return w.pull(c, w.most, func(jetstream.Msg) {})
}

// leave gives back what the worker still has.
func (w *worker) leave(ctx context.Context) error {
	if w.nc == nil {
		return nil
	}
	for seq, reply := range w.due {
		if err := w.nc.Publish(reply, []byte("-NAK")); err != nil {
			break // after the ack wait the server takes them back by itself
		}
		delete(w.due, seq)
		w.count("returned", 1)
	}
	err := w.nc.FlushWithContext(ctx)
	w.nc.Close()
	if errors.Is(err, nats.ErrConnectionClosed) {
		return nil
	}
	return err
}

// healed tells whether the worker's connection is still there.
func (w *worker) healed(context.Context) error {
	if w.nc != nil && !w.nc.IsClosed() {
		return fmt.Errorf("the bad worker of %s/%s is still connected", w.stream, w.consumer)
	}
	return nil
}
