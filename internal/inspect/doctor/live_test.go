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

// attempts is how many windows are looked at before a habit counts as not found:
// on a machine with too much to do, clients do it less often.
const attempts = 6

// patience bounds every wait; only what is broken needs it, or a machine that
// has very much else to do.
const patience = 4 * time.Minute

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
		return nats.Connect(server.URL(), nats.Name(name), nats.Timeout(patience), nats.MaxReconnects(-1))
	}, sample.Options{Names: names})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = traffic.Stop() })
	settling, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	if err := traffic.Settled(settling); err != nil {
		t.Fatal(err)
	}

	c := eye(t, server)
	for range attempts {
		r := doctor.Examine(doctor.Case{Window: look(t, c)}, doctor.Checks())
		missed := missing(r)
		if len(missed) == 0 {
			return
		}
		t.Logf("not found in this window: %q", missed)
		for _, f := range r.Findings {
			t.Logf("%s %s: %s %q", f.Severity, f.Check, f.Object, f.Evidence)
		}
		for _, s := range r.Skipped {
			t.Logf("skipped %s: %s", s.Check, s.Why)
		}
	}
	t.Errorf("in none of %d windows all habits were found", attempts)
}

// missing are the habits that were not found.
func missing(r doctor.Result) (names []string) {
	for _, h := range sample.Habits() {
		if h.Want != "" && !slices.ContainsFunc(r.Findings, func(f doctor.Finding) bool { return f.Check == h.Want }) {
			names = append(names, h.Name+": "+h.Want)
		}
	}
	return names
}

// eye sees with the eyes of the system account.
func eye(t *testing.T, server *lab.Server) *inspect.Collector {
	t.Helper()
	system, _ := server.SystemCredentials()
	nc, err := nats.Connect(server.URL(), nats.Name("natsops"), nats.Timeout(patience), nats.UserInfo(system.User, system.Password))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(nc.Close)
	c, err := inspect.Open(t.Context(), nc, inspect.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

// look takes a window. A sample that cannot be had, since nobody answers in time,
// is taken again.
func look(t *testing.T, c *inspect.Collector) []*inspect.Snapshot {
	t.Helper()
	tick := time.NewTicker(every)
	defer tick.Stop()
	var window []*inspect.Snapshot
	for failed := 0; len(window) < samples; <-tick.C {
		s, err := c.Collect(t.Context(), doctor.Needs(doctor.Checks()))
		if err == nil {
			window = append(window, s)
		} else if failed++; failed > samples {
			t.Fatal(err)
		}
	}
	return window
}
