package deadletter

import (
	"context"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/natsops/natsops/internal/inspect"
)

// A Shown is a letter with the message as it is stored.
type Shown struct {
	Letter                  // Cause is empty when no advisory of it was kept
	RawHeader []byte        // as on the wire; nil: it has none
	Data      []byte        // the payload
	Gaps      []inspect.Gap // what could not be read
}

// Show reads one message and what is known about why the consumer in key gave
// it up. When the message is gone, the letter says by what it may have been.
func Show(ctx context.Context, js jetstream.JetStream, key inspect.Key, seq uint64) (Shown, error) {
	s, err := newSearch(js, Query{Limit: 1})
	if err != nil {
		return Shown{}, err
	}
	s.query.Stream, s.query.Consumer, s.only = key.Stream, key.Consumer, seq
	if err := s.listStreams(ctx); err != nil {
		return Shown{}, err
	}
	if key.Consumer != "" {
		s.readAdvisories(ctx)
	}
	out := Shown{Letter: Letter{Key: key, Seq: seq}, Gaps: s.result.Gaps}
	for _, l := range merged(s.letters) {
		if l.Key == key {
			out.Letter = l
		}
	}
	s.locate(ctx, &out.Letter)
	if out.Presence == Gone {
		return out, ctx.Err()
	}
	m, err := s.message(ctx, key.Stream, lookup{Seq: seq})
	if err != nil {
		return out, err
	}
	if m != nil {
		out.RawHeader, out.Data = m.Header, m.Data
	}
	return out, nil
}
