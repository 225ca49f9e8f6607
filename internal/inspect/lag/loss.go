package lag

import (
	"math"
	"strings"
	"time"

	"github.com/natsops/natsops/internal/inspect"
)

// loss is what limits of the stream have deleted, and will delete, before the
// consumer got it.
type loss struct {
	lost    Figure  // messages
	rate    Figure  // per second, within the window
	in      Figure  // seconds until the next
	recent  float64 // messages, within the window
	cut     int     // messages that were deleted while they were being processed
	limit   string  // that did it: "max_msgs=2000"
	drawing string  // limit that will: "max_age=24h"
}

// The text of nats-server for a message that a limit deleted in flight (consumer.go).
const deletedInFlight = "Unacknowledged message was deleted"

func (s *series) losses() loss {
	l := loss{in: Figure{Why: "the limits of the stream are not known"}}
	if s.store != nil {
		l.in, l.drawing = s.toLoss()
	}
	why := s.blindToLoss()
	if why != "" {
		l.lost.Why, l.rate.Why = why, why
		return l
	}
	first, last := s.samples[0], s.samples[len(s.samples)-1]
	l.lost = Figure{Value: s.hole(last), Known: true}
	l.rate.Why = "rates need a second sample"
	if s.change.span <= 0 || first.stream == nil {
		return l
	}
	l.limit = s.evictor(first, last)
	if l.limit != "" {
		l.recent = s.evictedUnseen(first, last)
		l.cut = s.cutInFlight()
	}
	// What it passed in the meantime is no longer ahead of it.
	l.lost.Value = max(l.lost.Value, s.hole(first)+l.recent)
	exact := first.c.NumRedelivered == 0 && last.c.NumRedelivered == 0 && last.stream.State.NumDeleted == 0
	l.lost.Exact = l.lost.Value == 0 && exact
	l.rate = Figure{Value: l.recent / s.change.span.Seconds(), Known: true, Exact: exact && !s.moved && !s.stale}
	return l
}

// blindToLoss says why deleted messages cannot be told from ones that were never
// there, or that are replaced by newer ones on purpose; "": they can.
func (s *series) blindToLoss() string {
	last := s.samples[len(s.samples)-1]
	switch {
	case s.cfg == nil || s.store == nil:
		return "the configuration is not known"
	case last.stream == nil:
		return "the state of the stream is not known"
	case !s.whole():
		return "with a filter, messages of other subjects look the same"
	case s.store.MaxMsgsPerSubject > 0:
		return "messages are replaced by newer ones of their subject"
	default:
		return ""
	}
}

// hole counts the messages that are deleted between the last one delivered and the
// first one there is. The stream may have been looked at after the consumer: only
// one that has the whole stream ahead of it has a hole.
func (s *series) hole(p sample) float64 {
	if p.stream == nil {
		return 0
	}
	state, d := p.stream.State, p.delivered()
	// A replicated consumer may begin with sequences of 0, wherever it begins.
	began := d > 0 || p.c.Delivered.Consumer > 0 || p.c.Cluster == nil
	if !began || state.FirstSeq <= d+1 {
		return 0
	}
	const nearly = 0.9
	ahead := p.c.NumPending > 0 && p.pending() >= nearly*float64(state.Messages)
	emptied := state.Messages == 0 && p.c.NumPending == 0 && state.LastTime.Before(p.at)
	if !ahead && !emptied {
		return 0
	}
	return float64(state.FirstSeq - d - 1)
}

// evictedUnseen counts the messages that were deleted within the window and were
// not delivered: passed since, or still ahead. It is not more than were deleted in
// front of the consumer.
func (s *series) evictedUnseen(first, last sample) float64 {
	ahead := -back(last.first(), max(first.first(), first.delivered()+1))
	passed := s.change.skipped
	if s.moved {
		passed = 0 // the sequences of two leaders do not fit to the message
	}
	return max(0, min(passed+s.hole(last)-s.hole(first), ahead))
}

// evictor returns the limit that deleted messages between two samples; "": none
// did. A purge looks the same otherwise, and is meant.
func (s *series) evictor(first, last sample) string {
	if last.first() <= first.first() {
		return ""
	}
	const (
		full  = 0.9
		slack = time.Second
	)
	store, state := s.store, last.stream.State
	switch {
	case store.MaxAge > 0 && last.at.Sub(first.stream.State.FirstTime) >= store.MaxAge-slack:
		return limitText("max_age", store.MaxAge)
	case store.Discard == "new":
		return ""
	case store.MaxMsgs > 0 && float64(state.Messages) >= full*float64(store.MaxMsgs):
		return limitText("max_msgs", store.MaxMsgs)
	case store.MaxBytes > 0 && float64(state.Bytes) >= full*float64(store.MaxBytes):
		return limitText("max_bytes", store.MaxBytes)
	default:
		return ""
	}
}

func (s *series) cutInFlight() int {
	n := 0
	for _, e := range s.events {
		if e.Kind == inspect.EventTerminated && strings.Contains(e.Reason, deletedInFlight) {
			n++
		}
	}
	return n
}

// toLoss is when limits will delete the oldest unfinished message, if the consumer
// goes on as it does; and which one.
func (s *series) toLoss() (Figure, string) {
	store, never := s.store, Figure{Value: math.Inf(1), Known: true}
	counts := store.Discard != "new" && (store.MaxMsgs > 0 || store.MaxBytes > 0)
	if s.v.Backlog.Value == 0 || store.MaxAge <= 0 && !counts {
		never.Exact = !s.stale
		return never, ""
	}
	if s.head.seq == 0 && !s.head.age.Known {
		return Figure{Why: "the oldest message is not known"}, ""
	}
	soonest, limit := never, ""
	if store.MaxAge > 0 {
		soonest, limit = s.tillAged(), limitText("max_age", store.MaxAge)
	}
	if !counts {
		return soonest, limit
	}
	if t, name := s.tillFull(); !t.Known || t.Value < soonest.Value {
		return t, name
	}
	return soonest, limit
}

// closing is how much faster limits come nearer than the consumer goes forward, as
// a share of the rate at which the stream grows; 1: the consumer stands still, or
// is not known to move; 0: they never meet.
func (s *series) closing() float64 {
	first, last := s.samples[0], s.samples[len(s.samples)-1]
	if s.change.span <= 0 || s.cfg == nil || s.moved || s.change.streamRate <= 0 {
		return 1
	}
	from, to := positionOf(first.c, s.cfg).from, positionOf(last.c, s.cfg).from
	const noise = 0.05
	c := min(1, 1+back(to, from)/s.change.span.Seconds()/s.change.streamRate)
	if c < noise {
		return 0
	}
	return c
}

func (s *series) tillAged() Figure {
	left := max(0, s.store.MaxAge.Seconds()-s.head.age.Value)
	quiet := s.change.span > 0 && s.change.streamKnown && s.change.streamRate == 0
	if quiet && s.v.ETAQuiet.Known && s.v.ETAQuiet.Value <= left {
		return Figure{Value: math.Inf(1), Known: true}
	}
	return over(left, s.closing())
}

// tillFull is the time until max_msgs or max_bytes reach the oldest message.
func (s *series) tillFull() (Figure, string) {
	state := s.stream.State
	if s.head.seq == 0 {
		return Figure{Why: "the oldest message is not known"}, ""
	}
	if s.change.span <= 0 || !s.change.streamKnown {
		return Figure{Why: "rates need a second sample"}, ""
	}
	room, limit := math.Inf(1), ""
	if s.store.MaxMsgs > 0 {
		room, limit = -back(uint64(s.store.MaxMsgs), state.Messages), limitText("max_msgs", s.store.MaxMsgs)
	}
	if s.store.MaxBytes > 0 && state.Messages > 0 && state.Bytes > 0 {
		each := float64(state.Bytes) / float64(state.Messages)
		if left := -back(uint64(s.store.MaxBytes), state.Bytes) / each; left < room {
			room, limit = left, limitText("max_bytes", s.store.MaxBytes)
		}
	}
	if math.IsInf(room, 1) {
		return Figure{Value: room, Known: true}, ""
	}
	rate := s.change.streamRate
	if s.store.Retention == "workqueue" || s.store.Retention == "interest" {
		rate = s.streamGrowth() // what is acknowledged makes room
	}
	room = max(0, room) + max(0, -back(s.head.seq, state.FirstSeq))
	return over(room, rate*s.closing()), limit
}

// streamGrowth is by how many messages per second the stream grows.
func (s *series) streamGrowth() float64 {
	first, last := s.samples[0], s.samples[len(s.samples)-1]
	if first.stream == nil || last.stream == nil {
		return s.change.streamRate
	}
	return max(0, -back(last.stream.State.Messages, first.stream.State.Messages)) / s.change.span.Seconds()
}

// over divides what is left by the speed at which it is used up.
func over(left, speed float64) Figure {
	if speed <= 0 {
		return Figure{Value: math.Inf(1), Known: true}
	}
	return Figure{Value: left / speed, Known: true}
}
