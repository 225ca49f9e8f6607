package load

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/natsops/natsops/internal/chaos/history"
	"github.com/natsops/natsops/internal/ledger"
)

const (
	// A request for messages can get lost with the leader that it was sent to.
	// That is noticed when two heartbeats are missing.
	pullExpiry    = 5 * time.Second
	pullHeartbeat = time.Second
	apiTimeout    = 2 * time.Second // for an answer of the JetStream API
	// resume is how long to wait before a consumer that could not be read from,
	// since it or its leader is gone, is asked for again.
	resume = 250 * time.Millisecond

	// A worker has no more messages waiting than it can do in buffered, so that
	// none is delivered anew because it waited.
	buffered   = time.Second
	maxWaiting = 500
)

// A worker receives from the consumer, on a connection of its own.
type worker struct {
	load    *Load
	who     string
	conn    *nats.Conn
	js      jetstream.JetStream
	waiting int
	number  uint16 // in the history
}

// newWorker makes nc its own.
func newWorker(l *Load, who string, number int, nc *nats.Conn) (*worker, error) {
	api := l.cfg.JetStream
	if api == nil {
		api = func(nc *nats.Conn) (jetstream.JetStream, error) { return jetstream.New(nc) }
	}
	js, err := api(nc)
	if err != nil {
		nc.Close()
		return nil, err
	}
	w := &worker{load: l, who: who, conn: nc, js: js, waiting: maxWaiting, number: uint16(number)}
	if l.cfg.Work > 0 {
		w.waiting = int(min(maxWaiting, max(1, buffered/l.cfg.Work)))
	}
	return w, nil
}

// run receives until ctx ends, whatever becomes of the consumer meanwhile.
func (w *worker) run(ctx context.Context) {
	for {
		if err := w.consume(ctx); err != nil && ctx.Err() == nil {
			w.load.diary.note(w.who, history.EventError, err.Error())
		}
		if !wait(ctx, resume) {
			return
		}
	}
}

// consume receives until ctx or the consumer ends.
func (w *worker) consume(ctx context.Context) error {
	ask, cancel := context.WithTimeout(ctx, apiTimeout)
	defer cancel()
	consumer, err := w.js.Consumer(ask, w.load.cfg.Stream, w.load.cfg.Consumer)
	if err != nil {
		return err
	}
	note := func(_ jetstream.ConsumeContext, err error) {
		w.load.diary.note(w.who, history.EventError, err.Error())
	}
	pull, err := consumer.Consume(func(m jetstream.Msg) { w.handle(ctx, m) },
		jetstream.PullMaxMessages(w.waiting), jetstream.PullExpiry(pullExpiry),
		jetstream.PullHeartbeat(pullHeartbeat), jetstream.ConsumeErrHandler(note))
	if err != nil {
		return err
	}
	ended := pull.Closed()
	select {
	case <-ctx.Done():
	case <-ended:
	}
	pull.Stop()
	<-ended
	return nil
}

// handle notes a message, does the work, and acknowledges. An acknowledgement
// that cannot be sent makes the message come again, which is in the history.
func (w *worker) handle(ctx context.Context, m jetstream.Msg) {
	w.load.note(m, w.number)
	if w.load.cfg.Work > 0 && !wait(ctx, w.load.cfg.Work) {
		return
	}
	_ = m.Ack()
}

// deliveries are all that the consumer got.
type deliveries struct {
	mu   sync.Mutex
	list []history.Delivery
}

// note notes a delivery; messages that are not of the load are none of its.
func (l *Load) note(m jetstream.Msg, worker uint16) {
	stamp, err := ledger.Read(m.Data())
	if err != nil || stamp.Run != l.cfg.Run {
		return
	}
	at, err := m.Metadata()
	if err != nil {
		return
	}
	d := history.Delivery{
		Worker: worker, Publisher: stamp.Publisher, Seq: stamp.Seq,
		StreamSeq: at.Sequence.Stream, NumDelivered: at.NumDelivered,
	}
	l.deliveries.mu.Lock()
	defer l.deliveries.mu.Unlock()
	d.At = l.diary.now()
	l.deliveries.list = append(l.deliveries.list, d)
}

func (d *deliveries) all() []history.Delivery {
	d.mu.Lock()
	defer d.mu.Unlock()
	return slices.Clone(d.list)
}

// since counts those after a time, and returns when the last was; 0: never.
func (d *deliveries) since(t time.Duration) (n uint64, last time.Duration) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if len(d.list) == 0 {
		return 0, 0
	}
	i, _ := slices.BinarySearchFunc(d.list, t, func(d history.Delivery, t time.Duration) int { return int(d.At - t) })
	return uint64(len(d.list) - i), d.list[len(d.list)-1].At
}
