package proxy_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/natsops/natsops/internal/chaos/proxy"
	"github.com/natsops/natsops/internal/lab"
)

// patience bounds every wait; only what is broken needs it, or a machine that
// has very much else to do. An election takes 4 to 9 s, and can be lost.
const patience = 2 * time.Minute

// A wired is a cluster of three nodes, each link through a proxy.
type wired struct {
	*lab.Cluster
	*proxy.Fabric
	t *testing.T
}

func startWired(t *testing.T) *wired {
	t.Helper()
	f := proxy.NewFabric(proxy.FabricConfig{Seed: 1})
	t.Cleanup(func() {
		if err := f.Close(); err != nil {
			t.Error(err)
		}
	})
	c, err := lab.StartCluster(t.Context(), lab.ClusterConfig{Link: f.Link})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := c.Stop(); err != nil {
			t.Error(err)
		}
	})
	return &wired{Cluster: c, Fabric: f, t: t}
}

// Nodes are those of the cluster.
func (w *wired) Nodes() []*lab.Node { return w.Cluster.Nodes() }

func (w *wired) node(name string) *lab.Node {
	i := slices.IndexFunc(w.Nodes(), func(n *lab.Node) bool { return n.Name() == name })
	return w.Nodes()[i]
}

// A route is one as a node reports it.
type route struct {
	To       string `json:"remote_name"`
	IP       string
	Port     int
	InBytes  uint64 `json:"in_bytes"`
	OutBytes uint64 `json:"out_bytes"`
}

func (r route) end() string { return net.JoinHostPort(r.IP, strconv.Itoa(r.Port)) }

func (w *wired) routes(n *lab.Node) []route {
	w.t.Helper()
	var page struct{ Routes []route }
	w.ask(n, "/routez", &page)
	return page.Routes
}

// peers are the names of the nodes that n has routes to.
func (w *wired) peers(n *lab.Node) []string {
	w.t.Helper()
	var names []string
	for _, r := range w.routes(n) {
		names = append(names, r.To)
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// metaLeader is the leader that n follows, if any.
func (w *wired) metaLeader(n *lab.Node) string {
	w.t.Helper()
	var page struct {
		Meta struct{ Leader string } `json:"meta_cluster"`
	}
	w.ask(n, "/jsz", &page)
	return page.Meta.Leader
}

func (w *wired) ask(n *lab.Node, page string, answer any) {
	w.t.Helper()
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: patience}
	res, err := client.Get(n.MonitorURL() + page)
	if err != nil {
		w.t.Fatal(err)
	}
	defer res.Body.Close()
	if err := json.NewDecoder(res.Body).Decode(answer); err != nil {
		w.t.Fatal(err)
	}
}

// unaccounted tells which route is not one connection of one proxy, at both
// ends, or has carried more than that connection; "" when there is none. That a
// route is solicited says nothing about who dialled: a node that closes one of
// two routes passes that on to the other (upgradeRouteToSolicited in route.go of
// nats-server).
func (w *wired) unaccounted() string {
	w.t.Helper()
	var dialled, accepted, through int
	for _, n := range w.Nodes() {
		for _, r := range w.routes(n) {
			links := w.Links() // read after the route, which can have carried less only
			if r.end() == links[proxy.Link{From: n.Name(), To: r.To}].Addr {
				dialled++
				continue
			}
			accepted++
			conns := links[proxy.Link{From: r.To, To: n.Name()}].Conns
			i := slices.IndexFunc(conns, func(c proxy.Conn) bool { return c.Via == r.end() })
			if i < 0 {
				return fmt.Sprintf("%s has a route to %s at %s, which is no proxy", n.Name(), r.To, r.end())
			}
			if c := conns[i]; c.Up.Written < r.InBytes || c.Down.Read < r.OutBytes {
				return fmt.Sprintf("%s had %d bytes from %s and sent %d, more than the proxy: %+v", n.Name(), r.InBytes, r.To, r.OutBytes, c)
			}
		}
	}
	for l, s := range w.Links() {
		if l.From != "" {
			through += len(s.Conns)
		}
	}
	if dialled != accepted || dialled != through || through == 0 {
		return fmt.Sprintf("%d routes are dialled and %d accepted, the proxies have %d", dialled, accepted, through)
	}
	return ""
}

// mustBeAccounted waits, since a route is a connection before it is a route.
func (w *wired) mustBeAccounted() {
	w.t.Helper()
	fault := ""
	w.eventually(func() string { return "every route is accounted for: " + fault }, func() bool {
		fault = w.unaccounted()
		return fault == ""
	})
}

func (w *wired) mustBeReady() {
	w.t.Helper()
	ctx, cancel := context.WithTimeout(w.t.Context(), patience)
	defer cancel()
	if err := w.Ready(ctx); err != nil {
		w.t.Fatal(err)
	}
}

func (w *wired) eventually(what func() string, ok func() bool) {
	w.t.Helper()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	limit := time.After(patience)
	for !ok() {
		select {
		case <-limit:
			w.t.Fatalf("it never came true that %s", what())
		case <-tick.C:
		}
	}
}

func (w *wired) waitFor(what string, ok func() bool) {
	w.t.Helper()
	w.eventually(func() string { return what }, ok)
}

// publish sends messages from one node to a subscriber on another.
func (w *wired) publish(from, to string, messages, size int) {
	w.t.Helper()
	pub, sub := w.connect(from), w.connect(to)
	inbox, err := sub.SubscribeSync("data")
	if err != nil {
		w.t.Fatal(err)
	}
	if err := sub.FlushTimeout(patience); err != nil {
		w.t.Fatal(err)
	}
	// The interest has reached the other node when the first message comes back.
	w.waitFor("the subscription is known to "+from, func() bool {
		_ = pub.Publish("data", nil)
		_, err := inbox.NextMsg(100 * time.Millisecond)
		return err == nil
	})
	body := make([]byte, size)
	for range messages {
		if err := pub.Publish("data", body); err != nil {
			w.t.Fatal(err)
		}
	}
	for got := 0; got < messages; {
		m, err := inbox.NextMsg(patience)
		if err != nil {
			w.t.Fatal(err)
		}
		if len(m.Data) > 0 {
			got++
		}
	}
	pub.Close()
	sub.Close()
}

func (w *wired) connect(node string, opts ...nats.Option) *nats.Conn {
	w.t.Helper()
	nc, err := nats.Connect(w.node(node).URL(), append(opts, nats.Timeout(patience))...)
	if err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(nc.Close)
	return nc
}

func (w *wired) must(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}
