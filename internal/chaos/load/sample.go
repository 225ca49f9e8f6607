package load

import (
	"math"
	"slices"
	"time"

	"github.com/natsops/natsops/internal/chaos/history"
)

// A Sample is a look at a load. Attempts count when they end, in a window that
// reaches until now.
type Sample struct {
	At         time.Duration // since the start
	Window     time.Duration // less than was asked for when the load has not run so long
	Publishers []PublisherSample
	Acks       uint64
	Errors     uint64                   // attempts that were refused, or of which nothing is known
	Classes    map[history.Class]uint64 // of Errors, by why they were not acknowledged
	Rate       float64                  // acknowledgements per second
	// P50, P99 and Max are times from the beginning of an attempt to its
	// acknowledgement; 0: there was none.
	P50, P99, Max time.Duration
	Deliveries    uint64
	SinceDelivery time.Duration // the last one, or the start
	Open          int           // messages that are neither acknowledged nor given up
	// Missed messages were due, and could not begin in time, since the start: this
	// process was starved, or a connection did not take them. The silence that
	// this makes is not the fault of a server.
	Missed uint64
}

// A PublisherSample is a look at one publisher.
type PublisherSample struct {
	Name, Server string
	Connected    bool
	Acks, Errors uint64
	Open         int
	Missed       uint64
	LastAck      time.Duration // since the start; 0: there was none, ever
	SinceAck     time.Duration // the last one, or the start
}

// Look looks at what has happened in the last window. It costs a few ns for
// each attempt in it.
func (l *Load) Look(window time.Duration) Sample {
	now := l.diary.now()
	s := Sample{
		At: now, Window: min(window, now),
		Publishers: make([]PublisherSample, len(l.publishers)),
		Classes:    make(map[history.Class]uint64),
	}
	var took []time.Duration
	for i, p := range l.publishers {
		ps := &s.Publishers[i]
		ps.Name, ps.Server = p.name, l.cfg.Publishers[i].Server
		ps.Connected = p.conn.IsConnected()
		took = p.look(&s, ps, took)
		ps.SinceAck = max(0, now-ps.LastAck)
		s.Acks += ps.Acks
		s.Errors += ps.Errors
		s.Open += ps.Open
		s.Missed += ps.Missed
	}
	var last time.Duration
	s.Deliveries, last = l.deliveries.since(now - s.Window)
	s.SinceDelivery = max(0, now-last)
	if s.Window > 0 {
		s.Rate = float64(s.Acks) / s.Window.Seconds()
	}
	if len(took) > 0 {
		slices.Sort(took)
		s.P50, s.P99, s.Max = quantile(took, 0.5), quantile(took, 0.99), took[len(took)-1]
	}
	return s
}

// look counts the attempts of a publisher, from the last one back, and appends
// how long those took that were acknowledged.
func (p *publisher) look(s *Sample, ps *PublisherSample, took []time.Duration) []time.Duration {
	p.mu.Lock()
	defer p.mu.Unlock()
	ps.Open, ps.Missed, ps.LastAck = p.open, p.missed, p.lastAck
	from := s.At - s.Window
	for i := p.log.n - 1; i >= 0; i-- {
		a := p.log.at(i)
		if a.Began < from-2*p.cfg.AckWait {
			break // an answer that comes later than this is seen in LastAck only
		}
		switch {
		case a.Ended == 0 || a.Ended < from:
		case a.Outcome == history.Acked:
			ps.Acks++
			took = append(took, a.Ended-a.Began)
		default:
			ps.Errors++
			s.Classes[a.Class]++
		}
	}
	return took
}

// quantile is the nearest rank of sorted durations.
func quantile(sorted []time.Duration, q float64) time.Duration {
	return sorted[max(1, int(math.Ceil(q*float64(len(sorted)))))-1]
}
