package benchreport

import (
	"time"

	"github.com/natsops/natsops/internal/bench"
	"github.com/natsops/natsops/internal/quantity"
	"github.com/natsops/natsops/internal/report"
	"github.com/natsops/natsops/internal/stats"
)

// latency adds the percentiles of a run, or why there are none.
func (t *text) latency(r bench.Result) {
	table := report.Table{Columns: latencyColumns("latency")}
	add := func(name string, l *bench.Latency) {
		if l != nil {
			table.Rows = append(table.Rows, append([]string{"  " + name}, durations(l.Summary)...))
		}
	}
	add("response", r.Response)
	if differ(r.Response, r.Service) {
		add("service", r.Service)
	}
	add("late", r.Generator.Lateness)
	if r.Response == nil {
		t.Item("latency", noLatency(r))
		table.Columns[0].Name = ""
	}
	if len(table.Rows) > 0 {
		t.Table(table)
	}
	if r.Response == nil {
		return
	}
	t.closedLoop(r)
	if t.plots {
		values, err := valuesOf(r.Response)
		if err == nil { // the plot repeats what the table says
			t.Lines(plotOf(values, t.Style, t.Room())...)
		}
	}
}

// closedLoop warns of coordinated omission where there is some: with a rate the
// response time counts from the due time in a closed loop too.
func (t *text) closedLoop(r bench.Result) {
	if r.Loop == bench.ClosedLoop && r.Response != nil && r.AskedPerS == nil {
		t.Item("", "closed loop: percentiles hide stalls; for honest ones give --rate")
	}
}

func latencyColumns(first string) []report.Column {
	columns := []report.Column{{Name: first, Left: true, Min: report.Gutter}}
	for _, name := range []string{"p50", "p90", "p99", "p99.9", "p99.99", "max"} {
		between := name == "p90" || name == "p99.9" || name == "p99.99"
		columns = append(columns, report.Column{Name: name, Min: 7, Optional: between})
	}
	return columns
}

// durations returns the cells under latencyColumns, but for the first.
func durations(s stats.Summary) []string {
	var cells []string
	for _, d := range []time.Duration{s.P50, s.P90, s.P99, s.P999, s.P9999, s.Max} {
		cells = append(cells, quantity.FormatDuration(d))
	}
	return cells
}

// differ reports whether people would see a difference.
func differ(a, b *bench.Latency) bool {
	if a == nil || b == nil {
		return a != b
	}
	as, bs := durations(a.Summary), durations(b.Summary)
	for i := range as {
		if as[i] != bs[i] {
			return true
		}
	}
	return false
}

// noLatency says why a result has no response time.
func noLatency(r bench.Result) string {
	switch r.Workload {
	case bench.Pub:
		return "not measured: a publish is a buffer write, not a round trip; use pubsub or request"
	case bench.Reply:
		return "not measured: only who asks can tell"
	case bench.Sub:
		return "not available: nothing came that says when it was due"
	default:
		return "not available: nothing came back"
	}
}
