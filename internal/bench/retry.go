package bench

import (
	"math/rand/v2"
	"slices"
	"time"
)

// An attempt is a request that failed and is or will be sent again.
type attempt struct {
	token uint64
	at    int64 // when to send it; 0: sent
}

// failed settles or repeats a request that has failed. The caller holds the
// meter's lock.
func (q *requester) failed(s *slot, token uint64, class ErrorClass, now int64) {
	q.wary.Store(true) // a reply may still come
	tries := token & (1<<attemptBits - 1)
	if class.retryable() && int(tries) < q.run.cfg.Retries && !q.run.cut.Load() {
		q.meter.retries++
		s.token.Store(token + 1)
		q.again = append(q.again, attempt{token + 1, now + int64(backoff(int(tries)))})
		return
	}
	if s.due >= q.run.rec.from {
		q.run.rec.failures.add(class, class.says())
		if class == ClassTimeout {
			// A request that was given up took at least this long. Left out, it
			// would make percentiles better the worse the service is.
			q.meter.response.Record(now - s.due)
			q.meter.service.Record(now - s.sent)
		}
	}
	q.release(s)
}

const (
	backoffBase = 50 * time.Millisecond
	backoffMost = 2 * time.Second
)

// longestRequest is how long it takes until a request has failed that is never
// answered, with all its attempts.
func (c Config) longestRequest() time.Duration {
	d := c.Timeout
	for n := range c.Retries {
		d += backoffCeiling(n) + c.Timeout
	}
	return d
}

func backoffCeiling(n int) time.Duration { return min(backoffMost, backoffBase<<n) }

// backoff returns how long to wait before attempt n+2: exponential with full
// jitter, so that clients that failed together do not come back together
// (Brooker, "Exponential Backoff And Jitter", AWS Architecture Blog, 2015).
func backoff(n int) time.Duration {
	return rand.N(backoffCeiling(n)) + 1 //nolint:gosec // spreading load, not a secret
}

// sweep gives up requests that waited too long, and sends again those whose
// backoff has passed. First attempts are in order of time, so it looks only at
// the oldest.
func (q *requester) sweep(now int64) {
	q.meter.mu.Lock()
	defer q.meter.mu.Unlock()
	patience := int64(q.run.cfg.Timeout)
	for ; q.oldest < q.next.Load(); q.oldest++ {
		s := q.slot(q.oldest)
		token := s.token.Load()
		if token == free || s.number != q.oldest || token&(1<<attemptBits-1) != 0 {
			continue
		}
		if now-s.last < patience {
			break
		}
		q.failed(s, token, ClassTimeout, now)
	}
	for i := len(q.again) - 1; i >= 0; i-- {
		if q.repeat(&q.again[i], now, patience) {
			q.again = slices.Delete(q.again, i, i+1)
		}
	}
}

// repeat reports whether nothing is left to be done for a.
func (q *requester) repeat(a *attempt, now, patience int64) bool {
	s := q.slot(a.token >> attemptBits)
	switch {
	case s.token.Load() != a.token:
		return true // answered
	case a.at == 0:
		if now-s.last < patience {
			return false
		}
		q.failed(s, a.token, ClassTimeout, now)
		return true
	case now < a.at:
		return false
	}
	s.last, a.at = now, 0
	if err := q.publish(a.token); err != nil {
		q.failed(s, a.token, q.run.env.Driver.Classify(err), now)
		return true
	}
	return false
}
