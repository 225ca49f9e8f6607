package chaosreport

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/natsops/natsops/internal/chaos"
	"github.com/natsops/natsops/internal/report"
	"github.com/natsops/natsops/internal/slo"
)

// writeDrillMarkdown writes the summary of a job in continuous integration.
func writeDrillMarkdown(w io.Writer, d Document, _ report.Style) error {
	_, err := io.WriteString(w, "## natsops chaos\n\n"+markdownDrill(d)+"\n")
	return err
}

func writeSuiteMarkdown(w io.Writer, s Suite, _ report.Style) error {
	parts := []string{"## natsops chaos", report.EscapeMarkdown(s.headline())}
	if len(s.Drills) > 0 {
		parts = append(parts, markdownTable(suiteTable(s)))
	}
	for _, d := range s.Drills {
		if d.Verdict != string(chaos.Passed) {
			parts = append(parts, markdownDrill(d))
		}
	}
	_, err := io.WriteString(w, strings.Join(parts, "\n\n")+"\n")
	return err
}

func markdownDrill(d Document) string {
	v := verdictOf(d)
	var sign string
	switch chaos.Verdict(d.Verdict) {
	case chaos.Passed:
		sign = "✅"
	case chaos.NotSteady, chaos.Aborted, chaos.Interrupted, chaos.Inconclusive:
		sign = "⚠️"
	default:
		sign = "❌"
	}
	sections := []string{
		fmt.Sprintf("### %s %s %s: %s", sign, v.word, report.EscapeMarkdown(d.Drill.Name), report.EscapeMarkdown(v.text)),
		markdownList(whyLines(d, v)),
		report.EscapeMarkdown(targetText(d)) + "; run " + report.EscapeMarkdown(runText(d)),
		markdownTimeline(d),
		markdownPlacements(d),
		markdownAccount(d),
		markdownVerdicts("Steady before", gateVerdicts(d.SteadyBefore)),
		markdownVerdicts("Steady after", gateVerdicts(d.SteadyAfter)),
		markdownVerdicts("Expectations", d.Expectations),
	}
	return strings.Join(slices.DeleteFunc(sections, func(s string) bool { return s == "" }), "\n\n")
}

// whyLines tells why a drill did not pass, and what to do.
func whyLines(d Document, v verdict) []string {
	lines := slices.Concat(d.Why, unsaid(d), d.Warnings)
	if v.next != "" {
		lines = append(lines, "try "+v.next)
	}
	return lines
}

// unsaid are the errors of faults that no reason names.
func unsaid(d Document) []string {
	reasons := strings.Join(d.Why, "\n")
	var errors []string
	for _, f := range d.Faults {
		if f.Error != "" && !strings.Contains(reasons, f.Error) {
			errors = append(errors, "fault "+f.Kind+": "+f.Error)
		}
	}
	return errors
}

// faultErrors are the errors of injections and heals.
func faultErrors(d Document) []string {
	var errors []string
	for _, f := range d.Faults {
		if f.Error != "" {
			errors = append(errors, "fault "+f.Kind+": "+f.Error)
		}
	}
	return errors
}

func markdownList(lines []string) string {
	items := make([]string, len(lines))
	for i, line := range lines {
		items[i] = "- " + report.EscapeMarkdown(line)
	}
	return strings.Join(items, "\n")
}

func markdownTimeline(d Document) string {
	style := report.Style{Unicode: true}
	lines, legend := lanesOf(d, style, style.Columns())
	if len(lines) == 0 {
		return ""
	}
	for i, line := range lines {
		lines[i] = strings.ReplaceAll(line, "```", "'''") // names of others must not end the block
	}
	return timelineTitle(d) + ":\n\n```text\n" + strings.Join(lines, "\n") + "\n```\n\n" + report.EscapeMarkdown(legend)
}

func markdownPlacements(d Document) string {
	if len(d.Placements) == 0 {
		return ""
	}
	return markdownTable(placementTable(d))
}

func markdownAccount(d Document) string {
	if d.Account == nil {
		return report.EscapeMarkdown("no account of messages: " + noAccount(d))
	}
	var table report.Table
	table.Columns = []report.Column{{Name: "messages", Left: true}, {Left: true}}
	for _, line := range accountLines(d) {
		table.Rows = append(table.Rows, []string{line[0], line[1]})
	}
	for _, f := range figures() {
		if m, ok := d.Metrics[f.metric]; ok && d.State.Injected {
			table.Rows = append(table.Rows, []string{f.metric, f.value(m) + " " + f.about(m)})
		}
	}
	return markdownTable(table)
}

// markdownTable writes a table whose cells are texts of others.
func markdownTable(t report.Table) string {
	for _, row := range t.Rows {
		for i := range row {
			row[i] = report.EscapeMarkdown(row[i])
		}
	}
	return strings.TrimSpace(t.Markdown())
}

func markdownVerdicts(about string, verdicts []slo.Verdict) string {
	if len(verdicts) == 0 {
		return ""
	}
	table := report.Table{Columns: []report.Column{{Left: true}, {Name: "objective", Left: true}, {Name: "measured", Left: true}}}
	for _, v := range verdicts {
		sign := "✅"
		switch {
		case v.Got == nil:
			sign = "❔"
		case !v.Met:
			sign = "❌"
		}
		table.Rows = append(table.Rows, []string{sign, v.Objective.String(), verdictDetail(v)})
	}
	return "#### " + about + ": " + outcome(verdicts) + "\n\n" + markdownTable(table)
}
