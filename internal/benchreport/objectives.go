package benchreport

import (
	"fmt"
	"strings"

	"github.com/natsops/natsops/internal/report"
	"github.com/natsops/natsops/internal/slo"
)

// objectives adds which objectives were met, and by how much the others were not.
func (t *text) objectives(doc Document) {
	if len(doc.SLO) == 0 {
		return
	}
	t.Title(outcome(doc))
	table := report.Table{Columns: []report.Column{{Left: true, Min: 6}, {Left: true}, {Left: true}}}
	for _, v := range doc.SLO {
		table.Rows = append(table.Rows, []string{verdictWord(v), v.Objective.String(), verdictDetail(v)})
	}
	lines := table.Text(t.Style, t.Room())[1:] // the columns have no names
	for i, v := range doc.SLO {
		paint := t.Style.Good
		if !v.Met {
			paint = t.Style.Bad
		}
		word := verdictWord(v)
		lines[i] = paint(word) + strings.TrimPrefix(lines[i], word)
	}
	t.Lines(lines...)
}

// outcome sums the verdicts up.
func outcome(doc Document) string {
	about := "Objectives"
	if len(doc.Results) > 1 {
		about += fmt.Sprintf(", for the median of %d runs", len(doc.Results))
	}
	missed := 0
	for _, v := range doc.SLO {
		if !v.Met {
			missed++
		}
	}
	if missed == 0 {
		return about + ": all met"
	}
	return fmt.Sprintf("%s: %d of %d missed", about, missed, len(doc.SLO))
}

func verdictWord(v slo.Verdict) string {
	switch {
	case v.Met:
		return "met"
	case v.Got == nil:
		return "UNKNOWN"
	default:
		return "MISSED"
	}
}

// verdictDetail says what was measured: "got 7.31ms (46% over)".
func verdictDetail(v slo.Verdict) string {
	return strings.TrimPrefix(v.String(), v.Objective.String()+": ")
}
