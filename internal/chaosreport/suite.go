package chaosreport

import (
	"fmt"
	"io"
	"strings"

	"github.com/natsops/natsops/internal/chaos"
	"github.com/natsops/natsops/internal/report"
)

// SuiteSchema names the JSON form of a Suite. It is described by
// docs/reference/schemas/natsops.chaos-suite.v1.schema.json.
const SuiteSchema = "natsops.chaos-suite/v1"

// A Suite is the outcome of several drills, in the order in which they ran.
type Suite struct {
	Schema  string     `json:"schema"` // WriteSuite fills it in
	Version string     `json:"natsops_version"`
	Drills  []Document `json:"drills"`
	Totals  Totals     `json:"totals"` // WriteSuite fills them in
}

// Totals count drills.
type Totals struct {
	Drills   int            `json:"drills"`
	Passed   int            `json:"passed"`
	Verdicts map[string]int `json:"verdicts"` // drills by verdict
	TookNS   int64          `json:"took_ns"`  // all drills
}

func (s Suite) complete() Suite {
	s.Schema = SuiteSchema
	s.Drills = each(s.Drills, func(d *Document) { *d = d.complete() })
	s.Totals = Totals{Drills: len(s.Drills), Verdicts: map[string]int{}}
	for _, d := range s.Drills {
		s.Totals.Verdicts[d.Verdict]++
		s.Totals.TookNS += d.TookNS
	}
	s.Totals.Passed = s.Totals.Verdicts[string(chaos.Passed)]
	return s
}

// verdicts are all verdicts, the best first.
func verdicts() []chaos.Verdict {
	return []chaos.Verdict{
		chaos.Passed, chaos.Failed, chaos.NotSteady, chaos.Aborted, chaos.Interrupted, chaos.Inconclusive, chaos.NotRecovered, chaos.HealFailed,
	}
}

// headline counts the drills by how they ended.
func (s Suite) headline() string {
	if len(s.Drills) == 0 {
		return "no drills"
	}
	var parts []string
	for _, v := range verdicts() {
		if n := s.Totals.Verdicts[string(v)]; n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", n, v))
		}
	}
	return fmt.Sprintf("%s in %s: %s", plural(uint64(len(s.Drills)), "drill"), span(s.Totals.TookNS), strings.Join(parts, ", "))
}

// writeSuiteText writes the drills that did not pass in full, then a line for
// each, which is where a terminal stands then.
func writeSuiteText(w io.Writer, s Suite, style report.Style) error {
	t := text{report.Page{Style: style}}
	for _, d := range s.Drills {
		if d.Verdict != string(chaos.Passed) {
			t.drill(d)
		}
	}
	t.Title(s.headline())
	if len(s.Drills) > 0 {
		lines := suiteTable(s).Text(style, t.Room())
		t.Lines(lines[0])
		for i, d := range s.Drills {
			v := verdictOf(d)
			t.Lines(v.paint(style, d.Verdict) + strings.TrimPrefix(lines[i+1], v.word))
		}
	}
	return t.Write(w)
}

func suiteTable(s Suite) report.Table {
	widest := 0
	for _, d := range s.Drills {
		widest = max(widest, len(verdictOf(d).word))
	}
	table := report.Table{Columns: []report.Column{
		{Name: "verdict", Left: true, Min: widest},
		{Name: "drill", Left: true},
		{Name: "lost"},
		{Name: "outage"},
		{Name: "second", Optional: true},
		{Name: "recover"},
		{Name: "took", Optional: true},
	}}
	for _, d := range s.Drills {
		row := []string{verdictOf(d).word, d.Drill.Name}
		for _, f := range []figure{{metric: "lost"}, {metric: "outage_max", none: true}, {metric: "second_outage", none: true}, {metric: "recover", none: true}} {
			row = append(row, f.value(d.Metrics[f.metric]))
		}
		table.Rows = append(table.Rows, append(row, span(d.TookNS)))
	}
	return table
}

func suiteFormats() []report.Format[Suite] {
	return []report.Format[Suite]{
		{Name: "table", Write: writeSuiteText},
		{Name: "json", Write: asJSON[Suite]},
		{Name: "markdown", Write: writeSuiteMarkdown},
		{Name: "junit", Write: writeSuiteJUnit},
	}
}

// WriteSuite writes several drills in one of Formats.
func WriteSuite(w io.Writer, format string, s Suite, style report.Style) error {
	return report.WriteAs(w, suiteFormats(), format, s.complete(), style)
}
