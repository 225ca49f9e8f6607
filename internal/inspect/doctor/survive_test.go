package doctor

import (
	"fmt"
	"math"
	"regexp"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/natsops/natsops/internal/inspect"
	"github.com/natsops/natsops/internal/inspect/lag"
)

// Whatever servers say, an examination ends, changes nothing, says the same
// when it is repeated, and leaves no text out.
func TestExaminationsSurviveEverySnapshot(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		w := healthy()
		all := troubles()
		for range rapid.IntRange(0, 8).Draw(rt, "troubles") {
			wreck(rt, w, rapid.SampledFrom(all).Draw(rt, "trouble"))
		}
		scramble(rt, w)
		before := fmt.Sprintf("%+v", w.last().Servers) + fmt.Sprintf("%+v", w.last().Connections)
		r := w.examine()
		if again := w.examine(); !cmp.Equal(r, again) {
			rt.Fatal(cmp.Diff(r, again))
		}
		if fmt.Sprintf("%+v", w.last().Servers)+fmt.Sprintf("%+v", w.last().Connections) != before {
			rt.Fatal("the snapshot was changed")
		}
		complete(rt, r)
	})
}

// wreck makes one trouble, or its look-alike; one that has nothing left to spoil
// does nothing.
func wreck(rt *rapid.T, w *ward, tr trouble) {
	defer func() { _ = recover() }()
	choices := slices.DeleteFunc([]func(*ward){tr.make, tr.near, tr.blind}, func(f func(*ward)) bool { return f == nil })
	rapid.SampledFrom(choices).Draw(rt, "way")(w)
}

// scramble puts extreme values in, and takes things away.
func scramble(rt *rapid.T, w *ward) {
	number := rapid.SampledFrom([]int64{0, 1, -1, 100, math.MaxInt64, math.MinInt64})
	for i, s := range w.window {
		if rapid.IntRange(0, 9).Draw(rt, "time") == 0 {
			s.At = start()
		}
		s.Route = rapid.SampledFrom([]inspect.Route{inspect.RouteSystem, inspect.RouteAccount, inspect.RouteMonitor}).Draw(rt, "route")
		for n := range s.Servers {
			server := &s.Servers[n]
			if rapid.Bool().Draw(rt, "server") || server.Varz == nil {
				continue
			}
			server.Varz.MaxPending, server.Varz.Cores = number.Draw(rt, "max_pending"), int(number.Draw(rt, "cores"))
			server.Varz.TotalConnections, server.Offset = uint64(number.Draw(rt, "total")), time.Duration(number.Draw(rt, "offset"))
			server.Name = rapid.SampledFrom([]string{"", server.Name}).Draw(rt, "name")
			server.Varz.CPUPercent = rapid.SampledFrom([]float64{0, math.NaN(), math.Inf(1), -1, 1e9}).Draw(rt, "cpu")
		}
		for n := range s.Connections {
			c := &s.Connections[n]
			if rapid.Bool().Draw(rt, "connection") {
				continue
			}
			c.RTT, c.NumSubs, c.PendingBytes = time.Duration(number.Draw(rt, "rtt")), int(number.Draw(rt, "subs")), number.Draw(rt, "pending")
			c.Name, c.Subs = rapid.StringMatching(`[^%]*`).Draw(rt, "client"), append(c.Subs, inspect.Subscription{Subject: rapid.SampledFrom([]string{"", ".", ">", "*.", "a..b"}).Draw(rt, "subject"), Queue: "q", Msgs: number.Draw(rt, "msgs")})
		}
		for n := range s.Consumers {
			c := &s.Consumers[n]
			if rapid.Bool().Draw(rt, "consumer") {
				continue
			}
			c.NumAckPending, c.NumRedelivered, c.NumWaiting = int(number.Draw(rt, "unacked")), int(number.Draw(rt, "redelivered")), int(number.Draw(rt, "waiting"))
			c.NumPending, c.State = uint64(number.Draw(rt, "num_pending")), inspect.State(rapid.IntRange(0, 2).Draw(rt, "state"))
			c.Cluster = nil
		}
		s.Streams = s.Streams[:rapid.IntRange(0, len(s.Streams)).Draw(rt, fmt.Sprintf("streams %d", i))]
	}
	for i := range w.verdicts {
		f := rapid.SampledFrom([]float64{0, math.NaN(), math.Inf(1), -1, 1e300}).Draw(rt, "figure")
		v := &w.verdicts[i]
		v.In, v.ProcessTime, v.ToLoss, v.DeadLetters, v.Backlog = w.known(f), w.known(f), w.known(f), w.known(f), w.known(f)
		v.Status, v.Severity = rapid.SampledFrom(lag.Statuses()).Draw(rt, "status").Status, inspect.Severity(rapid.IntRange(0, 3).Draw(rt, "severity"))
	}
}

// complete checks that a result leaves nothing out.
func complete(rt *rapid.T, r Result) {
	badVerb := regexp.MustCompile(`%!([a-zA-Z]|)\(`)
	seen := map[string]bool{}
	for _, id := range r.Passed {
		seen[id] = true
	}
	for _, s := range r.Skipped {
		if seen[s.Check] || s.Why == "" {
			rt.Fatalf("passed and skipped, or without a reason: %+v", s)
		}
	}
	for _, s := range r.Skipped {
		seen[s.Check] = true
	}
	for _, f := range r.Findings {
		if slices.Contains(r.Passed, f.Check) {
			rt.Fatalf("%s has passed and found something", f.Check)
		}
		seen[f.Check] = true
		if f.Check == "" || f.Title == "" || f.Object == "" || f.Advice == "" || f.Count < 1 || f.Severity < inspect.Info {
			rt.Fatalf("incomplete: %+v", f)
		}
		if len(f.Evidence) == 0 || len(f.Evidence) > Named+1 || slices.Contains(f.Evidence, "") {
			rt.Fatalf("evidence: %+v", f)
		}
		for _, e := range f.Evidence {
			if badVerb.MatchString(e) {
				rt.Fatalf("badly formatted: %+v", f)
			}
		}
	}
	for _, c := range Checks() {
		if !seen[c.ID] {
			rt.Fatalf("%s neither passed nor was skipped nor found anything", c.ID)
		}
	}
}
