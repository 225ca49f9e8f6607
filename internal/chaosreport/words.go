package chaosreport

import (
	"cmp"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/natsops/natsops/internal/chaos"
	"github.com/natsops/natsops/internal/chaos/fault"
	"github.com/natsops/natsops/internal/quantity"
	"github.com/natsops/natsops/internal/report"
	"github.com/natsops/natsops/internal/slo"
)

// unknown stands for what is not known.
const unknown = "?"

// A verdict is how one is told to people.
type verdict struct {
	word string // in capitals
	text string // what happened, as half a sentence
	next string // what may help; "": nothing has to
}

func verdictOf(d Document) verdict {
	word := strings.ToUpper(strings.ReplaceAll(d.Verdict, "-", " "))
	switch chaos.Verdict(d.Verdict) {
	case chaos.Passed:
		return verdict{word: word, text: passText(d)}
	case chaos.Failed:
		return verdict{word, "healed, but it did not go as expected", "natsops chaos describe " + d.Drill.Name + ", which says what NATS promises, and natsops doctor"}
	case chaos.NotSteady:
		return verdict{word, "it was not well before anything was done, so nothing was injected", "natsops doctor, and the drill again once the system is well"}
	case chaos.Aborted:
		return verdict{word, "a guard ended the drill early" + healedText(d), "the reason above first, then the drill again with --seed " + fmt.Sprint(d.Seed)}
	case chaos.Interrupted:
		return verdict{word, "the drill was stopped before its end" + healedText(d), "the drill again with --seed " + fmt.Sprint(d.Seed)}
	case chaos.Inconclusive:
		return verdict{word, "too little could be seen to say whether it holds", "natsops doctor, then the drill again with --seed " + fmt.Sprint(d.Seed)}
	case chaos.NotRecovered:
		return verdict{word, "the faults are healed, but the system is not as it was", "natsops doctor now: what is wrong did not go with the faults"}
	case chaos.HealFailed:
		return verdict{word, "a fault could not be healed: a person must look now", "natsops chaos heal now, then natsops chaos status until nothing is open"}
	default:
		return verdict{word: word, text: d.Drill.Title}
	}
}

func passText(d Document) string {
	for _, text := range []string{d.Drill.Hypothesis, d.Drill.Title} {
		if text != "" {
			return text
		}
	}
	return "it went as expected"
}

// healedText tells what is left of an early end.
func healedText(d Document) string {
	switch {
	case !d.State.Injected:
		return "; nothing was injected"
	case d.State.Healed != nil && *d.State.Healed:
		return "; everything is healed"
	default:
		return "; NOT everything is healed"
	}
}

// paint returns how a verdict is colored.
func (v verdict) paint(s report.Style, name string) string {
	switch chaos.Verdict(name) {
	case chaos.Passed:
		return s.Good(v.word)
	case chaos.NotSteady, chaos.Aborted, chaos.Interrupted, chaos.Inconclusive:
		return s.Warn(v.word)
	default:
		return s.Bad(v.word)
	}
}

// targetText says where the drill ran.
func targetText(d Document) string {
	t := d.Target
	where := t.Name
	if t.Lab && where != "lab" {
		where = "lab " + where
	}
	parts := []string{where}
	if t.Cluster != "" {
		parts = append(parts, "cluster "+t.Cluster)
	}
	if len(t.Servers) > 0 {
		parts = append(parts, plural(uint64(len(t.Servers)), "server")+" ("+listed(t.Servers)+")")
	}
	if t.ServerVersion != "" {
		parts = append(parts, "nats-server "+t.ServerVersion)
	}
	if t.Stream != "" {
		parts = append(parts, fmt.Sprintf("stream %s with %s", t.Stream, plural(uint64(max(0, t.Replicas)), "replica")))
	}
	return strings.Join(parts, ", ")
}

// runText tells the run from others.
func runText(d Document) string {
	text := fmt.Sprintf("%s, seed %d", d.ID, d.Seed)
	if !d.BeganAt.IsZero() {
		text += ", began " + d.BeganAt.UTC().Format("2006-01-02 15:04:05 UTC")
	}
	return text + ", took " + span(d.TookNS)
}

// listed joins names, but not many.
func listed(names []string) string {
	const most = 6
	some, more := first(names, most)
	text := strings.Join(some, ", ")
	if more > 0 {
		text += fmt.Sprintf(" and %d more", more)
	}
	return text
}

func span(ns int64) string { return quantity.FormatDuration(time.Duration(ns)) }

// since writes a moment as it counts from the first fault: "+4.21s".
func (m moments) since(ns int64) string {
	d := (time.Duration(ns) - m.injected).Round(time.Millisecond)
	switch {
	case d < 0:
		return span(d.Nanoseconds())
	case d == 0:
		return "+0s"
	default:
		return "+" + span(d.Nanoseconds())
	}
}

func count(n uint64) string { return quantity.FormatCount(float64(n)) }

// maybe writes a number that may not be known.
func maybe(n *uint64) string {
	if n == nil {
		return unknown
	}
	return count(*n)
}

func plural(n uint64, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return count(n) + " " + noun + "s"
}

// String writes the value with its unit, for people; a question mark when it is
// not known.
func (m Metric) String() string {
	if m.Value == nil {
		return unknown
	}
	return value(*m.Value, m.Unit)
}

func value(v float64, unit slo.Unit) string {
	switch unit {
	case slo.Duration:
		if v == 0 {
			return "0s"
		}
		return quantity.FormatDuration(time.Duration(v))
	case slo.Rate:
		return quantity.FormatRate(v)
	case slo.Bytes:
		return quantity.FormatSize(v)
	case slo.BytesPerSecond:
		return quantity.FormatByteRate(v)
	case slo.Ratio:
		return quantity.FormatRatio(v)
	default:
		return quantity.FormatCount(v)
	}
}

// clip cuts a text down to a number of cells, and marks that it did.
func clip(text string, cells int, mark string) string {
	if report.Width(text) <= cells {
		return text
	}
	var b strings.Builder
	used := report.Width(mark)
	for _, r := range text {
		if used += report.Width(string(r)); used > cells {
			break
		}
		b.WriteRune(r)
	}
	return b.String() + mark
}

// first returns at most n of a list, and how many are left out.
func first[T any](list []T, n int) (some []T, more int) {
	if len(list) <= n {
		return list, 0
	}
	return list[:n], len(list) - n
}

// classText says what happens when nobody heals a fault.
func classText(class string) string {
	switch fault.Class(class) {
	case fault.Expires:
		return "if natsops dies, it ends by itself all the same"
	case fault.DiesToo:
		return "if natsops dies, it ends with it"
	case fault.Remains:
		return "if natsops dies, it stays until somebody undoes it"
	default:
		return class
	}
}

// whyText says why a drill did not pass.
func whyText(d Document) string {
	return cmp.Or(strings.Join(d.Why, "; "), verdictOf(d).text)
}

// seconds writes a time as JUnit has it.
func seconds(ns int64) string {
	return strconv.FormatFloat(time.Duration(ns).Seconds(), 'f', 3, 64)
}
