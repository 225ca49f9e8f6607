package benchreport

import (
	"fmt"
	"slices"
	"strconv"

	"github.com/natsops/natsops/internal/bench"
	"github.com/natsops/natsops/internal/quantity"
	"github.com/natsops/natsops/internal/report"
	"github.com/natsops/natsops/internal/slo"
)

// runs adds repeated runs of the same thing: a line each, then their median and
// range.
func (t *text) runs(runs []bench.Result, spreads []bench.Spread) {
	first := runs[0]
	t.Title(first.Title)
	t.Item("measured", strconv.Itoa(len(runs))+" runs of "+measured(first))
	if first.AskedPerS != nil {
		asked := first
		asked.Achieved = nil // runs differ in it
		t.Item("offered", offered(asked))
	}
	t.Table(runTable(runs, spreads))
	if first.Response == nil {
		t.Item("latency", noLatency(first))
	}
	t.closedLoop(first)
	t.runNotes(runs, spreads)
}

// runNotes adds what limited the runs and what to know of them.
func (t *text) runNotes(runs []bench.Result, spreads []bench.Spread) {
	var (
		limits recurring
		notes  recurring
		common []string
	)
	for _, r := range runs {
		limits.add(r.Run, r.Limit.By, r.Limit.Why)
		if r.Interrupted {
			notes.add(r.Run, "", interrupted(r))
		}
		if len(r.Errors) > 0 {
			errors := failures(r.Errors)
			notes.add(r.Run, errors, errors)
		}
		for _, warning := range warnings(r) {
			notes.add(r.Run, warning, warning)
		}
	}
	for _, l := range limits {
		t.Item("limit", fmt.Sprintf("%s (%s): %s", l.key, l.in(len(runs)), l.text))
	}
	for _, s := range spreads {
		common = append(common, s.Warnings...)
	}
	slices.Sort(common)
	for _, warning := range slices.Compact(common) {
		t.Note(warning)
	}
	for _, n := range notes {
		t.Note(n.in(len(runs)) + ": " + n.text)
	}
}

// recurring holds texts that several runs may have in common, each once, in the
// order in which they came.
type recurring []recurrence

type recurrence struct {
	key  string // runs with the same key are said to have the same text
	text string // of the first one
	runs []int
}

func (r *recurring) add(run int, key, text string) {
	i := slices.IndexFunc(*r, func(e recurrence) bool { return e.key == key })
	if i < 0 {
		i = len(*r)
		*r = append(*r, recurrence{key: key, text: text})
	}
	(*r)[i].runs = append((*r)[i].runs, run)
}

// in says which of all runs it is about.
func (r recurrence) in(all int) string {
	if len(r.runs) == 1 {
		return fmt.Sprintf("run %d", r.runs[0])
	}
	return fmt.Sprintf("%d of %d runs", len(r.runs), all)
}

// runTable has a column per metric that the runs have, and under the runs what
// the spreads say of it.
func runTable(runs []bench.Result, spreads []bench.Spread) report.Table {
	table := report.Table{Columns: []report.Column{{Name: "results", Left: true, Min: report.Gutter}}}
	for _, r := range runs {
		table.Rows = append(table.Rows, []string{"  run " + strconv.Itoa(r.Run)})
	}
	if len(spreads) > 0 {
		table.Rows = append(table.Rows, []string{"  median"}, []string{"  lowest"}, []string{"  highest"})
	}
	for _, column := range []struct {
		metric, name string
		optional     bool
	}{
		{"rate", rateUnit(runs[0].Workload), false},
		{"p50", "p50", true},
		{"p99", "p99", false},
		{"p999", "p99.9", true},
		{"lost", "lost", false},
		{"errors", "errors", true},
	} {
		cells, known := metricCells(runs, spreads, column.metric)
		if !known {
			continue
		}
		table.Columns = append(table.Columns, report.Column{Name: column.name, Min: 7, Optional: column.optional})
		for i := range table.Rows {
			table.Rows[i] = append(table.Rows[i], cells[i])
		}
	}
	return table
}

// metricCells returns the cells of a column: a metric of each run, then its
// median, minimum and maximum. It returns false when no run has the metric.
func metricCells(runs []bench.Result, spreads []bench.Spread, metric string) (cells []string, known bool) {
	const none = "-"
	all := bench.AllMetrics()
	m := all[slices.IndexFunc(all, func(m bench.Metric) bool { return m.Name == metric })]
	for _, r := range runs {
		cell := none
		if v, ok := m.Of(r); ok {
			cell, known = amount(m.Unit, v), true
		}
		cells = append(cells, cell)
	}
	i := slices.IndexFunc(spreads, func(s bench.Spread) bool { return s.Metric == metric })
	if i < 0 || spreads[i].N == 0 {
		return append(cells, none, none, none), known
	}
	s := spreads[i]
	return append(cells, amount(m.Unit, s.Median), amount(m.Unit, s.Min), amount(m.Unit, s.Max)), known
}

// spreadsOf returns the spreads that are about the given runs.
func spreadsOf(runs []bench.Result, all []bench.Spread) []bench.Spread {
	var spreads []bench.Spread
	for _, s := range all {
		if s.Title == runs[0].Title {
			spreads = append(spreads, s)
		}
	}
	return spreads
}

// amount writes a value in base units. A header says what a count or a rate is
// of.
func amount(u slo.Unit, v float64) string {
	switch u {
	case slo.Duration:
		return nanoseconds(v)
	case slo.BytesPerSecond:
		return quantity.FormatByteRate(v)
	default:
		return quantity.FormatCount(v)
	}
}
