package inspect_test

import (
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/natsops/natsops/internal/inspect"
)

func TestOldestUnfinishedMessageIsFound(t *testing.T) {
	w := newWorld(t)
	c := open(t, w.app, inspect.Options{})
	for _, direct := range []bool{false, true} {
		name := map[bool]string{true: "DIRECT", false: "PLAIN"}[direct]
		addStream(t, w.app, jetstream.StreamConfig{Name: name, AllowDirect: direct})
		for _, subject := range []string{".a", ".b", ".a", ".c", ".b"} {
			publish(t, w.app, name+subject, 1)
		}
		stream, err := js(t, w.app).Stream(t.Context(), name)
		if err != nil {
			t.Fatal(err)
		}
		if err := stream.DeleteMsg(t.Context(), 2); err != nil {
			t.Fatal(err)
		}
		third, err := stream.GetMsg(t.Context(), 3)
		if err != nil {
			t.Fatal(err)
		}
		lookups := []struct {
			inspect.Lookup
			want uint64 // 0: none
		}{
			{inspect.Lookup{From: 1}, 1},
			{inspect.Lookup{From: 2}, 3}, // 2 was deleted
			{inspect.Lookup{From: 2, Filters: []string{name + ".b"}}, 5},
			{inspect.Lookup{From: 2, Filters: []string{name + ".b", name + ".c"}}, 4},
			{inspect.Lookup{From: 2, Filters: []string{name + ".none"}}, 0},
			{inspect.Lookup{From: 6}, 0},
			{inspect.Lookup{From: 1, Since: third.Time}, 3},
			{inspect.Lookup{From: 4, Since: third.Time}, 4},
			{inspect.Lookup{From: 1, Since: third.Time.Add(time.Hour)}, 0},
		}
		var ask []inspect.Lookup
		for _, l := range lookups {
			l.Key, l.Direct = inspect.Key{Stream: name}, direct
			ask = append(ask, l.Lookup)
		}
		for i, got := range c.Oldest(t.Context(), ask) {
			want := lookups[i].want
			if got.Why != "" || got.Found != (want > 0) || got.Seq != want || got.Found && (time.Since(got.At) > time.Hour || got.Subject == "") {
				t.Errorf("%+v: got %+v, want %d", ask[i], got, want)
			}
		}
	}
}

func TestWhatCannotBeLookedUpIsNotKnown(t *testing.T) {
	w := newWorld(t)
	none := []inspect.Lookup{{Key: inspect.Key{Stream: "NONE"}, From: 1}, {Key: inspect.Key{Stream: "NONE"}, From: 1, Direct: true}}
	for _, c := range []*inspect.Collector{open(t, w.app, inspect.Options{}), open(t, w.sys, inspect.Options{})} {
		for i, got := range c.Oldest(t.Context(), none) {
			if got.Found || got.Why == "" {
				t.Errorf("%s route: %+v: %+v", c.Route(), none[i], got)
			}
		}
	}
}
