package benchreport

import (
	"io"
	"strconv"
	"time"

	"github.com/natsops/natsops/internal/bench"
	"github.com/natsops/natsops/internal/report"
	"github.com/natsops/natsops/internal/slo"
)

// writeCSV writes a line per result, with every metric in its base unit. A cell
// is empty where a result does not have the metric.
func writeCSV(w io.Writer, doc Document, _ report.Style) error {
	var (
		table    report.Table
		describe = descriptions()
		metrics  = bench.AllMetrics()
	)
	for _, d := range describe {
		table.Columns = append(table.Columns, report.Column{Name: d.name})
	}
	for _, m := range metrics {
		table.Columns = append(table.Columns, report.Column{Name: m.Name + suffix(m.Unit)})
	}
	for _, r := range doc.Results {
		var row []string
		for _, d := range describe {
			row = append(row, d.of(r))
		}
		for _, m := range metrics {
			row = append(row, raw(m, r))
		}
		table.Rows = append(table.Rows, row)
	}
	return table.WriteCSV(w)
}

// A description is a column that is not a metric.
type description struct {
	name string
	of   func(bench.Result) string
}

func descriptions() []description {
	return []description{
		{"workload", func(r bench.Result) string { return string(r.Workload) }},
		{"title", func(r bench.Result) string { return r.Title }},
		{"run", func(r bench.Result) string { return strconv.Itoa(r.Run) }},
		{"started_at", func(r bench.Result) string { return r.StartedAt.UTC().Format(time.RFC3339Nano) }},
		{"server_version", func(r bench.Result) string { return r.Server.Version }},
		{"loop", func(r bench.Result) string { return string(r.Loop) }},
		{"interrupted", func(r bench.Result) string { return strconv.FormatBool(r.Interrupted) }},
		{"elapsed_ns", func(r bench.Result) string { return strconv.FormatInt(r.ElapsedNS, 10) }},
		{"asked_per_s", func(r bench.Result) string {
			if r.AskedPerS == nil {
				return ""
			}
			return number(*r.AskedPerS)
		}},
		{"limit", func(r bench.Result) string { return r.Limit.By }},
		{"warnings", func(r bench.Result) string { return strconv.Itoa(len(warnings(r))) }},
	}
}

// raw returns a metric of a result as a number, or "".
func raw(m bench.Metric, r bench.Result) string {
	v, known := m.Of(r)
	if !known || !applies(m.Name, r) {
		return ""
	}
	return number(v)
}

// applies reports whether a count says anything about a result. The counts of
// what a workload does not do are 0, which would read as measured.
func applies(metric string, r bench.Result) bool {
	switch metric {
	case "sent":
		return r.Workload != bench.Sub && r.Workload != bench.Reply
	case "received", "dropped":
		return r.Workload != bench.Pub
	case "missed":
		return r.AskedPerS != nil
	case "retries", "unexpected_replies":
		return r.Workload == bench.Request
	default:
		return true
	}
}

func number(v float64) string { return strconv.FormatFloat(v, 'f', -1, 64) }

// suffix says in a column's name what its numbers are measured in.
func suffix(u slo.Unit) string {
	switch u {
	case slo.Duration:
		return "_ns"
	case slo.Rate:
		return "_per_s"
	case slo.Bytes:
		return "_bytes"
	case slo.BytesPerSecond:
		return "_bytes_per_s"
	default:
		return ""
	}
}
