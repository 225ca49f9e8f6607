package sample

import (
	"context"
	"time"
)

// A pacer spaces things evenly. What was held up is made up for, so that over
// time two pacers of the same rate do the same.
type pacer struct {
	every time.Duration
	next  time.Time
}

func perSecond(rate float64) *pacer {
	return &pacer{every: time.Duration(float64(time.Second) / rate)}
}

// wait returns when the next thing is due, or ctx ends.
func (p *pacer) wait(ctx context.Context) error {
	now := time.Now()
	if p.next.IsZero() {
		p.next = now
	}
	due := p.next
	p.next = due.Add(p.every)
	return pause(ctx, due.Sub(now))
}

// pause returns after d, or when ctx ends.
func pause(ctx context.Context, d time.Duration) error {
	if d <= 0 {
		return ctx.Err()
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
