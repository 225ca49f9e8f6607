package inspect

import (
	"encoding/json"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// FuzzMerge lets three servers say anything of streams and consumers.
func FuzzMerge(f *testing.F) {
	f.Add(
		[]byte(`{"account_details":[{"name":"A","id":"A","stream_detail":[{"name":"S","cluster":{"leader":"n1"},"consumer_detail":[{"name":"c","num_pending":1,"cluster":{"leader":"n2","replicas":[{"name":"n1"}]}}]}]}]}`),
		[]byte(`{"account_details":[{"name":"A","id":"A","stream_detail":[{"name":"S","cluster":{"leader":"n1"},"consumer_detail":[{"name":"c","num_pending":2,"cluster":{"leader":"n2"}},{"name":"c"}]}]}]}`),
		[]byte(`{"account_details":[{"name":"A","id":"B","stream_detail":[{"name":"S"},{"name":""},{"name":"S"}]}]}`))
	f.Add([]byte(`{"account_details":[{}]}`), []byte(`{"account_details":[{"stream_detail":[{"consumer_detail":[{"cluster":{}}]}]}]}`), []byte(`null`))
	f.Fuzz(func(t *testing.T, n1, n2, n3 []byte) {
		r := newRound(&Collector{o: Options{}.withDefaults(), memory: newMemory(), route: RouteSystem}, Need{Consumers: true, Accounts: true})
		for i, said := range [][]byte{n1, n2, n3} {
			var v jsz
			if json.Unmarshal(said, &v) != nil {
				continue
			}
			r.details = append(r.details, detail{by: fmt.Sprintf("n%d", i+1), at: time.Unix(1, 0), accounts: v.Accounts})
		}
		for range 2 { // the second time, there is something to remember
			s := r.snapshot()
			consistent(t, s)
			r.c.memory.streams, r.c.memory.consumers = s.Streams, s.Consumers
		}
	})
}

func consistent(t *testing.T, s *Snapshot) {
	t.Helper()
	for i := range s.Streams {
		if i > 0 && s.Streams[i-1].Key().Compare(s.Streams[i].Key()) >= 0 {
			t.Fatalf("%v comes after %v", s.Streams[i].Key(), s.Streams[i-1].Key())
		}
		one := &s.Streams[i]
		if one.Reading.State == Unknown && (one.Why == "" || one.State != StreamState{}) || one.Reading.State == Fresh && !believed(one.Cluster, one.By) {
			t.Fatalf("stream %+v", one)
		}
	}
	for i := range s.Consumers {
		if i > 0 && s.Consumers[i-1].Key().Compare(s.Consumers[i].Key()) >= 0 {
			t.Fatalf("%v comes after %v", s.Consumers[i].Key(), s.Consumers[i-1].Key())
		}
		one := &s.Consumers[i]
		if one.State == Unknown && (one.Why == "" || one.NumPending != 0 || one.NumAckPending != 0) || one.State == Fresh && !believed(one.Cluster, one.By) {
			t.Fatalf("consumer %+v", one)
		}
	}
}

func FuzzEvent(f *testing.F) {
	f.Add([]byte(`{"type":"io.nats.jetstream.advisory.v1.nak","timestamp":"2026-01-02T03:04:05Z","stream":"S","consumer":"c"}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		if e, ok := parseEvent(data); ok && e.Kind == "" {
			t.Errorf("event %+v", e)
		}
	})
}

func FuzzSpan(f *testing.F) {
	for _, text := range []string{`"1y2d3h4m5s"`, `"1.5ms"`, `"0s"`, `""`, `null`, `"9999999y"`, `"-1s"`} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		var s span
		if err := s.UnmarshalJSON(data); err != nil || s < 0 {
			t.Errorf("%q: %v, %v", data, time.Duration(s), err)
		}
	})
}

func TestSpansAreReadAsServersWriteThem(t *testing.T) {
	const day = 24 * time.Hour
	for text, want := range map[string]time.Duration{
		`"1y2d3h4m5s"`: 367*day + 3*time.Hour + 4*time.Minute + 5*time.Second,
		`"2d0h0m1s"`:   2*day + time.Second,
		`"59m59s"`:     time.Hour - time.Second,
		`"1.234ms"`:    1234 * time.Microsecond,
		`"soon"`:       0,
		`"xd1h"`:       0,
	} {
		var s span
		if err := json.Unmarshal([]byte(text), &s); err != nil || time.Duration(s) != want {
			t.Errorf("%s = %v, %v, want %v", text, time.Duration(s), err, want)
		}
	}
}

// Joining two lists in order is the same as looking each entry up.
func TestCarryIsALookup(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		names := rapid.SliceOfDistinct(rapid.StringMatching(`[a-e]{1,2}`), rapid.ID[string])
		list := func(label string) []Key {
			var keys []Key
			for _, name := range names.Draw(t, label) {
				keys = append(keys, Key{Stream: name})
			}
			slices.SortFunc(keys, Key.Compare)
			return keys
		}
		before, now := list("before"), list("now")
		keeps := func(k *Key) bool { return k.Stream[0] < 'c' }
		joined := map[Key]bool{}
		got := carry(before, slices.Clone(now), kind[Key]{
			key:  func(k *Key) Key { return *k },
			join: func(old, _ *Key) { joined[*old] = true },
			keep: func(old *Key) (Key, bool) { return *old, keeps(old) },
		})
		want := slices.Clone(now)
		for _, k := range before {
			if slices.Contains(now, k) != joined[k] {
				t.Fatalf("%v joined: %v", k, joined[k])
			}
			if !joined[k] && keeps(&k) {
				want = append(want, k)
			}
		}
		slices.SortFunc(want, Key.Compare)
		if diff := cmp.Diff(want, got); diff != "" {
			t.Fatal(diff)
		}
	})
}

func TestConfigurationsAreRefreshedNowAndThen(t *testing.T) {
	asked := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	for _, c := range []struct {
		m     memory
		after time.Duration
		want  bool
	}{
		{memory{}, 0, true},
		{memory{configsAt: asked}, 2 * time.Second, false},
		{memory{configsAt: asked}, 30 * time.Second, true},
		{memory{configsAt: asked, configsMissing: true}, 2 * time.Second, false},
		{memory{configsAt: asked, configsMissing: true}, 5 * time.Second, true},
	} {
		if got := c.m.wantsConfigs(asked.Add(c.after)); got != c.want {
			t.Errorf("%+v after %v: %v", c.m, c.after, got)
		}
	}
}

func TestAccountsWithOneNameKeepApart(t *testing.T) {
	m := newMemory()
	for _, c := range []struct{ id, tag, want string }{
		{"A1", "shop", "shop"},
		{"A2", "shop", "A2"},
		{"A1", "shop", "shop"},
		{"A3", "", "A3"},
		{"", "shop", "shop"},
	} {
		if got := m.accountName(c.id, c.tag); got != c.want {
			t.Errorf("accountName(%q, %q) = %q, want %q", c.id, c.tag, got, c.want)
		}
	}
}

// During an election two may take themselves for the leader.
func TestTheLeaderElectedLastIsBelieved(t *testing.T) {
	at := func(minute int) *Group {
		return &Group{LeaderSince: time.Date(2026, 1, 2, 3, minute, 0, 0, time.UTC)}
	}
	old, new := &Consumer{Cluster: at(1)}, &Consumer{Cluster: at(2)}
	for _, pair := range [][2]*Consumer{{old, new}, {new, old}, {nil, new}, {new, nil}} {
		if later(pair[0], pair[1], consumerGroup) != new {
			t.Errorf("of %v", pair)
		}
	}
}
