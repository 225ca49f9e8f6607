package bench

import (
	"runtime"
	"sync/atomic"
	"time"
)

// A pacer waits for due times. It belongs to one goroutine, from construction
// to close.
type pacer interface {
	// sleepUntil waits until the clock shows at, or until stop is set (checked
	// at least every 10 ms), and returns what the clock shows then.
	sleepUntil(at int64, stop *atomic.Bool) int64
	close()
}

// Pacing chooses how senders wait for due times.
type Pacing int

// PacingAuto waits as precisely as the system allows; PacingTimer always uses
// the runtime's timers, which a test can fake.
const (
	PacingAuto Pacing = iota
	PacingTimer
)

// The longest single sleep, so that an interrupt is noticed soon.
const longestSleep = 10 * time.Millisecond

// name returns how n senders will wait: "nanosleep" or "timer". A thread of its
// own for each sender is only of use while there are processors to run them.
func (p Pacing) name(n int) string {
	if p == PacingAuto && preciseSleep && n <= runtime.GOMAXPROCS(0) {
		return "nanosleep"
	}
	return "timer"
}

func (p Pacing) start(c clock, n int) pacer {
	if p.name(n) == "nanosleep" {
		return newThreadPacer(c)
	}
	return timerPacer{c}
}

// A timerPacer uses the runtime's timers. They fire up to about a millisecond
// late while other goroutines run or the system rounds up.
type timerPacer struct{ clock clock }

func (p timerPacer) sleepUntil(at int64, stop *atomic.Bool) int64 {
	for {
		now := p.clock.now()
		if now >= at || stop.Load() {
			return now
		}
		<-time.After(min(time.Duration(at-now), longestSleep))
	}
}

func (timerPacer) close() {}
