package lab

import (
	"context"
	"errors"
	"io"
	"maps"
	"net"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/nats-io/nats.go"
)

// wires is what lies between the nodes of a cluster and its clients: a
// forwarder for each link.
type wires struct {
	mu    sync.Mutex
	links map[[2]string]*forwarder
}

// A forwarder passes on what comes to its listener, unless it is cut.
type forwarder struct {
	net.Listener
	to string

	mu    sync.Mutex
	cut   bool
	conns []net.Conn
	ends  []string // the addresses that the nodes on both ends see, now or before
}

// link is for [ClusterConfig.Link].
func (w *wires) link(from, to, addr string) (string, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if _, twice := w.links[[2]string{from, to}]; twice {
		return "", errors.New("asked twice")
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	f := &forwarder{Listener: l, to: addr, ends: []string{l.Addr().String()}}
	w.links[[2]string{from, to}] = f
	go f.serve()
	return l.Addr().String(), nil
}

func (w *wires) close() {
	for _, f := range w.links {
		f.Close()
		f.sever(true)
	}
}

func (f *forwarder) serve() {
	for {
		in, err := f.Accept()
		if err != nil {
			return
		}
		out, err := net.Dial("tcp", f.to)
		if err != nil {
			in.Close()
			continue
		}
		f.mu.Lock()
		f.conns = append(f.conns, in, out)
		f.ends = append(f.ends, out.LocalAddr().String())
		cut := f.cut
		f.mu.Unlock()
		if cut {
			in.Close()
			out.Close()
		}
		for _, pair := range [][2]net.Conn{{in, out}, {out, in}} {
			go func() {
				_, _ = io.Copy(pair[0], pair[1])
				in.Close()
				out.Close()
			}()
		}
	}
}

// sever ends what passes, and while cut lets nothing more pass.
func (f *forwarder) sever(cut bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.cut = cut
	for _, c := range f.conns {
		c.Close()
	}
	f.conns = nil
}

// routes are the names of the nodes that n has routes to, and the addresses
// that it sees at their other ends.
func routes(t *testing.T, n *Node) (names, ends []string) {
	t.Helper()
	var page struct {
		Routes []struct {
			Name string `json:"remote_name"`
			IP   string
			Port int
		}
	}
	insist(t, "the routes of "+n.Name(), func(ctx context.Context) error { return n.ask(ctx, "/routez", &page) })
	for _, r := range page.Routes {
		names = append(names, r.Name)
		ends = append(ends, net.JoinHostPort(r.IP, strconv.Itoa(r.Port)))
	}
	return names, ends
}

// mustUseLinksOnly looks for a route that evades the links.
func mustUseLinksOnly(t *testing.T, c *Cluster, w *wires) {
	t.Helper()
	for _, n := range c.Nodes() {
		names, ends := routes(t, n)
		for i, end := range ends {
			if !slices.ContainsFunc(slices.Collect(maps.Values(w.links)), func(f *forwarder) bool {
				f.mu.Lock()
				defer f.mu.Unlock()
				return slices.Contains(f.ends, end)
			}) {
				t.Errorf("%s has a route to %s around the links, its other end is %s", n.Name(), names[i], end)
			}
		}
	}
}

func TestNodesAndClientsKnowNoWayAroundTheirLinks(t *testing.T) {
	t.Parallel() // most of the time is a wait for elections
	w := &wires{links: make(map[[2]string]*forwarder)}
	t.Cleanup(w.close) // after the cluster's
	c := mustCluster(t, ClusterConfig{Link: w.link})
	if len(w.links) != 3+3*2 {
		t.Fatalf("got %d links", len(w.links))
	}
	mustUseLinksOnly(t, c, w)

	n1, n3 := c.Nodes()[0], c.Nodes()[2]
	cut := []*forwarder{w.links[[2]string{"n1", "n2"}], w.links[[2]string{"n2", "n1"}]}
	for _, f := range cut {
		f.sever(true)
	}
	linked := func(n *Node, to ...string) bool {
		names, _ := routes(t, n)
		return !slices.ContainsFunc(to, func(name string) bool { return !slices.Contains(names, name) })
	}
	eventually(t, "n1 has no route to n2", func() bool { return !linked(n1, "n2") })
	// n3 comes back and tells n1 and n2 about each other.
	if err := n3.Restart(t.Context()); err != nil {
		t.Fatal(err)
	}
	eventually(t, "n3 has both", func() bool { return linked(n3, "n1", "n2") })
	if linked(n1, "n2") {
		t.Error("n1 has a route to n2 around the link that is cut")
	}
	for _, f := range cut {
		f.sever(false)
	}
	mustBeReady(t, c)
	mustUseLinksOnly(t, c, w)

	nc, err := nats.Connect(c.Nodes()[1].URL(), nats.Timeout(patience))
	if err != nil {
		t.Fatal(err)
	}
	defer nc.Close()
	eventually(t, "the client knows all nodes", func() bool { return len(nc.Servers()) >= 3 })
	for _, s := range nc.Servers() {
		u, err := url.Parse(s)
		if err != nil || !strings.Contains(c.URL(), u.Host) {
			t.Errorf("the client knows %s, which is none of %s; error %v", s, c.URL(), err)
		}
	}
}
