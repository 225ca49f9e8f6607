package lag

import (
	"fmt"
	"math"
	"time"

	"github.com/natsops/natsops/internal/inspect"
)

// paceRules are about whether the work gets done in time.
func paceRules() []rule {
	return []rule{
		{StatusInfo{
			FallingBehind, inspect.Warn, inspect.Info, inspect.Crit,
			"More arrives than is finished.",
			"the backlog is over its threshold, was so in all samples, and grew: in at least 80 % of the intervals, and by at least " +
				"10 messages, and by 2 % of it or by 10 % of what arrived; info if only what is in flight exceeds it, or if nothing was " +
				"finished but something was within 10s, as between two batches; crit if the oldest message is over the age threshold, or limits delete messages within an hour",
			twoSamples,
			"Add workers, by the factor that is given.",
		}, (*series).fallingBehind},
		{StatusInfo{
			SteadyLag, inspect.Warn, inspect.Info, inspect.Warn,
			"There is a backlog that neither grows nor shrinks by much.",
			"over a threshold, and neither FALLING_BEHIND nor DRAINING; not if the backlog was within its threshold in a sample " +
				"(or, if the oldest message is over the age threshold, if it was 0); info as for FALLING_BEHIND",
			twoSamples,
			"It keeps up but never recovers: add some workers.",
		}, (*series).steady},
		{StatusInfo{
			Draining, inspect.Info, inspect.Info, inspect.Info,
			"There is a backlog, and it shrinks.",
			"over a threshold, and the backlog shrank by 2 % of it; or it did so at 2 % a minute, and grew in at most 20 % of the intervals",
			twoSamples,
			"Nothing: it will be done in the time that is given.",
		}, (*series).draining},
		{StatusInfo{
			Unused, inspect.Info, inspect.Info, inspect.Warn,
			"It has never been used.",
			"created over 24h ago, nothing was ever delivered, num_waiting = 0 and not push_bound; " +
				"warn if it makes an interest or workqueue stream keep messages",
			oneSample,
			"Delete it if nobody needs it.",
		}, (*series).neverUsed},
		{StatusInfo{
			Idle, inspect.OK, inspect.OK, inspect.OK,
			"There is nothing to do.",
			"backlog = 0 in all samples, and nothing was delivered; of one sample: not in the last 10s",
			oneSample,
			"Nothing.",
		}, (*series).idle},
		{StatusInfo{
			OK, inspect.OK, inspect.OK, inspect.OK,
			"It keeps up.",
			"within both thresholds, or was so within the window",
			oneSample,
			"Nothing.",
		}, (*series).fine},
		{StatusInfo{
			Unsampled, inspect.Info, inspect.Info, inspect.Info,
			"It is over a threshold, and one sample does not tell where that leads.",
			"over a threshold, with one sample",
			oneSample,
			"Look for longer: --window 5s.",
		}, (*series).unsampled},
	}
}

func (s *series) fallingBehind() (finding, bool) {
	if !s.sampled() || !s.over() || !s.overBacklog() || s.recovered() || !s.grows() {
		return finding{}, false
	}
	v, d := s.v, s.change
	f := finding{
		advice: fmt.Sprintf("%s arrive and %s are finished: the backlog of %s grows by %s.",
			v.In.about(rate), v.Done.about(rate), count(v.Backlog.Value), rate(v.Net.Value)),
		evidence: []Evidence{
			s.sayBacklog(fmt.Sprintf("over the threshold of %d in all samples", s.limit.Backlog)),
			{"growth", fmt.Sprintf("%s in %s", messages(d.net), span(d.span)), "by at least 10 messages, and by 2 % of it or by 10 % of what arrived"},
			{"intervals in which it grew", fmt.Sprintf("%d of %d", d.grew, d.intervals), "in at least 80 % of the intervals"},
		},
		next: []string{s.explainCommand(), s.consumerCommand("info")},
	}
	if v.Workers.Known && v.Workers.Value > 1 {
		f.advice += fmt.Sprintf(" It takes %s times the work to keep up.", count(math.Ceil(v.Workers.Value*10)/10))
	} else if !v.Workers.Known {
		f.advice += " Nothing is being finished: look at its workers."
	}
	s.gradeBehind(&f)
	return f, true
}

// gradeBehind says how bad it is to fall behind.
func (s *series) gradeBehind(f *finding) {
	if s.atWork() {
		f.grade(inspect.Info)
	}
	if s.overAge() {
		f.grade(inspect.Crit)
		f.evidence = append(f.evidence, s.sayAge("crit if the oldest message is over the age threshold of "+span(s.limit.Age)))
	}
	if in := s.v.ToLoss; in.Known && in.Value < s.limit.loss().Seconds() {
		f.grade(inspect.Crit)
		f.advice += fmt.Sprintf(" %s deletes messages in %s.", s.loss.drawing, in.about(seconds))
		f.evidence = append(f.evidence, Evidence{"time to loss", in.about(seconds), "crit if limits delete messages within " + span(s.limit.loss())})
	}
}

// grows reports whether the backlog grows beyond doubt: steadily, by more than
// comes of looking at the right instant, and by a share that matters.
func (s *series) grows() bool {
	const (
		most    = 0.8
		noise   = 10
		backlog = 0.02
		arrived = 0.1
	)
	d, before := s.change, s.samples[0].backlog()
	steadily := float64(d.grew) >= most*float64(d.intervals)
	return steadily && d.net >= noise && (d.net >= backlog*before || d.net >= arrived*d.in*d.span.Seconds())
}

// shrinks is the opposite. A large backlog that is worked off takes its time.
func (s *series) shrinks() bool {
	const (
		share  = 0.02
		seldom = 0.2
	)
	d, before := s.change, s.samples[0].backlog()
	if d.net >= 0 {
		return false
	}
	fast := -d.net >= share*before
	surely := -d.net*60/d.span.Seconds() >= share*before && float64(d.grew) <= seldom*float64(d.intervals)
	return fast || surely
}

func (s *series) steady() (finding, bool) {
	if !s.sampled() || !s.over() || s.recovered() || s.shrinks() {
		return finding{}, false
	}
	v := s.v
	behind := count(v.Backlog.Value) + " behind"
	if v.OldestAge.Known {
		behind += ", the oldest message is " + v.OldestAge.about(seconds) + " old"
	}
	advice := fmt.Sprintf("Keeps up but does not recover: %s; %s arrive and %s are finished.", behind, v.In.about(rate), v.Done.about(rate))
	if s.change.done == 0 {
		advice = fmt.Sprintf("Nothing was finished in %s: %s.", span(s.change.span), behind)
	}
	f := finding{
		advice: advice,
		evidence: []Evidence{
			s.sayBacklog(fmt.Sprintf("over the threshold of %d", s.limit.Backlog)), s.sayAge("or over the age threshold of " + span(s.limit.Age)),
			{"growth", count(s.change.net) + " in " + span(s.change.span), "neither FALLING_BEHIND nor DRAINING"},
		},
		next: []string{s.explainCommand(), s.consumerCommand("info")},
	}
	if s.atWork() {
		f.grade(inspect.Info)
	}
	return f, true
}

// atWork reports whether a consumer may well keep up in spite of its backlog. A
// fast one has much in flight, and one that takes batches finishes nothing between
// two of them.
func (s *series) atWork() bool {
	if s.overAge() {
		return false
	}
	if s.change.done > 0 {
		return s.now.NumPending <= s.limit.Backlog
	}
	last := s.now.AckFloor.Last
	return last != nil && s.at().Sub(*last) < betweenPulls
}

func (s *series) draining() (finding, bool) {
	if !s.sampled() || !s.over() || !s.shrinks() {
		return finding{}, false
	}
	v := s.v
	return finding{
		advice: fmt.Sprintf("Catching up: %s left, empty in %s.", count(v.Backlog.Value), v.ETA.about(seconds)),
		evidence: []Evidence{
			s.sayBacklog("over a threshold"),
			{"growth", count(s.change.net) + " in " + span(s.change.span), "the backlog shrank"},
			{"intervals in which it grew", fmt.Sprintf("%d of %d", s.change.grew, s.change.intervals), "grew in at most 20 % of the intervals"},
		},
	}, true
}

// unused reports whether nobody has ever used the consumer.
func (s *series) unused() bool {
	const long = 24 * time.Hour
	c := s.now
	return c.Delivered.Consumer == 0 && c.Delivered.Last == nil && c.NumAckPending <= 0 && !c.Created.IsZero() && s.at().Sub(c.Created) > long &&
		s.every(func(p sample) bool { return p.c.NumWaiting == 0 && !p.c.PushBound })
}

func (s *series) neverUsed() (finding, bool) {
	if !s.unused() {
		return finding{}, false
	}
	age := span(s.at().Sub(s.now.Created))
	f := finding{
		fact:   true,
		advice: fmt.Sprintf("Never used in the %s since it was created.", age),
		evidence: []Evidence{
			{"created", age + " ago", "created over 24h ago"},
			{"delivered", "nothing", "nothing was ever delivered"},
			s.sayWaiting("num_waiting = 0 and not push_bound"),
		},
		next: []string{s.consumerCommand("info")},
	}
	if keeps := s.store != nil && (s.store.Retention == "interest" || s.store.Retention == "workqueue"); keeps && s.now.NumPending > 0 {
		f.grade(inspect.Warn)
		f.advice += fmt.Sprintf(" The stream keeps %s for it (%s retention): delete it if nobody needs it.", messages(s.v.Pending.Value), s.store.Retention)
		f.evidence = append(f.evidence, s.sayBacklog("makes an interest or workqueue stream keep messages"))
	} else {
		f.advice += " Delete it if nobody needs it."
	}
	return f, true
}

func (s *series) idle() (finding, bool) {
	const lately = 10 * time.Second
	if !s.every(func(p sample) bool { return p.backlog() == 0 }) || !s.still() {
		return finding{}, false
	}
	if silent, known := s.silent(); !s.sampled() && known && silent < lately && s.now.Delivered.Consumer > 0 {
		return finding{}, false
	}
	return finding{fact: true, advice: "Nothing to do.", evidence: []Evidence{s.sayBacklog("backlog = 0"), s.saySilence("nothing was delivered")}}, true
}

func (s *series) fine() (finding, bool) {
	if s.over() && !s.sampled() {
		return finding{}, false
	}
	unanswered := s.found != nil && !s.v.OldestAge.Known
	f := finding{fact: true, assumed: s.cfg == nil || unanswered, advice: "Keeps up.", evidence: []Evidence{
		s.sayBacklog("within the threshold"), s.sayAge("within the age threshold"),
	}}
	if s.over() {
		f.fact = false
		f.advice = fmt.Sprintf("Has a backlog of %s, which was within the thresholds a moment ago.", count(s.v.Backlog.Value))
		f.evidence[0].Rule, f.evidence[1].Rule = "was within its threshold within the window", ""
	}
	return f, true
}

func (s *series) unsampled() (finding, bool) {
	return finding{
		blind: true,
		advice: fmt.Sprintf("Backlog %s, oldest message %s: whether it grows takes a second sample (--window 5s).",
			count(s.v.Backlog.Value), s.v.OldestAge.about(seconds)),
		evidence: []Evidence{s.sayBacklog("over a threshold, with one sample"), s.sayAge("")},
		next:     []string{s.explainCommand()},
	}, true
}
