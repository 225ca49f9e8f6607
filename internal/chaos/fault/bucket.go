package fault

import (
	"context"
	"time"
)

// A bucket lets so many pass per second. What was not taken in time is lost, but
// for burst, so that a stall is not followed by a flood: from one moment to any
// later one, at most rate × time + burst pass.
type bucket struct {
	rate  float64 // 1/s, above 0
	burst float64 // at least 1

	tokens float64
	filled time.Time
}

// newBucket returns one that is empty. Its burst is what a twentieth of a second
// brings, so that a rate can be kept that is higher than a timer can tick.
func newBucket(rate float64) *bucket {
	return &bucket{rate: rate, burst: max(1, rate/20), filled: time.Now()}
}

// take waits until at least one may pass, and returns how many may, up to most.
func (b *bucket) take(ctx context.Context, most int) (int, error) {
	for {
		if err := ctx.Err(); err != nil {
			return 0, err
		}
		now := time.Now()
		b.tokens = min(b.burst, b.tokens+b.rate*now.Sub(b.filled).Seconds())
		b.filled = now
		if n := min(most, int(b.tokens)); n > 0 {
			b.tokens -= float64(n)
			return n, nil
		}
		missing := time.Duration((1 - b.tokens) / b.rate * float64(time.Second))
		if err := wait(ctx, max(missing, time.Millisecond)); err != nil {
			return 0, err
		}
	}
}

// wait returns after d, or when ctx ends.
func wait(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// until calls ok each tick until it is, or ctx ends.
func until(ctx context.Context, ok func(context.Context) bool) error {
	const tick = 20 * time.Millisecond
	for !ok(ctx) {
		if err := wait(ctx, tick); err != nil {
			return err
		}
	}
	return nil
}
