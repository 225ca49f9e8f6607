package fault

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/natsops/natsops/internal/lab"
)

func TestUndoFromTheJournalResumesTheConsumer(t *testing.T) {
	s := newSite(t, lab.Config{})
	strike := mustAim(t, s, Spec{Kind: "consumer-pause", For: time.Minute})
	mustInject(t, strike)
	text, err := json.Marshal(strike.Undo)
	if err != nil {
		t.Fatal(err)
	}
	var read []Undo
	if err := json.Unmarshal(text, &read); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"resumed consumer", "is not paused any more"} {
		if done, err := Revert(patient(t), read[0], s); err != nil || !strings.Contains(done, want) {
			t.Errorf("got %q, %v; want %s", done, err, want)
		}
	}
	if consumerOf(t, s).Paused {
		t.Error("it is still paused")
	}
	if err := s.JS.DeleteConsumer(patient(t), s.Stream, s.Consumer); err != nil {
		t.Fatal(err)
	}
	if done, err := Revert(patient(t), read[0], s); err != nil || !strings.Contains(done, "is gone") {
		t.Errorf("got %q, %v", done, err)
	}
}

func TestOnlyWhatBearsTheMarkIsDeleted(t *testing.T) {
	s := newSite(t, lab.Config{})
	for name, c := range map[string]struct {
		metadata map[string]string
		ours     bool
	}{
		"NONE":    {nil, false},
		"OTHER":   {Metadata(testMark + "1"), false},
		"BENCH":   {map[string]string{MetaOwner: testMark, MetaKind: "bench"}, false},
		"OURS":    {Metadata(testMark), true},
		"OURSTOO": {Metadata(testMark + "-stream"), true},
	} {
		stream, err := s.JS.CreateStream(patient(t), jetstream.StreamConfig{Name: name, Subjects: []string{name}, Metadata: c.metadata})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := stream.CreateConsumer(patient(t), jetstream.ConsumerConfig{Durable: "c", Metadata: c.metadata}); err != nil {
			t.Fatal(err)
		}
		for _, u := range []Undo{{Kind: UndoConsumer, Stream: name, Consumer: "c"}, {Kind: UndoStream, Stream: name}} {
			for _, want := range []string{"deleted", "is gone"} {
				done, err := Revert(patient(t), u, s)
				if c.ours && (err != nil || !strings.Contains(done, want)) {
					t.Errorf("%s: got %q, %v; want %s", u, done, err, want)
				}
				if !c.ours && !errors.Is(err, ErrForeign) {
					t.Errorf("%s: got %q, %v", u, done, err)
				}
			}
		}
	}
	if _, err := Revert(patient(t), Undo{Kind: "explode"}, s); err == nil {
		t.Error("an undo that does not exist is done")
	}
}

func TestMarkOfNobodyOwnsNothing(t *testing.T) {
	if err := (Site{}).owns(Metadata("")); !errors.Is(err, ErrForeign) {
		t.Errorf("got %v", err)
	}
}

func TestPurgeOfEverythingIsRefused(t *testing.T) {
	s := newSite(t, lab.Config{})
	store(t, s, 3)
	for _, subject := range []string{"", ">", "*", "*.x7.>"} {
		if _, err := Revert(patient(t), Undo{Kind: UndoFill, Stream: s.Stream, Subject: subject}, s); !errors.Is(err, ErrForeign) {
			t.Errorf("%q: %v", subject, err)
		}
	}
	if n := messages(t, s); n != 3 {
		t.Errorf("%d of 3 messages are left", n)
	}
}

func TestWhatIsNotAnsweredIsTriedAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		unavailable := &jetstream.APIError{Code: 503, ErrorCode: 10008}
		final := errors.New("no")
		for _, answers := range [][]error{
			{nil}, {final}, {nats.ErrTimeout, nats.ErrNoResponders, unavailable, context.DeadlineExceeded, nil}, {nats.ErrTimeout, final},
		} {
			asked := 0
			err := persist(t.Context(), func(context.Context) error {
				asked++
				return answers[asked-1]
			})
			if want := answers[len(answers)-1]; !errors.Is(err, want) || asked != len(answers) {
				t.Errorf("%v: asked %d times, got %v", answers, asked, err)
			}
		}
		// Never is not for ever.
		err := persist(t.Context(), func(ctx context.Context) error {
			<-ctx.Done()
			return ctx.Err()
		})
		if !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("got %v", err)
		}
	})
}
