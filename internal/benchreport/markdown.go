package benchreport

import (
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/natsops/natsops/internal/bench"
	"github.com/natsops/natsops/internal/report"
)

// writeMarkdown writes the summary of a job in continuous integration.
func writeMarkdown(w io.Writer, doc Document, _ report.Style) error {
	sections := []string{
		"## natsops bench",
		report.EscapeMarkdown(header(doc)),
		markdownResults(doc),
		markdownObjectives(doc),
		markdownWarnings(doc),
		markdownSettings(doc),
	}
	sections = slices.DeleteFunc(sections, func(s string) bool { return s == "" })
	_, err := io.WriteString(w, strings.Join(sections, "\n\n")+"\n")
	return err
}

func markdownResults(doc Document) string {
	if len(doc.Results) == 0 {
		return "No results."
	}
	columns := []struct{ metric, name string }{
		{"rate", "per second"},
		{"throughput", "payload"},
		{"p50", "p50"},
		{"p99", "p99"},
		{"p999", "p99.9"},
		{"max", "max"},
		{"lost", "lost"},
		{"errors", "errors"},
	}
	table := report.Table{Columns: []report.Column{{Name: "result", Left: true}}}
	for _, c := range columns {
		table.Columns = append(table.Columns, report.Column{Name: c.name})
	}
	for _, runs := range byTitle(doc.Results) {
		spreads := spreadsOf(runs, doc.Spreads)
		rows := resultNames(runs, len(spreads) > 0)
		for _, c := range columns {
			cells, _ := metricCells(runs, spreads, c.metric)
			for i := range rows {
				rows[i] = append(rows[i], cells[i])
			}
		}
		table.Rows = append(table.Rows, rows...)
	}
	return strings.TrimSpace(table.Markdown())
}

// resultNames returns the first cell of a row per run, and of one for their
// medians.
func resultNames(runs []bench.Result, medians bool) [][]string {
	var rows [][]string
	for _, r := range runs {
		rows = append(rows, []string{report.EscapeMarkdown(name(r, len(runs) > 1))})
	}
	if medians {
		rows = append(rows, []string{report.EscapeMarkdown(runs[0].Title) + ", **median**"})
	}
	return rows
}

func markdownObjectives(doc Document) string {
	if len(doc.SLO) == 0 {
		return ""
	}
	table := report.Table{Columns: []report.Column{{Left: true}, {Name: "objective", Left: true}, {Name: "measured", Left: true}}}
	for _, v := range doc.SLO {
		sign := "✅"
		if !v.Met {
			sign = "❌"
		}
		table.Rows = append(table.Rows, []string{sign, report.EscapeMarkdown(v.Objective.String()), report.EscapeMarkdown(verdictDetail(v))})
	}
	return "### " + outcome(doc) + "\n\n" + strings.TrimSpace(table.Markdown())
}

func markdownWarnings(doc Document) string {
	var lines []string
	for _, runs := range byTitle(doc.Results) {
		for _, r := range runs {
			for _, warning := range warnings(r) {
				lines = append(lines, "- "+report.EscapeMarkdown(name(r, len(runs) > 1)+": "+warning))
			}
		}
	}
	if len(lines) == 0 {
		return ""
	}
	return "### Warnings\n\n" + strings.Join(lines, "\n")
}

// markdownSettings returns what was asked for, folded away.
func markdownSettings(doc Document) string {
	if len(doc.Results) == 0 {
		return ""
	}
	parts := []string{"<details><summary>Settings</summary>"}
	for _, runs := range byTitle(doc.Results) {
		settings, _ := json.MarshalIndent(runs[0].Settings, "", "  ") // only texts and numbers
		parts = append(parts, fmt.Sprintf("%s\n\n```json\n%s\n```", report.EscapeMarkdown(runs[0].Title), settings))
	}
	return strings.Join(append(parts, "</details>"), "\n\n")
}
