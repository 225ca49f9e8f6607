package deadletter

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

func TestShowTellsAllOfAMessage(t *testing.T) {
	w := newWorld(t)
	w.capture()
	s := w.stream(jetstream.StreamConfig{Name: "S", AllowDirect: true})
	c := w.consumer("S", "w", 1)
	// A message with headers such as a direct get would add, which must not hide those of the server.
	w.publish("S.x", nats.Header{"Nats-Sequence": {"77"}, "Nats-Subject": {"elsewhere"}, "B": {"1", "2"}}, "\x00payload\xff")
	w.publish("S.x", nil, "")
	w.giveUp(c, 2)
	w.letters(Query{}, 2)
	got, err := Show(t.Context(), w.js, key("S", "w"), 1)
	if err != nil || string(got.Data) != "\x00payload\xff" || got.Subject != "S.x" || got.Seq != 1 || len(got.Header["B"]) != 2 ||
		got.Header.Get("Nats-Sequence") != "77" || !strings.HasPrefix(string(got.RawHeader), "NATS/1.0\r\n") ||
		got.Presence != Present || got.Cause != MaxDeliver || got.Deliveries != 1 || got.GivenUp.IsZero() || len(got.Gaps) != 0 {
		t.Errorf("got %+v, %v", got, err)
	}
	if got, err := Show(t.Context(), w.js, key("S", ""), 2); err != nil || got.Presence != Present || got.Cause != "" || got.RawHeader != nil {
		t.Errorf("without a consumer: got %+v, %v", got, err)
	}
	if err := s.DeleteMsg(t.Context(), 1); err != nil {
		t.Fatal(err)
	}
	for seq, want := range map[uint64]string{1: "begins at sequence 2", 3: "ends at sequence 2"} {
		if got, err := Show(t.Context(), w.js, key("S", "w"), seq); err != nil || got.Presence != Gone || got.Data != nil || !strings.Contains(got.Why, want) {
			t.Errorf("message %d: got %+v, %v, want gone, %q", seq, got, err, want)
		}
	}
	if _, err := Show(t.Context(), w.js, key("NOT", "w"), 1); !errors.Is(err, jetstream.ErrStreamNotFound) {
		t.Errorf("got %v", err)
	}
}

func TestListenTellsWhatIsGivenUpNow(t *testing.T) {
	w := newWorld(t)
	w.stream(jetstream.StreamConfig{Name: "S"})
	ctx, stop := context.WithCancel(t.Context())
	heard, ended := make(chan Letter, 10), make(chan error)
	go func() { ended <- Listen(ctx, w.js, Query{Consumer: "w"}, func(l Letter) { heard <- l }) }()
	w.eventually("somebody listens", func() bool { return w.nc.NumSubscriptions() > 2 && w.nc.Flush() == nil })
	other := w.consumer("S", "other", 1)
	w.publish("S.x", nil, "payload")
	w.giveUp(other, 1)
	c := w.consumer("S", "w", 1)
	w.giveUp(c, 1)
	if l := <-heard; l.ID() != "S/w/1" || l.Cause != MaxDeliver || l.Presence != Present || l.Subject != "S.x" || l.Size != 7 {
		t.Errorf("got %+v", l)
	}
	stop()
	if err := <-ended; err != nil {
		t.Errorf("got %v", err)
	}
	if n := w.nc.NumSubscriptions(); n > 1 { // that of requests stays
		t.Errorf("%d subscriptions are left", n)
	}
	go func() { ended <- Listen(t.Context(), w.js, Query{}, func(Letter) {}) }()
	w.eventually("somebody listens", func() bool { return w.nc.NumSubscriptions() > 2 })
	w.nc.Close()
	if err := <-ended; !errors.Is(err, nats.ErrConnectionClosed) {
		t.Errorf("a closed connection: got %v", err)
	}
}
