package inspect_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/natsops/natsops/internal/inspect"
	"github.com/natsops/natsops/internal/lab"
)

// A frozen server is the worst that can happen: its connections stay open, and
// silent.
func TestFrozenServerCostsOneTimeoutAndHidesNothingElse(t *testing.T) {
	c := startCluster(t)
	system, _ := c.SystemCredentials()
	nodes := c.Nodes()
	leads := metaLeader(t, dial(t, nodes[0].URL(), system))
	i := slices.IndexFunc(nodes, func(n *lab.Node) bool { return n.Name() == leads })
	leads, here, follows := nodes[i].Name(), nodes[(i+1)%3], nodes[(i+2)%3]
	app, sys := dial(t, here.URL(), c.Credentials()), dial(t, here.URL(), system)
	for i := range 12 {
		name := fmt.Sprintf("S%d", i)
		addStream(t, app, jetstream.StreamConfig{Name: name, Storage: jetstream.MemoryStorage, Replicas: 1 + 2*btoi(i < 3)})
		publish(t, app, name+".x", 1)
		addConsumer(t, app, name, jetstream.ConsumerConfig{Durable: "c", AckPolicy: jetstream.AckExplicitPolicy})
	}
	look := inspect.Options{Timeout: 2 * time.Second}
	watcher, owner := open(t, sys, look), open(t, app, look)
	until(t, "all leaders", func() bool { return well(t, watcher) != nil })
	until(t, "the owner to see all", func() bool { return well(t, owner) != nil })
	var before *inspect.Snapshot
	until(t, "a snapshot in which nothing is missing", func() bool {
		before = well(t, watcher)
		return before != nil
	})
	if before.Cost.Requests != 1+3 {
		t.Errorf("%d requests to 3 servers", before.Cost.Requests)
	}
	for _, c := range before.Consumers {
		if c.NumPending != 1 || c.By != leader(c) {
			t.Errorf("consumer %+v", c)
		}
	}
	same := func(c *inspect.Collector) func() *inspect.Collector { return func() *inspect.Collector { return c } }
	for _, frozen := range []*lab.Node{follows, nodes[i]} {
		if err := frozen.Pause(); err != nil {
			t.Fatal(err)
		}
		first := func() *inspect.Collector { return open(t, sys, look) }
		for name, route := range map[string]func() *inspect.Collector{"first look": first, "watch": same(watcher), "account": same(owner)} {
			t.Run(fmt.Sprintf("%s, %s is frozen, %s leads", name, frozen.Name(), leads), func(t *testing.T) {
				mustLimp(t, route, frozen.Name(), before, name == "first look")
			})
		}
		if err := frozen.Resume(); err != nil {
			t.Fatal(err)
		}
		until(t, "everything to be well again", func() bool { return well(t, watcher) != nil })
	}
}

// well takes a snapshot, and returns it if all twelve consumers are in it and
// nothing is missing.
func well(t *testing.T, c *inspect.Collector) *inspect.Snapshot {
	t.Helper()
	s, err := c.Collect(t.Context(), inspect.Need{Consumers: true})
	if err != nil || len(s.Gaps) > 0 || len(s.Consumers) != 12 ||
		slices.ContainsFunc(s.Consumers, func(c inspect.Consumer) bool { return c.State != inspect.Fresh }) {
		return nil
	}
	return s
}

// mustLimp looks while a server is frozen, until what is seen is right: where
// the machine has too much to do, servers that are well may be late, too.
func mustLimp(t *testing.T, route func() *inspect.Collector, frozen string, before *inspect.Snapshot, firstLook bool) {
	t.Helper()
	const attempts = 6
	var wrong []string
	for range attempts {
		s, err := route().Collect(t.Context(), inspect.Need{Consumers: true})
		if err != nil {
			wrong = []string{err.Error()}
			continue
		}
		if wrong = limps(s, frozen, before, firstLook); len(wrong) == 0 {
			t.Logf("%d requests, %v; gaps %+v", s.Cost.Requests, s.Took, s.Gaps)
			return
		}
		t.Logf("not this time: %s", strings.Join(wrong, "; "))
	}
	t.Errorf("in none of %d snapshots; in the last: %s", attempts, strings.Join(wrong, "; "))
}

// limps tells what is wrong with a snapshot that was taken while a server is
// frozen.
func limps(s *inspect.Snapshot, frozen string, before *inspect.Snapshot, firstLook bool) (wrong []string) {
	complain := func(format string, args ...any) { wrong = append(wrong, fmt.Sprintf(format, args...)) }
	if s.Took > 6*time.Second { // generous: two pages that wait for it in a row take 8 s
		complain("it took %v", s.Took)
	}
	led, fresh, dim := 0, 0, 0
	for _, c := range before.Consumers {
		led += btoi(c.By == frozen)
	}
	for _, c := range s.Consumers {
		switch {
		case c.State == inspect.Fresh && c.NumPending == 1:
			fresh++
		case c.State != inspect.Fresh && c.Why != "":
			dim++
		default:
			complain("consumer %+v", c)
		}
	}
	// It leads its groups of three until the others elect somebody else.
	if fresh < 12-led {
		complain("%d of 12 consumers are fresh, and it led only %d", fresh, led)
	}
	// Of what only the frozen server has, nobody else knows, unless he was told
	// before, or leads the meta group.
	if fresh+dim < 12 && !firstLook {
		complain("%d of 12 consumers are missing", 12-fresh-dim)
	}
	if len(s.Gaps) == 0 {
		complain("no gaps")
	}
	if s.Route == inspect.RouteSystem && !slices.ContainsFunc(s.Gaps, func(g inspect.Gap) bool { return strings.HasSuffix(g.What, "server "+frozen) }) {
		complain("%s is not named: %+v", frozen, s.Gaps)
	}
	return wrong
}

func metaLeader(t *testing.T, sys *nats.Conn) string {
	t.Helper()
	leader := ""
	c := open(t, sys, inspect.Options{})
	until(t, "a meta leader", func() bool {
		s, err := c.Collect(t.Context(), inspect.Need{Servers: true})
		if err != nil || len(s.Servers) == 0 {
			return false
		}
		if js := s.Servers[0].JetStream; js != nil && js.Meta != nil {
			leader = js.Meta.Leader
		}
		return leader != ""
	})
	return leader
}

func btoi(b bool) int {
	if b {
		return 1
	}
	return 0
}

func startCluster(t *testing.T) *lab.Cluster {
	t.Helper()
	c, err := lab.StartCluster(t.Context(), lab.ClusterConfig{Children: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := c.Stop(); err != nil {
			t.Error(err)
		}
	})
	return c
}
