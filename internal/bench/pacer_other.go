//go:build !linux

package bench

const preciseSleep = false

// newThreadPacer is never called where preciseSleep is false.
func newThreadPacer(c clock) pacer { return timerPacer{c} }
