package lag

import (
	"math"
	"time"

	"github.com/natsops/natsops/internal/inspect"
)

// change is what happened between the first and the last sample.
type change struct {
	span      time.Duration
	intervals int
	grew      int // intervals in which the backlog grew
	repeated  int // intervals with redeliveries

	net         float64 // of the backlog
	deliveries  float64 // redeliveries included
	fresh       float64 // deliveries that are not redeliveries
	again       float64 // redeliveries
	done        float64
	skipped     float64 // messages that it passed without getting them
	exact       bool    // fresh, again and done
	in          float64 // messages that arrived for it, per second
	inExact     bool
	streamRate  float64 // messages per second that the stream stored
	streamKnown bool
}

// measure compares the samples, which there must be two of. Nothing is negative
// but net: after a change of leaders sequences can be a little behind.
func (s *series) measure() change {
	d := change{exact: !s.moved}
	for i := 1; i < len(s.samples); i++ {
		a, b := s.samples[i-1], s.samples[i]
		d.span += b.after
		d.intervals++
		if b.backlog() > a.backlog() {
			d.grew++
		}
		p := s.progress(a, b)
		if p.again > 0 {
			d.repeated++
		}
		d.deliveries += p.deliveries
		d.fresh += p.fresh
		d.again += p.again
		d.skipped += p.skipped
		d.exact = d.exact && p.exact
	}
	first, last := s.samples[0], s.samples[len(s.samples)-1]
	d.net = last.backlog() - first.backlog()
	d.done = max(0, d.fresh-float64(last.unacked()-first.unacked()))
	d.streamRate, d.streamKnown = s.streamRate()
	if s.whole() && d.streamKnown {
		d.in, d.inExact = d.streamRate, true
	} else {
		// What came is pending or was delivered.
		d.in = max(0, d.fresh+last.pending()-first.pending()) / d.span.Seconds()
		d.inExact = d.exact && !evicted(first, last)
	}
	return d
}

// progress is what was delivered in one interval.
type progress struct {
	deliveries, fresh, again, skipped float64
	exact                             bool
}

// progress compares two samples. A delivery moves the consumer sequence by one,
// and the stream sequence by at least one if it is not a redelivery. Both come
// from the same instant, unlike the state of the stream.
func (s *series) progress(a, b sample) progress {
	p := progress{
		deliveries: -back(b.c.Delivered.Consumer, a.c.Delivered.Consumer),
	}
	passed := max(0, -back(b.delivered(), a.delivered()))
	p.deliveries = max(0, p.deliveries)
	quiet := a.c.NumRedelivered == 0 && b.c.NumRedelivered == 0
	if s.cfg != nil && (s.cfg.MaxDeliver == 1 || !s.cfg.Acks()) {
		p.fresh, p.exact = p.deliveries, true // nothing is ever delivered again
		p.skipped = max(0, passed-p.fresh)
		return p
	}
	p.fresh = min(p.deliveries, passed)
	switch {
	case s.whole():
		// Messages that are missing in the stream hide as many redeliveries.
		p.skipped = max(0, passed-p.deliveries)
		p.exact = quiet || a.stream != nil && b.stream != nil && b.stream.State.NumDeleted == 0 && !evicted(a, b)
	case quiet:
		p.fresh, p.exact = p.deliveries, true
	default:
		p.fresh = min(p.fresh, s.arrived(a, b))
	}
	p.again = p.deliveries - p.fresh
	return p
}

// arrived bounds how many messages a filtered consumer got for the first time:
// all that the stream stored, less those that are still to be delivered.
func (s *series) arrived(a, b sample) float64 {
	if a.stream == nil || b.stream == nil || evicted(a, b) {
		return math.Inf(1)
	}
	stored := -back(b.stream.State.LastSeq, a.stream.State.LastSeq)
	return max(0, stored-(b.pending()-a.pending()))
}

// back returns how far b is behind a; negative: ahead.
func back(b, a uint64) float64 { return float64(a) - float64(b) }

// evicted reports whether messages were deleted from the front of the stream that
// were ahead of the consumer at a.
func evicted(a, b sample) bool {
	return b.stream != nil && b.first() > a.delivered()+1 && (a.stream == nil || b.first() > a.first())
}

// streamRate is how many messages per second the stream stored in the window.
// Its state has times of its own.
func (s *series) streamRate() (perSecond float64, ok bool) {
	var first, last *sample
	for i := range s.samples {
		if s.samples[i].stream == nil {
			continue
		}
		if first == nil {
			first = &s.samples[i]
		}
		last = &s.samples[i]
	}
	if first == nil || first == last {
		return 0, false
	}
	elapsed := last.taken.Sub(first.taken)
	if a, b := first.stream.Reading, last.stream.Reading; a.By == b.By && !a.At.IsZero() && !b.At.IsZero() {
		elapsed = b.At.Sub(a.At)
	}
	if elapsed <= 0 {
		return 0, false
	}
	return max(0, -back(last.stream.State.LastSeq, first.stream.State.LastSeq)) / elapsed.Seconds(), true
}

// whole reports whether the consumer gets every message of the stream.
func (s *series) whole() bool {
	return s.cfg != nil && takesAll(s.cfg, s.stream, s.store)
}

func takesAll(cfg *inspect.ConsumerConfig, stream *inspect.Stream, store *inspect.StreamConfig) bool {
	if cfg.DeliverPolicy == "last_per_subject" {
		return false
	}
	filters := cfg.Filters()
	switch {
	case len(filters) == 0:
		return true
	case len(filters) > 1:
		return false
	case filters[0] == ">":
		return true
	default:
		own := stream != nil && stream.Mirror == nil && len(stream.Sources) == 0
		return own && store != nil && len(store.Subjects) == 1 && store.Subjects[0] == filters[0]
	}
}

// fill sets the figures of the verdict.
func (s *series) fill() {
	v := s.v
	v.Key, v.Reading = s.key, s.last.Reading
	if s.last.Cluster != nil {
		v.Leader = s.last.Cluster.Leader
	}
	if s.now == nil {
		v.unknown(s.silence())
		return
	}
	p := s.samples[len(s.samples)-1]
	if p.c.Paused {
		v.Paused = max(0, p.c.PauseRemaining)
	}
	fact := func(value float64) Figure { return Figure{Value: value, Known: true, Exact: !s.stale} }
	v.Pending, v.Unacked, v.Backlog = fact(p.pending()), fact(float64(p.unacked())), fact(p.backlog())
	v.DeadLetters = s.deadLetters()
	s.head = s.oldest()
	v.OldestAge = s.head.age
	if len(s.samples) > 1 {
		s.change = s.measure()
	}
	s.rates()
	s.loss = s.losses()
	v.Lost, v.LostRate, v.ToLoss = s.loss.lost, s.loss.rate, s.loss.in
}

// rates sets the figures that need two samples.
func (s *series) rates() {
	v, d := s.v, s.change
	if d.span <= 0 {
		why := "rates need a second sample"
		for _, f := range []*Figure{&v.In, &v.Deliver, &v.Done, &v.Redeliver, &v.Net, &v.ETA, &v.ETAQuiet, &v.Workers, &v.ProcessTime} {
			f.Why = why
		}
		if v.Backlog.Value == 0 {
			v.ETA, v.ETAQuiet = v.Backlog, v.Backlog
		}
		return
	}
	per := func(n float64, exact bool) Figure {
		return Figure{Value: n / d.span.Seconds(), Known: true, Exact: exact && !s.stale}
	}
	v.In = Figure{Value: d.in, Known: true, Exact: d.inExact && !s.moved && !s.stale}
	v.Deliver, v.Redeliver, v.Done, v.Net = per(d.deliveries, !s.moved), per(d.again, d.exact), per(d.done, d.exact), per(d.net, !s.moved)
	v.ETA, v.ETAQuiet = until(v.Backlog.Value, -v.Net.Value), until(v.Backlog.Value, v.Done.Value)
	if d.done > 0 {
		v.Workers = Figure{Value: max(1, v.In.Value/v.Done.Value), Known: true}
	} else {
		v.Workers.Why = "nothing was finished meanwhile"
	}
	v.ProcessTime = s.processTime()
}

// until returns how long something takes at a rate; +Inf: for ever.
func until(n, perSecond float64) Figure {
	switch {
	case n == 0:
		return Figure{Known: true, Exact: true}
	case perSecond <= 0:
		return Figure{Value: math.Inf(1), Known: true}
	default:
		return Figure{Value: n / perSecond, Known: true}
	}
}

// processTime is how long a message is held on average, by Little's law: how many
// are held, over how many per second are finished.
func (s *series) processTime() Figure {
	switch {
	case s.cfg == nil:
		return Figure{Why: "the configuration is not known"}
	case !s.cfg.Acks():
		return Figure{Why: "messages are not acknowledged"}
	case s.change.done == 0:
		return Figure{Why: "nothing was finished meanwhile"}
	}
	var held float64
	for _, p := range s.samples {
		held += float64(p.unacked())
	}
	return Figure{Value: held / float64(len(s.samples)) / s.v.Done.Value, Known: true}
}

// deadLetters counts messages that were given up. They stay among the redelivered
// for ever, without being unacknowledged; those that are in flight again hide some.
func (s *series) deadLetters() Figure {
	seen := 0
	for _, e := range s.events {
		if e.Kind == inspect.EventMaxDeliver {
			seen++
		}
	}
	switch {
	case s.cfg == nil:
		return Figure{Value: float64(seen), Known: seen > 0, Why: "the configuration is not known"}
	case s.cfg.MaxDeliver == 1 && s.cfg.Acks():
		return Figure{Value: float64(seen), Known: seen > 0, Why: "with max_deliver 1 the server does not count them"}
	case s.cfg.MaxDeliver <= 0 || !s.cfg.Acks():
		return Figure{Known: true, Exact: !s.stale}
	}
	return Figure{
		Value: float64(max(0, s.now.NumRedelivered-max(0, s.now.NumAckPending), seen)), Known: true,
		Exact: s.now.NumRedelivered == 0 && seen == 0 && !s.stale,
	}
}
