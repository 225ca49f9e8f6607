package chaosreport

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/natsops/natsops/internal/report"
)

// account adds what became of the messages.
func (t *text) account(d Document) {
	t.Title("Messages")
	a := d.Account
	if a == nil {
		t.Item("account", "none: "+noAccount(d))
		return
	}
	t.Item("sent", fmt.Sprintf("%s in %s: %s acknowledged, %s refused, %s unknown",
		count(a.Messages), plural(a.Attempts, "attempt"), count(a.Acked), count(a.Refused), count(a.Unknown)))
	if a.Unread != "" {
		t.Item("stored", unknown+": the stream could not be read back: "+a.Unread)
	}
	for _, line := range accountLines(d) {
		t.Item(line[0], line[1])
	}
}

// noAccount says why there is nothing to tell of messages.
func noAccount(d Document) string {
	if !d.State.Injected {
		return "nothing was injected, so what was sent was not checked"
	}
	return "the drill has no load"
}

// accountLines returns labels and texts about the messages that were sent.
func accountLines(d Document) [][2]string {
	a := *d.Account
	lines := [][2]string{{"lost", lostText(a)}}
	if len(a.LostExamples) > 0 {
		lines = append(lines, [2]string{"", "for example " + examplesText(d)})
	}
	lines = append(lines,
		[2]string{"unknown", fmt.Sprintf("%s without a definite answer, of which %s %s stored", count(a.Unknown), maybe(a.UnknownStored), are(a.UnknownStored))},
		[2]string{"duplicates", fmt.Sprintf("%s stored, %s delivered (%s of them not flagged as such)",
			maybe(a.DuplicatesStored), maybe(a.DuplicatesDelivered), maybe(a.DuplicatesUnflagged))},
		[2]string{"order", fmt.Sprintf("%s stored and %s delivered out of order", maybe(a.Reordered), maybe(a.DeliveredReordered))},
		[2]string{"delivered", fmt.Sprintf("%s of %s stored; %s not delivered", maybe(a.Delivered), maybe(a.Stored), maybe(a.Undelivered))},
		[2]string{"replicas", replicasText(d)},
	)
	if odd := oddities(a); odd != "" {
		lines = append(lines, [2]string{"odd", odd})
	}
	if len(a.Errors) > 0 {
		lines = append(lines, [2]string{"errors", errorsText(a.Errors)})
	}
	return lines
}

func lostText(a Account) string {
	switch {
	case a.Lost == nil:
		return fmt.Sprintf("%s of %s acknowledged", unknown, count(a.Acked))
	case *a.Lost == 0:
		return fmt.Sprintf("0 of %s acknowledged", count(a.Acked))
	default:
		return fmt.Sprintf("%s of %s acknowledged: %s before the first of their publisher's that is stored, %s between, %s after the last",
			count(*a.Lost), count(a.Acked), maybe(a.LostFirst), maybe(a.LostMiddle), maybe(a.LostLast))
	}
}

// examplesText names some of the messages that were lost.
func examplesText(d Document) string {
	const most = 3
	at := d.moments()
	some, _ := first(d.Account.LostExamples, most)
	var texts []string
	for _, m := range some {
		text := fmt.Sprintf("number %d of %s", m.Seq, m.Publisher)
		if m.AckedNS != nil {
			text += ", acknowledged at " + at.since(*m.AckedNS)
		}
		if m.StreamSeq > 0 {
			text += fmt.Sprintf(" as sequence %d", m.StreamSeq)
		}
		texts = append(texts, text)
	}
	return strings.Join(texts, "; ")
}

// replicasText says whether all servers have the same of the stream.
func replicasText(d Document) string {
	a := d.Account
	switch {
	case d.Target.Replicas == 1:
		return "there is one"
	case a.ReplicasEqual == nil:
		return strings.Join(append([]string{unknown + ": not all of them could be compared"}, replicaList(*a)...), "; ")
	case !*a.ReplicasEqual:
		return strings.Join(append([]string{"they DIFFER"}, replicaList(*a)...), "; ")
	case a.EqualAtNS != nil:
		return "equal by their counts, and current from " + d.moments().since(*a.EqualAtNS) + " on"
	default:
		return "equal by their counts"
	}
}

func replicaList(a Account) []string {
	var texts []string
	for _, r := range a.Replicas {
		text := fmt.Sprintf("%s has %s, sequence %s to %s", r.Server, maybe(r.Messages), number(r.First), number(r.Last))
		if r.Unread != "" {
			text = r.Server + " " + unknown + " (" + r.Unread + ")"
		}
		texts = append(texts, text)
	}
	return texts
}

// number writes a sequence, of which each digit counts.
func number(n *uint64) string {
	if n == nil {
		return unknown
	}
	return fmt.Sprint(*n)
}

// oddities tells what must never be; "": nothing of it is.
func oddities(a Account) string {
	var texts []string
	for _, o := range []struct {
		n    *uint64
		text string
	}{
		{a.RefusedStored, "refused, and stored all the same"},
		{a.AckMismatches, "acknowledged at another sequence than stored"},
		{a.Unexpected, "stored, and never sent, or damaged"},
		{a.DeliveredNotStored, "delivered, and not stored at the end"},
	} {
		if o.n != nil && *o.n > 0 {
			texts = append(texts, count(*o.n)+" "+o.text)
		}
	}
	return strings.Join(texts, "; ")
}

// errorsText counts the attempts by why they were not acknowledged, the most
// frequent reason first.
func errorsText(errors map[string]uint64) string {
	classes := slices.Sorted(maps.Keys(errors))
	slices.SortStableFunc(classes, func(a, b string) int {
		switch {
		case errors[a] > errors[b]:
			return -1
		case errors[a] < errors[b]:
			return 1
		default:
			return 0
		}
	})
	for i, class := range classes {
		classes[i] = count(errors[class]) + " " + class
	}
	return strings.Join(classes, ", ")
}

func are(n *uint64) string {
	if n != nil && *n == 1 {
		return "is"
	}
	return "are"
}

// A figure is a metric that tells how a drill went.
type figure struct {
	metric  string
	text    string
	missing string // instead of text, when the metric is not known; "": text
	none    bool   // 0 says that there was none
	absent  bool   // and so does that it is not known
}

func figures() []figure {
	return []figure{
		{metric: "detect", text: "until a client could notice", missing: "no client noticed anything", absent: true},
		{metric: "recover", text: "until outages of those with a server were over", missing: "one is not over, or it is not known", none: true},
		{metric: "outage_max", text: "the longest, of publishers that had a server", none: true},
		{metric: "second_outage", text: "the longest that began after the heal", missing: "nobody watched after a heal", none: true},
		{metric: "victim_outage_max", text: "the longest, of those whose server was taken", missing: "nobody's only server was taken", none: true, absent: true},
		{metric: "consumer_gap", text: "the longest time without a delivery", none: true},
		{metric: "drain", text: "after the heal, until the consumer had caught up", missing: "it did not catch up, or it is not known"},
		{metric: "replicas_equal", text: "after the heal, until replicas were the same", missing: "they were not, or it is not known"},
		{metric: "availability", text: "of the messages were acknowledged at once"},
	}
}

// about says what a figure tells, or why it is not known.
func (f figure) about(m Metric) string {
	if m.Value == nil && f.missing != "" {
		return f.missing
	}
	return f.text
}

// recovery adds how fast the system came back, by the names of the metrics.
func (t *text) recovery(d Document) {
	if !d.State.Injected {
		return
	}
	table := report.Table{Columns: []report.Column{{Name: "recovery", Left: true}, {Name: ""}, {Name: "", Left: true, Optional: true}}}
	for _, f := range figures() {
		if m, ok := d.Metrics[f.metric]; ok && (m.Value != nil || d.Account != nil) { // without a load most cannot be known
			table.Rows = append(table.Rows, []string{f.metric, f.value(m), f.about(m)})
		}
	}
	if len(table.Rows) > 0 {
		t.Title("Recovery")
		t.Lines(table.Text(t.Style, t.Room())[1:]...) // the columns speak for themselves
	}
}

// value writes a figure; a question mark when it is not known.
func (f figure) value(m Metric) string {
	if f.none && m.Value != nil && *m.Value == 0 || f.absent && m.Value == nil {
		return "none"
	}
	return m.String()
}
