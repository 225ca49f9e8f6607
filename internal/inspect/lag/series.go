package lag

import (
	"slices"
	"sort"
	"time"

	"github.com/natsops/natsops/internal/inspect"
)

// A series is what is known of one consumer over a window.
type series struct {
	key    inspect.Key
	limit  Thresholds
	last   *inspect.Consumer       // in the last snapshot, known or not
	now    *inspect.Consumer       // the newest that is known; nil: nothing is
	cfg    *inspect.ConsumerConfig // nil: not known
	stream *inspect.Stream         // the newest that is known; nil: nothing is
	store  *inspect.StreamConfig   // its configuration; nil: not known
	events []inspect.Event         // within the window, oldest first

	// Of the consumer as it is now, oldest first, each newer than the one before.
	samples []sample
	stale   bool   // nothing newer was said in the last snapshot
	moved   bool   // another server became its leader among the samples
	reset   string // why samples before these do not count; "": there are none

	found  *inspect.Oldest // nil: not asked
	change change
	head   head
	loss   loss
	v      *Verdict // its figures are known before its status
}

// A sample is what one snapshot says. The stream was not looked at in the same
// instant as the consumer.
type sample struct {
	c      *inspect.Consumer
	stream *inspect.Stream // nil: not known then
	at     time.Time       // by the clock of the consumer's leader
	taken  time.Time       // by ours
	after  time.Duration   // since the sample before
}

func (p sample) backlog() float64  { return float64(p.c.NumPending) + float64(p.unacked()) }
func (p sample) unacked() int      { return max(0, p.c.NumAckPending) }
func (p sample) pending() float64  { return float64(p.c.NumPending) }
func (p sample) first() uint64     { return p.stream.State.FirstSeq }
func (p sample) delivered() uint64 { return p.c.Delivered.Stream }

// clock returns the first of the times that is set.
func clock(said time.Time, r inspect.Reading, taken time.Time) time.Time {
	switch {
	case !said.IsZero():
		return said
	case !r.At.IsZero():
		return r.At
	default:
		return taken
	}
}

// A new leader applies what the old one had replicated. Up to so many messages
// its sequences may be behind without the consumer having been reset.
const leaderBehind = 1000

// unlike says why b, the sample after a, is not of the same consumer, or nothing.
func (b sample) unlike(a sample) (why string) {
	if !a.c.Created.IsZero() && !b.c.Created.IsZero() && !a.c.Created.Equal(b.c.Created) {
		return "created changed"
	}
	back := max(behind(a.c.Delivered.Consumer, b.c.Delivered.Consumer), behind(a.c.Delivered.Stream, b.c.Delivered.Stream))
	if back == 0 || back <= leaderBehind && ledByAnother(a.c, b.c) {
		return ""
	}
	return "delivered went back"
}

// behind returns how far b is below a.
func behind(a, b uint64) uint64 { return a - min(a, b) }

func ledByAnother(a, b *inspect.Consumer) bool {
	if a.Cluster == nil || b.Cluster == nil {
		return a.By != b.By
	}
	return a.Cluster.Leader != b.Cluster.Leader || !a.Cluster.LeaderSince.Equal(b.Cluster.LeaderSince)
}

// elapsed returns the time from a to b. The clocks of two servers are not
// compared; ours is then good enough. Zero: it cannot be told.
func (b sample) elapsed(a sample) time.Duration {
	if a.c.By == b.c.By && !ledByAnother(a.c, b.c) {
		return max(0, b.at.Sub(a.at))
	}
	return max(0, b.taken.Sub(a.taken))
}

// A film is a window of snapshots, in which consumers are found fast.
type film struct {
	frames []frame
	events map[inspect.Key][]inspect.Event
	reused series
	stream inspect.Key // whose entry in each frame was found last
}

type frame struct {
	taken     time.Time
	consumers index[inspect.Consumer]
	streams   index[inspect.Stream]
	stream    *inspect.Stream // nil: there is none
}

func newFilm(window []*inspect.Snapshot) *film {
	f := &film{frames: make([]frame, len(window)), events: map[inspect.Key][]inspect.Event{}}
	for i, s := range window {
		f.frames[i] = frame{
			taken:     s.At,
			consumers: index[inspect.Consumer]{items: s.Consumers, key: (*inspect.Consumer).Key},
			streams:   index[inspect.Stream]{items: s.Streams, key: (*inspect.Stream).Key},
		}
		for _, e := range s.Events {
			f.events[e.Key] = append(f.events[e.Key], e)
		}
	}
	return f
}

// series gathers what is known of a consumer of the last frame, until the next call.
func (f *film) series(last *inspect.Consumer, t Thresholds) *series {
	f.reused = series{key: last.Key(), limit: t, last: last, samples: f.reused.samples[:0], stale: last.State == inspect.Stale}
	s := &f.reused
	s.events = f.events[s.key]
	if !known(last) {
		return s
	}
	if k := (inspect.Key{Account: s.key.Account, Stream: s.key.Stream}); k != f.stream {
		f.stream = k
		for i := range f.frames {
			f.frames[i].stream = f.frames[i].streams.find(k)
		}
	}
	for i := range f.frames {
		s.add(&f.frames[i], i == len(f.frames)-1)
	}
	if n := len(s.samples); n > 0 {
		s.now = s.samples[n-1].c
	}
	return s
}

// add takes what a frame says of the consumer and of its stream.
func (s *series) add(f *frame, isLast bool) {
	stream := f.stream
	if stream != nil && stream.Reading.State != inspect.Unknown {
		s.learn(stream)
	}
	c := s.last
	if !isLast {
		c = f.consumers.find(s.key)
	}
	if c == nil || !known(c) {
		return
	}
	p := sample{c: c, at: clock(c.Timestamp, c.Reading, f.taken), taken: f.taken}
	if stream != nil && stream.Reading.State == inspect.Fresh {
		p.stream = stream
	}
	// Old news are no sample; but better than none, if nothing else is known in the end.
	if c.State == inspect.Fresh || isLast && len(s.samples) == 0 {
		s.append(p)
	}
}

// append adds a sample, and drops those before that do not go with it.
func (s *series) append(p sample) {
	for len(s.samples) > 0 {
		previous := s.samples[len(s.samples)-1]
		if why := p.unlike(previous); why != "" {
			s.reset, s.moved, s.cfg, s.samples = why, false, nil, s.samples[:0]
			break
		}
		if p.after = p.elapsed(previous); p.after > 0 {
			s.moved = s.moved || ledByAnother(previous.c, p.c)
			break
		}
		s.samples = s.samples[:len(s.samples)-1] // the same answer again, or a clock was set back
	}
	s.samples = append(s.samples, p)
	if p.c.Config != nil {
		s.cfg = p.c.Config
	}
}

// known reports whether the numbers of a consumer mean anything. Where a server
// is down, there are entries without a name.
func known(c *inspect.Consumer) bool {
	return c.State != inspect.Unknown && c.Name != "" && c.Offline == ""
}

func (s *series) learn(stream *inspect.Stream) {
	s.stream = stream
	if stream.Config != nil {
		s.store = stream.Config
	}
}

// every reports whether something is true of all samples.
func (s *series) every(is func(sample) bool) bool {
	return !slices.ContainsFunc(s.samples, func(p sample) bool { return !is(p) })
}

// at is the time of the newest sample.
func (s *series) at() time.Time { return s.samples[len(s.samples)-1].at }

// An index finds items by their key: at once when asked for in the order of the
// items, fast when they are sorted, and in any case.
type index[T any] struct {
	items  []T
	key    func(*T) inspect.Key
	next   int
	looked bool
	byKey  map[inspect.Key]int // nil: they are sorted
}

func (x *index[T]) find(k inspect.Key) *T {
	if x.next < len(x.items) && x.key(&x.items[x.next]) == k {
		x.next++
		return &x.items[x.next-1]
	}
	if !x.looked {
		x.look()
	}
	i, found := x.byKey[k]
	if x.byKey == nil {
		i, found = sort.Find(len(x.items), func(i int) int { return k.Compare(x.key(&x.items[i])) })
	}
	if !found {
		return nil
	}
	x.next = i + 1
	return &x.items[i]
}

// look finds out whether the items are sorted.
func (x *index[T]) look() {
	x.looked = true
	for i := 1; i < len(x.items); i++ {
		if x.key(&x.items[i-1]).Compare(x.key(&x.items[i])) > 0 {
			x.byKey = make(map[inspect.Key]int, len(x.items))
			break
		}
	}
	if x.byKey == nil {
		return
	}
	for i := range x.items {
		x.byKey[x.key(&x.items[i])] = i
	}
}
