package doctor_test

import (
	"context"
	"slices"
	"testing"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/natsops/natsops/internal/inspect"
	"github.com/natsops/natsops/internal/inspect/doctor"
	"github.com/natsops/natsops/internal/lab"
	"github.com/natsops/natsops/internal/sample"
)

// The window is that of natsops doctor, but for clients that come back every
// five seconds, which have to be seen more than once.
const samples, every = 12, time.Second

func TestBadHabitsAreFoundInALivingSystem(t *testing.T) {
	server, err := lab.Start(lab.Config{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = server.Stop() })
	var names []string
	for _, h := range sample.Habits() {
		names = append(names, h.Name)
	}
	traffic, err := sample.Start(t.Context(), func(_ context.Context, name string) (*nats.Conn, error) {
		return nats.Connect(server.URL(), nats.Name(name), nats.MaxReconnects(-1))
	}, sample.Options{Names: names})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = traffic.Stop() })
	settling, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	if err := traffic.Settled(settling); err != nil {
		t.Fatal(err)
	}

	r := doctor.Examine(doctor.Case{Window: look(t, server)}, doctor.Checks())
	for _, h := range sample.Habits() {
		if h.Want != "" && !slices.ContainsFunc(r.Findings, func(f doctor.Finding) bool { return f.Check == h.Want }) {
			t.Errorf("%s: %s did not find it", h.Name, h.Want)
		}
	}
	if t.Failed() {
		for _, f := range r.Findings {
			t.Logf("%s %s: %s %q", f.Severity, f.Check, f.Object, f.Evidence)
		}
		for _, s := range r.Skipped {
			t.Logf("skipped %s: %s", s.Check, s.Why)
		}
	}
}

// look takes a window with the eyes of the system account.
func look(t *testing.T, server *lab.Server) []*inspect.Snapshot {
	t.Helper()
	system, _ := server.SystemCredentials()
	nc, err := nats.Connect(server.URL(), nats.Name("natsops"), nats.UserInfo(system.User, system.Password))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(nc.Close)
	c, err := inspect.Open(t.Context(), nc, inspect.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	tick := time.NewTicker(every)
	defer tick.Stop()
	var window []*inspect.Snapshot
	for range samples {
		s, err := c.Collect(t.Context(), doctor.Needs(doctor.Checks()))
		if err != nil {
			t.Fatal(err)
		}
		window = append(window, s)
		<-tick.C
	}
	return window
}
