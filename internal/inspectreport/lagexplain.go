package inspectreport

import (
	"fmt"
	"strings"
	"time"

	"github.com/natsops/natsops/internal/inspect"
	"github.com/natsops/natsops/internal/inspect/lag"
	"github.com/natsops/natsops/internal/quantity"
	"github.com/natsops/natsops/internal/report"
)

// explain adds all that is known of a consumer: what was concluded, from what,
// by which rule, and what to do next.
func explain(p *report.Page, v lag.Verdict, c Consumer) {
	title := fmt.Sprintf("%s  %s", v.Status, v.Key)
	if v.Key.Account != "" {
		title += "  (account " + v.Key.Account + ")"
	}
	p.Title(title)
	p.Item("severity", fmt.Sprintf("%s, confidence %s", v.Severity, v.Confidence))
	if c.LastedNS != nil {
		p.Item("lasting", quantity.FormatDuration(time.Duration(*c.LastedNS)))
	}
	p.Item("advice", v.Advice)
	for _, g := range figureTexts(v) {
		p.Item(g.label, g.text)
	}
	if v.Leader != "" {
		p.Item("leader", v.Leader)
	}
	if v.Reading.State != inspect.Fresh {
		p.Item("numbers", fmt.Sprintf("%s: %s", v.Reading.State, v.Reading.Why))
	}
	for i, t := range v.Tags {
		p.Item(first("tags", i), tagName(t)+": "+t.Text)
	}
	for i, e := range v.Evidence {
		text := e.What + ": " + e.Value
		if e.Rule != "" {
			text += "  (rule: " + e.Rule + ")"
		}
		p.Item(first("evidence", i), text)
	}
	if about, found := lag.About(v.Status); found {
		p.Item("rule", about.Rule)
	}
	for i, next := range v.Next {
		p.Command(first("next", i), next)
	}
}

// first is the label of the first of several lines.
func first(label string, i int) string {
	if i == 0 {
		return label
	}
	return ""
}

type labelled struct{ label, text string }

// figureTexts says the numbers of a verdict in words. What is not known is said
// with the reason.
func figureTexts(v lag.Verdict) []labelled {
	texts := []labelled{
		{"backlog", fmt.Sprintf("%s: %s not delivered, %s unacknowledged", why(v.Backlog, quantity.FormatCount), countCell(v.Pending), countCell(v.Unacked))},
		{"oldest", oldestText(v)},
		{"rates", strings.Join([]string{
			"in " + rateCell(v.In), "delivered " + rateCell(v.Deliver), "of these again " + rateCell(v.Redeliver), "done " + rateCell(v.Done),
		}, ", ")},
		{"empty in", etaText(v)},
	}
	for _, o := range []struct {
		label  string
		figure lag.Figure
		text   string
	}{
		{"workers", v.Workers, cell(v.Workers, "?", quantity.FormatCount) + " times as much work is needed to keep up"},
		{"processing", v.ProcessTime, "a message is held for " + timeCell(v.ProcessTime) + " on average"},
		{"data loss", v.ToLoss, "limits delete messages before they are delivered in " + timeCell(v.ToLoss)},
		{"lost", v.Lost, countCell(v.Lost) + " messages were deleted by limits before they were delivered, " + rateCell(v.LostRate) + " now"},
		{"given up", v.DeadLetters, "at least " + countCell(v.DeadLetters) + " messages, max_deliver is used up"},
	} {
		if o.figure.Known && o.figure.Value != 0 && !(o.label == "workers" && o.figure.Value <= 1) && o.text != "" && timeCell(o.figure) != "never" {
			texts = append(texts, labelled{o.label, o.text})
		}
	}
	return texts
}

func why(f lag.Figure, format func(float64) string) string {
	text := cell(f, "without end", format)
	if !f.Known && f.Why != "" {
		text += " (" + f.Why + ")"
	}
	return text
}

func oldestText(v lag.Verdict) string {
	if unlessEmpty(v, v.OldestAge) == "-" {
		return "there is none"
	}
	return why(v.OldestAge, seconds)
}

func etaText(v lag.Verdict) string {
	text := why(v.ETA, seconds)
	switch unlessEmpty(v, v.ETA) {
	case "-":
		return "it is"
	case "never":
		text = "never at this rate"
	}
	if v.ETAQuiet.Known && v.ETA != v.ETAQuiet {
		text += ", " + timeCell(v.ETAQuiet) + " if nothing more arrived"
	}
	return text
}
