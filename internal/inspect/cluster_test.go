package inspect_test

import (
	"context"
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
	watcher, owner := open(t, sys, inspect.Options{}), open(t, app, inspect.Options{})
	well := func() bool {
		s := collect(t, watcher, inspect.Need{Consumers: true})
		return len(s.Gaps) == 0 && len(s.Consumers) == 12 && !slices.ContainsFunc(s.Consumers, func(c inspect.Consumer) bool { return c.State != inspect.Fresh })
	}
	until(t, "all leaders", well)
	whole(t, collect(t, owner, inspect.Need{Consumers: true}))
	before := whole(t, collect(t, watcher, inspect.Need{Consumers: true}))
	if before.Cost.Requests != 1+3 {
		t.Errorf("%d requests to 3 servers", before.Cost.Requests)
	}
	for _, c := range before.Consumers {
		if c.NumPending != 1 || c.By != leader(c) {
			t.Errorf("consumer %+v", c)
		}
	}
	for _, frozen := range []*lab.Node{follows, nodes[i]} {
		if err := frozen.Pause(); err != nil {
			t.Fatal(err)
		}
		for name, route := range map[string]*inspect.Collector{"first look": open(t, sys, inspect.Options{}), "watch": watcher, "account": owner} {
			t.Run(fmt.Sprintf("%s, %s is frozen, %s leads", name, frozen.Name(), leads), func(t *testing.T) {
				limps(t, route, frozen.Name(), before, name == "first look")
			})
		}
		if err := frozen.Resume(); err != nil {
			t.Fatal(err)
		}
		until(t, "everything to be well again", well)
	}
}

// limps takes a snapshot while a server is frozen.
func limps(t *testing.T, route *inspect.Collector, frozen string, before *inspect.Snapshot, firstLook bool) {
	t.Helper()
	s := collect(t, route, inspect.Need{Consumers: true})
	if s.Took > 6*time.Second { // generous: two pages that wait for it in a row take 8 s
		t.Errorf("it took %v", s.Took)
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
			t.Errorf("consumer %+v", c)
		}
	}
	// It leads its groups of three until the others elect somebody else.
	if fresh < 12-led {
		t.Errorf("%d of 12 consumers are fresh, and it led only %d", fresh, led)
	}
	// Of what only the frozen server has, nobody else knows, unless he was told
	// before, or leads the meta group.
	if fresh+dim < 12 && !firstLook {
		t.Errorf("%d of 12 consumers are missing", 12-fresh-dim)
	}
	if len(s.Gaps) == 0 {
		t.Error("no gaps")
	}
	t.Logf("%d fresh, %d not; %d requests, %v; gaps %+v", fresh, dim, s.Cost.Requests, s.Took, s.Gaps)
	if s.Route == inspect.RouteSystem && !slices.ContainsFunc(s.Gaps, func(g inspect.Gap) bool { return strings.HasSuffix(g.What, "server "+frozen) }) {
		t.Errorf("%s is not named: %+v", frozen, s.Gaps)
	}
}

func metaLeader(t *testing.T, sys *nats.Conn) string {
	t.Helper()
	leader := ""
	c := open(t, sys, inspect.Options{})
	until(t, "a meta leader", func() bool {
		s := collect(t, c, inspect.Need{Servers: true})
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
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	c, err := lab.StartCluster(ctx, lab.ClusterConfig{Children: true})
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
