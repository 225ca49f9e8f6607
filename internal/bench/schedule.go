package bench

import (
	"math"
	"math/rand/v2"
	"time"
)

// A Schedule says when operations are due, counted from the start of the load.
// It has no clock. Nil means unpaced: as fast as the window of operations in
// flight allows.
type Schedule interface {
	// Share returns the due times of sender i of n, in order. The senders take
	// turns, so that together they follow the schedule and never fire at once.
	Share(i, n int) Arrivals
	// MeanRate is the asked-for rate, operations per second, over the first d.
	MeanRate(d time.Duration) float64
	String() string
}

// Arrivals yields the next due time. Due times never decrease.
type Arrivals func() time.Duration

// due is the k-th due time of a schedule that is a pure function.
type due func(k uint64) time.Duration

func (f due) share(i, n int) Arrivals {
	k := uint64(i)
	return func() time.Duration {
		d := f(k)
		k += uint64(n)
		return d
	}
}

// farAway is beyond the end of any run: 292 years.
const farAway = time.Duration(math.MaxInt64)

// seconds converts without overflow: what lies beyond 292 years is farAway.
func seconds(s float64) time.Duration {
	if s >= farAway.Seconds() {
		return farAway
	}
	return time.Duration(math.Round(s * 1e9))
}

// Constant is a schedule of equal gaps: operation k is due at k/rate seconds.
type Constant float64

// Share implements Schedule.
func (c Constant) Share(i, n int) Arrivals {
	return due(func(k uint64) time.Duration { return seconds(float64(k) / float64(c)) }).share(i, n)
}

// MeanRate implements Schedule.
func (c Constant) MeanRate(time.Duration) float64 { return float64(c) }

func (c Constant) String() string { return "constant" }

// Poisson is a schedule of independent arrivals: gaps are exponential, as when
// many unrelated users each ask now and then. The seed replays it.
type Poisson struct {
	Rate float64 // operations per second
	Seed uint64
}

// Share implements Schedule. Poisson processes add up: n senders, each at a
// rate of 1/n, are together Poisson at the whole rate.
func (p Poisson) Share(i, n int) Arrivals {
	var (
		rng = rand.New(rand.NewPCG(p.Seed, uint64(i))) //nolint:gosec // load, not secrets; must replay from its seed
		gap = float64(n) / p.Rate
		at  float64
	)
	return func() time.Duration {
		at += rng.ExpFloat64() * gap
		return seconds(at)
	}
}

// MeanRate implements Schedule.
func (p Poisson) MeanRate(time.Duration) float64 { return p.Rate }

func (p Poisson) String() string { return "poisson" }

// Ramp is a schedule whose rate grows (or falls) evenly from From to To
// operations per second over Over, and stays at To.
type Ramp struct {
	From, To float64
	Over     time.Duration
}

// Share implements Schedule.
func (r Ramp) Share(i, n int) Arrivals { return due(r.due).share(i, n) }

// due solves k = From·t + (To−From)·t²/(2·Over) for t, in the form that does
// not cancel when From and To are nearly equal.
func (r Ramp) due(k uint64) time.Duration {
	var (
		over  = r.Over.Seconds()
		accel = (r.To - r.From) / over
		total = (r.From + r.To) / 2 * over
		want  = float64(k)
	)
	if want >= total {
		return seconds(over + (want-total)/r.To)
	}
	root := math.Sqrt(max(0, r.From*r.From+2*accel*want))
	if r.From+root == 0 {
		return 0
	}
	return seconds(2 * want / (r.From + root))
}

// MeanRate implements Schedule.
func (r Ramp) MeanRate(d time.Duration) float64 {
	if d <= r.Over {
		return r.From + (r.To-r.From)*d.Seconds()/r.Over.Seconds()/2
	}
	total := (r.From+r.To)/2*r.Over.Seconds() + r.To*(d-r.Over).Seconds()
	return total / d.Seconds()
}

func (r Ramp) String() string { return "ramp" }

// Steps is a schedule that holds each rate for the same time, and then stays at
// the last.
type Steps struct {
	Rates []float64 // operations per second
	Each  time.Duration
}

// Share implements Schedule.
func (s Steps) Share(i, n int) Arrivals { return due(s.due).share(i, n) }

func (s Steps) due(k uint64) time.Duration {
	var (
		begin = 0.0
		left  = float64(k)
		each  = s.Each.Seconds()
		last  = len(s.Rates) - 1
	)
	for _, rate := range s.Rates[:last] {
		if left < rate*each {
			return seconds(begin + left/rate)
		}
		left -= rate * each
		begin += each
	}
	return seconds(begin + left/s.Rates[last])
}

// MeanRate implements Schedule.
func (s Steps) MeanRate(d time.Duration) float64 {
	var total, begin float64
	for i, rate := range s.Rates {
		end := begin + s.Each.Seconds()
		if i == len(s.Rates)-1 {
			end = math.Inf(1)
		}
		total += rate * max(0, min(end, d.Seconds())-begin)
		begin = end
	}
	return total / d.Seconds()
}

func (s Steps) String() string { return "steps" }
