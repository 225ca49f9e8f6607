package doctor

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/natsops/natsops/internal/inspect"
	"github.com/natsops/natsops/internal/inspect/lag"
)

func TestManyObjectsMakeOneFindingThatNamesTheWorst(t *testing.T) {
	w := healthy()
	w.snapshots(func(_ int, s *inspect.Snapshot) {
		for n := range 40 {
			c := s.Connections[2]
			c.CID, c.Name, c.PendingBytes = uint64(100+n), fmt.Sprintf("slow%d", n), int64(2+n)<<20
			s.Connections = append(s.Connections, c)
		}
	})
	w.last().Connections[len(w.last().Connections)-1].PendingBytes = 60 << 20
	r := w.examine("conn.pending")
	if len(r.Findings) != 2 {
		t.Fatalf("want one finding for each severity, got %+v", r.Findings)
	}
	crit, warn := r.Findings[0], r.Findings[1]
	if crit.Severity != inspect.Crit || crit.Count != 1 || crit.Object != `connection 139 "slow39" of server n1` {
		t.Errorf("got %+v", crit)
	}
	if warn.Object != "39 connections" || warn.Count != 39 || len(warn.Evidence) != Named+1 {
		t.Errorf("got %+v", warn)
	}
	if got, want := warn.Evidence[0], `connection 138 "slow38" of server n1: 40 MiB wait to be sent, 62.5% of max_pending`; got != want {
		t.Errorf("want the worst first: %q, got %q", want, got)
	}
	if got := warn.Evidence[Named]; got != "and 34 more" {
		t.Errorf("got %q", got)
	}
}

func TestFindingsNameConsumersAndHowToLookAtThem(t *testing.T) {
	w := healthy()
	w.consumer("billing", func(_ int, c *inspect.Consumer) { c.NumRedelivered = 100 })
	f := w.examine("consumer.exhausted").Findings[0]
	want := inspect.Key{Account: app, Stream: "ORDERS", Consumer: "billing"}
	if len(f.Keys) != 1 || f.Keys[0] != want {
		t.Errorf("want %v, got %v", want, f.Keys)
	}
	if diff := cmp.Diff([]string{"nats consumer info ORDERS billing", "natsops dlq ls ORDERS/billing"}, f.Next); diff != "" {
		t.Error(diff)
	}
}

func TestFindingsNameStreamsAndHowToLookAtThem(t *testing.T) {
	w := healthy()
	w.stream("ORDERS", func(_ int, s *inspect.Stream) { s.Cluster.Leader = "" })
	f := w.examine("stream.no-leader").Findings[0]
	if diff := cmp.Diff([]string{"nats stream info ORDERS"}, f.Next); diff != "" {
		t.Error(diff)
	}
}

// Numbers of an earlier snapshot are no sample, nor is what is listed twice.
func TestOnlyFreshSamplesCount(t *testing.T) {
	w := healthy()
	w.snapshots(func(i int, s *inspect.Snapshot) {
		s.Connections = append(s.Connections, s.Connections[2])
		if i == 0 {
			s.Connections[2].State, s.Connections[len(s.Connections)-1].State = inspect.Stale, inspect.Stale
		}
	})
	w.client("import", func(i int, c *inspect.Connection) { c.Stalls = 100 * int64(i) })
	if r := w.examine("conn.stalled-publisher"); len(r.Findings) > 0 {
		t.Errorf("a stale sample was compared: %+v", r.Findings)
	}
	courses := follow(w.window, connectionCourse())
	if len(courses) != 9 || len(courses[2].samples) != 1 || len(courses[0].samples) != 2 {
		t.Errorf("got %d courses, with %d samples of the doubled connection", len(courses), len(courses[2].samples))
	}
}

func TestTheAccountIsToldHowMuchItCannotSee(t *testing.T) {
	for _, route := range []inspect.Route{inspect.RouteAccount, inspect.RouteSystem, inspect.RouteMonitor} {
		n := 0
		for _, c := range Checks() {
			if c.Routes != nil && !slices.Contains(c.Routes, route) {
				n++
			}
		}
		if got := blindFor(route); got != n {
			t.Errorf("%s: want %d checks, got %d", route, n, got)
		}
	}
}

func TestAFindingAboutOneConsumerGivesTheAdviceOfTheJudge(t *testing.T) {
	w := healthy()
	ill := func(v *lag.Verdict) {
		v.Status, v.Severity, v.Advice = lag.NoClients, inspect.Crit, "Start "+v.Key.Consumer+"."
	}
	w.judge("billing", ill)
	if f := w.examine("lag.no-clients").Findings[0]; f.Advice != "Start billing." {
		t.Errorf("got %q", f.Advice)
	}
	w.judge("workers", ill)
	about, _ := lag.About(lag.NoClients)
	if f := w.examine("lag.no-clients").Findings[0]; f.Advice != about.Do || f.Object != "2 consumers" {
		t.Errorf("got %+v", f)
	}
}

func TestFindingsComeWorstFirst(t *testing.T) {
	w := healthy()
	for _, tr := range troubles() {
		if tr.check == "conn.unnamed" || tr.check == "stream.no-leader" || tr.check == "server.cpu" {
			tr.make(w)
		}
	}
	r := w.examine()
	if !slices.IsSortedFunc(r.Findings, func(a, b Finding) int { return int(b.Severity) - int(a.Severity) }) || r.Worst() != inspect.Crit {
		t.Errorf("got %+v", r.Findings)
	}
}

func TestOneSnapshotIsEnoughForWhatDoesNotChange(t *testing.T) {
	w := healthy()
	w.consumer("billing", func(_ int, c *inspect.Consumer) { c.NumRedelivered = 100 })
	w.window = w.window[1:]
	r := w.examine()
	if !slices.ContainsFunc(r.Findings, func(f Finding) bool { return f.Check == "consumer.exhausted" }) {
		t.Error("consumer.exhausted found nothing")
	}
	for _, c := range Checks() {
		skipped := slices.ContainsFunc(r.Skipped, func(s Skip) bool { return s.Check == c.ID && strings.Contains(s.Why, "two snapshots") })
		if looks := c.Routes == nil || slices.Contains(c.Routes, inspect.RouteSystem); looks && c.Twice != skipped {
			t.Errorf("%s: takes two snapshots: %t, skipped for that: %t", c.ID, c.Twice, skipped)
		}
	}
}

func TestWithoutASnapshotNothingPasses(t *testing.T) {
	for _, window := range [][]*inspect.Snapshot{nil, {nil}} {
		r := Examine(Case{Window: window}, Checks())
		if len(r.Passed) > 0 || len(r.Findings) > 0 || len(r.Skipped) != len(Checks()) {
			t.Errorf("got %+v", r)
		}
	}
}

func TestAnEmptySnapshotPassesNoCheckThatNeedsSomething(t *testing.T) {
	s := &inspect.Snapshot{At: start().Add(window), Route: inspect.RouteSystem}
	r := Examine(Case{Window: []*inspect.Snapshot{{At: start(), Route: inspect.RouteSystem}, s}}, Checks())
	for _, id := range r.Passed {
		// Of these, none is what a healthy system has: closed connections, events, questions without an answer.
		if !slices.Contains([]string{"sight.account-only", "sight.gaps", "conn.slow-consumer", "conn.stale", "conn.refused", "conn.reconnect-churn", "stream.quorum-lost", "js.api-limit", "consumer.churn"}, id) {
			t.Errorf("%s passed, and has seen nothing", id)
		}
	}
}

func TestHavingNothingIsNotTheSameAsSeeingNothing(t *testing.T) {
	w := healthy()
	noStreams(w)
	if r := w.examine("stream.no-ack"); len(r.Skipped) != 1 || !r.Skipped[0].Empty {
		t.Errorf("there are none, and got %+v", r)
	}
	w.gap("streams and consumers", "no permission")
	if r := w.examine("stream.no-ack"); len(r.Skipped) != 1 || r.Skipped[0].Empty || !strings.Contains(r.Skipped[0].Why, "no permission") {
		t.Errorf("there may be some, and got %+v", r)
	}
}

func TestEverythingUnansweredPassesNothing(t *testing.T) {
	s := func(at time.Time) *inspect.Snapshot {
		return &inspect.Snapshot{At: at, Route: inspect.RouteSystem, Gaps: []inspect.Gap{{What: "everything", Why: "connection lost"}}}
	}
	r := Examine(Case{Window: []*inspect.Snapshot{s(start()), s(start().Add(window))}}, Checks())
	if want := []string{"sight.account-only"}; !slices.Equal(r.Passed, want) {
		t.Errorf("want %v to pass, got %v", want, r.Passed)
	}
}

func TestAnAccountSeesWhatIsItsOwn(t *testing.T) {
	w := healthy()
	w.snapshots(func(_ int, s *inspect.Snapshot) {
		s.Route = inspect.RouteAccount
		s.Gaps = []inspect.Gap{{What: "usage of the servers", Why: "only users of the system account may ask for it"}}
		for i := range s.Servers {
			server := &s.Servers[i]
			*server = inspect.Server{Reading: server.Reading, Name: server.Name, Version: server.Version, OffsetError: 1}
		}
	})
	w.consumer("billing", func(_ int, c *inspect.Consumer) { c.NumRedelivered = 100 })
	r := w.examine()
	for _, id := range []string{"server.cpu", "js.storage", "link.rtt"} {
		if !slices.ContainsFunc(r.Skipped, func(s Skip) bool { return s.Check == id && strings.Contains(s.Why, "needs the system account") }) {
			t.Errorf("%s was not skipped for want of credentials", id)
		}
	}
	for _, id := range []string{"consumer.exhausted", "sight.account-only"} {
		if !slices.ContainsFunc(r.Findings, func(f Finding) bool { return f.Check == id }) {
			t.Errorf("%s found nothing", id)
		}
	}
	if !slices.Contains(r.Passed, "conn.pending") || !slices.Contains(r.Passed, "sight.gaps") {
		t.Errorf("passed only %v", r.Passed)
	}
}

func TestASilentServerLeavesNoCheckOfServersPassed(t *testing.T) {
	w := healthy()
	w.server("n3", func(_ int, s *inspect.Server) { s.Reading = inspect.Reading{State: inspect.Unknown, Why: "timed out"} })
	r := w.examine("conn.rtt", "conn.stale", "server.memory", "link.pending", "sub.fan-out")
	if len(r.Passed) > 0 || len(r.Skipped) != 5 {
		t.Errorf("got %+v", r)
	}
}

func TestSelectTakesPatternsAndRefusesTypos(t *testing.T) {
	ids := func(only, ignore []string) string {
		checks, err := Select(Checks(), only, ignore)
		if err != nil {
			return err.Error()
		}
		var ids []string
		for _, c := range checks {
			ids = append(ids, c.ID)
		}
		return strings.Join(ids, " ")
	}
	for _, tt := range []struct {
		only, ignore []string
		want         string
	}{
		{[]string{"account.*"}, nil, "account.limits account.slow-consumers"},
		{[]string{"account.*", "js.sync"}, []string{"account.limits"}, "js.sync account.slow-consumers"},
		{[]string{"acount.*"}, nil, `no check is called "acount.*"`},
		{nil, []string{"["}, `no check is called "["`},
	} {
		if got := ids(tt.only, tt.ignore); got != tt.want {
			t.Errorf("only %q, ignore %q: want %s, got %s", tt.only, tt.ignore, tt.want, got)
		}
	}
	if got, _ := Select(Checks(), nil, nil); len(got) != len(Checks()) {
		t.Errorf("want all %d checks, got %d", len(Checks()), len(got))
	}
}

func TestThresholdsCanBeChanged(t *testing.T) {
	w, cfg := healthy(), Defaults()
	cfg.CPUShare = 0.1
	checks, err := Select(Checks(), []string{"server.cpu"}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if r := Examine(Case{Window: w.window, Config: cfg}, checks); len(r.Findings) != 1 || r.Findings[0].Count != 3 {
		t.Errorf("got %+v", r)
	}
}
