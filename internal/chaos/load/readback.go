package load

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/natsops/natsops/internal/chaos/history"
	"github.com/natsops/natsops/internal/ledger"
)

const (
	readBatch = 2000 // messages of one request
	// readPatience is how long a request for messages that are there may bring
	// none. Requests of consumers that have just been made can get lost.
	readPatience = 2 * time.Second
	readStalls   = 2 // in a row, before messages are asked for one by one
	readRounds   = 3 // when messages go while they are read
)

// ReadBack returns everything that a stream holds, in order, up to the last
// message that it held at the call. Messages without a stamp, or of another run,
// are foreign.
//
// It reads through a consumer, which shows what the server that the consumer is
// on has of the stream; when that is less than the leader says to have, the
// leader is asked for what is missing. It returns an error, and what it has, when
// not everything could be read.
func ReadBack(ctx context.Context, js jetstream.JetStream, stream string, run uint16) ([]history.Stored, error) {
	var (
		read []history.Stored
		err  error
	)
	for range readRounds {
		r := &reader{js: js, stream: stream, run: run}
		read, err = r.all(ctx)
		if err == nil || ctx.Err() != nil {
			break
		}
	}
	if err != nil {
		return read, fmt.Errorf("read stream %s back: %w", stream, err)
	}
	return read, nil
}

// A reader reads a stream once.
type reader struct {
	js     jetstream.JetStream
	stream string
	run    uint16
	from   jetstream.Stream
	begin  jetstream.StreamState
	read   []history.Stored
}

func (r *reader) all(ctx context.Context) ([]history.Stored, error) {
	if err := r.look(ctx); err != nil {
		return nil, err
	}
	r.begin = r.from.CachedInfo().State
	if r.begin.Msgs == 0 {
		return nil, nil
	}
	r.read = make([]history.Stored, 0, r.begin.Msgs)
	for stalls := 0; stalls < readStalls && !r.reached(); {
		n := len(r.read)
		ended, err := r.consume(ctx)
		if ended {
			break
		}
		if ctx.Err() != nil {
			return r.read, errors.Join(context.Cause(ctx), err)
		}
		if stalls++; len(r.read) > n {
			stalls = 0
		}
	}
	return r.read, r.complete(ctx)
}

// complete makes sure that all was read that there was, if need be by asking for
// it.
func (r *reader) complete(ctx context.Context) error {
	if uint64(len(r.read)) == r.begin.Msgs {
		return nil
	}
	if err := r.fill(ctx); err != nil {
		return err
	}
	if got := uint64(len(r.read)); got != r.begin.Msgs {
		return fmt.Errorf("it held %d messages, and %d could be read", r.begin.Msgs, got)
	}
	return nil
}

// look asks the leader for the state of the stream, until it answers.
func (r *reader) look(ctx context.Context) error {
	for {
		ask, cancel := context.WithTimeout(ctx, apiTimeout)
		from, err := r.js.Stream(ask, r.stream)
		cancel()
		if err == nil || errors.Is(err, jetstream.ErrStreamNotFound) {
			r.from = from
			return err
		}
		if !wait(ctx, resume) {
			return err
		}
	}
}

func (r *reader) next() uint64 {
	if n := len(r.read); n > 0 {
		return r.read[n-1].StreamSeq + 1
	}
	return max(1, r.begin.FirstSeq)
}

func (r *reader) reached() bool { return r.next() > r.begin.LastSeq }

// consume reads on through a new consumer; ended says that it has no more.
func (r *reader) consume(ctx context.Context) (ended bool, err error) {
	ask, cancel := context.WithTimeout(ctx, apiTimeout)
	defer cancel()
	consumer, err := r.from.CreateConsumer(ask, jetstream.ConsumerConfig{
		DeliverPolicy: jetstream.DeliverByStartSequencePolicy, OptStartSeq: r.next(),
		AckPolicy: jetstream.AckNonePolicy, MemoryStorage: true, Replicas: 1,
		InactiveThreshold: 30 * time.Second, // when we cannot delete it
	})
	if err != nil {
		wait(ctx, resume)
		return false, err
	}
	name := consumer.CachedInfo().Name
	defer func() {
		late, cancel := context.WithTimeout(context.WithoutCancel(ctx), apiTimeout)
		defer cancel()
		_ = r.from.DeleteConsumer(late, name) // it expires
	}()
	p := progress{pending: consumer.CachedInfo().NumPending}
	for p.pending > 0 && !r.reached() {
		n := p.got
		if err := r.fetch(consumer, &p); err != nil || p.got == n || ctx.Err() != nil {
			return false, err
		}
	}
	return true, nil
}

// A progress is how far a consumer is.
type progress struct {
	got     uint64 // messages
	pending uint64 // messages behind these
}

// fetch reads a batch. It asks for no more than there is, or it would wait.
func (r *reader) fetch(consumer jetstream.Consumer, p *progress) error {
	batch, err := consumer.Fetch(int(min(readBatch, p.pending)),
		jetstream.FetchMaxWait(readPatience), jetstream.FetchHeartbeat(readPatience/4))
	if err != nil {
		return err
	}
	for m := range batch.Messages() {
		at, err := m.Metadata()
		if err != nil {
			return err
		}
		if at.Sequence.Consumer != p.got+1 {
			return fmt.Errorf("message %d of the consumer came after %d", at.Sequence.Consumer, p.got)
		}
		p.got, p.pending = p.got+1, at.NumPending
		if at.Sequence.Stream <= r.begin.LastSeq {
			r.read = append(r.read, r.stored(at.Sequence.Stream, m.Data()))
		}
	}
	return nil
}

// fill asks the leader for what lies between the messages that were read.
func (r *reader) fill(ctx context.Context) error {
	seen, from := r.read, max(1, r.begin.FirstSeq)
	for _, s := range seen {
		if err := r.ask(ctx, from, s.StreamSeq); err != nil {
			return err
		}
		from = s.StreamSeq + 1
	}
	err := r.ask(ctx, from, r.begin.LastSeq+1)
	slices.SortFunc(r.read, func(a, b history.Stored) int { return cmp.Compare(a.StreamSeq, b.StreamSeq) })
	return err
}

// stored says what a message is.
func (r *reader) stored(seq uint64, data []byte) history.Stored {
	stamp, err := ledger.Read(data)
	if err != nil || stamp.Run != r.run {
		return history.Stored{StreamSeq: seq, Foreign: true}
	}
	return history.Stored{StreamSeq: seq, Publisher: stamp.Publisher, Seq: stamp.Seq}
}
