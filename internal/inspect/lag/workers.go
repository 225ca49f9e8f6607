package lag

import (
	"fmt"
	"math"
	"time"

	"github.com/natsops/natsops/internal/inspect"
)

// workerRules are about whether somebody processes messages, with success.
func workerRules() []rule {
	return []rule{
		{StatusInfo{
			NoClients, inspect.Crit, inspect.Info, inspect.Crit,
			"Messages wait, and no client asks for them.",
			"push: backlog > 0 and not push_bound in all samples. " +
				"Pull: in all samples num_waiting = 0, num_ack_pending = 0 and num_pending > 0, and nothing was delivered or acknowledged. " +
				"A worker that pulls every few seconds looks the same between two pulls, so the severity follows how long the messages " +
				"have waited with nobody pulling (since the last delivery or since the oldest was stored, whichever is later): " +
				"info; warn from 10s on, or over the age threshold, but not before its leader has been that for 30s, since open requests end " +
				"with the old one; crit from 30s or the age threshold on, whichever is longer, " +
				"which one sample proves. Where the age of the oldest message is not known, it is estimated by how long so many take to arrive; " +
				"then it is warn at most. Not if it has never delivered anything and is older than 24h (UNUSED)",
			"push: one sample; pull: two, or one if the wait is long",
			"Start the service. If it runs: may it publish to $JS.API.CONSUMER.MSG.NEXT.STREAM.CONSUMER?",
		}, (*series).abandoned},
		{StatusInfo{
			AckStalled, inspect.Crit, inspect.Info, inspect.Crit,
			"The window of unacknowledged messages is full and nothing is acknowledged, so that delivery has stopped.",
			"in all samples num_ack_pending >= max_ack_pending > 0, and nothing was finished, acknowledged or redelivered. " +
				"A worker with few slots and long jobs looks the same until ack_wait, so until then it also takes num_pending > 0, " +
				"and is info, or warn over a threshold unless the backlog shrinks; crit once nothing has been delivered or acknowledged for ack_wait, " +
				"or all of it has been delivered again",
			twoSamples,
			"Look what the workers hang on; delivery resumes by an acknowledgement, or after ack_wait.",
		}, (*series).ackStalled},
		{StatusInfo{
			RedeliveryLoop, inspect.Crit, inspect.Crit, inspect.Crit,
			"Most deliveries are repeats: messages fail again and again.",
			"at least half of the deliveries, and at least 3, were redeliveries; given 3 samples or more, in at least 2 intervals",
			twoSamples,
			"Look why the handler fails, or raise ack_wait above its processing time; limit max_deliver and add a backoff.",
		}, (*series).looping},
	}
}

// Nobody is blamed for pulling now and then: before the first, it may well be a
// worker with a timer; after the second, messages wait for too long either way.
const (
	betweenPulls = 10 * time.Second
	tooQuiet     = 30 * time.Second
)

func (s *series) abandoned() (finding, bool) {
	if s.cfg == nil || s.unused() {
		return finding{}, false
	}
	if s.push() {
		return s.unbound()
	}
	if !s.unpulled() {
		return finding{}, false
	}
	wait, known := s.unserved()
	f := finding{assumed: !known, fact: known && wait >= max(tooQuiet, s.limit.Age)}
	if !f.fact && !s.sampled() {
		return finding{}, false
	}
	f.grade(s.unpulledSeverity(wait, known))
	f.advice = fmt.Sprintf("Nobody pulls: %s, for %s; %s.", waitingText(s.v.Pending.Value), span(wait), s.lastDelivery())
	if !s.ledFor(tooQuiet) {
		f.advice += " Its leader is new: clients pull again when they notice."
	}
	if f.severity >= inspect.Warn {
		f.advice += fmt.Sprintf(" Is the service up, and may it publish to $JS.API.CONSUMER.MSG.NEXT.%s.%s?", s.key.Stream, s.key.Consumer)
	}
	f.evidence = []Evidence{
		s.sayWaiting("num_waiting = 0"), s.sayBacklog("num_ack_pending = 0 and num_pending > 0"),
		s.saySilence("nothing was delivered or acknowledged"),
		{"nobody has pulled for", span(wait), "how long the messages have waited with nobody pulling"},
	}
	f.next = []string{s.consumerCommand("info"), s.explainCommand()}
	return f, true
}

func (s *series) unpulledSeverity(wait time.Duration, known bool) inspect.Severity {
	switch {
	case known && wait >= max(tooQuiet, s.limit.Age):
		return inspect.Crit
	case (wait >= betweenPulls || s.overAge()) && s.ledFor(tooQuiet):
		return inspect.Warn
	default:
		return inspect.Info
	}
}

// unpulled reports whether messages wait and nobody asks for them or holds any.
func (s *series) unpulled() bool {
	nobody := func(p sample) bool { return p.c.NumWaiting == 0 && p.unacked() == 0 && p.c.NumPending > 0 }
	return s.every(nobody) && s.still() && s.unacknowledging()
}

func waitingText(n float64) string {
	if n == 1 {
		return "1 message waits"
	}
	return count(n) + " messages wait"
}

// unserved is for how long, at least, messages have been there and nobody pulled:
// who had pulled would have got them. known: it is no less than that.
func (s *series) unserved() (wait time.Duration, known bool) {
	quiet, known := s.silent()
	waited := s.change.span
	switch {
	case s.v.OldestAge.Known:
		waited = max(waited, duration(s.v.OldestAge.Value))
	case s.whole() && s.stream != nil && s.stream.Reading.State == inspect.Fresh && !s.stream.State.LastTime.IsZero():
		waited = max(waited, s.at().Sub(s.stream.State.LastTime)) // all of them are older
	case s.v.In.Known && s.v.In.Value > 0: // as long as they took to come
		return min(quiet, max(waited, duration(s.v.Pending.Value/s.v.In.Value))), false
	}
	return min(quiet, waited), known
}

func (s *series) unbound() (finding, bool) {
	if s.v.Backlog.Value == 0 || !s.every(func(p sample) bool { return !p.c.PushBound }) {
		return finding{}, false
	}
	return finding{
		fact: true,
		advice: fmt.Sprintf("Nobody subscribes to its deliver subject %s: %s; %s. Is the service up, and may it subscribe?",
			s.cfg.DeliverSubject, waitingText(s.v.Backlog.Value), s.lastDelivery()),
		evidence: []Evidence{{"push_bound", "false, " + s.all(), "not push_bound"}, s.sayBacklog("backlog > 0"), s.saySilence("")},
		next:     []string{s.consumerCommand("info"), s.explainCommand()},
	}, true
}

func (s *series) ackStalled() (finding, bool) {
	if !s.sampled() || !s.acks() || s.cfg.MaxAckPending <= 0 {
		return finding{}, false
	}
	full := func(p sample) bool { return p.unacked() >= s.cfg.MaxAckPending }
	if !s.every(full) || s.change.again > 0 || !s.unacknowledging() {
		return finding{}, false
	}
	since, known := s.unacknowledged()
	f := finding{assumed: !known}
	if since < s.ackWait() {
		if !s.every(func(p sample) bool { return p.c.NumPending > 0 }) {
			return finding{}, false
		}
		f.grade(s.warnIfOver())
	}
	f.advice = fmt.Sprintf("All %d slots (max_ack_pending) are unacknowledged and nothing has been acknowledged for %s: delivery resumes only "+
		"by an acknowledgement or after ack_wait (%s). Workers hang or never acknowledge.", s.cfg.MaxAckPending, span(since), span(s.ackWait()))
	f.evidence = []Evidence{
		s.sayUnacked("num_ack_pending >= max_ack_pending > 0"), s.sayDone("nothing was finished, acknowledged or redelivered"),
		{"nothing acknowledged for", span(since), "crit from ack_wait (" + span(s.ackWait()) + ") on"},
		s.sayBacklog("num_pending > 0"),
	}
	f.next = []string{s.consumerCommand("info"), s.explainCommand()}
	return f, true
}

// unacknowledged is for how long, at least, all of what is in flight has not been
// acknowledged: since the last delivery; but if all of it has been delivered again,
// since the last acknowledgement, which is ack_wait or longer ago.
func (s *series) unacknowledged() (d time.Duration, known bool) {
	d, known = s.silent()
	d = max(s.change.span, d)
	if s.now.NumRedelivered < s.now.NumAckPending {
		return d, known
	}
	if last := s.now.AckFloor.Last; last != nil && !last.IsZero() {
		return max(d, s.at().Sub(*last)), true
	}
	return max(d, s.ackWait()), known
}

// warnIfOver is the severity of what matters only if it makes a consumer late.
func (s *series) warnIfOver() inspect.Severity {
	if s.over() && !s.recovered() && !s.shrinks() {
		return inspect.Warn
	}
	return inspect.Info
}

func (s *series) looping() (finding, bool) {
	const (
		share     = 0.5
		least     = 3
		intervals = 2
	)
	d := s.change
	if d.again < least || d.again < share*d.deliveries || d.repeated < min(intervals, d.intervals) || s.cfg == nil {
		return finding{}, false
	}
	percent := math.Round(100 * d.again / d.deliveries)
	advice := fmt.Sprintf("%.0f%% of the deliveries are repeats: the handler fails, or needs longer than ack_wait (%s).", percent, span(s.ackWait()))
	if held := s.v.ProcessTime; held.Known {
		advice = fmt.Sprintf("%.0f%% of the deliveries are repeats: the handler fails, or needs longer than ack_wait (%s; messages are held for ~%s on average).",
			percent, span(s.ackWait()), seconds(held.Value))
	}
	limit, next := fmt.Sprintf("A message is given up after max_deliver=%d attempts.", s.cfg.MaxDeliver), []string{s.consumerCommand("info")}
	if s.cfg.MaxDeliver <= 0 {
		limit = "max_deliver is unlimited: set it, with a backoff."
		next = append(next, s.consumerCommand("edit", "--max-deliver=5"))
	}
	return finding{
		assumed: s.moved,
		advice:  join(advice, limit),
		evidence: []Evidence{
			{"redeliveries", fmt.Sprintf("%s of %s deliveries in %s", count(d.again), count(d.deliveries), span(d.span)), "at least half of the deliveries, and at least 3"},
			{"intervals with redeliveries", fmt.Sprintf("%d of %d", d.repeated, d.intervals), "in at least 2 intervals"},
			{"num_redelivered", fmt.Sprint(s.now.NumRedelivered), ""},
		},
		next: next,
	}, true
}
