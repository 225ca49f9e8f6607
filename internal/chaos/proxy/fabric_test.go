package proxy

import (
	"maps"
	"net"
	"slices"
	"strings"
	"testing"

	"github.com/natsops/natsops/internal/hint"
)

// newFabric links the nodes, which are not there, and their clients.
func newFabric(t *testing.T, nodes ...string) *Fabric {
	t.Helper()
	f := NewFabric(FabricConfig{})
	t.Cleanup(func() {
		for range 2 {
			if err := f.Close(); err != nil {
				t.Error(err)
			}
		}
		if err := f.Heal(); err != nil {
			t.Errorf("heal what is closed: %v", err)
		}
	})
	for _, to := range nodes {
		for _, from := range append([]string{""}, nodes...) {
			if from == to {
				continue
			}
			if _, err := f.Link(from, to, "127.0.0.1:1"); err != nil {
				t.Fatal(err)
			}
		}
	}
	return f
}

// struck shows the links that have toxics: ↑ up, ↓ down, with the first letter
// of the flow, and × refused.
func struck(f *Fabric) string {
	var all []string
	for l, s := range f.Links() {
		mark := ""
		for _, d := range []struct {
			arrow string
			t     Toxic
		}{{"↑", s.Toxics.Up}, {"↓", s.Toxics.Down}} {
			if d.t != (Toxic{}) {
				mark += d.arrow + string((d.t.Flow + "t")[:1])
			}
		}
		if s.Toxics.Refuse != !s.Listening {
			mark += "?"
		}
		if s.Toxics.Refuse {
			mark += "×"
		}
		if mark != "" {
			all = append(all, l.String()+mark)
		}
	}
	slices.Sort(all)
	return strings.Join(all, " ")
}

func TestPartitionsCutBothDiallingDirectionsOfEachLinkBetweenGroups(t *testing.T) {
	f := newFabric(t, "n1", "n2", "n3")
	group := func(names ...string) []string { return names }
	for _, c := range []struct {
		name string
		do   func() error
		want string
	}{
		{
			"isolate", func() error { return f.Isolate(CutFreeze, "n1") },
			"n1→n2↑f↓f n1→n3↑f↓f n2→n1↑f↓f n3→n1↑f↓f",
		},
		{
			"reset", func() error { return f.Isolate(CutReset, "n3") },
			"n1→n3× n2→n3× n3→n1× n3→n2×",
		},
		{
			"one link", func() error { return f.Partition(CutDrop, group("n1"), group("n2")) },
			"n1→n2↑d↓d n2→n1↑d↓d",
		},
		{
			"all apart", func() error { return f.Partition(CutReset, group("n1"), group("n2"), group("n3")) },
			"n1→n2× n1→n3× n2→n1× n2→n3× n3→n1× n3→n2×",
		},
		{
			"cannot speak", func() error { return f.Silence(CutFreeze, group("n1"), group("n2", "n3")) },
			"n1→n2↑f n1→n3↑f n2→n1↓f n3→n1↓f",
		},
		{
			"cannot hear", func() error { return f.Silence(CutDrop, group("n2", "n3"), group("n1")) },
			"n1→n2↓d n1→n3↓d n2→n1↑d n3→n1↑d",
		},
		{
			"slow", func() error { return f.Degrade(group("n1"), group("n2"), Toxic{Latency: 1}) },
			"n1→n2↑t n2→n1↓t",
		},
		{
			"slow, then cut", func() error {
				if err := f.Degrade(group("n1"), group("n2"), Toxic{Latency: 1}); err != nil {
					return err
				}
				return f.Partition(CutReset, group("n1"), group("n2"))
			},
			"n1→n2↑t× n2→n1↓t×",
		},
		{
			"clients", func() error {
				p, err := f.Proxy("", "n1")
				if err != nil {
					return err
				}
				return p.Set(Toxics{Refuse: true})
			},
			"clients→n1×",
		},
	} {
		if err := c.do(); err != nil {
			t.Errorf("%s: %v", c.name, err)
		}
		if got := struck(f); got != c.want {
			t.Errorf("%s:\n got %s\nwant %s", c.name, got, c.want)
		}
		if err := f.Heal(); err != nil {
			t.Errorf("%s: heal: %v", c.name, err)
		}
		if got := struck(f); got != "" {
			t.Errorf("%s: left after the heal: %s", c.name, got)
		}
	}
}

func TestPartitionsThatMakeNoSenseCutNothing(t *testing.T) {
	f := newFabric(t, "n1", "n2", "n3")
	group := func(names ...string) []string { return names }
	for name, err := range map[string]error{
		"unknown node":     f.Isolate(CutFreeze, "n4"),
		"clients":          f.Isolate(CutFreeze, ""),
		"no group":         f.Partition(CutFreeze),
		"one group":        f.Partition(CutFreeze, group("n1", "n2")),
		"empty group":      f.Partition(CutFreeze, group("n1"), nil),
		"node twice":       f.Partition(CutFreeze, group("n1", "n2"), group("n2", "n3")),
		"unknown cut":      f.Isolate("saw", "n1"),
		"one-way reset":    f.Silence(CutReset, group("n1"), group("n2")),
		"unknown flow":     f.Degrade(group("n1"), group("n2"), Toxic{Flow: "ebb"}),
		"negative latency": f.Degrade(group("n1"), group("n2"), Toxic{Latency: -1}),
	} {
		if err == nil {
			t.Errorf("%s: no error", name)
		}
	}
	if got := struck(f); got != "" {
		t.Errorf("cut %s", got)
	}
	if _, err := f.Proxy("n1", "n4"); err == nil || !strings.Contains(hint.Of(err), "n1, n2, n3") {
		t.Errorf("got %v, hint %q", err, hint.Of(err))
	}
	if _, err := f.Link("n1", "n2", "127.0.0.1:1"); err == nil {
		t.Error("a link was made twice")
	}
}

func TestPartitionThatFailsOnOneLinkLeavesNoneCut(t *testing.T) {
	f := newFabric(t, "n1", "n2")
	if err := f.Partition(CutFreeze, []string{"n1"}, []string{"n2"}); err != nil {
		t.Fatal(err)
	}
	p, err := f.Proxy("n2", "n1")
	if err != nil {
		t.Fatal(err)
	}
	p.Close() // the link cannot be changed any more
	if err := f.Partition(CutDrop, []string{"n1"}, []string{"n2"}); err == nil {
		t.Error("no error")
	}
	delete(f.links, Link{"n2", "n1"})
	if got := struck(f); got != "" {
		t.Errorf("cut %s", got)
	}
}

func TestEachLinkHasAnAddressOfItsOwn(t *testing.T) {
	f := newFabric(t, "n1", "n2", "n3", "n4", "n5")
	seen := make(map[string]bool)
	for l, s := range f.Links() {
		if host, _, err := net.SplitHostPort(s.Addr); err != nil || host != "127.0.0.1" || seen[s.Addr] {
			t.Errorf("%s listens on %s, %v", l, s.Addr, err)
		}
		seen[s.Addr] = true
	}
	if len(seen) != 5*4+5 {
		t.Errorf("got %v", slices.Collect(maps.Keys(seen)))
	}
}
