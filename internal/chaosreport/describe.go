package chaosreport

import (
	"cmp"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/natsops/natsops/internal/chaos/drill"
	"github.com/natsops/natsops/internal/chaos/fault"
	"github.com/natsops/natsops/internal/quantity"
	"github.com/natsops/natsops/internal/report"
	"github.com/natsops/natsops/internal/slo"
)

// WriteDescription tells people what a drill does. The source says where it comes
// from, and measured how it went when we tried it; either may be empty.
func WriteDescription(w io.Writer, d drill.Drill, source, measured string, style report.Style) error {
	t := describe(d, source, measured, fault.Lookup, style)
	return t.Write(w)
}

func describe(d drill.Drill, source, measured string, kind lookup, style report.Style) text {
	t := text{report.Page{Style: style}}
	t.Title(d.Name + ": " + d.Title)
	for _, part := range [][2]string{
		{"does", d.About},
		{"promise", d.Promise},
		{"hypothesis", d.Hypothesis},
		{"measured", measured},
		{"source", source},
		{"takes", takesText(d)},
		{"load", loadText(d.Load)},
	} {
		if part[1] != "" {
			t.Item(part[0], part[1])
		}
	}
	for i, f := range d.Faults {
		label := ""
		if i == 0 {
			label = "faults"
		}
		t.Item(label, specText(f))
		if k, err := kind(f.Kind); err == nil {
			t.Item("", k.About+"; needs "+needsText(needs(k.Needs)))
		}
	}
	t.objectives("steady", d.Steady.SLO)
	t.objectives("expect", d.Expect)
	for _, part := range [][2]string{{"limits", limitsText(d.Limits)}, {"abort", abortText(d.Abort)}} {
		if part[1] != "" {
			t.Item(part[0], part[1])
		}
	}
	if mark := (Listed{Loses: d.Loses, Control: d.Control}).mark(); mark != "" {
		t.Note(strings.Trim(mark, " ()"))
	}
	return t
}

// takesText says how long a drill takes; "" when it takes no time of its own.
func takesText(d drill.Drill) string {
	if takes(d) == 0 {
		return ""
	}
	return fmt.Sprintf("at least %s, of which %s observing after the heal", about(takes(d).Nanoseconds()), quantity.FormatDuration(d.Observe))
}

// objectives adds what is demanded.
func (t *text) objectives(label string, objectives []slo.Objective) {
	if len(objectives) == 0 {
		return
	}
	var texts []string
	for _, o := range objectives {
		texts = append(texts, o.String())
	}
	t.Item(label, strings.Join(texts, ", "))
}

// loadText says what is sent while things break; "": nothing.
func loadText(l drill.Load) string {
	if l.Rate == 0 {
		return ""
	}
	parts := []string{fmt.Sprintf("%s on each server and %d that may use any, each with %s of %s",
		plural(uint64(l.PerServer), "publisher"), l.Any, quantity.FormatRate(l.Rate), quantity.FormatSize(float64(l.Size)))}
	if l.AckWait > 0 {
		parts = append(parts, "ack wait "+quantity.FormatDuration(l.AckWait))
	}
	if l.Retry != "" {
		parts = append(parts, "retry "+string(l.Retry))
	}
	if l.Workers > 0 {
		parts = append(parts, plural(uint64(l.Workers), "consumer worker"))
	}
	switch {
	case l.LikeStream != "":
		parts = append(parts, "a stream made after "+l.LikeStream)
	case l.Replicas > 0:
		parts = append(parts, "a stream with "+plural(uint64(l.Replicas), "replica"))
	}
	if l.Memory {
		parts = append(parts, "in memory")
	}
	return strings.Join(parts, "; ")
}

// specText says what is broken, when and for how long.
func specText(f fault.Spec) string {
	text := f.Kind
	if victim := victimText(f.Victim); victim != "" {
		text += " of " + victim
	}
	if f.At > 0 {
		text += ", " + quantity.FormatDuration(f.At) + " after the first"
	}
	if f.For > 0 {
		text += ", for " + quantity.FormatDuration(f.For)
	}
	var params []string
	for _, name := range slices.Sorted(maps.Keys(f.Params)) {
		params = append(params, name+" "+f.Params[name])
	}
	if len(params) > 0 {
		text += " (" + strings.Join(params, ", ") + ")"
	}
	return text
}

// victimText says who is selected; "": whoever is usual for the kind.
func victimText(v fault.Victim) string {
	var parts []string
	for _, part := range []struct{ name, value string }{
		{"", v.Role},
		{"servers ", strings.Join(v.Servers, ", ")},
		{"tag ", v.Tag},
		{"clients called ", v.Client},
		{"user ", v.User},
		{"account ", v.Account},
		{"subscribers of ", v.Subject},
		{"connection ", number(nonzero(v.CID))},
		{"stream ", v.Stream},
		{"consumer ", v.Consumer},
	} {
		if part.value != "" && part.value != unknown {
			parts = append(parts, part.name+part.value)
		}
	}
	text := strings.Join(parts, ", ")
	if v.Percent > 0 {
		text = cmp.Or(text, "those selected") + fmt.Sprintf(", %g %%", v.Percent)
	}
	if v.Max > 0 {
		text = cmp.Or(text, "those selected") + fmt.Sprintf(", at most %d", v.Max)
	}
	return text
}

func nonzero(n uint64) *uint64 {
	if n == 0 {
		return nil
	}
	return &n
}

// limitsText says how much may be hit; "": there is no limit.
func limitsText(l drill.Limits) string {
	var parts []string
	if l.MaxVictims > 0 {
		parts = append(parts, "at most "+plural(uint64(l.MaxVictims), "victim"))
	}
	if l.MaxPercent > 0 {
		parts = append(parts, fmt.Sprintf("at most %g %% of the servers", l.MaxPercent))
	}
	if l.KeepQuorum {
		parts = append(parts, "a quorum stays up")
	} else {
		parts = append(parts, "the quorum may be lost")
	}
	if l.MaxTime > 0 {
		parts = append(parts, "over after "+quantity.FormatDuration(l.MaxTime))
	}
	return strings.Join(parts, "; ")
}

// abortText says what ends the drill early; "": nothing does.
func abortText(a drill.Abort) string {
	var parts []string
	if a.Bystanders > 0 {
		parts = append(parts, "when publishers whose server was not hit are out for "+quantity.FormatDuration(a.Bystanders))
	}
	if a.Leaderless > 0 {
		parts = append(parts, "when another stream has no leader for "+quantity.FormatDuration(a.Leaderless))
	}
	return strings.Join(parts, "; ")
}
