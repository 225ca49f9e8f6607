package chaos

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"github.com/natsops/natsops/internal/chaos/history"
	"github.com/natsops/natsops/internal/slo"
)

// judge draws up the account and says what it means.
func (r *run) judge() {
	r.result.Timeline = r.events()
	if r.result.Verdict == NotSteady {
		return
	}
	if r.load != nil {
		r.result.Record.EqualAt = r.watch.equalAt(r.faultSpan().To)
		r.result.Account = history.Check(r.result.Record)
		r.result.Warnings = append(r.result.Warnings, r.result.Account.Warnings...)
		if n := r.load.Look(time.Second).Missed; n > 0 {
			r.result.Warnings = append(r.result.Warnings, fmt.Sprintf(
				"%d messages could not begin when they were due, since this machine was busy or a connection took nothing: short outages may be our own", n))
		}
	}
	r.measure()
	r.result.Expected = slo.Judge(r.drill.Expect, func(name string) (float64, bool) {
		v, ok := r.result.Metrics[name]
		return v, ok
	})
	if why := misses(r.result.Expected); why != "" && r.result.Verdict != Interrupted && r.result.Verdict != Aborted {
		r.miss(why)
	}
	if r.result.Verdict == "" {
		r.result.Verdict = Passed
	}
}

// miss settles the verdict for expectations that were not met.
func (r *run) miss(why string) {
	a := r.result.Account
	switch {
	case r.load != nil && !a.StoredKnown:
		r.end(Inconclusive, "what was stored could not be read back: "+r.result.Record.Unread)
	case a.Lost > 0 && !r.drill.Loses:
		r.end(NotRecovered, fmt.Sprintf("%d messages were acknowledged and are lost", a.Lost))
	}
	r.end(Failed, why)
}

// measure fills in the metrics. What is not known is absent.
func (r *run) measure() {
	m := r.result.Metrics
	peak, drainedAt, backlog := r.watch.drained()
	fault := r.faultSpan()
	if _, consumer := r.subject(); consumer != "" {
		m["backlog_peak"], m["backlog"] = float64(peak), float64(backlog)
		if backlog <= afloat {
			m["drain"] = float64(max(0, drainedAt-fault.To))
		}
	}
	if a := r.result.Alarm; a != nil {
		m["alarm"] = float64(a.At - fault.From)
	}
	if r.load == nil {
		return
	}
	r.count(r.result.Account)
	last := r.result.Record.Stopped
	if p, ok := r.span(PhaseObserve); ok && last == 0 {
		last = p.To
	}
	r.recovery(history.Recover(r.result.Record, fault, last, r.watch.victims()))
	if at := r.result.Record.EqualAt; at > 0 && !r.result.Account.ReplicasDiffer {
		m["replicas_equal"] = float64(max(0, at-fault.To))
	}
}

// faultSpan is from the first injection to the last heal.
func (r *run) faultSpan() history.Span {
	p, _ := r.span(PhaseFault)
	s := history.Span{From: p.From, To: p.To}
	for i, f := range r.result.Faults {
		if i == 0 || f.Injected < s.From {
			s.From = f.Injected
		}
	}
	return s
}

func (r *run) count(a history.Account) {
	m := r.result.Metrics
	set := func(name string, n uint64) { m[name] = float64(n) }
	set("unknown", a.Unknown)
	if a.DeliveriesKnown {
		set("duplicates_delivered", a.DuplicatesDelivered)
		set("duplicates_unflagged", a.DuplicatesUnflagged)
	}
	if a.StoredKnown {
		set("lost", a.Lost)
		set("unknown_stored", a.UnknownStored)
		set("refused_stored", a.RefusedStored)
		set("duplicates_stored", a.DuplicatesStored)
		set("reordered", a.Reordered)
		set("ack_mismatches", a.AckMismatches)
		set("unexpected", a.Unexpected)
	}
	if a.StoredKnown && a.DeliveriesKnown {
		set("undelivered", a.Undelivered)
	}
	if p50, p99, ok := latencies(r.result.Record.Attempts); ok {
		m["publish_p50"], m["publish_p99"] = float64(p50), float64(p99)
	}
	var errors uint64
	for _, n := range a.Errors {
		errors += n
	}
	set("errors", errors)
	set("errors_timeout", a.Errors[history.Timeout])
	set("errors_no_responders", a.Errors[history.NoResponders])
	set("errors_disconnected", a.Errors[history.Disconnected])
	var disconnects, reconnects, closed int
	for _, p := range a.Placements {
		disconnects, reconnects = disconnects+p.Disconnects, reconnects+p.Reconnects
		if p.Closed {
			closed++
		}
	}
	m["disconnects"], m["reconnects"], m["closed"] = float64(disconnects), float64(reconnects), float64(closed)
	if over := r.result.Record.Stopped; over > 0 {
		m["rate"] = float64(a.Acked) / over.Seconds()
	}
}

// latencies are the quantiles of how long acknowledgements took; false: there
// was none.
func latencies(attempts []history.Attempt) (p50, p99 time.Duration, ok bool) {
	var took []time.Duration
	for _, a := range attempts {
		if a.Outcome == history.Acked {
			took = append(took, a.Ended-a.Began)
		}
	}
	if len(took) == 0 {
		return 0, 0, false
	}
	slices.Sort(took)
	at := func(share int) time.Duration { return took[(len(took)*share+99)/100-1] } // nearest rank
	return at(50), at(99), true
}

// recovery fills in for how long the service was out.
func (r *run) recovery(h history.Recovery) {
	m := r.result.Metrics
	for name, d := range map[string]*time.Duration{
		"detect": h.Detect, "recover": recovered(h),
		"outage_max": h.Bystanders.OutageMax, "outage_total": h.Bystanders.OutageTotal,
		"second_outage": h.SecondOutage, "victim_outage_max": h.Victims.OutageMax,
		"consumer_gap": h.ConsumerGap,
	} {
		if d != nil {
			m[name] = float64(*d)
		}
	}
	if h.Availability != nil {
		m["availability"] = *h.Availability
	}
}

// recovered is when the last outage had ended of those who could use a server
// that was up, or of all where nobody could.
func recovered(h history.Recovery) *time.Duration {
	if h.Bystanders.OutageMax == nil {
		return h.Recover
	}
	return h.Bystanders.Recover
}

// events are the lines of the timeline, with those of the load's connections.
func (r *run) events() []Event {
	r.mu.Lock()
	defer r.mu.Unlock()
	all := slices.Clone(r.timeline)
	for _, e := range r.result.Record.Events {
		all = append(all, Event{At: e.At, Kind: string(e.Kind), Who: e.Who, Text: e.Text})
	}
	slices.SortStableFunc(all, func(a, b Event) int { return cmp.Compare(a.At, b.At) })
	return all
}
