package history

import (
	"math"
	"slices"
	"time"
)

// An Outage is a time without an acknowledgement, or without a delivery.
type Outage struct {
	From, To time.Duration
	Open     bool // it had not ended when the publishers were told to stop; To is that moment
}

// Length is how long it was.
func (o Outage) Length() time.Duration { return o.To - o.From }

// The shortest outage: half a second, or five messages.
const (
	minOutage      = 500 * time.Millisecond
	outageMessages = 5
)

// Threshold is how long a gap has to be, at least, not to be taken for jitter,
// when a message is sent each period. It is an outage when it is longer.
func Threshold(period time.Duration) time.Duration {
	if period > math.MaxInt64/outageMessages {
		return math.MaxInt64
	}
	return max(minOutage, outageMessages*period)
}

// Outages are the gaps longer than [Threshold] between the acknowledgements that
// a publisher got, whichever message they were for: from the last one before, or
// from when the publisher began, to the first one after, or to when the
// publishers were told to stop, or else to the last that is known of the load.
//
// An outage is too long by up to one Period, since nothing was tried in between,
// and its From lies before what caused it by as much. A publisher that sent
// nothing has none.
func Outages(r Record, publisher int) []Outage {
	pulses := acknowledgements(r)
	if publisher < 0 || publisher >= len(pulses) {
		return nil
	}
	return pulses[publisher].gaps(Threshold(r.Period), r.end())
}

// DeliveryGaps are the same for what was delivered to a consumer, from when the
// first publisher began. When nothing is stored, there is nothing to deliver: an
// outage of all publishers is one of each consumer.
func DeliveryGaps(r Record, consumer int) []Outage {
	pulses := deliveries(r)
	if consumer < 0 || consumer >= len(pulses) {
		return nil
	}
	return pulses[consumer].gaps(Threshold(r.Period), r.end())
}

// A pulse is when a publisher or a consumer was served.
type pulse struct {
	tried bool
	began time.Duration
	beats []time.Duration
}

func (p *pulse) try(at time.Duration) {
	if !p.tried || at < p.began {
		p.began = at
	}
	p.tried = true
}

func (p pulse) gaps(limit, end time.Duration) []Outage {
	if !p.tried {
		return nil
	}
	var out []Outage
	slices.Sort(p.beats)
	last := p.began
	for _, beat := range p.beats {
		if beat > end {
			break
		}
		if beat > last && beat-last > limit {
			out = append(out, Outage{From: last, To: beat})
		}
		last = max(last, beat)
	}
	if end > last && end-last > limit {
		out = append(out, Outage{From: last, To: end, Open: true})
	}
	return out
}

// acknowledgements has the pulse of each publisher, by number.
func acknowledgements(r Record) []pulse {
	pulses := make([]pulse, len(r.Publishers))
	for i := range r.Attempts {
		a := &r.Attempts[i]
		if int(a.Publisher) >= len(pulses) {
			continue
		}
		p := &pulses[a.Publisher]
		p.try(a.Began)
		if a.answer() == Acked {
			p.beats = append(p.beats, a.Ended)
		}
	}
	return pulses
}

// deliveries has the pulse of each consumer, by number.
func deliveries(r Record) []pulse {
	var load pulse
	for i := range r.Attempts {
		load.try(r.Attempts[i].Began)
	}
	pulses := make([]pulse, len(r.Consumers))
	for i := range pulses {
		pulses[i] = load
	}
	for _, d := range r.Deliveries {
		if int(d.Consumer) < len(pulses) {
			pulses[d.Consumer].beats = append(pulses[d.Consumer].beats, d.At)
		}
	}
	return pulses
}

// end is when the publishers were told to stop, or else the last that is known.
func (r Record) end() time.Duration {
	if r.Stopped > 0 {
		return r.Stopped
	}
	var end time.Duration
	for i := range r.Attempts {
		end = max(end, r.Attempts[i].Began, r.Attempts[i].Ended)
	}
	for i := range r.Deliveries {
		end = max(end, r.Deliveries[i].At)
	}
	for i := range r.Events {
		end = max(end, r.Events[i].At)
	}
	return end
}
