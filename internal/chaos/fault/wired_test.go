package fault

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/natsops/natsops/internal/chaos/proxy"
	"github.com/natsops/natsops/internal/chaos/watchdog"
	"github.com/natsops/natsops/internal/lab"
)

// A wired is a cluster of three servers in processes of their own, each link
// through a proxy, and a site of it.
type wired struct {
	*testing.T
	cluster *lab.Cluster
	site    Site
}

// startWired is for many tests: a cluster takes seconds to be there.
func startWired(t *testing.T) *wired {
	t.Helper()
	w := &wired{T: t}
	fabric := proxy.NewFabric(proxy.FabricConfig{Seed: 1})
	w.closing(fabric.Close)
	var err error
	w.cluster, err = lab.StartCluster(t.Context(), lab.ClusterConfig{Children: true, Link: fabric.Link})
	w.must(err)
	w.closing(w.cluster.Stop)
	dog, err := watchdog.Start(t.Context())
	w.must(err)
	w.closing(dog.Close)
	system, ok := w.cluster.SystemCredentials()
	if !ok {
		t.Fatal("there is no system account")
	}
	w.site = Site{
		App: w.dial(w.cluster.URL()), System: w.dial(w.cluster.URL(), nats.UserInfo(system.User, system.Password)),
		Links: fabric, Stream: "S", Consumer: "C", Mark: "natsops-chaos-x7", Scratch: "s.scratch",
		Rand: rand.New(rand.NewPCG(1, 2)), Watch: dog.Watch,
	}
	w.site.JS, err = jetstream.New(w.site.App)
	w.must(err)
	for _, n := range w.cluster.Nodes() {
		w.site.Nodes = append(w.site.Nodes, n)
		w.site.Servers = append(w.site.Servers, Server{Name: n.Name(), URL: n.URL(), Tags: []string{"az:" + n.Name()}})
	}
	w.makeStream()
	return w
}

// on is w for a test of a part of another one.
func (w *wired) on(t *testing.T) *wired {
	t.Helper()
	part := *w
	part.T = t
	return &part
}

func (w *wired) closing(do func() error) {
	w.Cleanup(func() {
		if err := do(); err != nil {
			w.Error(err)
		}
	})
}

func (w *wired) must(err error) {
	w.Helper()
	if err != nil {
		w.Fatal(err)
	}
}

func (w *wired) dial(url string, opts ...nats.Option) *nats.Conn {
	w.Helper()
	opts = append(opts, nats.MaxReconnects(-1), nats.ReconnectWait(100*time.Millisecond), nats.PingInterval(2*time.Second))
	nc, err := nats.Connect(url, opts...)
	w.must(err)
	w.Cleanup(nc.Close)
	return nc
}

// patient is a context for what may wait for elections.
func (w *wired) patient() context.Context {
	ctx, cancel := context.WithTimeout(w.Context(), 3*time.Minute)
	w.Cleanup(cancel)
	return ctx
}

func (w *wired) makeStream() {
	w.Helper()
	cfg := jetstream.StreamConfig{Name: w.site.Stream, Subjects: []string{"s.>"}, Replicas: 3}
	_, err := w.site.JS.CreateStream(w.patient(), cfg)
	w.must(err)
	_, err = w.site.JS.CreateConsumer(w.patient(), w.site.Stream, jetstream.ConsumerConfig{Durable: w.site.Consumer})
	w.must(err)
	w.mustBeWhole()
}

// publish stores n messages, however long that takes.
func (w *wired) publish(n int) {
	w.Helper()
	for range n {
		w.eventually("a message is stored", func() bool { return w.store(256) == nil })
	}
}

func (w *wired) store(size int) error {
	ctx, cancel := context.WithTimeout(w.Context(), 2*time.Second)
	defer cancel()
	_, err := w.site.JS.Publish(ctx, "s.x", make([]byte, size))
	return err
}

func (w *wired) aim(s Spec) *Strike {
	w.Helper()
	strike, err := s.Aim(w.patient(), w.site)
	w.must(err)
	w.Cleanup(func() { // should the test end before
		if err := strike.Heal(context.Background()); err != nil {
			w.Error(err)
		}
	})
	return strike
}

func (w *wired) inject(s *Strike) {
	w.Helper()
	w.must(s.Inject(w.patient()))
}

// mustHeal heals, twice.
func (w *wired) mustHeal(s *Strike) {
	w.Helper()
	for range 2 {
		w.must(s.Heal(w.patient()))
		w.must(s.Healed(w.patient()))
	}
}

// mustBeWhole waits for the cluster, and for all replicas to have the same.
func (w *wired) mustBeWhole() {
	w.Helper()
	w.must(w.cluster.Ready(w.patient()))
	why := ""
	w.eventuallyFor(func() string { return "all replicas are equal: " + why }, func() bool {
		var states []string
		for _, n := range w.cluster.Nodes() {
			states = append(states, w.stateOn(n))
		}
		why = fmt.Sprint(states)
		return states[0] != "" && len(slices.Compact(states)) == 1
	})
}

// stateOn is what a node has of the stream; "": nothing that is known.
func (w *wired) stateOn(n *lab.Node) string {
	w.Helper()
	var page struct {
		Accounts []struct {
			Streams []struct {
				Name  string
				State struct {
					Messages uint64 `json:"messages"`
					First    uint64 `json:"first_seq"`
					Last     uint64 `json:"last_seq"`
				}
			} `json:"stream_detail"`
		} `json:"account_details"`
	}
	if !w.ask(n, "/jsz?streams=true", &page) {
		return ""
	}
	for _, a := range page.Accounts {
		for _, s := range a.Streams {
			if s.Name == w.site.Stream {
				return fmt.Sprint(s.State)
			}
		}
	}
	return ""
}

// ask reads a page of a node's monitoring, if it answers.
func (w *wired) ask(n *lab.Node, page string, answer any) bool {
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: 2 * time.Second}
	res, err := client.Get(n.MonitorURL() + page)
	if err != nil {
		return false
	}
	defer res.Body.Close()
	return json.NewDecoder(res.Body).Decode(answer) == nil
}

// routes are the names of the nodes that n has routes to.
func (w *wired) routes(n *lab.Node) []string {
	var page struct {
		Routes []struct {
			To string `json:"remote_name"`
		}
	}
	w.ask(n, "/routez", &page)
	var names []string
	for _, r := range page.Routes {
		names = append(names, r.To)
	}
	slices.Sort(names)
	return slices.Compact(names)
}

func (w *wired) node(name string) *lab.Node {
	w.Helper()
	i := slices.IndexFunc(w.cluster.Nodes(), func(n *lab.Node) bool { return n.Name() == name })
	if i < 0 {
		w.Fatalf("there is no node %q", name)
	}
	return w.cluster.Nodes()[i]
}

// leader is that of the stream, as soon as there is one.
func (w *wired) leader() string {
	w.Helper()
	name := ""
	w.eventually("the stream has a leader", func() bool {
		s, err := w.site.JS.Stream(w.patient(), w.site.Stream)
		if err == nil {
			name = s.CachedInfo().Cluster.Leader
		}
		return name != ""
	})
	return name
}

func (w *wired) eventually(what string, ok func() bool) {
	w.Helper()
	w.eventuallyFor(func() string { return what }, ok)
}

func (w *wired) eventuallyFor(what func() string, ok func() bool) {
	w.Helper()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	limit := time.After(time.Minute)
	for !ok() {
		select {
		case <-limit:
			w.Fatalf("it never came true that %s", what())
		case <-tick.C:
		}
	}
}

func (w *wired) metaLeader() string {
	w.Helper()
	var page struct {
		Meta struct{ Leader string } `json:"meta_cluster"`
	}
	w.ask(w.cluster.Nodes()[0], "/jsz", &page)
	return page.Meta.Leader
}

func (w *wired) consumerLeader() string {
	w.Helper()
	c, err := w.site.JS.Consumer(w.patient(), w.site.Stream, w.site.Consumer)
	w.must(err)
	return c.CachedInfo().Cluster.Leader
}

// follower is one of the stream.
func (w *wired) follower() string {
	w.Helper()
	leader := w.leader()
	i := slices.IndexFunc(w.cluster.Nodes(), func(n *lab.Node) bool { return n.Name() != leader })
	return w.cluster.Nodes()[i].Name()
}

func (w *wired) pids() []int {
	var all []int
	for _, n := range w.cluster.Nodes() {
		all = append(all, n.PID())
	}
	return all
}
