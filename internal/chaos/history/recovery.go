package history

import (
	"slices"
	"time"
)

// A Span is a part of a drill.
type Span struct {
	From, To time.Duration
}

// A Recovery says how publishers and consumers fared from a fault until some time
// after it was healed. What is not known is nil, and never 0.
type Recovery struct {
	Impact // on all publishers
	// Detect is how long after the injection a client could first know: from an
	// attempt that was not acknowledged, an event of a connection, or an outage,
	// which is noticed when it has lasted as long as [Threshold]. nil: from nothing.
	Detect *time.Duration
	// Victims are the publishers that connect to a server that was hit, and to no
	// other; Bystanders are the rest.
	Bystanders, Victims Impact
	// ConsumerGap is the longest of the [DeliveryGaps] of any consumer; 0: none had
	// one; nil: there was no consumer, or nothing was sent.
	ConsumerGap  *time.Duration
	ConsumerOpen bool // a gap had not ended, and ConsumerGap is the least that it was
}

// Recover tells what a fault did, from its injection at fault.From until some
// time after its heal at fault.To. Victims are names of servers. A fault.To
// before fault.From means that it was not healed.
func Recover(r Record, fault Span, until time.Duration, victims []string) Recovery {
	if until < fault.From {
		return Recovery{}
	}
	w := watch{fault: fault, until: until, limit: Threshold(r.Period)}
	all, hit, rest := sufferers{watch: &w}, sufferers{watch: &w}, sufferers{watch: &w}
	shares, end := w.shares(r), r.end()
	for i, pulse := range acknowledgements(r) {
		if !pulse.tried {
			continue
		}
		group := &rest
		if server := r.Publishers[i].Server; server != "" && slices.Contains(victims, server) {
			group = &hit
		}
		outages := w.outages(pulse, end)
		all.add(outages, shares[i])
		group.add(outages, shares[i])
	}
	w.listen(r)
	out := Recovery{Impact: all.impact(), Victims: hit.impact(), Bystanders: rest.impact()}
	for _, pulse := range deliveries(r) {
		if pulse.tried {
			out.gap(w.gaps(pulse, end))
		}
	}
	out.Detect = w.detected
	return out
}

func (r *Recovery) gap(gaps []Outage) {
	r.ConsumerGap = longer(r.ConsumerGap, 0)
	for _, o := range gaps {
		r.ConsumerGap = longer(r.ConsumerGap, o.Length())
		r.ConsumerOpen = r.ConsumerOpen || o.Open
	}
}

// longer is the longer of two durations, the first of which may not be known.
func longer(a *time.Duration, b time.Duration) *time.Duration {
	if a != nil && *a >= b {
		return a
	}
	return &b
}

// A watch looks at the time from an injection on.
type watch struct {
	fault    Span
	until    time.Duration
	limit    time.Duration // see Threshold
	detected *time.Duration
}

// gaps are those of a pulse that count: see [Impact].
func (w *watch) gaps(p pulse, end time.Duration) []Outage {
	return slices.DeleteFunc(p.gaps(w.limit, end), func(o Outage) bool {
		return o.To <= w.fault.From || o.From > w.until
	})
}

// outages are the gaps of a publisher, which are noticed.
func (w *watch) outages(p pulse, end time.Duration) []Outage {
	outages := w.gaps(p, end)
	for _, o := range outages {
		w.notice(max(o.From+w.limit, w.fault.From))
	}
	return outages
}

// second is whether an outage began after the heal.
func (w *watch) second(o Outage) bool {
	return w.healed() && o.From > w.fault.From+w.limit && o.From+w.limit > w.fault.To
}

func (w *watch) healed() bool { return w.fault.To >= w.fault.From }

// notice takes a moment in which a client could know, for the first one.
func (w *watch) notice(at time.Duration) {
	if at < w.fault.From || at > w.until {
		return
	}
	if after := at - w.fault.From; w.detected == nil || after < *w.detected {
		w.detected = &after
	}
}

// listen notices attempts that failed, and events.
func (w *watch) listen(r Record) {
	for i := range r.Attempts {
		if a := &r.Attempts[i]; a.answer() != Acked {
			w.notice(a.Ended)
		}
	}
	for i := range r.Events {
		if e := &r.Events[i]; e.Kind != EventReconnected {
			w.notice(e.At)
		}
	}
}

// shares counts, by publisher, the first attempts that were begun.
func (w *watch) shares(r Record) []share {
	shares := make([]share, len(r.Publishers))
	for i := range r.Attempts {
		a := &r.Attempts[i]
		if a.Try != 1 || int(a.Publisher) >= len(shares) || a.Began < w.fault.From || a.Began > w.until {
			continue
		}
		s := &shares[a.Publisher]
		s.all++
		if a.answer() == Acked {
			s.acked++
		}
	}
	return shares
}
