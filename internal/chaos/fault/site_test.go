package fault

import (
	"context"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/natsops/natsops/internal/lab"
)

const (
	testMark    = "natsops-chaos-x7"
	testLoad    = "chaos.x7.load"
	testScratch = "chaos.x7.scratch"
)

// A target is what a site is made of: a lab server or a lab cluster.
type target interface {
	Credentials() lab.Credentials
	SystemCredentials() (lab.Credentials, bool)
}

// dialAs connects.
func dialAs(servers []string, c lab.Credentials, name string, opts ...nats.Option) (*nats.Conn, error) {
	all := []nats.Option{nats.Name(name), nats.Timeout(10 * time.Second), nats.ErrorHandler(quiet)}
	if c.User != "" {
		all = append(all, nats.UserInfo(c.User, c.Password))
	}
	return nats.Connect(strings.Join(servers, ","), append(all, opts...)...)
}

// client connects a client that is gone at the end of the test.
func client(t *testing.T, s Site, name string, opts ...nats.Option) *nats.Conn {
	t.Helper()
	nc, err := s.Dial(t.Context(), nil, name, opts...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(nc.Close)
	return nc
}

// siteOf makes a site of a target whose nodes are called names.
func siteOf(t *testing.T, on target, nodes ...*lab.Node) Site {
	t.Helper()
	var urls []string
	for _, n := range nodes {
		urls = append(urls, n.URL())
	}
	s := Site{
		Dial: func(_ context.Context, servers []string, name string, opts ...nats.Option) (*nats.Conn, error) {
			if len(servers) == 0 {
				servers = urls
			}
			return dialAs(servers, on.Credentials(), name, opts...)
		},
		Stream: "LOAD", Consumer: "work", Scratch: testScratch, Mark: testMark, Rand: rand.New(rand.NewPCG(1, 2)),
	}
	for _, n := range nodes {
		s.Servers = append(s.Servers, Server{Name: n.Name(), URL: n.URL()})
	}
	s.App = client(t, s, testMark+"-app", nats.MaxReconnects(-1), nats.ReconnectWait(10*time.Millisecond))
	var err error
	if s.JS, err = jetstream.New(s.App); err != nil {
		t.Fatal(err)
	}
	c, ok := on.SystemCredentials()
	if !ok {
		t.Fatal("the lab has no system account")
	}
	if s.System, err = dialAs(urls, c, testMark+"-system"); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.System.Close)
	return s
}

// newSite makes a site of one server, with a stream and a consumer.
func newSite(t *testing.T, cfg lab.Config) Site {
	t.Helper()
	srv, err := lab.Start(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := srv.Stop(); err != nil {
			t.Error(err)
		}
	})
	s := siteOf(t, srv, srv.Node)
	mustLoad(t, s, 1, 0)
	return s
}

// mustLoad makes the stream and the consumer of the load.
func mustLoad(t *testing.T, s Site, replicas int, maxBytes int64) jetstream.Stream {
	t.Helper()
	ctx := patient(t)
	stream, err := s.JS.CreateStream(ctx, jetstream.StreamConfig{
		Name: s.Stream, Subjects: []string{testLoad + ".>", testScratch + ".>"}, Replicas: replicas,
		MaxBytes: maxBytes, Discard: jetstream.DiscardNew, Metadata: Metadata(testMark),
	})
	if err != nil {
		t.Fatal(err)
	}
	_, err = stream.CreateConsumer(ctx, jetstream.ConsumerConfig{
		Durable: s.Consumer, AckPolicy: jetstream.AckExplicitPolicy, AckWait: time.Minute, MaxAckPending: 20,
		FilterSubject: testLoad + ".>", Metadata: Metadata(testMark),
	})
	if err != nil {
		t.Fatal(err)
	}
	return stream
}

// store publishes n messages of the load.
func store(t *testing.T, s Site, n int) {
	t.Helper()
	for range n {
		if _, err := s.JS.Publish(patient(t), testLoad+".a", []byte("x")); err != nil {
			t.Fatal(err)
		}
	}
}

// fetch takes up to n messages of a consumer that are there now, and
// acknowledges them.
func fetch(t *testing.T, s Site, n int) int {
	t.Helper()
	c, err := s.JS.Consumer(patient(t), s.Stream, s.Consumer)
	if err != nil {
		t.Fatal(err)
	}
	batch, err := c.Fetch(n, jetstream.FetchMaxWait(100*time.Millisecond))
	if err != nil {
		t.Fatal(err)
	}
	got := 0
	for m := range batch.Messages() {
		if err := m.Ack(); err != nil {
			t.Fatal(err)
		}
		got++
	}
	return got
}

func patient(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.WithoutCancel(t.Context()), 2*time.Minute)
	t.Cleanup(cancel)
	return ctx
}

// eventually polls until ok.
func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	if err := until(patient(t), func(context.Context) bool { return ok() }); err != nil {
		t.Fatalf("never: %s", what)
	}
}

// mustAim aims a spec, and heals the strike at the end of the test.
func mustAim(t *testing.T, s Site, spec Spec) *Strike {
	t.Helper()
	strike, err := spec.Aim(patient(t), s)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := strike.Heal(patient(t)); err != nil {
			t.Errorf("heal %s: %v", spec.Kind, err)
		}
	})
	return strike
}

func mustInject(t *testing.T, s *Strike) {
	t.Helper()
	ctx, cancel := context.WithCancel(patient(t))
	defer cancel() // what goes on outlives the context of the injection
	if err := s.Inject(ctx); err != nil {
		t.Fatal(err)
	}
}

// mustHeal heals twice.
func mustHeal(t *testing.T, s *Strike) {
	t.Helper()
	for range 2 {
		if err := s.Heal(patient(t)); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Healed(patient(t)); err != nil {
		t.Errorf("healed, but %v", err)
	}
}

func params(pairs ...string) map[string]string {
	m := map[string]string{}
	for i := 0; i < len(pairs); i += 2 {
		m[pairs[i]] = pairs[i+1]
	}
	return m
}
