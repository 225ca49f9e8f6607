// Package bench offers load to NATS on a schedule and measures what becomes of
// it, from the moment each operation was due.
//
// A [Config] describes a run, [Run] makes it, and a [Result] is what it
// measured. The client below is a [Driver]. [Schedule] says when operations are
// due, senders begin them, receivers enter what arrives in meters and ledgers,
// and once a second a recorder gathers what the meters hold.
package bench

import "time"

// A clock counts nanoseconds from the start of a run. It reads the monotonic
// clock, so that steps of the wall clock do not show in results.
type clock struct{ start time.Time }

func startClock() clock { return clock{time.Now()} }

func (c clock) now() int64 { return int64(time.Since(c.start)) }

// unix returns the wall-clock time, ns since 1970, of the clock's zero. Stamps
// carry it so that a receiver in another process can tell one-way latency.
func (c clock) unix() int64 { return c.start.UnixNano() }
