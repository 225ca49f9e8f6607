package lag

import (
	"fmt"
	"math"
	"time"

	"github.com/natsops/natsops/internal/inspect"
)

// stallRules are about who holds things up.
func stallRules() []rule {
	return []rule{
		{StatusInfo{
			ServerStall, inspect.Crit, inspect.Crit, inspect.Crit,
			"Clients ask, messages are there, and the server does not deliver.",
			"for at least 3s, in all samples: num_pending > 0, num_waiting > 0 (push: push_bound without flow control), " +
				"num_ack_pending < max_ack_pending; nothing delivered; replay instant, no rate limit, no priority policy; " +
				"the leader is older than 10s, and a lookup does not show that nothing is pending",
			twoSamples,
			"A server defect is likely (nats-server#5839, #4736): keep the consumer info as evidence, then have the leader step down. " +
				"Old clients may not pull again after that (nats.go#2063): watch num_waiting.",
		}, (*series).serverStalled},
		{StatusInfo{
			ClientStalled, inspect.Crit, inspect.Crit, inspect.Crit,
			"Workers hold messages for longer than ack_wait and ask for no more.",
			"in all samples num_ack_pending > 0 and num_waiting = 0; nothing delivered or acknowledged, for ack_wait or longer " +
				"(longest backoff; 30s if there is none). Or flow control: push_bound with num_pending > 0 and nothing delivered for as long. " +
				"Where a restart has forgotten the last activity, the window must be as long",
			"one sample if the last activity is known",
			"The worker hangs, or died; a handler that reports progress may also take that long.",
		}, (*series).clientStalled},
		{StatusInfo{
			Busy, inspect.OK, inspect.OK, inspect.Warn,
			"Workers hold messages, not yet for longer than ack_wait, and will ask for more when they are done.",
			"as CLIENT_STALLED, but for less than ack_wait; warn if the oldest message is over the age threshold",
			twoSamples,
			"Nothing, or watch for longer than a job takes.",
		}, (*series).busy},
		{StatusInfo{
			AckBound, inspect.Warn, inspect.Info, inspect.Warn,
			"max_ack_pending limits the throughput.",
			"in all samples num_ack_pending >= 95 % of max_ack_pending and num_pending > 0, while messages are finished; warn over a threshold unless the backlog shrinks",
			twoSamples,
			"Raise max_ack_pending or make the handler faster; more workers do not help.",
		}, (*series).ackBound},
	}
}

func (s *series) serverStalled() (finding, bool) {
	const confirm = 3 * time.Second
	if s.change.span < confirm || !s.still() || !s.ledFor(newLeader) || !s.deliversAtOnce() || s.foundNone() {
		return finding{}, false
	}
	asked := func(p sample) bool { return p.c.NumWaiting > 0 }
	asking := s.sayWaiting("num_waiting > 0")
	if s.push() {
		asked = func(p sample) bool { return p.c.PushBound && !s.cfg.FlowControl }
		asking = Evidence{"push_bound", "true, " + s.all(), "push_bound without flow control"}
	}
	if !s.every(func(p sample) bool { return asked(p) && p.c.NumPending > 0 && s.hasRoom(p) }) {
		return finding{}, false
	}
	next := []string{s.consumerCommand("info"), s.explainCommand()}
	remedy := "restart its workers"
	if s.replicated() {
		next = append(next, s.consumerCommand("cluster step-down"))
		remedy = "have its leader step down, and watch num_waiting: old clients may not pull again (nats.go#2063)"
	}
	return finding{
		advice: fmt.Sprintf("Clients ask and the server has delivered nothing for %s: a server defect is likely (nats-server#5839, #4736). Keep the output of consumer info, then %s.",
			span(s.change.span), remedy),
		evidence: []Evidence{
			asking, s.sayBacklog("num_pending > 0"), s.sayDeliveries("nothing delivered, for at least 3s"), s.sayUnacked("num_ack_pending < max_ack_pending"),
		},
		next: next,
	}, true
}

// hasRoom reports whether more messages may be in flight.
func (s *series) hasRoom(p sample) bool {
	return s.cfg.MaxAckPending <= 0 || p.unacked() < s.cfg.MaxAckPending
}

// newLeader is for how long a leader is too new to be blamed.
const newLeader = 10 * time.Second

// ledFor reports whether its leader has been that for so long, as far as is known.
func (s *series) ledFor(since time.Duration) bool {
	g := s.now.Cluster
	return !s.moved && (g == nil || g.LeaderSince.IsZero() || s.at().Sub(g.LeaderSince) >= since)
}

// foundNone reports whether a lookup shows that nothing is pending, whatever the
// count says.
func (s *series) foundNone() bool { return s.found != nil && !s.found.Found && s.found.Why == "" }

// deliversAtOnce reports whether nothing in the configuration holds deliveries
// back.
func (s *series) deliversAtOnce() bool {
	return s.cfg != nil && (s.cfg.ReplayPolicy == "" || s.cfg.ReplayPolicy == "instant") && s.cfg.RateLimit == 0 &&
		(s.cfg.PriorityPolicy == "" || s.cfg.PriorityPolicy == "none")
}

// holding reports whether clients hold messages and nothing goes on, or do not
// answer flow control.
func (s *series) holding() bool {
	if !s.still() || s.cfg == nil {
		return false
	}
	if s.push() && s.cfg.FlowControl && s.every(func(p sample) bool { return p.c.PushBound && p.c.NumPending > 0 }) {
		return s.unacknowledging()
	}
	held := func(p sample) bool { return p.unacked() > 0 && p.c.NumWaiting == 0 }
	return s.acks() && s.every(held) && s.unacknowledging()
}

func (s *series) clientStalled() (finding, bool) {
	if !s.holding() {
		return finding{}, false
	}
	silent, known := s.silent()
	if silent < s.ackWait() {
		return finding{}, false
	}
	f := finding{fact: known, assumed: !known}
	held := fmt.Sprintf("%s held for %s, longer than ack_wait (%s), and no new pulls", messages(s.v.Unacked.Value), span(silent), span(s.ackWait()))
	if s.push() {
		held = fmt.Sprintf("Nothing was delivered or acknowledged for %s, with %s unacknowledged and %s pending",
			span(silent), count(s.v.Unacked.Value), count(s.v.Pending.Value))
	}
	f.advice = held + ": the worker hangs or died. Look at its log, and restart it; if its handler reports progress, this may be a long job."
	f.evidence = append(s.sayHolding(), s.saySilence("for ack_wait ("+span(s.ackWait())+") or longer"))
	f.next = []string{s.consumerCommand("info"), s.explainCommand()}
	return f, true
}

func (s *series) sayHolding() []Evidence {
	return []Evidence{s.sayUnacked("num_ack_pending > 0"), s.sayWaiting("num_waiting = 0"), s.sayDeliveries("nothing delivered or acknowledged")}
}

func (s *series) busy() (finding, bool) {
	if !s.sampled() || !s.holding() {
		return finding{}, false
	}
	silent, known := s.silent()
	f := finding{
		assumed: !known,
		advice: fmt.Sprintf("Workers have held %s for %s, less than ack_wait (%s): jobs take longer than was watched.",
			messages(s.v.Unacked.Value), span(silent), span(s.ackWait())),
		evidence: append(s.sayHolding(), s.saySilence("for less than ack_wait ("+span(s.ackWait())+")")),
	}
	if s.over() {
		f.advice += fmt.Sprintf(" The backlog is %s and the oldest message %s: watch for longer (--window) to see where it goes.",
			count(s.v.Backlog.Value), s.v.OldestAge.about(seconds))
		f.next = []string{s.explainCommand()}
	}
	if s.overAge() {
		f.grade(inspect.Warn)
		f.evidence = append(f.evidence, s.sayAge("the oldest message is over the age threshold"))
	}
	return f, true
}

func (s *series) ackBound() (finding, bool) {
	const nearly = 0.95
	if !s.sampled() || !s.acks() || s.cfg.MaxAckPending <= 0 || s.change.done <= 0 {
		return finding{}, false
	}
	most := float64(s.cfg.MaxAckPending)
	if !s.every(func(p sample) bool { return float64(p.unacked()) >= nearly*most && p.c.NumPending > 0 }) {
		return finding{}, false
	}
	v := s.v
	f := finding{
		advice: fmt.Sprintf("The window of unacknowledged messages is full: throughput = %d / %s = %s. Raise max_ack_pending or make the handler faster; more workers do not help.",
			s.cfg.MaxAckPending, seconds(v.ProcessTime.Value), rate(v.Done.Value)),
		evidence: []Evidence{s.sayUnacked("num_ack_pending >= 95 % of max_ack_pending"), s.sayDone("while messages are finished"), s.sayBacklog("num_pending > 0")},
		next:     []string{s.consumerCommand("info")},
	}
	f.grade(s.warnIfOver())
	if want := s.slots(); want > s.cfg.MaxAckPending {
		f.next = append(f.next, s.consumerCommand("edit", fmt.Sprintf("--max-pending=%d", want)))
	}
	return f, true
}

// slots is how many messages must be in flight to keep up with what arrives, and
// half as many again, by Little's law; at least twice what there are.
func (s *series) slots() int {
	const spare = 1.5
	most := s.cfg.MaxAckPending
	want := math.Ceil(s.v.In.Value * s.v.ProcessTime.Value * spare)
	return int(min(max(want, 2*float64(most)), math.MaxInt32))
}
