package wire

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/nats-io/nats.go"
)

// answers come at these times after the question.
func answersAt(times ...time.Duration) <-chan *nats.Msg {
	msgs := make(chan *nats.Msg, len(times))
	for _, at := range times {
		time.AfterFunc(at, func() { msgs <- &nats.Msg{Data: []byte("{}")} })
	}
	return msgs
}

func TestWaitingEndsInTime(t *testing.T) {
	const ms = time.Millisecond
	for name, c := range map[string]struct {
		answers []time.Duration
		expect  int // -1: never known
		hasty   bool
		want    time.Duration
		got     int
	}{
		"all came":                        {[]time.Duration{10 * ms, 20 * ms}, 2, false, 20 * ms, 2},
		"one is silent":                   {[]time.Duration{10 * ms}, 2, false, 2000 * ms, 1},
		"one is silent, hasty":            {[]time.Duration{10 * ms, 100 * ms}, 3, true, 600 * ms, 2},
		"slow ones move the end":          {[]time.Duration{10 * ms, 300 * ms, 1100 * ms}, 4, true, 2000 * ms, 3},
		"nobody knows how many":           {[]time.Duration{10 * ms, 20 * ms}, 0, false, 360 * ms, 2},
		"it does not become known":        {[]time.Duration{10 * ms}, -1, false, 2000 * ms, 1},
		"it does not become known, hasty": {[]time.Duration{10 * ms}, -1, true, 330 * ms, 1},
		"nobody speaks":                   {nil, 3, true, 2000 * ms, 0},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
				defer cancel()
				expect := NewTally()
				if c.expect >= 0 {
					time.AfterFunc(15*ms, func() { expect.Set(c.expect) })
				}
				start := time.Now()
				w := wait{sent: start, audience: Audience{expect, c.hasty}, want: -1}
				n := 0
				err := w.collect(ctx, answersAt(c.answers...), func(*nats.Msg) { n++ })
				if took := time.Since(start); took != c.want || n != c.got {
					t.Errorf("%d answers within %v (%v), want %d within %v", n, took, err, c.got, c.want)
				}
			})
		})
	}
}

func TestNobodyListeningEndsTheWaitAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		msgs := make(chan *nats.Msg, 1)
		msgs <- &nats.Msg{Header: nats.Header{"Status": {"503"}}}
		start := time.Now()
		w := wait{sent: start, audience: Audience{Expect: NewTally()}, want: -1}
		err := w.collect(t.Context(), msgs, func(*nats.Msg) { t.Error("that is no answer") })
		if !errors.Is(err, nats.ErrNoResponders) || time.Since(start) != 0 {
			t.Errorf("%v after %v", err, time.Since(start))
		}
	})
}

func TestOnlyTheFirstTallyCounts(t *testing.T) {
	tally := NewTally()
	tally.Set(3)
	tally.Set(4)
	if <-tally.known; tally.n != 3 {
		t.Errorf("%d", tally.n)
	}
}
