package lag

import (
	"cmp"
	"fmt"
	"strings"
	"time"

	"github.com/natsops/natsops/internal/inspect"
)

// reachRules are about whether the numbers can be had, and mean anything.
func reachRules() []rule {
	return []rule{
		{StatusInfo{
			Unreachable, inspect.Crit, inspect.Warn, inspect.Crit,
			"How it is now is not known: the server that leads it does not answer, or none runs it.",
			"nobody told its state in the last sample, nor that it has no leader; or a server gives a reason why it is offline; " +
				"warn if its leader answered earlier in the window",
			oneSample,
			"Look after the server that is named. The numbers are unknown or old, not zero.",
		}, (*series).unreachable},
		{StatusInfo{
			NoLeader, inspect.Crit, inspect.Crit, inspect.Crit,
			"Its servers cannot agree on a leader, so that nothing is delivered.",
			"it is replicated and names no leader; or the advisory QUORUM_LOST came and no election after it; or its leader has heard of " +
				"less than a majority, itself included, within 10s",
			oneSample,
			"Bring the servers that are offline back. Do not delete the consumer: its position would be lost.",
		}, (*series).leaderless},
		{StatusInfo{
			Paused, inspect.Info, inspect.Info, inspect.Warn,
			"Somebody paused it; the backlog grows by design.",
			"paused; warn if limits delete messages before it resumes",
			oneSample,
			"Resume it if the pause is not wanted any more.",
		}, (*series).paused},
		{StatusInfo{
			Reset, inspect.Warn, inspect.Warn, inspect.Warn,
			"It was made anew, or set back, while being watched.",
			"between two samples created changed, or delivered went back (after a change of leaders: by more than 1,000)",
			twoSamples,
			"Look who did it and whether it began where it should. Rates count from then on.",
		}, (*series).wasReset},
		{StatusInfo{
			LosingData, inspect.Crit, inspect.Crit, inspect.Crit,
			"Limits of the stream delete messages before this consumer has got them.",
			"within the window a limit (max_age; max_msgs or max_bytes with discard old) deleted messages that were not delivered, " +
				"or one that was in flight; of a consumer that takes all of a stream without max_msgs_per_subject",
			twoSamples,
			"Raise the limit or add workers. The backlog is capped by the limit, and so looks stable.",
		}, (*series).losing},
	}
}

func (s *series) unreachable() (finding, bool) {
	c := s.last
	if c.Offline != "" {
		return finding{
			fact:     true,
			advice:   fmt.Sprintf("No server runs it: %s. The numbers are unknown, not zero.", c.Offline),
			evidence: []Evidence{{"offline_reason", c.Offline, "a server gives a reason why it is offline"}},
			next:     []string{s.consumerCommand("info"), "nats server report jetstream"},
		}, true
	}
	if s.now != nil && !s.stale || agreesOnNobody(c) {
		return finding{}, false
	}
	who := c.By
	if c.Cluster != nil {
		who = cmp.Or(c.Cluster.Leader, who)
	}
	leader, numbers := "Its leader", "unknown, not zero"
	if who != "" {
		leader += " " + who
	}
	f := finding{
		blind:    s.now == nil,
		evidence: []Evidence{{"state", c.State.String() + ": " + s.silence(), "nobody told its state in the last sample, nor that it has no leader"}},
		next:     []string{"nats server ping", "nats server report jetstream"},
	}
	if s.now != nil {
		numbers = "the last known, not those of now"
		if s.now.State == inspect.Fresh {
			f.grade(inspect.Warn)
			f.evidence = append(f.evidence, Evidence{"samples in which it answered", fmt.Sprint(len(s.samples)), "warn if its leader answered earlier in the window"})
		}
	}
	f.advice = fmt.Sprintf("%s is silent (%s): the numbers are %s. Check that host.", leader, s.silence(), numbers)
	return f, true
}

// agreesOnNobody reports whether a server says that there is no leader, which is
// more than that no leader is known.
func agreesOnNobody(c *inspect.Consumer) bool {
	return c.Cluster != nil && c.Cluster.Leader == "" && (c.Cluster.RaftGroup != "" || len(c.Cluster.Replicas) > 0)
}

// following returns how many members of a group, the leader included, are in
// touch with the leader, of how many. A leader resigns when it hears of no
// majority, but not at once.
func following(g *inspect.Group) (heard, of int) {
	if g == nil || g.Leader == "" {
		return 1, 1
	}
	const lately = 10 * time.Second
	heard = 1
	for _, p := range g.Replicas {
		if !p.Offline && (p.Current || p.Active < lately) {
			heard++
		}
	}
	return heard, 1 + len(g.Replicas)
}

func (s *series) leaderless() (finding, bool) {
	evidence := Evidence{What: "leader", Value: "none", Rule: "it names no leader"}
	if !agreesOnNobody(s.last) {
		lost, ok := s.quorumLost()
		heard, of := following(s.last.Cluster)
		switch {
		case ok:
			evidence = Evidence{"advisory QUORUM_LOST", lost.Format(time.RFC3339), "the advisory came and no election after it"}
		case s.now != nil && 2*heard <= of:
			evidence = Evidence{"heard of", fmt.Sprintf("%d of %d members", heard, of), "its leader has heard of less than a majority within 10s"}
		default:
			return finding{}, false
		}
	}
	advice := "Its group has no leader: nothing is delivered or acknowledged."
	if s.last.Cluster != nil {
		if down := offline(s.last.Cluster.Replicas); len(down) > 0 {
			advice += " Offline: " + strings.Join(down, ", ") + "."
		}
	}
	return finding{
		fact:     true,
		advice:   advice + " Bring its servers back; do not delete the consumer.",
		evidence: []Evidence{evidence},
		next:     []string{"nats server report jetstream", s.consumerCommand("info")},
	}, true
}

// quorumLost returns when the group lost its quorum, if it has not got it back.
func (s *series) quorumLost() (at time.Time, ok bool) {
	for _, e := range s.events {
		switch e.Kind {
		case inspect.EventQuorumLost:
			at, ok = e.At, true
		case inspect.EventLeader:
			ok = false
		default:
		}
	}
	if !ok || s.now == nil || s.now.Cluster == nil {
		return at, ok
	}
	// A leader gives up without a quorum: one elected since has it, and so does one
	// that answers later, as far as servers before 2.12 let us know.
	since := s.now.Cluster.LeaderSince
	return at, !since.After(at) && (!since.IsZero() || s.at().Before(at))
}

func offline(peers []inspect.Peer) []string {
	var names []string
	for _, p := range peers {
		if p.Offline {
			names = append(names, p.Name)
		}
	}
	return names
}

func (s *series) paused() (finding, bool) {
	if !s.now.Paused {
		return finding{}, false
	}
	f := finding{
		fact:     true,
		advice:   fmt.Sprintf("Paused for another %s; its backlog of %s grows by design.", span(s.v.Paused), count(s.v.Backlog.Value)),
		evidence: []Evidence{{"paused", "for another " + span(s.v.Paused), "paused"}},
		next:     []string{s.consumerCommand("resume"), s.consumerCommand("info")},
	}
	if in := s.v.ToLoss; in.Known && in.Value < s.v.Paused.Seconds() {
		f.grade(inspect.Warn)
		f.advice = fmt.Sprintf("Paused for another %s, but limits (%s) delete its oldest message in %s: resume it before, or raise the limit.",
			span(s.v.Paused), s.loss.drawing, in.about(seconds))
		f.evidence = append(f.evidence, Evidence{"time to loss", in.about(seconds), "limits delete messages before it resumes"})
	}
	return f, true
}

func (s *series) wasReset() (finding, bool) {
	if s.reset == "" {
		return finding{}, false
	}
	advice := "It was made anew or set back while being watched."
	if s.sampled() {
		advice += " Rates are those since then."
	} else {
		advice += " Rates need another sample."
	}
	return finding{
		fact:     true,
		advice:   advice + fmt.Sprintf(" Check that it began where it should: backlog %s.", count(s.v.Backlog.Value)),
		evidence: []Evidence{{"incarnation", s.reset, "created changed, or delivered went back"}},
		next:     []string{s.consumerCommand("info")},
	}, true
}

func (s *series) losing() (finding, bool) {
	l := s.loss
	if l.recent <= 0 && l.cut == 0 {
		return finding{}, false
	}
	lost := fmt.Sprintf("about %s a second", count(l.rate.Value))
	evidence := Evidence{"deleted before delivery", messages(l.recent) + " in " + span(s.change.span), "a limit deleted messages that were not delivered"}
	if l.recent <= 0 {
		lost = messages(float64(l.cut)) + " in flight"
		evidence = Evidence{"advisory " + deletedInFlight, messages(float64(l.cut)), "or one that was in flight"}
	}
	why := "Raise the limit or add workers now; the backlog is capped and looks stable."
	if s.still() {
		why = "Nothing is delivered meanwhile: get its workers going, or raise the limit now."
	}
	return finding{
		advice:   fmt.Sprintf("Data is being lost: the stream limit %s deletes messages before this consumer gets them, %s. %s", l.limit, lost, why),
		evidence: []Evidence{evidence, {"limit", l.limit, "a limit (max_age; max_msgs or max_bytes with discard old)"}, s.sayBacklog("")},
		next:     []string{s.streamCommand("info"), s.consumerCommand("info")},
	}, true
}
