package fault

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/natsops/natsops/internal/hint"
	"github.com/natsops/natsops/internal/quantity"
)

const (
	fillLargest  = 64 << 10 // bytes of a message, to begin with
	fillSmallest = 64       // when such a message is refused, too, the stream is full
	fillTries    = 10       // messages without a proper answer, one after the other, before it is an error
	fillRetry    = 250 * time.Millisecond
	// codeFull is JetStream's "maximum bytes exceeded", one of the failures of a
	// stream's store.
	codeFull jetstream.ErrorCode = 10077
)

func fillKind() Kind {
	return Kind{
		Name:    "fill",
		About:   "The stream of the load is filled up to its max_bytes.",
		Expect:  "Publishers are told that the stream is full, and what they were told is stored is stored.",
		Class:   Remains,
		Default: 15 * time.Second,
		Params:  []Param{{Name: "bytes", Default: "256MiB", Unit: Size, Least: 1, Most: 8 << 30, About: "room in the stream at most; one with more is not filled"}},
		aim:     aimFill,
	}
}

// A filler keeps a stream full.
type filler struct {
	aim
	course
	undo   Undo
	filled bool // something was sent, and is to be purged
}

func aimFill(ctx context.Context, a aim) (*Strike, error) {
	f := &filler{aim: a, undo: Undo{Kind: UndoFill, Stream: a.Stream, Subject: a.Scratch + ".fill"}}
	if err := a.roomy(ctx, f.undo.Subject); err != nil {
		return nil, err
	}
	stream, err := a.JS.Stream(ctx, a.Stream)
	if err != nil {
		return nil, err
	}
	room, err := a.room(stream.CachedInfo())
	if err != nil {
		return nil, err
	}
	return &Strike{
		Victims: []string{"stream " + a.Stream},
		Steps: []Step{
			{
				Do: "publish", Object: f.undo.Subject,
				Payload: fmt.Sprintf("messages of %s and less until stream %s is full: about %s", quantity.FormatSize(fillLargest), a.Stream, quantity.FormatSize(float64(room))),
			},
			purgeStep(a.Site, f.undo),
		},
		Undo:   []Undo{f.undo},
		Inject: func(ctx context.Context) error { return f.inject(ctx, f.start) },
		Heal:   func(ctx context.Context) error { return f.heal(ctx, f.leave) },
		Healed: func(ctx context.Context) error { return empty(ctx, a.Site, f.undo) },
		Counts: f.tally,
	}, nil
}

// room is how much a stream still takes, in bytes.
func (a aim) room(info *jetstream.StreamInfo) (int64, error) {
	if info.Config.MaxBytes <= 0 {
		err := refuse(ErrNeeds, "stream %s has no max_bytes: before it is full, the disk is", info.Config.Name)
		return 0, hint.Wrap(err, "a stream with max_bytes")
	}
	room := info.Config.MaxBytes - int64(info.State.Bytes)
	if most := a.settings.size("bytes"); room > most {
		err := refuse(ErrNeeds, "stream %s has room for %s, which is more than %s", info.Config.Name, quantity.FormatSize(float64(room)), quantity.FormatSize(float64(most)))
		return 0, hint.Wrap(err, "param bytes, or a smaller stream")
	}
	return room, nil
}

// start fills the stream, and keeps it full.
func (f *filler) start(ctx context.Context) error {
	f.filled = true
	if err := f.fill(ctx); err != nil {
		return err
	}
	f.keep(func(ctx context.Context) {
		for wait(ctx, fillRetry) == nil {
			_ = f.fill(ctx) // the servers may be broken, too
		}
	})
	return nil
}

// fill publishes until the stream is full, for large messages and for small ones.
func (f *filler) fill(ctx context.Context) error {
	failures := 0
	largest := min(fillLargest, f.App.MaxPayload()/2)
	for size := largest; size >= fillSmallest; {
		err := f.one(ctx, int(size))
		refused, told := errors.AsType[*jetstream.APIError](err)
		switch {
		case err == nil:
			failures = 0
		case told && refused.ErrorCode == codeFull:
			f.count("refused", 1)
			size /= 2
		case ctx.Err() != nil:
			return ctx.Err()
		default:
			if failures++; failures == fillTries {
				return fmt.Errorf("fill stream %s: %w", f.undo.Stream, err)
			}
			if err := wait(ctx, fillRetry); err != nil {
				return err
			}
		}
	}
	return nil
}

func (f *filler) one(ctx context.Context, size int) error {
	ctx, cancel := context.WithTimeout(ctx, askLimit)
	defer cancel()
	_, err := f.JS.Publish(ctx, f.undo.Subject, make([]byte, size))
	if err == nil {
		f.count("stored", 1)
		f.count("stored_bytes", float64(size))
	}
	return err
}

func (f *filler) leave(ctx context.Context) error {
	if !f.filled {
		return nil
	}
	return purge(ctx, f.Site, f.undo)
}

// empty tells what is left of a subject that was purged.
func empty(ctx context.Context, s Site, u Undo) error {
	stream, err := s.JS.Stream(ctx, u.Stream)
	if gone(err) {
		return nil
	}
	if err != nil {
		return err
	}
	info, err := stream.Info(ctx, jetstream.WithSubjectFilter(u.Subject))
	if err != nil {
		return err
	}
	if n := info.State.Subjects[u.Subject]; n > 0 {
		return fmt.Errorf("stream %s still has %d messages on %s", u.Stream, n, u.Subject)
	}
	return nil
}
