package sample

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/natsops/natsops/internal/hint"
	"github.com/natsops/natsops/internal/lab"
)

func TestStopLeavesNothingBehind(t *testing.T) {
	t.Parallel()
	s := startLab(t)
	traffic, err := Start(t.Context(), dialTo(s), Options{Names: All()})
	if err != nil {
		t.Fatal(err)
	}
	mustSettle(t, traffic, "ack-stalled", "inbox-leak")
	for range 2 {
		if err := traffic.Stop(); err != nil {
			t.Fatal(err)
		}
	}
	if left := streamNames(t, api(t, s)); len(left) > 0 {
		t.Errorf("streams are left: %q", left)
	}
	eventually(t, "only the test is connected", func() bool {
		return count(connections(t, s, ""), func(c shown) bool { return c.Name != "test" }) == 0
	})
}

func TestTheEndOfTheContextEndsTheTraffic(t *testing.T) {
	t.Parallel()
	s := startLab(t)
	ctx, cancel := context.WithCancel(t.Context())
	traffic, err := Start(ctx, dialTo(s), Options{})
	if err != nil {
		t.Fatal(err)
	}
	cancel()
	if err := traffic.Wait(); err != nil {
		t.Fatal(err)
	}
	if left := streamNames(t, api(t, s)); len(left) > 0 {
		t.Errorf("streams are left: %q", left)
	}
	if err := traffic.Settled(t.Context()); !errors.Is(err, errEnded) {
		t.Errorf("settled after the end: got %v, want %v", err, errEnded)
	}
}

func TestASecondSetDoesNotDisturbTheFirst(t *testing.T) {
	t.Parallel()
	s := startLab(t)
	mustStart(t, s, Options{Names: []string{"ok", "paused"}})
	js := api(t, s)
	before := streamNames(t, js)

	_, err := Start(t.Context(), dialTo(s), Options{Names: []string{"paused", "unused"}})
	if !errors.Is(err, jetstream.ErrStreamNameAlreadyInUse) || !strings.Contains(err.Error(), "REPORTS") {
		t.Fatalf("got %v, want that stream REPORTS exists", err)
	}
	if !strings.Contains(hint.Of(err), "other sample traffic") {
		t.Errorf("got hint %q, want one that knows the other sample traffic", hint.Of(err))
	}
	if after := streamNames(t, js); !slices.Equal(before, after) {
		t.Errorf("streams: got %q, want %q as before", after, before)
	}
	// What is not the same runs beside it.
	mustSettle(t, mustStart(t, s, Options{Names: []string{"unused"}}))
}

func TestAStreamOfSomebodyElseIsNotTouched(t *testing.T) {
	t.Parallel()
	s := startLab(t)
	js := api(t, s)
	if _, err := js.CreateStream(t.Context(), jetstream.StreamConfig{Name: "ORDERS", Subjects: []string{"mine"}}); err != nil {
		t.Fatal(err)
	}
	_, err := Start(t.Context(), dialTo(s), Options{})
	if !errors.Is(err, jetstream.ErrStreamNameAlreadyInUse) || !strings.Contains(hint.Of(err), "lab") {
		t.Fatalf("got %v, try %q; want that it exists, and to try a lab", err, hint.Of(err))
	}
	if left := streamNames(t, js); !slices.Equal(left, []string{"ORDERS"}) {
		t.Errorf("streams: got %q, want ORDERS alone", left)
	}
}

func TestAStreamThatWasReplacedIsNotRemoved(t *testing.T) {
	t.Parallel()
	s := startLab(t)
	js := api(t, s)
	traffic := mustStart(t, s, Options{Names: []string{"unused"}})
	if err := js.DeleteStream(t.Context(), "AUDIT"); err != nil {
		t.Fatal(err)
	}
	if _, err := js.CreateStream(t.Context(), jetstream.StreamConfig{Name: "AUDIT", Subjects: []string{"mine"}}); err != nil {
		t.Fatal(err)
	}
	if err := traffic.Stop(); err != nil {
		t.Fatal(err)
	}
	if left := streamNames(t, js); !slices.Equal(left, []string{"AUDIT"}) {
		t.Errorf("streams: got %q, want AUDIT alone", left)
	}
}

func TestTrafficSurvivesARestartOfTheServer(t *testing.T) {
	t.Parallel()
	for name, option := range map[string]nats.Option{
		"with clients that reconnect": nats.MaxReconnects(-1),
		"with clients that give up":   nats.NoReconnect(),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := startLab(t)
			dial := func(_ context.Context, name string) (*nats.Conn, error) {
				return nats.Connect(s.URL(), nats.Name(name), nats.Timeout(patient), nats.ReconnectWait(50*time.Millisecond), option)
			}
			names := []string{"ok", "push", "ordered", "work-queue", "fetch-one", "ack-stalled", "paused", "service", "no-queue-group"}
			traffic, err := Start(t.Context(), dial, Options{Names: names})
			if err != nil {
				t.Fatal(err)
			}
			defer func() {
				if err := traffic.Stop(); err != nil {
					t.Error(err)
				}
			}()
			mustSettle(t, traffic)
			if err := s.Restart(t.Context()); err != nil {
				t.Fatal(err)
			}
			js := api(t, s)
			mustGoOn(t, js, traffic.scenarios)
			eventually(t, "the instances are back", func() bool {
				return count(connections(t, s, ""), func(c shown) bool { return c.Name == "invoice-printer" }) == 3
			})
		})
	}
}

func TestTheEndIsNotHeldUpByAServerThatIsGone(t *testing.T) {
	t.Parallel()
	s, err := lab.Start(lab.Config{})
	if err != nil {
		t.Fatal(err)
	}
	traffic, err := Start(t.Context(), dialTo(s), Options{Names: All()})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Stop(); err != nil {
		t.Fatal(err)
	}
	if err := traffic.Stop(); !errors.Is(err, nats.ErrNoServers) {
		t.Errorf("got %v, want that the streams could not be removed", err)
	}
}

func TestWhatHasNotSettledIsNamed(t *testing.T) {
	t.Parallel()
	s := startLab(t)
	traffic := mustStart(t, s, Options{Names: []string{"head-blocked"}})
	late := errors.New("too late")
	ctx, cancel := context.WithCancelCause(t.Context())
	// What else it waits for must have happened, so that only its age is missing.
	js := api(t, s)
	eventually(t, "its other facts", func() bool { return isSo(t, js, traffic.scenarios[0]) })
	settled := make(chan error, 1)
	go func() { settled <- traffic.Settled(ctx) }()
	eventually(t, "it has asked more than once", func() bool {
		return count(connections(t, s, ""), func(c shown) bool { return c.Name == "natsops-sample" && c.InMsgs > 4 }) == 1
	})
	cancel(late)
	err := <-settled
	for _, want := range []string{"head-blocked", "31s"} {
		if !errors.Is(err, late) || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %q in it, and the cause", err, want)
		}
	}
	if err := traffic.Settled(t.Context(), "idle"); err == nil {
		t.Error("got no error for a sample that does not run")
	}
}

func TestOptionsThatMakeNoSenseAreRefused(t *testing.T) {
	t.Parallel()
	never := func(context.Context, string) (*nats.Conn, error) { return nil, errors.New("it connected") }
	for want, o := range map[string]Options{
		`no sample "oops"`: {Names: []string{"ok", "oops"}},
		"scale -1":         {Scale: -1},
		"scale 0.1":        {Scale: 0.1},
		"scale 1000":       {Scale: 1000},
		"it connected":     {},
	} {
		if _, err := Start(t.Context(), never, o); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%+v: got %v, want %q", o, err, want)
		}
	}
}
