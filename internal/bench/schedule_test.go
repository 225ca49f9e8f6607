package bench

import (
	"math"
	"testing"
	"time"

	"pgregory.net/rapid"
)

func take(a Arrivals, until time.Duration) []time.Duration {
	var ds []time.Duration
	for d := a(); d < until; d = a() {
		ds = append(ds, d)
	}
	return ds
}

func TestConstantScheduleIsExactFarIntoARun(t *testing.T) {
	day := uint64(24 * 3600)
	for _, rate := range []float64{1, 3, 1000, 333_333, 10e6} {
		k := day * uint64(rate)
		got := due(func(k uint64) time.Duration { return seconds(float64(k) / rate) })(k)
		if want := 24 * time.Hour; got != want {
			t.Errorf("rate %v: operation %d is due at %v, want %v", rate, k, got, want)
		}
	}
}

// The senders of a schedule must neither fire together nor leave the schedule:
// their merged due times are the schedule of one sender.
func TestSharesOfAScheduleInterleave(t *testing.T) {
	for _, s := range []Schedule{
		Constant(100),
		Ramp{From: 10, To: 300, Over: 2 * time.Second},
		Ramp{From: 300, To: 0.5, Over: 2 * time.Second},
		Steps{Rates: []float64{10, 200, 50}, Each: 700 * time.Millisecond},
	} {
		whole := take(s.Share(0, 1), 2*time.Second)
		seen := map[time.Duration]int{}
		count := 0
		for i := range 7 {
			for _, d := range take(s.Share(i, 7), 2*time.Second) {
				seen[d]++
				count++
			}
		}
		if count != len(whole) {
			t.Errorf("%v: 7 senders have %d operations, one has %d", s, count, len(whole))
		}
		for _, d := range whole {
			if seen[d] != 1 {
				t.Errorf("%v: %d senders are due at %v, want 1", s, seen[d], d)
			}
		}
	}
}

func TestScheduleOffersItsMeanRate(t *testing.T) {
	for _, s := range []Schedule{
		Constant(1000),
		Poisson{Rate: 1000, Seed: 1},
		Ramp{From: 100, To: 2000, Over: 10 * time.Second},
		Ramp{From: 100, To: 2000, Over: 4 * time.Second},
		Ramp{From: 0, To: 1000, Over: 10 * time.Second},
		Steps{Rates: []float64{100, 1000, 500}, Each: 3 * time.Second},
	} {
		const d = 10 * time.Second
		got, want := float64(len(take(s.Share(0, 1), d)))/d.Seconds(), s.MeanRate(d)
		if math.Abs(got-want) > 0.03*want {
			t.Errorf("%+v offers %.1f/s in %v, and says %.1f/s", s, got, d, want)
		}
	}
}

func TestPoissonGapsAreExponentialAndReplay(t *testing.T) {
	a, b := Poisson{Rate: 100, Seed: 7}.Share(0, 1), Poisson{Rate: 100, Seed: 7}.Share(0, 1)
	var last time.Duration
	var sum, squares float64
	const n = 100_000
	for range n {
		d := a()
		if again := b(); again != d {
			t.Fatalf("the same seed gives %v and %v", d, again)
		}
		gap := (d - last).Seconds()
		sum, squares, last = sum+gap, squares+gap*gap, d
	}
	mean := sum / n
	// The coefficient of variation of an exponential distribution is 1.
	if cv := math.Sqrt(squares/n-mean*mean) / mean; math.Abs(cv-1) > 0.02 {
		t.Errorf("coefficient of variation %.3f, want 1", cv)
	}
}

func TestDueTimesNeverDecrease(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		rate := rapid.Float64Range(0.001, 1e7)
		s := rapid.OneOf(
			rapid.Map(rate, func(r float64) Schedule { return Constant(r) }),
			rapid.Map(rate, func(r float64) Schedule { return Poisson{Rate: r, Seed: 3} }),
			rapid.Custom(func(t *rapid.T) Schedule {
				return Ramp{From: rate.Draw(t, "from"), To: rate.Draw(t, "to"), Over: time.Minute}
			}),
			rapid.Custom(func(t *rapid.T) Schedule {
				return Steps{Rates: rapid.SliceOfN(rate, 1, 5).Draw(t, "rates"), Each: time.Second}
			}),
		).Draw(t, "schedule")
		a := s.Share(rapid.IntRange(0, 3).Draw(t, "i"), 4)
		last := time.Duration(0)
		for range 1000 {
			d := a()
			if d < last {
				t.Fatalf("%+v: %v after %v", s, d, last)
			}
			last = d
		}
	})
}

func BenchmarkScheduleConstant(b *testing.B) {
	a := Constant(10_000).Share(0, 1)
	for b.Loop() {
		a()
	}
}
