package inspectreport

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"

	"github.com/natsops/natsops/internal/inspect/lag"
	"github.com/natsops/natsops/internal/report"
)

// writeLagCSV writes a line per consumer, with the names and units of JSON. What
// is not known is empty.
func writeLagCSV(w io.Writer, l Lag, _ report.Style) error {
	columns := []string{"account", "stream", "consumer", "status", "severity", "tags", "confidence", "leader", "state"}
	var t report.Table
	for i, v := range l.verdicts {
		c := l.Consumers[i]
		row := []string{c.Account, c.Stream, c.Consumer, string(c.Status), c.Severity, strings.Trim(tagNames(v), "[]"), string(c.Confidence), c.Leader, c.State}
		for _, f := range c.figures(v) {
			row = append(row, f.text())
		}
		t.Rows = append(t.Rows, append(row, c.Advice))
	}
	for _, f := range new(Consumer).figures(lag.Verdict{}) {
		columns = append(columns, f.name)
	}
	for _, name := range append(columns, "advice") {
		t.Columns = append(t.Columns, report.Column{Name: name})
	}
	return t.WriteCSV(w)
}

// text is the number as JSON writes it, or nothing.
func (f figure) text() string {
	var value any
	switch {
	case f.float != nil && *f.float != nil:
		value = **f.float
	case f.whole != nil && *f.whole != nil:
		value = **f.whole
	default:
		return ""
	}
	text, _ := json.Marshal(value) // a finite number
	return string(text)
}

// writeLagMarkdown writes what goes into a ticket or a job summary.
func writeLagMarkdown(w io.Writer, l Lag, _ report.Style) error {
	columns := append(lagColumns(), lagColumn{report.Column{Name: "advice", Left: true}, func(v lag.Verdict) string {
		return strings.TrimSpace(tagNames(v) + " " + v.Advice)
	}})
	table := lagTable(l, columns)
	for _, row := range table.Rows {
		for i := range row {
			row[i] = report.EscapeMarkdown(row[i])
		}
	}
	parts := []string{"## natsops lag", report.EscapeMarkdown(l.headline())}
	if len(table.Rows) > 0 {
		parts = append(parts, strings.TrimSpace(table.Markdown()))
	}
	for _, g := range l.Picture.Gaps {
		parts = append(parts, "- "+report.EscapeMarkdown(g.String()))
	}
	_, err := fmt.Fprintf(w, "%s\n\n%s\n", strings.Join(parts, "\n\n"), report.EscapeMarkdown(l.Picture.footer()))
	return err
}
