package sample

import (
	"context"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/natsops/natsops/internal/lab"
	"github.com/natsops/natsops/internal/leaktest"
)

// patient bounds every wait; only what is broken needs it, or a machine that has
// very much else to do.
const patient = 4 * time.Minute

func TestMain(m *testing.M) { leaktest.Main(m) }

// startLab runs a server of the test's own.
func startLab(t *testing.T) *lab.Server {
	t.Helper()
	s, err := lab.Start(lab.Config{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Stop(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// dialTo connects as an application does: patient, but quick to come back.
func dialTo(s *lab.Server) Dial {
	return func(_ context.Context, name string) (*nats.Conn, error) {
		return nats.Connect(s.URL(), nats.Name(name), nats.Timeout(patient), nats.MaxReconnects(-1), nats.ReconnectWait(50*time.Millisecond),
			nats.ErrorHandler(func(*nats.Conn, *nats.Subscription, error) {}))
	}
}

func mustStart(t *testing.T, s *lab.Server, o Options) *Traffic {
	t.Helper()
	traffic, err := Start(t.Context(), dialTo(s), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := traffic.Stop(); err != nil {
			t.Error(err)
		}
	})
	return traffic
}

func mustSettle(t *testing.T, traffic *Traffic, names ...string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patient)
	defer cancel()
	if err := traffic.Settled(ctx, names...); err != nil {
		t.Fatal(err)
	}
}

// api is a connection to look at the server with.
func api(t *testing.T, s *lab.Server) jetstream.JetStream {
	t.Helper()
	nc, err := dialTo(s)(t.Context(), "test")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(nc.Close)
	js, err := jetstream.New(nc, jetstream.WithDefaultTimeout(patient))
	if err != nil {
		t.Fatal(err)
	}
	return js
}

func streamNames(t *testing.T, js jetstream.JetStream) []string {
	t.Helper()
	var all []string
	list := js.StreamNames(t.Context())
	for name := range list.Name() {
		all = append(all, name)
	}
	if err := list.Err(); err != nil {
		t.Fatal(err)
	}
	return all
}

// eventually polls until ok.
func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	limit := time.After(patient)
	for !ok() {
		select {
		case <-tick.C:
		case <-limit:
			t.Fatalf("not within %v: %s", patient, what)
		}
	}
}
