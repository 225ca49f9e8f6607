package chaosreport

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/natsops/natsops/internal/chaos"
	"github.com/natsops/natsops/internal/chaos/history"
	"github.com/natsops/natsops/internal/report"
	"github.com/natsops/natsops/internal/slo"
)

// A text is a document as people read it.
type text struct{ report.Page }

func writeDrillText(w io.Writer, doc Document, style report.Style) error {
	t := text{report.Page{Style: style}}
	t.drill(doc)
	return t.Write(w)
}

// drill adds everything about a drill: the verdict first, what to do last, where
// a terminal stands when all is printed.
func (t *text) drill(d Document) {
	v := verdictOf(d)
	t.Heading(v.paint(t.Style, d.Verdict), d.Drill.Name+": "+v.text)
	if d.Verdict != string(chaos.Passed) && d.Drill.Hypothesis != "" {
		t.Item("hypothesis", d.Drill.Hypothesis)
	}
	if d.Drill.Loses {
		t.Item("risk", "this drill is expected to lose messages: it documents a risk")
	}
	t.Item("target", targetText(d))
	t.Item("run", runText(d))
	t.timeline(d)
	t.events(d)
	t.placements(d)
	t.account(d)
	t.recovery(d)
	t.judgement("Steady before", gateVerdicts(d.SteadyBefore))
	t.judgement("Steady after", gateVerdicts(d.SteadyAfter))
	t.judgement("Expectations", d.Expectations)
	t.conclusion(d, v)
}

// timeline draws what happened when.
func (t *text) timeline(d Document) {
	lines, legend := lanesOf(d, t.Style, t.Room())
	if len(lines) == 0 {
		return
	}
	t.Title(timelineTitle(d))
	t.Lines(lines...)
	t.Item("", legend)
}

func timelineTitle(d Document) string {
	if d.moments().broke {
		return "Timeline, in seconds from the first fault"
	}
	return "Timeline, in seconds from the beginning"
}

// events adds what happened, but for the ups and downs of connections, which can
// be very many.
func (t *text) events(d Document) {
	own := slices.DeleteFunc(slices.Clone(d.Timeline), func(e Event) bool { return ofConnection(e.Kind) })
	const most = 12
	shown, more := first(own, most)
	if len(shown) == 0 {
		return
	}
	t.Title("Events")
	at := d.moments()
	for _, e := range shown {
		t.Item(at.since(e.AtNS), strings.Join(strings.Fields(e.Kind+" "+e.Who+" "+e.Text), " "))
	}
	var rest []string
	if more > 0 {
		rest = append(rest, fmt.Sprintf("%d more", more))
	}
	if n := len(d.Timeline) - len(own); n > 0 {
		rest = append(rest, plural(uint64(n), "event")+" of connections")
	}
	if len(rest) > 0 {
		t.Item("", "and "+strings.Join(rest, ", and ")+": see --output json")
	}
}

// ofConnection is whether an event is one of a connection of the load.
func ofConnection(kind string) bool {
	switch history.EventKind(kind) {
	case history.EventDisconnected, history.EventReconnected, history.EventClosed, history.EventError, history.EventLameDuck:
		return true
	default:
		return false
	}
}

// placements adds how each publisher fared.
func (t *text) placements(d Document) {
	if len(d.Placements) == 0 {
		return
	}
	t.Title("Publishers and consumers, and how long they were out")
	table := placementTable(d)
	shown, more := first(table.Rows, 2*mostLanes)
	table.Rows = shown
	t.Table(table)
	if more > 0 {
		t.Item("", fmt.Sprintf("and %d more: --output json has all", more))
	}
}

func placementTable(d Document) report.Table {
	table := report.Table{Columns: []report.Column{
		{Name: "name", Left: true},
		{Name: "in fault"},
		{Name: "after heal"},
		{Name: "lost", Optional: true},
		{Name: "unknown", Optional: true},
		{Name: "acked", Optional: true},
		{Name: "sent", Optional: true},
		{Name: "server", Left: true, Optional: true},
	}}
	for _, p := range d.Placements {
		server := p.Server
		if server == "" {
			server = "any"
		}
		name := p.Publisher
		if p.Closed {
			name += " (closed)"
		}
		table.Rows = append(table.Rows, []string{
			name, outText(p.Outages, partFault), d.afterText(p.Outages), maybe(p.Lost), count(p.Unknown), count(p.Acked), count(p.Messages), server,
		})
	}
	for _, c := range d.Consumers {
		table.Rows = append(table.Rows, []string{
			consumerMark + c.Name, outText(c.Outages, partFault), d.afterText(c.Outages), "", "", "", "", "",
		})
	}
	return table
}

// afterText sums the outages after the heal up, if there was load after one.
func (d Document) afterText(outages []Outage) string {
	if at := d.moments(); !at.whole || d.loadEnd() <= at.healed {
		return unknown
	}
	return outText(outages, partAfter)
}

// outText sums the outages that count to a part of the drill up.
func outText(outages []Outage, in part) string {
	var total int64
	n, open := 0, false
	for _, o := range outages {
		if o.Part == in {
			total += o.ToNS - o.FromNS
			n++
			open = open || o.Open
		}
	}
	text := span(total)
	switch {
	case n == 0:
		return "none"
	case n > 1:
		text += fmt.Sprintf(" in %d", n)
	}
	if open {
		text = ">" + text
	}
	return text
}

// gateVerdicts returns the objectives of a gate that is not open.
func gateVerdicts(g *Gate) []slo.Verdict {
	if g == nil || g.Open {
		return nil
	}
	return g.Objectives
}

// judgement adds which objectives were met, and by how much the others were not.
func (t *text) judgement(about string, verdicts []slo.Verdict) {
	if len(verdicts) == 0 {
		return
	}
	t.Title(about + ": " + outcome(verdicts))
	table := report.Table{Columns: []report.Column{{Left: true}, {Left: true}, {Left: true}}}
	for _, v := range verdicts {
		table.Rows = append(table.Rows, []string{t.sign(v), v.Objective.String(), verdictDetail(v)})
	}
	lines := table.Text(t.Style, t.Room())[1:] // the columns have no names
	for i, v := range verdicts {
		paint := t.Style.Good
		if !v.Met {
			paint = t.Style.Bad
		}
		lines[i] = paint(t.sign(v)) + strings.TrimPrefix(lines[i], t.sign(v))
	}
	t.Lines(lines...)
}

// sign tells in a word or a character whether an objective was met.
func (t *text) sign(v slo.Verdict) string {
	i := 0
	if t.Style.Unicode {
		i = 1
	}
	switch {
	case v.Met:
		return []string{"ok", "✓"}[i]
	case v.Got == nil:
		return []string{"UNKNOWN", "?"}[i]
	default:
		return []string{"MISSED", "✗"}[i]
	}
}

// outcome sums verdicts up.
func outcome(verdicts []slo.Verdict) string {
	missed, blind := 0, 0
	for _, v := range verdicts {
		switch {
		case v.Got == nil:
			blind++
		case !v.Met:
			missed++
		}
	}
	if missed+blind == 0 {
		return "all met"
	}
	var parts []string
	if missed > 0 {
		parts = append(parts, fmt.Sprintf("%d of %d missed", missed, len(verdicts)))
	}
	if blind > 0 {
		parts = append(parts, fmt.Sprintf("%d of %d not known", blind, len(verdicts)))
	}
	return strings.Join(parts, ", ")
}

// verdictDetail says what was measured: "got 7.31ms (46% over)".
func verdictDetail(v slo.Verdict) string {
	return strings.TrimPrefix(v.String(), v.Objective.String()+": ")
}

// conclusion adds warnings, why the drill did not pass, and what to do.
func (t *text) conclusion(d Document, v verdict) {
	warnings := slices.Concat(unsaid(d), d.Warnings)
	if len(warnings)+len(d.Why) == 0 && v.next == "" {
		return
	}
	t.Title(v.word + " " + d.Drill.Name)
	for _, w := range warnings {
		t.Note(w)
	}
	for i, why := range d.Why {
		label := ""
		if i == 0 {
			label = "why"
		}
		t.Item(label, why)
	}
	if v.next != "" {
		t.Item("try", v.next)
	}
}
