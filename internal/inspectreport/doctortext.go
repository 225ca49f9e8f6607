package inspectreport

import (
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/natsops/natsops/internal/inspect"
	"github.com/natsops/natsops/internal/report"
)

func writeDoctorText(w io.Writer, d Doctor, style report.Style) error {
	p := report.Page{Style: style}
	for _, f := range d.Findings {
		p.Heading(paint(style, f.severity)(strings.ToUpper(f.Severity)), f.Title+": "+f.Object)
		for _, e := range f.Evidence {
			p.Item("", e)
		}
		if f.Advice != "" {
			p.Item("advice", f.Advice)
		}
		for i, next := range f.Next {
			p.Command(first("next", i), next)
		}
		p.Item("check", f.Check)
	}
	p.Title(d.headline())
	for _, text := range d.unchecked() {
		p.Note(text)
	}
	for _, g := range d.Picture.Gaps {
		p.Note(g.String())
	}
	p.Text(d.Picture.footer())
	return p.Write(w)
}

// headline counts findings and checks.
func (d Doctor) headline() string {
	checks := map[string]bool{}
	for _, f := range d.Findings {
		checks[f.Check] = true
	}
	for _, s := range d.Skipped {
		checks[s.Check] = true
	}
	var parts []string
	for severity := inspect.Crit; severity > inspect.OK; severity-- {
		if n := d.From(severity) - d.From(severity+1); n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", n, severity))
		}
	}
	found := "nothing found"
	if len(parts) > 0 {
		found = strings.Join(parts, ", ")
	}
	blind := len(d.blind())
	return fmt.Sprintf("%s: %s; %d passed, %d had nothing to look at, %d could not look everywhere",
		plural(len(checks)+len(d.Passed), "check"), found, len(d.Passed), len(d.Skipped)-blind, blind)
}

// unchecked says which checks could not look, or not everywhere, by the reason.
func (d Doctor) unchecked() []string {
	var texts, reasons []string
	checks := map[string][]string{}
	for _, s := range d.blind() {
		if checks[s.Why] == nil {
			reasons = append(reasons, s.Why)
		}
		checks[s.Why] = append(checks[s.Why], s.Check)
	}
	for _, why := range reasons {
		texts = append(texts, "not checked: "+strings.Join(checks[why], ", ")+": "+why)
	}
	return texts
}

func writeDoctorCSV(w io.Writer, d Doctor, _ report.Style) error {
	t := report.Table{Columns: []report.Column{
		{Name: "severity"}, {Name: "check"}, {Name: "title"}, {Name: "object"}, {Name: "count"}, {Name: "evidence"}, {Name: "advice"}, {Name: "next"},
	}}
	for _, f := range d.Findings {
		t.Rows = append(t.Rows, []string{
			f.Severity, f.Check, f.Title, f.Object, strconv.Itoa(f.Count),
			strings.Join(f.Evidence, "; "), f.Advice, strings.Join(f.Next, "; "),
		})
	}
	return t.WriteCSV(w)
}

func writeDoctorMarkdown(w io.Writer, d Doctor, _ report.Style) error {
	parts := []string{"## natsops doctor", report.EscapeMarkdown(d.headline())}
	t := report.Table{Columns: []report.Column{
		{Name: "severity", Left: true}, {Name: "check", Left: true}, {Name: "object", Left: true}, {Name: "evidence", Left: true}, {Name: "advice", Left: true},
	}}
	for _, f := range d.Findings {
		row := []string{f.Severity, f.Check, f.Object, strings.Join(f.Evidence, "; "), f.Advice}
		for i := range row {
			row[i] = report.EscapeMarkdown(row[i])
		}
		t.Rows = append(t.Rows, row)
	}
	if len(t.Rows) > 0 {
		parts = append(parts, strings.TrimSpace(t.Markdown()))
	}
	var missing []string
	for _, text := range d.unchecked() {
		missing = append(missing, "- "+report.EscapeMarkdown(text))
	}
	for _, g := range d.Picture.Gaps {
		missing = append(missing, "- "+report.EscapeMarkdown(g.String()))
	}
	if len(missing) > 0 {
		parts = append(parts, strings.Join(missing, "\n"))
	}
	_, err := fmt.Fprintf(w, "%s\n\n%s\n", strings.Join(parts, "\n\n"), report.EscapeMarkdown(d.Picture.footer()))
	return err
}

// writeDoctorNagios writes one line: what is wrong, then performance data.
func writeDoctorNagios(w io.Writer, d Doctor, style report.Style) error {
	parts := []string{d.headline()}
	const most = 3
	for i, f := range d.Findings {
		if i == most || f.severity < inspect.Warn {
			break
		}
		parts = append(parts, f.Check+" "+f.Object)
	}
	for _, g := range d.Picture.Gaps {
		parts = append(parts, g.String())
	}
	_, err := fmt.Fprintf(w, "DOCTOR %s - %s | crit=%d warn=%d skipped=%d\n", d.Plugin(), pluginText(style, parts),
		d.From(inspect.Crit), d.From(inspect.Warn)-d.From(inspect.Crit), len(d.blind()))
	return err
}

// writeDoctorProm writes the text format of Prometheus: a series per check.
func writeDoctorProm(w io.Writer, d Doctor, _ report.Style) error {
	var b strings.Builder
	head := func(name, help string) {
		fmt.Fprintf(&b, "# HELP %s %s\n# TYPE %s gauge\n", name, help, name)
	}
	head("natsops_doctor_objects", "objects that a check found something wrong with; a check that could not look has no series")
	for _, id := range d.Passed {
		fmt.Fprintf(&b, "natsops_doctor_objects{check=%s,severity=\"ok\"} 0\n", label(id))
	}
	for _, f := range d.Findings {
		fmt.Fprintf(&b, "natsops_doctor_objects{check=%s,severity=%s} %d\n", label(f.Check), label(f.Severity), f.Count)
	}
	head("natsops_doctor_skipped", "1: the check could not look, or not everywhere")
	for _, s := range d.blind() {
		fmt.Fprintf(&b, "natsops_doctor_skipped{check=%s} 1\n", label(s.Check))
	}
	head("natsops_doctor_complete", "1: everything that was asked for was answered")
	fmt.Fprintf(&b, "natsops_doctor_complete %d\n", bit(d.Picture.Complete))
	_, err := io.WriteString(w, b.String())
	return err
}
