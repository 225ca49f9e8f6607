package bench

import (
	"math"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/natsops/natsops/internal/stats"
)

// A recorder collects what all clients of a run saw. Clients write to meters,
// a batch at a time; once a second the recorder empties the meters into an
// interval and into the totals. The size of a run does not show in its memory.
type recorder struct {
	meters []*meter
	from   int64 // operations due earlier are warm-up, ns on the run's clock
	// messages arriving later than this are outside of the measured part
	until atomic.Int64

	intervals []Interval
	fold      int // one-second intervals that make up a kept one: 1, 2, 4, …
	partial   int // of them already in the last kept one
	cutAt     int64
	total     counts
	response  *stats.Histogram
	service   *stats.Histogram
	lateness  *stats.Histogram
	second    *stats.Histogram // response, of the interval being cut

	failures  failures
	failedCut uint64
}

// The most intervals kept: an hour of seconds.
const maxIntervals = 3600

// counts is what a meter counts besides times.
type counts struct {
	sent, received uint64 // all of them, for the intervals
	// Of operations that were due after the warm-up:
	begun, begunBytes uint64
	done, doneBytes   uint64
	// Of arrivals in the measured part, whenever they were due:
	arrived, arrivedBytes                 uint64
	blocked, refused, retries, unexpected uint64
	lastArrival                           int64
}

func (c *counts) add(d counts) {
	c.sent += d.sent
	c.received += d.received
	c.begun += d.begun
	c.begunBytes += d.begunBytes
	c.done += d.done
	c.doneBytes += d.doneBytes
	c.arrived += d.arrived
	c.arrivedBytes += d.arrivedBytes
	c.blocked += d.blocked
	c.refused += d.refused
	c.retries += d.retries
	c.unexpected += d.unexpected
	c.lastArrival = max(c.lastArrival, d.lastArrival)
}

// A meter is where a client's goroutine records. With few clients each has its
// own and its lock is never contended; a thousand clients share a few, since a
// histogram takes a quarter of a megabyte.
type meter struct {
	mu sync.Mutex
	counts
	times
	spare times
	_     [64]byte // keep neighbours off each other's cache lines
}

type times struct{ response, service, lateness *stats.Histogram }

func newTimes() times {
	return times{stats.NewHistogram(), stats.NewHistogram(), stats.NewHistogram()}
}

func (t times) reset() {
	t.response.Reset()
	t.service.Reset()
	t.lateness.Reset()
}

func newRecorder(clients int) *recorder {
	r := &recorder{
		meters:   make([]*meter, max(1, min(clients, 2*runtime.GOMAXPROCS(0), 16))),
		fold:     1,
		response: stats.NewHistogram(),
		service:  stats.NewHistogram(),
		lateness: stats.NewHistogram(),
		second:   stats.NewHistogram(),
	}
	r.until.Store(math.MaxInt64)
	for i := range r.meters {
		r.meters[i] = &meter{times: newTimes(), spare: newTimes()}
	}
	return r
}

// meter returns the meter of client i.
func (r *recorder) meter(i int) *meter { return r.meters[i%len(r.meters)] }

// begin sets when the load starts, and when its measured part.
func (r *recorder) begin(start, from int64) { r.cutAt, r.from = start, from }

// cut ends the interval under way at now, which must not go back.
func (r *recorder) cut(now int64) {
	var (
		sum  counts
		seen = r.second
	)
	seen.Reset()
	for _, m := range r.meters {
		c, t := m.swap()
		sum.add(c)
		seen.Merge(t.response)
		r.service.Merge(t.service)
		r.lateness.Merge(t.lateness)
		t.reset()
	}
	r.response.Merge(seen)
	r.total.add(sum)
	failed := r.failures.count.Load()
	r.keep(Interval{
		StartNS:  r.cutAt,
		LengthNS: now - r.cutAt,
		Warmup:   r.cutAt < r.from,
		Sent:     sum.sent,
		Received: sum.received,
		Errors:   failed - r.failedCut,
		P50NS:    quantile(seen, 0.50),
		P99NS:    quantile(seen, 0.99),
		MaxNS:    quantile(seen, 1),
	})
	r.cutAt, r.failedCut = now, failed
}

// swap takes what the meter holds and leaves it empty. Only pointers move under
// the lock: a client must not be held up by the merging of histograms.
func (m *meter) swap() (counts, times) {
	m.mu.Lock()
	defer m.mu.Unlock()
	c, t := m.counts, m.times
	m.counts, m.times, m.spare = counts{}, m.spare, t
	return c, t
}

func quantile(h *stats.Histogram, q float64) *int64 {
	if h.Count() == 0 {
		return nil
	}
	v := h.Quantile(q)
	return &v
}

// keep appends an interval, or adds it to the last one of a long run.
func (r *recorder) keep(in Interval) {
	if r.partial > 0 && r.partial < r.fold {
		last := &r.intervals[len(r.intervals)-1]
		*last = joined(*last, in)
		r.partial++
		return
	}
	if len(r.intervals) == maxIntervals {
		for i := range maxIntervals / 2 {
			r.intervals[i] = joined(r.intervals[2*i], r.intervals[2*i+1])
		}
		r.intervals = r.intervals[:maxIntervals/2]
		r.fold *= 2
	}
	r.intervals = append(r.intervals, in)
	r.partial = 1
}

func joined(a, b Interval) Interval {
	a.LengthNS += b.LengthNS
	a.Sent += b.Sent
	a.Received += b.Received
	a.Errors += b.Errors
	a.P50NS = larger(a.P50NS, b.P50NS)
	a.P99NS = larger(a.P99NS, b.P99NS)
	a.MaxNS = larger(a.MaxNS, b.MaxNS)
	return a
}

func larger(a, b *int64) *int64 {
	if a == nil || b != nil && *b > *a {
		return b
	}
	return a
}

// peek returns the totals so far, with what the meters hold.
func (r *recorder) peek() counts {
	sum := r.total
	for _, m := range r.meters {
		m.mu.Lock()
		sum.add(m.counts)
		m.mu.Unlock()
	}
	return sum
}

// failures counts failed operations by class, with the first text of each.
type failures struct {
	count atomic.Uint64
	mu    sync.Mutex
	by    []ErrorCount
}

func (f *failures) add(class ErrorClass, example string) {
	f.count.Add(1)
	f.mu.Lock()
	defer f.mu.Unlock()
	i := slices.IndexFunc(f.by, func(e ErrorCount) bool { return e.Class == class })
	if i < 0 {
		i = len(f.by)
		f.by = append(f.by, ErrorCount{Class: class, Example: example})
	}
	f.by[i].Count++
}

func (f *failures) list() []ErrorCount {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.by)
}
