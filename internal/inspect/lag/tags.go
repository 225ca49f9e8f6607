package lag

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/natsops/natsops/internal/inspect"
)

// TagInfo says what a tag means and when it is there.
type TagInfo struct {
	Name    TagName
	Notable bool   // worth showing a consumer for that is well otherwise
	Meaning string // in words
	Rule    string // exactly when it is there
	Needs   string // what it takes to decide that
	Do      string // what to do then
}

type tagRule struct {
	TagInfo
	holds func(*series) (tagFinding, bool)
}

type tagFinding struct {
	detail, text string
	evidence     []Evidence
	next         []string
}

// Tags describes all tags.
func Tags() []TagInfo {
	var infos []TagInfo
	for _, r := range tagRules() {
		infos = append(infos, r.TagInfo)
	}
	return infos
}

// Tagged reports whether a verdict has a tag.
func (v Verdict) Tagged(name TagName) bool {
	return slices.ContainsFunc(v.Tags, func(t Tag) bool { return t.Name == name })
}

// Notable reports whether a verdict is worth showing among many.
func (v Verdict) Notable() bool {
	return v.Severity > inspect.OK || len(v.Tags) > 0 && slices.ContainsFunc(Tags(), func(t TagInfo) bool { return t.Notable && v.Tagged(t.Name) })
}

func tagRules() []tagRule {
	return append(messageTags(), placeTags()...)
}

// messageTags are about the fate of messages.
func messageTags() []tagRule {
	return []tagRule{
		{TagInfo{
			HeadBlocked, true, "One message is held while many after it are finished.",
			"explicit acks; within the window messages were delivered and acknowledged while ack_floor did not move, and that for ack_wait, " +
				"or for so long that 10 others, and 10 times as many as are in flight, were finished in the meantime",
			twoSamples, "Look at that message, and at who holds it.",
		}, (*series).headBlocked},
		{TagInfo{
			Exhausted, true, "Messages were given up: max_deliver is used up.",
			"max_deliver > 1 and num_redelivered > num_ack_pending, or an advisory MAX_DELIVERIES came", oneSample,
			"Look at them; they stay in the stream, and nobody gets them any more.",
		}, (*series).exhausted},
		{TagInfo{
			Redelivering, true, "Many deliveries are repeats.",
			"at least 10 % of the deliveries, and at least 2, were redeliveries; not with REDELIVERY_LOOP", twoSamples,
			"Look why the handler fails, or whether ack_wait is shorter than its processing time.",
		}, (*series).redelivering},
		{TagInfo{
			LossIn, true, "Limits of the stream will soon delete messages that are not finished.",
			"at this rate within an hour, and the oldest message is a quarter of the way to the limit; not with LOSING_DATA", oneSample,
			"Add workers or raise the limit.",
		}, (*series).lossIn},
		{TagInfo{
			LostMessages, true, "Limits of the stream have deleted messages that were not delivered.",
			"first_seq of the stream > delivered.stream_seq + 1, with all of the stream pending; or LOSING_DATA; of a consumer that takes all " +
				"of a stream without max_msgs_per_subject", oneSample, "They are gone. Raise the limit.",
		}, (*series).lostMessages},
		{TagInfo{
			PendingDrift, true, "What the server counts as pending does not fit what is in the stream.",
			"num_pending = 0 but a lookup found a matching message that is not delivered and older than 5s; or num_pending > 0 in all samples, " +
				"with nothing delivered or acknowledged, and a lookup found none", "a lookup (--verify)",
			"Have its leader step down, which counts anew (nats-server#4189, #5608).",
		}, (*series).drifted},
	}
}

func (s *series) headBlocked() (tagFinding, bool) {
	d, floor := s.change, s.now.AckFloor
	if s.cfg == nil || s.cfg.AckPolicy != "explicit" || d.deliveries == 0 || d.done == 0 || s.now.NumAckPending <= 0 || floor.Stream != s.samples[0].c.AckFloor.Stream {
		return tagFinding{}, false
	}
	const many = 10
	unacked := float64(s.now.NumAckPending)
	// Delivered after the one that is held, and finished.
	overtook := max(0, -back(s.now.Delivered.Consumer, floor.Consumer)-unacked)
	stuck := max(d.span, duration(overtook/s.v.Done.Value))
	if stuck < s.ackWait() && (overtook < many || overtook < many*unacked) {
		return tagFinding{}, false
	}
	f := tagFinding{
		detail: strconv.FormatUint(floor.Stream+1, 10),
		text:   fmt.Sprintf("The message after sequence %d is held, while about %s after it are finished.", floor.Stream, messages(overtook)),
		evidence: []Evidence{
			{"ack_floor.stream_seq", fmt.Sprintf("%d, %s", floor.Stream, s.all()), "ack_floor did not move"}, s.sayDone("messages were delivered and acknowledged"),
		},
	}
	if h := s.head; h.seq > 0 {
		f.detail = strconv.FormatUint(h.seq, 10)
		f.text = fmt.Sprintf("Message %d%s, %s old, is held, while about %s after it are finished.", h.seq, onSubject(h.subject), h.age.about(seconds), messages(overtook))
		f.next = []string{s.streamCommand("get", f.detail)}
	}
	return f, true
}

func onSubject(subject string) string {
	if subject == "" {
		return ""
	}
	return " (" + subject + ")"
}

func (s *series) exhausted() (tagFinding, bool) {
	dead := s.v.DeadLetters
	if !dead.Known || dead.Value < 1 {
		return tagFinding{}, false
	}
	return tagFinding{
		detail: count(dead.Value),
		text:   fmt.Sprintf("At least %s given up after max_deliver=%s attempts; nobody gets them any more.", were(dead.Value), s.maxDeliver()),
		evidence: []Evidence{{
			"num_redelivered", fmt.Sprintf("%d, num_ack_pending %d", s.now.NumRedelivered, s.now.NumAckPending),
			"max_deliver > 1 and num_redelivered > num_ack_pending, or an advisory MAX_DELIVERIES came",
		}},
		next: []string{s.deadLetterCommand()},
	}, true
}

func were(n float64) string {
	if n == 1 {
		return "1 message was"
	}
	return count(n) + " messages were"
}

func (s *series) maxDeliver() string {
	if s.cfg == nil {
		return "?"
	}
	return strconv.Itoa(s.cfg.MaxDeliver)
}

func (s *series) redelivering() (tagFinding, bool) {
	const (
		share = 0.1
		least = 2
	)
	d := s.change
	if d.again < least || d.again < share*d.deliveries || s.v.Status == RedeliveryLoop {
		return tagFinding{}, false
	}
	percent := fmt.Sprintf("%.0f%%", math.Round(100*d.again/d.deliveries))
	return tagFinding{
		detail: percent,
		text:   fmt.Sprintf("%s of the deliveries are repeats: the handler fails, or needs longer than ack_wait.", percent),
		evidence: []Evidence{{
			"redeliveries", fmt.Sprintf("%s of %s deliveries in %s", count(d.again), count(d.deliveries), span(d.span)),
			"at least 10 % of the deliveries, and at least 2",
		}},
	}, true
}

func (s *series) lossIn() (tagFinding, bool) {
	in := s.v.ToLoss
	if !in.Known || in.Value >= s.limit.loss().Seconds() || s.v.Status == LosingData || !s.nearLimit() {
		return tagFinding{}, false
	}
	return tagFinding{
		detail:   in.about(seconds),
		text:     fmt.Sprintf("In %s %s deletes the first message that is not finished.", in.about(seconds), s.loss.drawing),
		evidence: []Evidence{{"time to loss", in.about(seconds), "within " + span(s.limit.loss())}, s.sayAge("the oldest message is a quarter of the way to the limit")},
		next:     []string{s.streamCommand("info")},
	}, true
}

// nearLimit reports whether the oldest message is on its way out. A stream that
// keeps messages for a minute is not about to lose one that came a second ago.
func (s *series) nearLimit() bool {
	const quarter = 0.25
	if strings.HasPrefix(s.loss.drawing, "max_age") {
		return s.head.age.Value >= quarter*s.store.MaxAge.Seconds()
	}
	state := s.stream.State
	behind, all := -back(state.LastSeq, s.head.seq), -back(state.LastSeq, state.FirstSeq)
	return all > 0 && behind >= quarter*all
}

func (s *series) lostMessages() (tagFinding, bool) {
	lost := s.v.Lost
	if !lost.Known || lost.Value < 1 {
		return tagFinding{}, false
	}
	return tagFinding{
		detail: count(lost.Value),
		text:   fmt.Sprintf("About %s deleted before delivery.", were(lost.Value)),
		evidence: []Evidence{{
			"first_seq", fmt.Sprintf("%d, delivered.stream_seq %d", s.stream.State.FirstSeq, s.now.Delivered.Stream),
			"first_seq of the stream > delivered.stream_seq + 1, or LOSING_DATA",
		}},
	}, true
}

func (s *series) drifted() (tagFinding, bool) {
	if s.found == nil || s.cfg == nil || s.cfg.DeliverPolicy == "last_per_subject" || s.now.NumAckPending > 0 || s.stale {
		return tagFinding{}, false
	}
	f := tagFinding{next: []string{s.consumerCommand("info")}}
	switch {
	case s.undercounted():
		f.text = fmt.Sprintf("Nothing is counted as pending, but message %d%s is %s old and was not delivered.",
			s.found.Seq, onSubject(s.found.Subject), span(s.at().Sub(s.found.At)))
	case s.overcounted():
		f.text = fmt.Sprintf("%s counted as pending, but the stream has none.", were(s.v.Pending.Value))
	default:
		return f, false
	}
	f.evidence = []Evidence{{"num_pending", fmt.Sprintf("%d, found in the stream: %t", s.now.NumPending, s.found.Found), "does not fit what is in the stream"}}
	if s.replicated() {
		f.next = append(f.next, s.consumerCommand("cluster step-down"))
	}
	return f, true
}

func (s *series) undercounted() bool {
	const old = 5 * time.Second
	return s.now.NumPending == 0 && s.found.Found && s.found.Seq > s.now.Delivered.Stream && s.at().Sub(s.found.At) > old
}

func (s *series) overcounted() bool {
	counted := func(p sample) bool { return p.c.NumPending > 0 && p.unacked() == 0 }
	return s.foundNone() && s.sampled() && s.every(counted) && s.still() && s.unacknowledging()
}
