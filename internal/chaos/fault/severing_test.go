package fault

import (
	"errors"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"
	"pgregory.net/rapid"

	"github.com/natsops/natsops/internal/chaos/proxy"
)

func seeded(seed uint64) *rand.Rand { return rand.New(rand.NewPCG(seed, 0)) }

// web is a site of servers that nobody runs, with all their links.
func web(t *testing.T, names ...string) Site {
	t.Helper()
	f := proxy.NewFabric(proxy.FabricConfig{})
	t.Cleanup(func() {
		if err := f.Close(); err != nil {
			t.Error(err)
		}
	})
	s := Site{Links: f}
	for _, to := range names {
		s.Servers = append(s.Servers, Server{Name: to})
		for _, from := range append([]string{""}, names...) {
			if from == to {
				continue
			}
			if _, err := f.Link(from, to, "127.0.0.1:1"); err != nil {
				t.Fatal(err)
			}
		}
	}
	return s
}

// changed are the links that are not as they were, in words.
func changed(f *proxy.Fabric) map[string]string {
	all := map[string]string{}
	for l, now := range f.Links() {
		if now.Toxics != (proxy.Toxics{}) || !now.Listening {
			all[l.String()] = describe(now.Toxics)
		}
	}
	return all
}

func only1() Victim { return Victim{Servers: []string{"n1"}} }

func TestEachKindDoesToLinksWhatItSaysAndUndoesIt(t *testing.T) {
	site := web(t, "n1", "n2", "n3")
	for _, c := range []struct {
		spec Spec
		want map[string]string
		down string
	}{
		{
			Spec{Kind: "partition", Victim: only1()},
			map[string]string{"n1→n2": "freeze", "n2→n1": "freeze", "n1→n3": "freeze", "n3→n1": "freeze"},
			"n1",
		},
		{
			Spec{Kind: "partition", Victim: Victim{Servers: []string{"n1", "n3"}}, Params: map[string]string{"cut": "reset"}},
			map[string]string{"n1→n2": "refuse", "n2→n1": "refuse", "n3→n2": "refuse", "n2→n3": "refuse"},
			"n2",
		},
		{
			Spec{Kind: "partition-oneway", Victim: only1(), Params: map[string]string{"mute": "says", "cut": "drop"}},
			map[string]string{
				"n1→n2": "to whom was dialled: drop", "n1→n3": "to whom was dialled: drop",
				"n2→n1": "to who dialled: drop", "n3→n1": "to who dialled: drop",
			},
			"n1",
		},
		{
			Spec{Kind: "partition-oneway", Victim: only1()},
			map[string]string{
				"n1→n2": "to who dialled: freeze", "n1→n3": "to who dialled: freeze",
				"n2→n1": "to whom was dialled: freeze", "n3→n1": "to whom was dialled: freeze",
			},
			"n1",
		},
		{
			Spec{Kind: "partition-link", Victim: only1(), Params: map[string]string{"with": "n3"}},
			map[string]string{"n1→n3": "freeze", "n3→n1": "freeze"},
			"",
		},
		{
			Spec{Kind: "split"},
			map[string]string{"n1→n2": "freeze", "n2→n1": "freeze", "n1→n3": "freeze", "n3→n1": "freeze", "n2→n3": "freeze", "n3→n2": "freeze"},
			"n1, n2, n3",
		},
		{
			Spec{Kind: "degrade", Victim: only1(), Params: map[string]string{"rate": "2MiB/s"}},
			map[string]string{
				"n1→n2": "latency 100ms ± 30ms, at most 2 MiB/s", "n2→n1": "latency 100ms ± 30ms, at most 2 MiB/s",
				"n1→n3": "latency 100ms ± 30ms, at most 2 MiB/s", "n3→n1": "latency 100ms ± 30ms, at most 2 MiB/s",
			},
			"",
		},
		{Spec{Kind: "client-link", Victim: only1()}, map[string]string{"clients→n1": "latency 150ms ± 50ms"}, ""},
		{
			Spec{Kind: "client-link", Victim: only1(), Params: map[string]string{"latency": "0", "jitter": "0", "flow": "half-open", "refuse": "yes", "slice": "3"}},
			map[string]string{"clients→n1": "to whom was dialled: pieces of 3 B; to who dialled: half-open, pieces of 3 B; refuse"},
			"",
		},
	} {
		s := mustAimAt(t, site, c.spec)
		if err := s.Healed(t.Context()); err != nil {
			t.Errorf("%s: %v before", c.spec.Kind, err)
		}
		if err := s.Inject(t.Context()); err != nil {
			t.Fatal(err)
		}
		if got := changed(site.Links); !maps.Equal(got, c.want) {
			t.Errorf("%s: got %q, want %q", c.spec.Kind, got, c.want)
		}
		if err := s.Healed(t.Context()); err == nil {
			t.Errorf("%s: it counts as healed", c.spec.Kind)
		}
		if got := strings.Join(s.Down, ", "); got != c.down || len(s.Steps) != len(c.want) {
			t.Errorf("%s: down %q, want %q; steps %+v", c.spec.Kind, got, c.down, s.Steps)
		}
		mustHealNow(t, s)
		if got := changed(site.Links); len(got) != 0 {
			t.Errorf("%s: %q are left", c.spec.Kind, got)
		}
	}
}

func TestHealLeavesWhatOthersDoToTheSameLink(t *testing.T) {
	site := web(t, "n1", "n2")
	slow := mustAimAt(t, site, Spec{Kind: "degrade", Victim: all()})
	cut := mustAimAt(t, site, Spec{Kind: "partition", Victim: only1(), Params: map[string]string{"cut": "drop"}})
	for _, s := range []*Strike{slow, cut} {
		if err := s.Inject(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	mustHealNow(t, cut)
	const slowed = "latency 100ms ± 30ms"
	if got, want := changed(site.Links), map[string]string{"n1→n2": slowed, "n2→n1": slowed}; !maps.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	if err := slow.Healed(t.Context()); err == nil {
		t.Error("what is slow counts as healed")
	}
	mustHealNow(t, slow)
}

func TestLinksThatAreNotThereCannotBeCut(t *testing.T) {
	doors := Site{Links: proxy.NewFabric(proxy.FabricConfig{}), Servers: []Server{{Name: "n1"}, {Name: "n2"}}}
	defer doors.Links.Close()
	for _, name := range doors.serverNames() {
		if _, err := doors.Links.Link("", name, "127.0.0.1:1"); err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range []struct {
		site Site
		spec Spec
		want error
	}{
		{doors, Spec{Kind: "partition", Victim: only1()}, ErrNeeds},
		{doors, Spec{Kind: "split"}, ErrNeeds},
		{web(t, "n1", "n2"), Spec{Kind: "partition", Victim: all()}, ErrNoVictim},
		{web(t, "n1", "n2"), Spec{Kind: "partition-link", Victim: only1(), Params: map[string]string{"with": "n3"}}, ErrNoVictim},
		{web(t, "n1", "n2"), Spec{Kind: "partition-link", Victim: all()}, ErrNoVictim},
		{doors, Spec{Kind: "client-link", Victim: only1(), Params: map[string]string{"latency": "0", "jitter": "0"}}, ErrSpec},
	} {
		k, err := Lookup(c.spec.Kind)
		if err != nil {
			t.Fatal(err)
		}
		a := aim{Spec: c.spec, Site: c.site}
		if a.settings, err = k.read(c.spec.Params); err != nil {
			t.Fatal(err)
		}
		if _, err := k.aim(t.Context(), a); !errors.Is(err, c.want) {
			t.Errorf("%+v: got %v, want %v", c.spec, err, c.want)
		}
	}
}

// Whatever is set, put and take are each other's inverse where nothing was set
// before, and leave what is not set.
func TestMergedToxicsAreTakenApartAgain(t *testing.T) {
	toxic := rapid.Custom(func(t *rapid.T) proxy.Toxic {
		return proxy.Toxic{
			Flow:    rapid.SampledFrom([]proxy.Flow{proxy.Pass, proxy.Freeze, proxy.Drop, proxy.HalfOpen}).Draw(t, "flow"),
			Latency: time.Duration(rapid.Int64Range(0, 2).Draw(t, "latency")),
			Jitter:  time.Duration(rapid.Int64Range(0, 2).Draw(t, "jitter")),
			Rate:    rapid.Int64Range(0, 2).Draw(t, "rate"),
			Slice:   rapid.IntRange(0, 2).Draw(t, "slice"),
			Limit:   rapid.Int64Range(0, 2).Draw(t, "limit"),
		}
	})
	toxics := rapid.Custom(func(t *rapid.T) proxy.Toxics {
		return proxy.Toxics{Up: toxic.Draw(t, "up"), Down: toxic.Draw(t, "down"), Refuse: rapid.Bool().Draw(t, "refuse")}
	})
	rapid.Check(t, func(t *rapid.T) {
		set := toxics.Draw(t, "set")
		var now proxy.Toxics
		merge(&now, set, put)
		if now != set {
			t.Fatalf("put: got %+v, want %+v", now, set)
		}
		if had := merge(&now, set, take); now != (proxy.Toxics{}) || had != (set != proxy.Toxics{}) {
			t.Fatalf("take: got %+v, had %t", now, had)
		}
		// What was there before stays where nothing is set.
		before := toxics.Draw(t, "before")
		now = before
		merge(&now, set, put)
		merge(&now, set, take)
		if again := now; merge(&again, set, take) || again != now {
			t.Fatalf("of %+v %+v is left of %+v", before, now, set)
		}
		if merge(&now, before, put); now != before {
			t.Fatalf("got %+v of %+v", now, before)
		}
	})
}

func TestMinorityCanBeLost(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		servers := rapid.IntRange(1, 9).Draw(t, "servers")
		replicas := rapid.IntRange(1, min(5, servers)).Draw(t, "replicas")
		var names []string
		for i := range servers {
			names = append(names, string(rune('a'+i)))
		}
		dice := seeded(rapid.Uint64().Draw(t, "seed"))
		has := slices.Clone(names)
		dice.Shuffle(servers, func(i, j int) { has[i], has[j] = has[j], has[i] })
		has = has[:replicas]
		group := &jetstream.ClusterInfo{Leader: has[0]}
		for _, name := range has[1:] {
			group.Replicas = append(group.Replicas, &jetstream.PeerInfo{Name: name})
		}
		site, _ := stage(names...)
		got := aim{Site: site}.minority(group, names, dice)
		both := only(has, got...)
		if slices.Contains(got, has[0]) || 2*len(got) >= servers && len(got) > 0 || 2*len(both) >= replicas && len(both) > 0 {
			t.Fatalf("of %q with a stream on %q: %q", names, has, got)
		}
		if servers >= 3 && replicas == servers && len(got) != (servers-1)/2 {
			t.Fatalf("of %q: only %q", names, got)
		}
	})
}
