package inspectreport

import (
	"fmt"
	"io"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/natsops/natsops/internal/inspect"
	"github.com/natsops/natsops/internal/inspect/lag"
	"github.com/natsops/natsops/internal/quantity"
	"github.com/natsops/natsops/internal/report"
)

func writeLagText(w io.Writer, l Lag, style report.Style) error {
	p := report.Page{Style: style}
	switch {
	case l.explain:
		for i, v := range l.verdicts {
			explain(&p, v, l.Consumers[i])
		}
	case len(l.verdicts) > 0:
		lagLines(&p, l)
	}
	headline := l.headline()
	if len(l.verdicts) < l.Totals.Consumers {
		headline += fmt.Sprintf("; %d shown", len(l.verdicts))
	}
	p.Title(headline)
	for _, g := range l.Picture.Gaps {
		p.Note(g.String())
	}
	p.Text(l.Picture.footer())
	return p.Write(w)
}

// headline counts the consumers.
func (l Lag) headline() string {
	t := l.Totals
	if t.Consumers == 0 {
		return "no consumers"
	}
	var parts []string
	for _, p := range []struct {
		n    int
		noun string
	}{{t.Crit, "crit"}, {t.Warn, "warn"}, {t.Info, "info"}, {t.OK, "ok"}, {t.Unknown, "unknown"}} {
		if p.n > 0 {
			parts = append(parts, quantity.FormatCount(float64(p.n))+" "+p.noun)
		}
	}
	line := plural(t.Consumers, "consumer") + ": " + strings.Join(parts, ", ")
	if t.Pending > 0 {
		line += fmt.Sprintf("; %d of them not yet for %s", t.Pending, quantity.FormatDuration(time.Duration(l.Thresholds.ForNS)))
	}
	return line
}

// lagLines adds a line and a piece of advice per consumer.
func lagLines(p *report.Page, l Lag) {
	table := lagTable(l, lagColumns())
	lines := table.Text(p.Style, p.Style.Breadth()-2)
	p.Lines(lines[0])
	for i, v := range l.verdicts {
		status := string(v.Status)
		p.Lines(paint(p.Style, v.Severity)(status) + strings.TrimPrefix(lines[i+1], status))
		p.Under(shortAdvice(v))
	}
}

// shortAdvice is the advice with the names of the tags that matter. Where the
// status is nothing to speak of, it says what they mean instead.
func shortAdvice(v lag.Verdict) string {
	v.Tags = slices.DeleteFunc(slices.Clone(v.Tags), func(t lag.Tag) bool {
		return !slices.ContainsFunc(lag.Tags(), func(about lag.TagInfo) bool { return about.Notable && about.Name == t.Name })
	})
	text := v.Advice
	if v.Severity == inspect.OK && len(v.Tags) > 0 {
		text = v.Tags[0].Text
	}
	return strings.TrimSpace(tagNames(v) + " " + text)
}

func paint(s report.Style, severity inspect.Severity) func(string) string {
	switch severity {
	case inspect.Crit:
		return s.Bad
	case inspect.Warn:
		return s.Warn
	case inspect.OK:
		return s.Good
	default:
		return s.Strong
	}
}

func tagNames(v lag.Verdict) string {
	var names []string
	for _, t := range v.Tags {
		names = append(names, tagName(t))
	}
	if len(names) == 0 {
		return ""
	}
	return "[" + strings.Join(names, " ") + "]"
}

func tagName(t lag.Tag) string {
	if t.Detail == "" {
		return string(t.Name)
	}
	return string(t.Name) + "(" + t.Detail + ")"
}

// A lagColumn is one column of the table of consumers.
type lagColumn struct {
	report.Column
	cell func(lag.Verdict) string
}

func lagColumns() []lagColumn {
	return []lagColumn{
		{report.Column{Name: "status", Left: true, Min: len(lag.RedeliveryLoop)}, func(v lag.Verdict) string { return string(v.Status) }},
		{report.Column{Name: "consumer", Left: true}, func(v lag.Verdict) string { return v.Key.String() }},
		{report.Column{Name: "backlog"}, func(v lag.Verdict) string { return countCell(v.Backlog) }},
		{report.Column{Name: "oldest"}, func(v lag.Verdict) string { return unlessEmpty(v, v.OldestAge) }},
		{report.Column{Name: "in", Optional: true}, func(v lag.Verdict) string { return rateCell(v.In) }},
		{report.Column{Name: "done", Optional: true}, func(v lag.Verdict) string { return rateCell(v.Done) }},
		{report.Column{Name: "empty in"}, func(v lag.Verdict) string { return unlessEmpty(v, v.ETA) }},
		{report.Column{Name: "unacked", Optional: true}, func(v lag.Verdict) string { return countCell(v.Unacked) }},
		{report.Column{Name: "redelivered", Optional: true}, func(v lag.Verdict) string { return rateCell(v.Redeliver) }},
		{report.Column{Name: "leader", Left: true, Optional: true}, func(v lag.Verdict) string { return v.Leader }},
	}
}

// lagTable returns the table of the consumers that are shown, with their
// accounts if there are several.
func lagTable(l Lag, columns []lagColumn) report.Table {
	accounts := map[string]bool{}
	for _, v := range l.verdicts {
		accounts[v.Key.Account] = true
	}
	if len(accounts) > 1 {
		columns = slices.Insert(slices.Clone(columns), 1,
			lagColumn{report.Column{Name: "account", Left: true}, func(v lag.Verdict) string { return v.Key.Account }})
	}
	columns = slices.DeleteFunc(slices.Clone(columns), func(c lagColumn) bool { // servers of their own have no leaders
		return c.Optional && !slices.ContainsFunc(l.verdicts, func(v lag.Verdict) bool { return c.cell(v) != "" })
	})
	var t report.Table
	for _, c := range columns {
		t.Columns = append(t.Columns, c.Column)
	}
	for _, v := range l.verdicts {
		row := make([]string, len(columns))
		for i, c := range columns {
			row[i] = c.cell(v)
		}
		t.Rows = append(t.Rows, row)
	}
	return t
}

// cell shows a figure: ? when it is not known, ~ when it is an estimate.
func cell(f lag.Figure, endless string, format func(float64) string) string {
	switch {
	case !f.Known || math.IsNaN(f.Value):
		return "?"
	case math.IsInf(f.Value, 0):
		return endless
	case !f.Exact && f.Value != 0:
		return "~" + format(f.Value)
	default:
		return format(f.Value)
	}
}

func countCell(f lag.Figure) string { return cell(f, "?", quantity.FormatCount) }

func rateCell(f lag.Figure) string { return cell(f, "?", quantity.FormatRate) }

func timeCell(f lag.Figure) string { return cell(f, "never", seconds) }

// unlessEmpty shows a time that means something only where there is a backlog.
func unlessEmpty(v lag.Verdict, f lag.Figure) string {
	if v.Backlog.Known && v.Backlog.Value == 0 {
		return "-"
	}
	return timeCell(f)
}

func seconds(s float64) string {
	const most = float64(1<<62) / 1e9
	return quantity.FormatDuration(time.Duration(min(s, most) * 1e9))
}
