package lag

import (
	"cmp"
	"slices"
	"time"

	"github.com/natsops/natsops/internal/inspect"
)

// A position says where the oldest message is that a consumer has yet to finish:
// it is the first from a sequence on, stored not before a time.
type position struct {
	from  uint64
	since time.Time // zero: any
	exact bool
}

// positionOf returns the position of a consumer whose configuration is known.
//
// While messages are unacknowledged it is behind the acknowledgement floor. That
// is 0 on replicated consumers until it first moves, wherever they began, so that
// the deliver policy has to say where that was.
func positionOf(c *inspect.Consumer, cfg *inspect.ConsumerConfig) position {
	p := position{from: c.Delivered.Stream + 1, exact: true}
	if c.NumAckPending > 0 && cfg.Acks() {
		p.from = c.AckFloor.Stream + 1
	}
	if p.from > 1 {
		p.exact = cfg.DeliverPolicy != "last_per_subject" // it passes messages that newer ones replace
		return p
	}
	switch cfg.DeliverPolicy {
	case "", "all":
	case "by_start_sequence":
		p.from = max(1, cfg.OptStartSeq)
	case "by_start_time":
		if cfg.OptStartTime != nil {
			p.since = *cfg.OptStartTime
		}
	default: // new, last, last_per_subject: about when it was made, but last may be older
		p.since, p.exact = c.Created, false
	}
	return p
}

// head is the oldest message that is not finished.
type head struct {
	age     Figure
	seq     uint64 // 0: not known
	subject string // "": not known
	at      time.Time
}

// oldest finds it: in the stream's state for nothing, or in the answer to a [Lookup].
func (s *series) oldest() head {
	c := s.now
	if c.NumPending == 0 && c.NumAckPending <= 0 {
		return head{age: Figure{Known: true, Exact: !s.stale}}
	}
	if s.cfg == nil {
		return head{age: Figure{Why: "the configuration is not known"}}
	}
	p := positionOf(c, s.cfg)
	if h, ok := s.free(p); ok {
		return h
	}
	switch {
	case s.found == nil:
		return head{age: Figure{Why: "it was not looked up"}}
	case s.found.Why != "":
		return head{age: Figure{Why: s.found.Why}}
	case !s.found.Found:
		return head{age: Figure{Why: "no such message was found a moment later"}}
	}
	return s.headAt(s.found.At, p.exact, s.found.Seq, s.found.Subject)
}

func (s *series) free(p position) (head, bool) {
	stream := s.samples[len(s.samples)-1].stream
	if stream == nil {
		return head{}, false
	}
	at, seq, exact, ok := fromState(stream, s.store, s.cfg, p)
	if !ok {
		return head{}, false
	}
	return s.headAt(at, exact, seq, ""), true
}

func (s *series) headAt(at time.Time, exact bool, seq uint64, subject string) head {
	age := Figure{Value: max(0, s.at().Sub(at).Seconds()), Known: true, Exact: exact && !s.stale}
	return head{age: age, seq: seq, subject: subject, at: at}
}

// fromState tells what the stream's state says about the message at a position:
// the times of its first and last messages are there.
func fromState(stream *inspect.Stream, store *inspect.StreamConfig, cfg *inspect.ConsumerConfig, p position) (at time.Time, seq uint64, exact, ok bool) {
	state := stream.State
	switch {
	case !takesAll(cfg, stream, store):
		return at, 0, false, false
	case p.from > state.LastSeq && !stream.At.IsZero(): // it came after the stream was looked at
		return stream.At, 0, false, true
	case state.Messages > 0 && state.FirstSeq >= p.from && !state.FirstTime.Before(p.since):
		return state.FirstTime, state.FirstSeq, p.exact, true
	case state.Messages > 0 && state.LastSeq == p.from && p.from > 1:
		return state.LastTime, state.LastSeq, p.exact, true
	}
	return at, 0, false, false
}

// Lookups returns whose oldest message has to be asked for, worst first, and at
// most so many: of consumers that may be behind, where the state of the stream
// does not say it. A lookup can take the server long: for a rare subject in a
// large stream, tens of milliseconds.
func Lookups(s *inspect.Snapshot, t Thresholds, most int) []inspect.Lookup {
	type candidate struct {
		lookup  inspect.Lookup
		class   int
		backlog uint64
	}
	var candidates []candidate
	streams := index[inspect.Stream]{items: s.Streams, key: (*inspect.Stream).Key}
	for i := range s.Consumers {
		c := &s.Consumers[i]
		if !known(c) || c.Config == nil {
			continue
		}
		class := suspicion(c, t, s)
		stream := streams.find(inspect.Key{Account: c.Account, Stream: c.Stream})
		silent := stream != nil && stream.Reading.State != inspect.Fresh // who leads it would not answer
		if class == 0 || silent || told(c, stream) {
			continue
		}
		candidates = append(candidates, candidate{lookup(c, stream), class, c.NumPending + uint64(max(0, c.NumAckPending))})
	}
	slices.SortStableFunc(candidates, func(a, b candidate) int {
		return cmp.Or(cmp.Compare(b.class, a.class), cmp.Compare(b.backlog, a.backlog), a.lookup.Key.Compare(b.lookup.Key))
	})
	lookups := make([]inspect.Lookup, max(0, min(most, len(candidates))))
	for i := range lookups {
		lookups[i] = candidates[i].lookup
	}
	return lookups
}

// suspicion says how likely a consumer is behind; 0: not at all.
func suspicion(c *inspect.Consumer, t Thresholds, s *inspect.Snapshot) int {
	backlog := c.NumPending + uint64(max(0, c.NumAckPending))
	active, ever := lastActive(c)
	overtaken := behind(c.Delivered.Consumer, c.AckFloor.Consumer)
	switch {
	case backlog == 0:
		return 0
	case backlog > t.Backlog:
		return 3
	case !ever || clock(c.Timestamp, c.Reading, s.At).Sub(active) >= t.Age:
		return 2
	case c.Config.Acks() && c.NumAckPending > 0 && overtaken > uint64(c.NumAckPending)+t.Backlog:
		return 1 // one is held while many after it are finished
	default:
		return 0
	}
}

// told reports whether the age of the oldest message is known without asking.
func told(c *inspect.Consumer, stream *inspect.Stream) bool {
	if stream == nil || stream.Reading.State != inspect.Fresh {
		return false
	}
	_, _, _, ok := fromState(stream, stream.Config, c.Config, positionOf(c, c.Config))
	return ok
}

// Verifications returns lookups for all consumers, with which [Judge] can tell
// whether what a consumer counts as pending is there.
func Verifications(s *inspect.Snapshot) []inspect.Lookup {
	var lookups []inspect.Lookup
	streams := index[inspect.Stream]{items: s.Streams, key: (*inspect.Stream).Key}
	for i := range s.Consumers {
		if c := &s.Consumers[i]; known(c) && c.Config != nil {
			lookups = append(lookups, lookup(c, streams.find(inspect.Key{Account: c.Account, Stream: c.Stream})))
		}
	}
	return lookups
}

func lookup(c *inspect.Consumer, stream *inspect.Stream) inspect.Lookup {
	p := positionOf(c, c.Config)
	return inspect.Lookup{
		Key: c.Key(), From: p.from, Since: p.since, Filters: c.Config.Filters(),
		Direct: stream != nil && stream.Config != nil && stream.Config.AllowDirect,
	}
}

// lastActive is when something was last delivered or acknowledged. A restart of
// the server forgets it.
func lastActive(c *inspect.Consumer) (at time.Time, ok bool) {
	for _, t := range []*time.Time{c.Delivered.Last, c.AckFloor.Last} {
		if t != nil && !t.IsZero() && t.After(at) {
			at, ok = *t, true
		}
	}
	return at, ok
}
