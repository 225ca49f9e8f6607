package main

import (
	"fmt"
	"strings"

	"github.com/natsops/natsops/internal/inspect/doctor"
	"github.com/natsops/natsops/internal/inspect/lag"
	"github.com/natsops/natsops/internal/report"
)

func statusesPage() string {
	var page strings.Builder
	page.WriteString(`# Statuses and tags of consumers

` + "`natsops lag`" + ` gives each consumer one status: the first of this list whose rule holds. Tags are added independently.
The thresholds are those of ` + "`--max-backlog` and `--max-age`" + `; the window is ` + "`--window`" + `. ` + "`natsops lag STREAM/CONSUMER --explain`" + `
shows the evidence for one consumer. A value that is not known fulfils no rule.
`)
	for _, s := range lag.Statuses() {
		severity := s.Severity.String()
		if s.Least != s.Worst {
			severity += fmt.Sprintf(" (%s to %s)", s.Least, s.Worst)
		}
		fmt.Fprintf(&page, "\n## %s\n\n%s\n\n", s.Status, report.EscapeMarkdown(s.Meaning))
		fmt.Fprintf(&page, "- Severity: %s\n- Rule: %s\n- Takes: %s\n", severity, report.EscapeMarkdown(s.Rule), s.Needs)
		if s.Do != "" {
			fmt.Fprintf(&page, "- What to do: %s\n", report.EscapeMarkdown(s.Do))
		}
	}
	page.WriteString("\n## Tags\n\n| tag | what it means | rule | takes | what to do |\n|---|---|---|---|---|\n")
	for _, t := range lag.Tags() {
		fmt.Fprintf(&page, "| `%s` | %s | %s | %s | %s |\n", t.Name,
			report.EscapeMarkdown(t.Meaning), report.EscapeMarkdown(t.Rule), t.Needs, report.EscapeMarkdown(t.Do))
	}
	return page.String()
}

func checksPage() string {
	var page strings.Builder
	checks := doctor.Checks()
	fmt.Fprintf(&page, "# Checks\n\nThe %d checks of `natsops doctor`. Their names are part of the interface: `--only`, `--ignore` and `--explain` take\nthem. A check that cannot look, for lack of permission or because a server is too old, is listed as not checked; it has\nnot passed.\n", len(checks))
	for _, c := range checks {
		fmt.Fprintf(&page, "\n## %s\n\nLooks for %s.\n\n%s\n", c.ID, report.EscapeMarkdown(c.Title), report.EscapeMarkdown(c.Why))
		if c.Do != "" {
			fmt.Fprintf(&page, "\nWhat to do: %s\n", report.EscapeMarkdown(c.Do))
		}
		var takes []string
		for _, route := range c.Routes {
			takes = append(takes, string(route))
		}
		if len(takes) > 0 {
			fmt.Fprintf(&page, "\nCan look by the routes: %s.\n", strings.Join(takes, ", "))
		}
	}
	return page.String()
}
