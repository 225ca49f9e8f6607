package main

import (
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/natsops/natsops/internal/chaos/drill"
	"github.com/natsops/natsops/internal/chaos/fault"
	"github.com/natsops/natsops/internal/chaosreport"
	"github.com/natsops/natsops/internal/quantity"
	"github.com/natsops/natsops/internal/report"
	"github.com/natsops/natsops/internal/slo"
)

// chaosPages are the pages of drills and faults, by file name.
func chaosPages() (map[string]string, error) {
	pages := map[string]string{"drill-file.md": drill.Reference(), "drills.md": drillsPage()}
	var faults strings.Builder
	faults.WriteString("# Faults\n\nWhat drills are made of. A drill file names them under `faults`, see [drill files](drill-file.md).\n\n")
	if err := chaosreport.WriteFaults(&faults, "markdown", fault.Kinds(), report.Style{}); err != nil {
		return nil, err
	}
	pages["faults.md"] = faults.String()
	for _, d := range slices.Concat(drill.Builtins(), drill.Controls()) {
		page, err := drillPage(d)
		if err != nil {
			return nil, err
		}
		pages["drills/"+d.Name+".md"] = page
	}
	return pages, nil
}

func drillsPage() string {
	var page strings.Builder
	page.WriteString("# Drills\n\nThe drills that are built in. Each page says what the drill does, what NATS promises about it, what passes, and what\nit showed when it was run for the page. `natsops chaos drill NAME` runs one, `natsops chaos suite` all that fit the target.\n")
	for _, part := range []struct {
		title  string
		drills []drill.Drill
	}{
		{"Drills", drill.Builtins()},
		{"Controls, which test the instrument (`natsops chaos selftest`)", drill.Controls()},
	} {
		fmt.Fprintf(&page, "\n## %s\n\n| drill | what it does | passed | outage | recovery |\n|---|---|---|---:|---:|\n", part.title)
		for _, d := range part.drills {
			passed, outage, recovery := "not run", "", ""
			if m, ok := drill.Measured(d.Name); ok {
				passed = m.Passed()
				outage, recovery = spreadText(m, "outage_max"), spreadText(m, "recover")
			}
			fmt.Fprintf(&page, "| [%s](drills/%s.md) | %s | %s | %s | %s |\n", d.Name, d.Name, d.Title, passed, outage, recovery)
		}
	}
	page.WriteString("\nPassed says how many of the runs passed; outage is the longest without an acknowledgement, of publishers whose server was\nnot hit, and recovery the time from the fault to the end of the last outage: the median, and the least and the greatest where\nthere were several runs. The figures are of three nats-server processes on one machine with 2 processors, which ran natsops, too.\n")
	return page.String()
}

func drillPage(d drill.Drill) (string, error) {
	source, err := drill.Source(d.Name)
	if err != nil {
		return "", err
	}
	var page strings.Builder
	fmt.Fprintf(&page, "# %s: %s\n\n%s\n\n", d.Name, d.Title, oneParagraph(d.About))
	fmt.Fprintf(&page, "**What NATS promises.** %s\n\n**What a pass shows.** %s\n\n", oneParagraph(d.Promise), oneParagraph(d.Hypothesis))
	page.WriteString("It passes when\n\n")
	for _, o := range d.Expect {
		fmt.Fprintf(&page, "- `%s`: %s\n", o, metricDoc(o.Metric))
	}
	fmt.Fprintf(&page, "\nand the system is as steady at the end as it was at the beginning (`%s`, over %s).\n", objectives(d.Steady.SLO), quantity.FormatDuration(d.Steady.Window))
	if d.Loses {
		page.WriteString("\nIt is expected to lose messages: its report documents a risk.\n")
	}
	fmt.Fprintf(&page, "\n## Run it\n\n```sh\nnatsops chaos drill %s\n```\n\nIt takes some %s after its cluster has started.\n", d.Name, quantity.FormatDuration((d.Steady.Window + d.Span() + d.Observe).Round(time.Second)))
	page.WriteString("\n## What we measured\n\n")
	if m, ok := drill.Measured(d.Name); ok {
		page.WriteString(measuredText(m))
	} else {
		page.WriteString("Nothing yet.\n")
	}
	fmt.Fprintf(&page, "\n## The drill\n\n`natsops chaos describe %s --yaml` prints it, to change and to run with `natsops chaos run`.\n\n```yaml\n%s```\n", d.Name, source)
	return page.String(), nil
}

// measuredText is a table of the metrics of a drill's runs.
func measuredText(m drill.Measurement) string {
	var page strings.Builder
	var ends []string
	for verdict, n := range m.Verdicts() {
		ends = append(ends, fmt.Sprintf("%d %s", n, verdict))
	}
	slices.Sort(ends)
	fmt.Fprintf(&page, "Three nats-server %s on one machine with 2 processors, which ran natsops, too. Runs: %s.\n\n", m.Server, strings.Join(ends, ", "))
	page.WriteString("| metric | median | least | greatest |\n|---|---:|---:|---:|\n")
	for _, metric := range drill.Metrics() {
		least, median, most, n := m.Spread(metric.Name)
		if n == 0 {
			continue
		}
		text := func(v float64) chaosreport.Metric { return chaosreport.Metric{Value: &v, Unit: metric.Unit} }
		fmt.Fprintf(&page, "| `%s` | %s | %s | %s |\n", metric.Name, text(median), text(least), text(most))
	}
	return page.String()
}

func spreadText(m drill.Measurement, metric string) string {
	least, median, most, n := m.Spread(metric)
	text := func(v float64) string {
		if v == 0 {
			return "none"
		}
		return quantity.FormatDuration(time.Duration(v))
	}
	switch {
	case n == 0:
		return "?"
	case least == most:
		return text(median)
	default:
		return fmt.Sprintf("%s (%s to %s)", text(median), text(least), text(most))
	}
}

// measuredLine says in a sentence what a drill showed; "": it was not run.
func measuredLine(name string) string {
	m, ok := drill.Measured(name)
	if !ok {
		return ""
	}
	return fmt.Sprintf("%s passed; outage_max %s, recover %s, second_outage %s (three servers on 2 processors; see docs/reference/drills/%s.md)",
		m.Passed(), spreadText(m, "outage_max"), spreadText(m, "recover"), spreadText(m, "second_outage"), name)
}

func metricDoc(name string) string {
	for _, m := range drill.Metrics() {
		if m.Name == name {
			return m.Doc
		}
	}
	return ""
}

func objectives(list []slo.Objective) string {
	var all []string
	for _, o := range list {
		all = append(all, o.String())
	}
	return strings.Join(all, ", ")
}

// oneParagraph undoes the line breaks of YAML.
func oneParagraph(text string) string { return strings.Join(strings.Fields(text), " ") }

// measurements turns results that were saved as JSON, of one drill or of a
// suite, into what drill.Measured reads.
func measurements(files []string) ([]byte, error) {
	byDrill := map[string]*drill.Measurement{}
	var names []string
	for _, file := range files {
		docs, err := readResults(file)
		if err != nil {
			return nil, err
		}
		for _, doc := range docs {
			m := byDrill[doc.Drill.Name]
			if m == nil {
				m = &drill.Measurement{Drill: doc.Drill.Name, Server: doc.Target.ServerVersion}
				byDrill[m.Drill] = m
				names = append(names, m.Drill)
			}
			run := drill.Run{Verdict: doc.Verdict, Seed: doc.Seed, Metrics: map[string]float64{}}
			for name, metric := range doc.Metrics {
				if metric.Value != nil {
					run.Metrics[name] = *metric.Value
				}
			}
			m.Runs = append(m.Runs, run)
		}
	}
	slices.Sort(names)
	all := make([]drill.Measurement, len(names))
	for i, name := range names {
		all[i] = *byDrill[name]
	}
	text, err := json.MarshalIndent(all, "", " ")
	return append(text, '\n'), err
}

// readResults reads a result, or those of a suite.
func readResults(file string) ([]chaosreport.Document, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	var suite chaosreport.Suite
	if err := json.Unmarshal(text, &suite); err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	if suite.Schema == chaosreport.SuiteSchema {
		return suite.Drills, nil
	}
	var doc chaosreport.Document
	if err := json.Unmarshal(text, &doc); err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	return []chaosreport.Document{doc}, nil
}
