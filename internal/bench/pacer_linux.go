package bench

import (
	"runtime"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"
)

const preciseSleep = true

// A threadPacer sleeps in the kernel on a thread of its own. The runtime's
// timers are checked by whichever thread comes by and the kernel may round a
// sleep up by the thread's timer slack, 50 µs by default; both cost more than
// the operations that are to be measured.
type threadPacer struct{ clock clock }

func newThreadPacer(c clock) pacer {
	runtime.LockOSThread()
	// Without the permission the slack stays at its default, and the lateness
	// that is measured and shown tells.
	_ = unix.Prctl(unix.PR_SET_TIMERSLACK, 1, 0, 0, 0)
	return threadPacer{c}
}

func (p threadPacer) sleepUntil(at int64, stop *atomic.Bool) int64 {
	for {
		now := p.clock.now()
		if now >= at || stop.Load() {
			return now
		}
		ts := unix.NsecToTimespec(min(at-now, int64(longestSleep/time.Nanosecond)))
		_ = unix.Nanosleep(&ts, nil) // an interrupted sleep is resumed by the loop
	}
}

func (threadPacer) close() {
	_ = unix.Prctl(unix.PR_SET_TIMERSLACK, 0, 0, 0, 0) // 0: back to the default
	runtime.UnlockOSThread()
}
