package proxy

import (
	"errors"
	"fmt"
	"slices"
	"time"
)

// A Flow says whether the bytes of one direction arrive at all.
type Flow string

const (
	// Pass lets them through.
	Pass Flow = ""
	// Freeze holds them, and the news that a side has closed, and delivers all
	// in order once the flow is [Pass] again, as TCP does across a partition
	// that heals. Nothing is lost: when [Window] bytes are held, the sender is
	// no longer read and feels the back-pressure.
	Freeze Flow = "freeze"
	// Drop loses them, and the news that a side has closed, while the sender
	// believes that they were delivered: no network does that to TCP, but a
	// middlebox that forgot the connection does. The stream then has a hole, so
	// a connection that lost anything delivers nothing more, and is reset once
	// both flows are [Pass].
	Drop Flow = "drop"
	// HalfOpen makes the sender vanish without a word (RFC 9293, 3.5.1): its
	// sockets that are open now are reset; the receiver's stay, what it sends is
	// read and lost, and it hears nothing until its reset, once both flows are
	// [Pass]. New connections to a target that vanished are accepted, and held
	// in the same way; those of a dialler that vanished pass, since it came back.
	HalfOpen Flow = "half-open"
)

const (
	chunkSize = 32 << 10 // bytes of one read, and of one write
	// tick is the time between the writes of a direction whose rate is limited.
	tick = 20 * time.Millisecond
)

// A Toxic is what happens to the bytes of each connection in one direction. The
// zero value is nothing.
type Toxic struct {
	Flow Flow
	// Latency delays each byte from its arrival; Jitter makes that up to so
	// much longer or shorter, drawn for each read from the proxy's seed. A byte
	// never overtakes another.
	Latency, Jitter time.Duration
	Rate            int64 // bytes per second and connection; 0: no limit
	Slice           int   // bytes of the largest write; 0: no limit
	SliceDelay      time.Duration
	// Limit closes a connection once so many more bytes have been delivered; 0:
	// no limit.
	Limit int64
}

// Toxics is what happens to a proxy's connections. The zero value is nothing.
type Toxics struct {
	Up   Toxic // from who dials to the target
	Down Toxic // from the target to who dialled
	// Refuse closes the listener, so that new connections are refused by the
	// system, and lets the open ones be.
	Refuse bool
}

// Validate tells what no proxy could do.
func (t Toxics) Validate() error {
	return errors.Join(t.Up.validate("up"), t.Down.validate("down"))
}

func (t Toxic) validate(direction string) error {
	if !slices.Contains([]Flow{Pass, Freeze, Drop, HalfOpen}, t.Flow) {
		return fmt.Errorf("%s: unknown flow %q", direction, t.Flow)
	}
	for _, n := range []int64{int64(t.Latency), int64(t.Jitter), t.Rate, int64(t.Slice), int64(t.SliceDelay), t.Limit} {
		if n < 0 {
			return fmt.Errorf("%s: %d is negative", direction, n)
		}
	}
	return nil
}

// passes tells whether what is sent now has a way in both directions.
func (t Toxics) passes() bool { return t.Up.Flow == Pass && t.Down.Flow == Pass }

// loses tells whether what is sent now never arrives.
func (t Toxic) loses() bool { return t.Flow == Drop || t.Flow == HalfOpen }

// due is when c may be delivered.
func (t Toxic) due(c chunk) time.Time {
	return c.arrived.Add(t.Latency + time.Duration(c.draw*float64(t.Jitter)))
}

// piece is how many of n bytes are delivered in one write, after passed others
// in this state.
func (t Toxic) piece(n int, passed int64) int {
	n = min(n, chunkSize)
	if t.Slice > 0 {
		n = min(n, t.Slice)
	}
	if t.Rate > 0 {
		n = int(min(int64(n), max(1, int64(float64(t.Rate)*tick.Seconds()))))
	}
	if t.Limit > 0 {
		n = int(max(0, min(int64(n), t.Limit-passed)))
	}
	return n
}

// pause is the time from a write of n bytes to the next.
func (t Toxic) pause(n int) time.Duration {
	d := t.SliceDelay
	if t.Rate > 0 {
		d += time.Duration(float64(n) / float64(t.Rate) * float64(time.Second))
	}
	return d
}
