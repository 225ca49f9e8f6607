package proxy_test

import (
	"errors"
	"slices"
	"syscall"
	"testing"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/natsops/natsops/internal/chaos/proxy"
	"github.com/natsops/natsops/internal/lab"
)

func TestNoRouteBypassesItsProxy(t *testing.T) {
	t.Parallel()
	w := startWired(t)
	if n := len(w.Links()); n != 3+3*2 {
		t.Fatalf("got %d links", n)
	}
	w.mustBeAccounted()
	carried := func() (sum uint64) {
		for l, s := range w.Links() {
			if l.From != "" {
				sum += s.Up.Written + s.Down.Written
			}
		}
		return sum
	}
	reported := func() (sum uint64) {
		for _, n := range w.Nodes() {
			for _, r := range w.routes(n) {
				sum += r.InBytes
			}
		}
		return sum
	}
	const messages, size = 1000, 1000
	proxied, told := carried(), reported()
	for _, pair := range [][2]string{{"n1", "n2"}, {"n2", "n3"}, {"n3", "n1"}} {
		w.publish(pair[0], pair[1], messages, size)
	}
	proxied, told = carried()-proxied, reported()-told
	if want := uint64(3 * messages * size); told < want || proxied < told || proxied > told+told/2 {
		t.Errorf("the proxies carried %d bytes, the servers report %d of %d", proxied, told, want)
	}
	w.mustBeAccounted()
	// With refused links, nobody finds another way.
	w.must(w.Partition(proxy.CutReset, []string{"n1"}, []string{"n2"}, []string{"n3"}))
	for _, n := range w.Nodes() {
		w.waitFor(n.Name()+" is alone", func() bool { return len(w.peers(n)) == 0 })
	}
}

func TestPartitionPartsBothSidesAndTheHealRestoresThem(t *testing.T) {
	for _, c := range []struct {
		by     proxy.Cut
		leader bool // is isolated, or else a follower
	}{{proxy.CutReset, true}, {proxy.CutFreeze, false}} {
		t.Run(string(c.by), func(t *testing.T) {
			t.Parallel() // most of the time is a wait for elections
			w := startWired(t)
			leader := ""
			w.waitFor("there is a leader", func() bool { leader = w.metaLeader(w.node("n1")); return leader != "" })
			i := slices.IndexFunc(w.Nodes(), func(n *lab.Node) bool { return (n.Name() == leader) == c.leader })
			majority := w.Nodes()
			lonely := majority[i]
			majority = slices.Delete(majority, i, i+1)
			w.must(w.Isolate(c.by, lonely.Name()))
			if c.by == proxy.CutReset { // or else each believes that the others are only slow, for minutes
				w.waitFor("the isolated node has no routes", func() bool { return len(w.peers(lonely)) == 0 })
				w.waitFor("the others have each other", func() bool {
					return slices.Equal(w.peers(majority[0]), []string{majority[1].Name()})
				})
			}
			if !c.leader {
				w.waitFor("the isolated node follows nobody", func() bool { return w.metaLeader(lonely) == "" })
			}
			w.waitFor("the majority has a leader of its own", func() bool {
				a, b := w.metaLeader(majority[0]), w.metaLeader(majority[1])
				return a == b && a != "" && a != lonely.Name()
			})
			w.must(w.Heal())
			w.mustBeReady()
			w.mustBeAccounted()
		})
	}
}

func TestNodesNeverLearnAWayAroundACutLink(t *testing.T) {
	t.Parallel()
	w := startWired(t)
	apart := func() bool {
		return !slices.Contains(w.peers(w.node("n1")), "n2") && !slices.Contains(w.peers(w.node("n2")), "n1")
	}
	w.must(w.Partition(proxy.CutReset, []string{"n1"}, []string{"n2"}))
	w.waitFor("n1 and n2 are apart", apart)
	// Each return of n3 makes it tell n1 and n2 about each other, which is as
	// much gossip as any number of minutes brings.
	links := []proxy.Link{{From: "n3", To: "n1"}, {From: "n3", To: "n2"}, {From: "n1", To: "n3"}, {From: "n2", To: "n3"}}
	for range 3 {
		for _, l := range links {
			p, err := w.Proxy(l.From, l.To)
			w.must(err)
			p.Reset()
		}
		w.waitFor("n3 is back with both", func() bool { return len(w.peers(w.node("n3"))) == 2 })
		if !apart() {
			t.Fatal("n1 and n2 found a way around")
		}
	}
	w.must(w.node("n3").Restart(t.Context()))
	w.waitFor("n3 is back with both", func() bool { return len(w.peers(w.node("n3"))) == 2 })
	var direct []string
	for _, s := range w.Links() {
		direct = append(direct, s.Target)
	}
	for _, n := range w.Nodes() {
		for _, r := range w.routes(n) {
			if slices.Contains(direct, r.end()) {
				t.Errorf("%s learned that %s is at %s", n.Name(), r.To, r.end())
			}
		}
	}
	if !apart() {
		t.Error("n1 and n2 found a way around")
	}
	w.must(w.Heal())
	w.mustBeReady()
	w.mustBeAccounted()
}

func TestClientLinkCanBeFrozenResetAndRefused(t *testing.T) {
	t.Parallel()
	w := startWired(t)
	link, err := w.Proxy("", "n1")
	w.must(err)
	back := make(chan struct{}, 100)
	nc := w.connect("n1",
		nats.IgnoreDiscoveredServers(), // or it would take another node
		nats.ReconnectWait(10*time.Millisecond), nats.ReconnectJitter(0, 0), nats.MaxReconnects(-1),
		nats.ReconnectHandler(func(*nats.Conn) { back <- struct{}{} }))
	if got := len(link.Status().Conns); got != 1 {
		t.Fatalf("the client has %d connections through its link", got)
	}
	w.must(nc.FlushTimeout(patience))

	w.must(link.Set(proxy.Toxics{Up: proxy.Toxic{Flow: proxy.Freeze}, Down: proxy.Toxic{Flow: proxy.Freeze}}))
	flushed := make(chan error, 1)
	go func() { flushed <- nc.FlushTimeout(patience) }()
	w.waitFor("the PING is held", func() bool { return link.Status().Up.Held() > 0 })
	select {
	case err := <-flushed:
		t.Errorf("there was an answer through a frozen link: %v", err)
	default:
	}
	w.must(link.Heal())
	w.must(<-flushed)
	if got := link.Status(); got.Opened != 1 {
		t.Errorf("the client did not live through it: %d connections", got.Opened)
	}

	if n := link.Reset(); n != 1 {
		t.Errorf("reset %d connections", n)
	}
	<-back
	w.must(nc.FlushTimeout(patience))

	w.must(link.Set(proxy.Toxics{Refuse: true}))
	link.Reset()
	w.waitFor("the client is without a server", func() bool { return nc.Status() == nats.RECONNECTING })
	if _, err := nats.Connect(w.node("n1").URL()); !errors.Is(err, nats.ErrNoServers) && !errors.Is(err, syscall.ECONNREFUSED) {
		t.Errorf("got %v, want a refusal", err)
	}
	w.must(link.Heal())
	<-back
	w.must(nc.FlushTimeout(patience))
}
