package bench

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"
)

func TestSubjectsAreCheckedAsAServerWould(t *testing.T) {
	for _, c := range []struct {
		subject   string
		wildcards bool
		wrong     string // "": it is right
	}{
		{"a", false, ""},
		{"orders.new.eu-1", false, ""},
		{"a*b.c>d", false, ""}, // not wildcards: not a token of their own
		{"größe.ü", false, ""},
		{"a.*.c", true, ""},
		{"a.>", true, ""},
		{">", true, ""},
		{"", false, "empty"},
		{"a b", false, "white space"},
		{"a\tb", true, "white space"},
		{"a..b", false, "empty token"},
		{".a", false, "empty token"},
		{"a.", true, "empty token"},
		{"a.*", false, "wildcard"},
		{"a.>", false, "wildcard"},
		{"a.>.b", true, "before its end"},
	} {
		err := CheckSubject(c.subject, c.wildcards)
		switch {
		case c.wrong == "" && err != nil:
			t.Errorf("CheckSubject(%q, %v) = %v", c.subject, c.wildcards, err)
		case c.wrong != "" && (!errors.Is(err, ErrConfig) || !strings.Contains(err.Error(), c.wrong)):
			t.Errorf("CheckSubject(%q, %v) = %v, want %q", c.subject, c.wildcards, err, c.wrong)
		}
	}
}

func FuzzCheckSubject(f *testing.F) {
	f.Add("a.b", true)
	f.Add("a.>.*", false)
	f.Fuzz(func(t *testing.T, s string, wildcards bool) {
		if CheckSubject(s, wildcards) != nil {
			return
		}
		if strings.ContainsAny(s, " \r\n\t") || slices.Contains(strings.Split(s, "."), "") {
			t.Errorf("%q is accepted and would break the protocol", s)
		}
	})
}

func TestWindowGivesCreditForWhatTheSlowestHasSeen(t *testing.T) {
	w := newWindow(100, 2)
	w.advance(0, 50)
	if got := w.credit(50); got != 50 {
		t.Errorf("credit %d, want 50: unit 1 has seen nothing", got)
	}
	w.advance(1, 40)
	if got := w.credit(50); got != 90 {
		t.Errorf("credit %d, want 90", got)
	}
	w.advance(1, 30) // late: goes back to nothing
	if got := w.credit(140); got != 0 {
		t.Errorf("credit %d, want 0", got)
	}
}

func TestWindowWakesItsPublisherWhenHalfIsFree(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWindow(100, 1)
		begin := time.Now()
		time.AfterFunc(10*time.Millisecond, func() { w.advance(0, 20) })
		time.AfterFunc(20*time.Millisecond, func() { w.advance(0, 50) })
		w.await(100)
		if took := time.Since(begin); took != 20*time.Millisecond || w.credit(100) != 50 {
			t.Errorf("woke after %v with credit %d", took, w.credit(100))
		}
	})
}

func TestWindowTakesForLostWhatNeverMoves(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWindow(100, 1)
		begin := time.Now()
		w.await(100)
		if took := time.Since(begin); took != windowPatience || w.credit(100) != 100 {
			t.Errorf("woke after %v with credit %d", took, w.credit(100))
		}
	})
}

func TestSharesAddUpToTheWhole(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		total := rapid.Uint64Range(1, 1e9).Draw(t, "total")
		n := rapid.IntRange(1, 1000).Draw(t, "n")
		var sum uint64
		for i := range n {
			sum += share(total, i, n)
		}
		if sum != total {
			t.Fatalf("%d shares of %d add up to %d", n, total, sum)
		}
	})
}

func TestBackoffGrowsAndIsSpread(t *testing.T) {
	for n := range MaxRetries {
		seen := map[time.Duration]bool{}
		ceiling := backoffCeiling(n)
		for range 100 {
			d := backoff(n)
			if d <= 0 || d > ceiling {
				t.Fatalf("backoff(%d) = %v, want up to %v", n, d, ceiling)
			}
			seen[d] = true
		}
		if len(seen) < 50 {
			t.Errorf("backoff(%d) has only %d values in 100: clients would come back together", n, len(seen))
		}
	}
}

// Two responders without a queue group answer every request twice; a reply that
// comes after the timeout is nobody's. Neither may be taken for another's.
func TestExtraAndLateRepliesAreCountedApart(t *testing.T) {
	for _, late := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			net := newFakeNet()
			net.fate = func(n uint64, s string, data []byte) ([]time.Duration, []byte) {
				switch {
				case s == "test.subject" || n < 10:
					return []time.Duration{time.Millisecond}, data
				case late && n%4 < 2:
					return []time.Duration{1500 * time.Millisecond}, data
				case late:
					return []time.Duration{time.Millisecond}, data
				default:
					return []time.Duration{time.Millisecond, 3 * time.Millisecond}, data
				}
			}
			cfg := base(Request)
			cfg.Schedule, cfg.Duration = Constant(100), 4*time.Second
			res := mustRun(t, net, cfg)
			if res.Unexpected == 0 {
				t.Errorf("late %v: no unexpected replies", late)
			}
			if res.Received+res.ErrorCount+res.Unfinished != res.Sent {
				t.Errorf("late %v: sent %d, received %d, errors %d, unfinished %d", late, res.Sent, res.Received, res.ErrorCount, res.Unfinished)
			}
			told := slices.ContainsFunc(res.Warnings, func(w string) bool { return strings.Contains(w, "queue group") })
			if told == late {
				t.Errorf("late %v: warnings %q", late, res.Warnings)
			}
			if !late && res.Response.Max > 3*time.Millisecond {
				t.Errorf("max %v: the second reply was measured", res.Response.Max)
			}
		})
	}
}

// In a closed loop a surplus reply finds the next request waiting. It may be
// taken for its reply a few times at most, not for ever.
func TestSurplusRepliesDoNotSpeedUpAClosedLoop(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		net := newFakeNet()
		net.fate = func(_ uint64, s string, data []byte) ([]time.Duration, []byte) {
			if s == "test.subject" {
				return []time.Duration{5 * time.Millisecond}, data
			}
			return []time.Duration{5 * time.Millisecond, 13 * time.Millisecond}, data
		}
		cfg := base(Request)
		cfg.Duration, cfg.Closed, cfg.InFlight = 10*time.Second, true, 4
		res := mustRun(t, net, cfg)
		if res.Received < 3990 || res.Received > 4010 || res.Response.P50 < 9*time.Millisecond {
			t.Errorf("%d requests of 10 ms in 10 s, 4 at a time, p50 %v", res.Received, res.Response.P50)
		}
		if res.Unexpected < 3900 {
			t.Errorf("only %d of the surplus replies were noticed", res.Unexpected)
		}
	})
}

func TestTokensAreNotUsedAgainOnceAReplyMayBeAnothers(t *testing.T) {
	q := &requester{slots: make([]slot, 4), rounds: 3}
	seen := map[uint64]int{}
	for range 30 {
		seen[q.token(6, &q.slots[2])]++
	}
	if len(seen) != 3 {
		t.Errorf("%d tokens, want 3", len(seen))
	}
	q.wary.Store(true)
	for range 30 {
		token := q.token(6, &q.slots[2])
		seen[token]++
		if seen[token] != 1 || q.slot(token>>attemptBits) != &q.slots[2] {
			t.Errorf("token %d: used %d times", token, seen[token])
		}
	}
}

func TestServerUsageIsWhatTheRunAdded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := 0
		env := Env{Usage: func(context.Context) (UsageSample, error) {
			n++
			return UsageSample{
				Source: "test", ServerID: "A", At: time.Now(), CPUTime: time.Duration(n) * 500 * time.Millisecond,
				InMsgs: int64(1000 * n), MemBytes: int64(10 * n), Cores: 4,
			}, nil
		}}
		w := startWitness(t.Context(), env)
		time.Sleep(2500 * time.Millisecond)
		u, missing := w.finish(t.Context())
		if missing != "" {
			t.Fatal(missing)
		}
		// Samples at 0, 1, 2 and 2.5 s.
		if u.InMsgs != 3000 || u.MemGrowth != 30 || *u.CPUCores != 0.6 || *u.CPUNS != int64(1500*time.Millisecond) || *u.CPUCoresMax != 0.5 {
			t.Errorf("usage %+v, cores %v, most %v", u, *u.CPUCores, *u.CPUCoresMax)
		}
	})
}

func TestRestartedServerCountsFromItsRestart(t *testing.T) {
	w := &witness{first: UsageSample{ServerID: "A", InMsgs: 5000, MemBytes: 7}}
	u := w.usage(UsageSample{ServerID: "B", InMsgs: 10, MemBytes: 9})
	if !u.Restarted || u.InMsgs != 10 || u.CPUCores != nil {
		t.Errorf("usage %+v", u)
	}
}

func TestUnknownUsageHasAReasonAndNoZeros(t *testing.T) {
	for _, c := range []struct {
		env  Env
		want string
	}{
		{Env{NoUsage: "nobody to ask"}, "nobody to ask"},
		{Env{Usage: func(context.Context) (UsageSample, error) { return UsageSample{}, errors.New("down") }}, "down"},
	} {
		u, why := startWitness(t.Context(), c.env).finish(t.Context())
		if u != nil || why != c.want {
			t.Errorf("usage %+v because %q, want %q", u, why, c.want)
		}
	}
}

func TestLimitClaimsNoMoreThanWasSeen(t *testing.T) {
	one, half := 1.0, 0.5
	paced := Config{Workload: Request, Schedule: Constant(1), Senders: 1}
	closed := Config{Workload: Request, Senders: 1}
	server := func(cores float64) *ServerUsage { return &ServerUsage{CPUCores: &cores, Cores: 4} }
	for _, c := range []struct {
		name string
		cfg  Config
		same bool
		res  Result
		want string
	}{
		{"rate reached", paced, true, Result{Achieved: &one}, "schedule"},
		{"rate missed, generator busy", paced, false, Result{Achieved: &half, Generator: Generator{Cores: 3.9, CoresHere: 4}}, "generator"},
		{"one machine for both", closed, true, Result{Generator: Generator{Cores: 2, CoresHere: 4}, Usage: server(1.9)}, "machine"},
		{"two machines", closed, false, Result{Loop: ClosedLoop, Generator: Generator{Cores: 2, CoresHere: 4}, Usage: server(1.9)}, "window"},
		{"server busy", closed, false, Result{Generator: Generator{Cores: 1, CoresHere: 4}, Usage: server(3.8)}, "server"},
		{"nobody busy, rate missed", paced, false, Result{Achieved: &half, Generator: Generator{Cores: 1, CoresHere: 4}}, "unknown"},
		{"refused", paced, false, Result{Achieved: &one, Errors: []ErrorCount{{Class: ClassPermission}}}, "unknown"},
		{"others make the load", Config{Workload: Sub}, false, Result{}, "unknown"},
	} {
		r := &run{cfg: c.cfg, env: Env{SameHost: c.same}, rec: newRecorder(1)}
		if got := r.limit(c.res); got.By != c.want || got.Why == "" {
			t.Errorf("%s: limit %+v, want %s", c.name, got, c.want)
		}
	}
}

func TestMetricsHaveOneNameAndAMeaning(t *testing.T) {
	seen := map[string]bool{}
	for _, m := range AllMetrics() {
		if seen[m.Name] || m.Doc == "" || m.Unit == "" {
			t.Errorf("metric %+v", m.Metric)
		}
		seen[m.Name] = true
	}
	names := func(c Config) (list []string) {
		for _, m := range Metrics(c) {
			list = append(list, m.Name)
		}
		return list
	}
	if got := names(Config{Workload: Pub}); slices.Contains(got, "p99") || slices.Contains(got, "lost") {
		t.Errorf("pub has %v, and can measure neither latency nor loss", got)
	}
	if got := names(Config{Workload: PubSub}); !slices.Contains(got, "p99") || !slices.Contains(got, "lost") || slices.Contains(got, "missed") {
		t.Errorf("an unpaced pubsub has %v", got)
	}
}

func TestUnknownMetricIsNotZero(t *testing.T) {
	if v, ok := MetricOf([]Result{{}}, "p99"); ok {
		t.Errorf("p99 of a result without latency is %v", v)
	}
	if v, ok := MetricOf([]Result{{RatePerS: 1}, {RatePerS: 9}, {RatePerS: 2}}, "rate"); !ok || v != 2 {
		t.Errorf("rate of three runs is %v, want the median 2", v)
	}
}
