package benchreport

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/natsops/natsops/internal/bench"
	"github.com/natsops/natsops/internal/ledger"
	"github.com/natsops/natsops/internal/quantity"
)

// result adds all that one run has measured.
func (t *text) result(r bench.Result) {
	t.Title(r.Title)
	if r.Interrupted {
		t.Note(interrupted(r))
	}
	t.Item("throughput", rate(r)+", "+quantity.FormatByteRate(r.BytesPerS))
	t.Item("measured", "for "+measured(r))
	if r.AskedPerS != nil {
		t.Item("offered", offered(r))
	}
	t.Item(operations(r), volume(r))
	if r.Ledger != nil {
		t.Item("accounted", balance(*r.Ledger, r.WarmupNS > 0))
	} else if r.Workload == bench.Sub && r.Received > 0 {
		t.Item("accounted", "not available: what came carries no stamps")
	}
	if r.Fairness != nil {
		t.Item("shares", shares(*r.Fairness))
	}
	if len(r.Errors) > 0 {
		t.Item("errors", failures(r.Errors))
	}
	if also := incidents(r); also != "" {
		t.Item("incidents", also)
	}
	t.latency(r)
	t.Item("generator", generator(r.Generator))
	t.Item("server", server(r))
	t.Item("limit", r.Limit.By+": "+r.Limit.Why)
	for _, warning := range warnings(r) {
		t.Note(warning)
	}
}

func interrupted(r bench.Result) string {
	after := "interrupted after " + nanoseconds(float64(r.ElapsedNS))
	if r.Settings.DurationNS > 0 {
		after += " of " + nanoseconds(float64(r.Settings.DurationNS))
	}
	return after + ": this is what was measured until then"
}

func measured(r bench.Result) string {
	s := nanoseconds(float64(r.ElapsedNS))
	if r.WarmupNS > 0 {
		s += " after " + nanoseconds(float64(r.WarmupNS)) + " of warm-up"
	}
	if r.Loop == bench.NoLoop {
		return s
	}
	return s + ", " + string(r.Loop) + " loop"
}

// offered says how much of the asked load could be sent.
func offered(r bench.Result) string {
	s := quantity.FormatCount(*r.AskedPerS) + " " + rateUnit(r.Workload)
	if r.Settings.Schedule != "constant" {
		s += " on average"
	}
	s += ", " + r.Settings.Schedule
	switch {
	case r.Achieved == nil:
		return s
	case *r.Achieved >= 1:
		return s + "; all of it was sent"
	default:
		return s + "; " + quantity.FormatRatio(*r.Achieved) + " of it was sent"
	}
}

func operations(r bench.Result) string {
	if asks(r.Workload) {
		return "requests"
	}
	return "messages"
}

// volume counts operations. What a workload does not do is left out: it would
// read as a failure.
func volume(r bench.Result) string {
	var parts []string
	if r.Workload == bench.Pub || r.Workload == bench.PubSub || r.Workload == bench.Request {
		parts = append(parts, count(r.Sent)+" sent")
	}
	switch r.Workload {
	case bench.Pub:
	case bench.Request, bench.Reply:
		parts = append(parts, count(r.Received)+" answered")
	default:
		parts = append(parts, count(r.Received)+" received")
	}
	return strings.Join(append(parts, count(r.ErrorCount)+" failed"), ", ")
}

// balance says what became of the messages. Each doubt that the ledger has of
// its own numbers is said with them.
func balance(a ledger.Account, warmup bool) string {
	lost := count(a.Lost) + " lost"
	if a.Stale > 0 && a.Lost > 0 {
		lost = fmt.Sprintf("%s to %s lost", count(a.Lost-min(a.Lost, a.Stale)), count(a.Lost))
	}
	parts := []string{lost, count(a.Duplicated) + " duplicated", count(a.Reordered) + " reordered"}
	for _, rare := range []struct {
		n    uint64
		name string
	}{{a.Stale, "too old to judge"}, {a.Foreign, "of other runs"}} {
		if rare.n > 0 {
			parts = append(parts, count(rare.n)+" "+rare.name)
		}
	}
	s := strings.Join(append(parts, count(a.Corrupt)+" corrupt"), ", ") + " of " + count(a.Sent)
	if warmup {
		s += " with warm-up"
	}
	if a.Unexpected > 0 {
		s += "; not to be trusted, since " + count(a.Unexpected) + " came that were never sent"
	}
	return s
}

func shares(f bench.Fairness) string {
	var sum float64
	for _, n := range f.Shares {
		sum += float64(n)
	}
	least, most := slices.Min(f.Shares), slices.Max(f.Shares)
	return fmt.Sprintf("%s got %s to %s each, Jain's index %.4f", plural(uint64(len(f.Shares)), "member"),
		quantity.FormatRatio(float64(least)/sum), quantity.FormatRatio(float64(most)/sum),
		math.Floor(f.Jain*1e4)/1e4) // 1 is even, and nothing else may look like it
}

func failures(list []bench.ErrorCount) string {
	var parts []string
	for _, e := range list {
		part := count(e.Count) + " " + string(e.Class)
		if e.Example != "" && e.Example != string(e.Class) {
			part += " (" + e.Example + ")"
		}
		parts = append(parts, part)
	}
	return strings.Join(parts, ", ")
}

// incidents counts what should not happen and is no failure of an operation.
func incidents(r bench.Result) string {
	var parts []string
	for _, i := range []struct {
		n        uint64
		singular string
		plural   string
	}{
		{r.Missed, "missed", "missed"},
		{r.Unfinished, "unfinished", "unfinished"},
		{r.Dropped, "dropped", "dropped"},
		{r.Unexpected, "unexpected reply", "unexpected replies"},
		{r.Retries, "retry", "retries"},
		{r.Disconnects, "disconnect", "disconnects"},
	} {
		switch {
		case i.n == 1:
			parts = append(parts, "1 "+i.singular)
		case i.n > 1:
			parts = append(parts, count(i.n)+" "+i.plural)
		}
	}
	return strings.Join(parts, ", ")
}

// warnings returns what a reader must know before believing the numbers: that
// the response time has too few values is not said again of the other times.
func warnings(r bench.Result) []string {
	all := slices.Clone(r.Warnings)
	for _, times := range []struct {
		prefix string
		of     *bench.Latency
	}{{"", r.Response}, {"service time: ", r.Service}, {"lateness: ", r.Generator.Lateness}} {
		if times.of == nil {
			continue
		}
		for _, warning := range times.of.Warnings {
			if !slices.Contains(all, warning) {
				all = append(all, times.prefix+warning)
			}
		}
	}
	return all
}
