package inspect_test

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/natsops/natsops/internal/inspect"
	"github.com/natsops/natsops/internal/lab"
)

// A world is a lab with a user of an application and one of the system account.
type world struct {
	server   *lab.Server
	app, sys *nats.Conn
}

func newWorld(t *testing.T, users ...lab.User) world {
	t.Helper()
	server, err := lab.Start(lab.Config{Name: "n1", Users: users})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := server.Stop(); err != nil {
			t.Error(err)
		}
	})
	system, _ := server.SystemCredentials()
	return world{server, dial(t, server.URL(), server.Credentials()), dial(t, server.URL(), system)}
}

func dial(t testing.TB, url string, as lab.Credentials) *nats.Conn {
	t.Helper()
	nc, err := nats.Connect(url, nats.UserInfo(as.User, as.Password), nats.Timeout(patience),
		nats.MaxReconnects(-1), nats.ReconnectWait(10*time.Millisecond))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(nc.Close)
	return nc
}

func as(t *testing.T, w world, user string) *nats.Conn {
	t.Helper()
	who, ok := w.server.UserCredentials(user)
	if !ok {
		t.Fatalf("no user %s", user)
	}
	return dial(t, w.server.URL(), who)
}

// patience bounds every wait; only what is broken needs it, or a machine that
// has very much else to do. Who waits for somebody who is silent says for how long.
const patience = time.Minute

// open returns a collector that is closed at the end of the test.
func open(t testing.TB, nc *nats.Conn, o inspect.Options) *inspect.Collector {
	t.Helper()
	o.Timeout = cmp.Or(o.Timeout, patience)
	c, err := inspect.Open(t.Context(), nc, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

// all is a need for everything but events.
func all() inspect.Need {
	return inspect.Need{Consumers: true, Servers: true, Links: true, Connections: true, Subscriptions: true, Closed: true, Accounts: true, Interest: true}
}

func collect(t testing.TB, c *inspect.Collector, need inspect.Need) *inspect.Snapshot {
	t.Helper()
	s, err := c.Collect(t.Context(), need)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// whole fails the test if something is missing in s.
func whole(t testing.TB, s *inspect.Snapshot) *inspect.Snapshot {
	t.Helper()
	for _, g := range s.Gaps {
		t.Errorf("%s route: gap %+v", s.Route, g)
	}
	return s
}

func js(t testing.TB, nc *nats.Conn) jetstream.JetStream {
	t.Helper()
	j, err := jetstream.New(nc, jetstream.WithDefaultTimeout(patience))
	if err != nil {
		t.Fatal(err)
	}
	return j
}

func addStream(t testing.TB, nc *nats.Conn, cfg jetstream.StreamConfig) {
	t.Helper()
	if cfg.Subjects == nil {
		cfg.Subjects = []string{cfg.Name + ".>"}
	}
	const noPeers = 10005 // JSClusterNoPeersErrF: the leader, just elected, has not heard of all servers yet
	until(t, "stream "+cfg.Name+" to have a place", func() bool {
		_, err := js(t, nc).CreateOrUpdateStream(t.Context(), cfg)
		e, ok := errors.AsType[*jetstream.APIError](err)
		if err != nil && (!ok || e.ErrorCode != noPeers) {
			t.Fatal(err)
		}
		return err == nil
	})
}

func addConsumer(t testing.TB, nc *nats.Conn, stream string, cfg jetstream.ConsumerConfig) jetstream.Consumer {
	t.Helper()
	c, err := js(t, nc).CreateOrUpdateConsumer(t.Context(), stream, cfg)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func publish(t testing.TB, nc *nats.Conn, subject string, n int) {
	t.Helper()
	for i := range n {
		if _, err := js(t, nc).Publish(t.Context(), subject, fmt.Append(nil, i)); err != nil {
			t.Fatal(err)
		}
	}
}

// consumer returns that of the stream S.
func consumer(t testing.TB, s *inspect.Snapshot, name string) inspect.Consumer {
	t.Helper()
	for _, c := range s.Consumers {
		if c.Stream == "S" && c.Name == name {
			return c
		}
	}
	t.Fatalf("no consumer %s among %d", name, len(s.Consumers))
	return inspect.Consumer{}
}

// until polls until done, for a generous time.
func until(t testing.TB, what string, done func() bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	for tick := time.NewTicker(10 * time.Millisecond); !done(); {
		select {
		case <-tick.C:
		case <-ctx.Done():
			t.Fatalf("waited too long for %s", what)
		}
	}
}
