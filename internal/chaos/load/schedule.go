package load

import (
	"math/rand/v2"
	"time"
)

const (
	// catchUp is how late a message may begin. What a process that was stalled
	// cannot begin in time is left out, and counted, so that the load it makes is
	// never much above its rate.
	catchUp = 100 * time.Millisecond

	firstBackoff = 250 * time.Millisecond
	lastBackoff  = 5 * time.Second
)

// A schedule says when the messages of a publisher begin. It has no clock.
type schedule struct {
	offset time.Duration // of the first
	rate   float64       // per second
}

// due is when slot n begins, from 0.
func (s schedule) due(n uint64) time.Duration {
	return s.offset + time.Duration(float64(n)*float64(time.Second)/s.rate)
}

// skip returns how many slots from n are too late to begin now. The last that
// is due is not: a slow publisher may be late by a period.
func (s schedule) skip(n uint64, now time.Duration) uint64 {
	latest := now - max(catchUp, time.Duration(float64(time.Second)/s.rate))
	if s.due(n) >= latest {
		return 0
	}
	skipped := uint64(float64(latest-s.due(n)) * s.rate / float64(time.Second))
	for s.due(n+skipped) < latest { // rounding
		skipped++
	}
	return skipped
}

// backoff is how long to wait after attempt try, 1 being the first. Up to a
// quarter of it is left out, so that messages that failed together do not come
// back together.
func backoff(try uint16) time.Duration {
	d := lastBackoff
	if try < 6 {
		d = firstBackoff << (try - 1)
	}
	return d - rand.N(d/4) //nolint:gosec // not a secret
}

// A retry is an attempt to come.
type retry struct {
	at  time.Duration
	seq uint64
	try uint16
}

// retries is a heap of attempts to come, see container/heap.
type retries []retry

func (r retries) Len() int           { return len(r) }
func (r retries) Less(i, j int) bool { return r[i].at < r[j].at }
func (r retries) Swap(i, j int)      { r[i], r[j] = r[j], r[i] }
func (r *retries) Push(x any)        { *r = append(*r, x.(retry)) }
func (r *retries) Pop() any {
	last := len(*r) - 1
	x := (*r)[last]
	*r = (*r)[:last]
	return x
}
