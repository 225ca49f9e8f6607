package bench

import (
	"time"
)

// An operation is what one client does again and again.
type operation interface {
	// ready reports whether the client's window has room for one more.
	ready() bool
	// await waits for room, for a bounded time.
	await()
	// send begins one more. due is when it should have begun and now when it
	// does, on the run's clock. An error means that it did not begin.
	send(due, now int64) error
}

// A sender is a goroutine that offers load: it begins the operations of one or
// more clients, in turn.
type sender struct {
	run      *run
	clients  []operation
	arrivals Arrivals // nil: unpaced
	quota    uint64   // operations to begin after the warm-up
	meter    *meter
	size     uint64 // bytes of an operation

	left  uint64 // of quota
	batch counts // not yet in the meter
	late  []int64
	// exhausted is set when everything that was due has begun.
	exhausted bool
}

// The most operations begun between two looks at the clock, the meter and the
// stop flag, and the most bytes; a latency can be too high by what they take.
const (
	batchOps   = 64
	batchBytes = 16 << 10
)

// How long a sender goes on after the end of the load to begin what is overdue.
const grace = 250 * time.Millisecond

// A connection that refuses a message is left alone this long.
const pauseAfterError = 10 * time.Millisecond

func (s *sender) offer() {
	s.left = s.quota
	if s.arrivals == nil {
		s.unpaced()
	} else {
		s.paced()
	}
	s.settle()
}

// unpaced begins operations as fast as the client's window allows.
func (s *sender) unpaced() {
	var (
		client = s.clients[0]
		most   = int(max(1, min(batchOps, batchBytes/max(1, s.size))))
	)
	for !s.run.stop.Load() {
		now := s.run.clock.now()
		for range most {
			if s.spent() {
				break
			}
			if !client.ready() {
				s.settle()
				client.await()
				break
			}
			if !s.begin(client, now, now) {
				break
			}
		}
		s.settle()
		if s.spent() {
			s.exhausted = true
			return
		}
	}
	s.exhausted = true // an unpaced load is complete whenever it ends
}

// paced begins operations when they are due, or as soon as it can afterwards.
// What is overdue when the warm-up ends is given up with it: otherwise a load
// that is too much would spend the measured part on what nobody measures.
func (s *sender) paced() {
	pacer := s.run.pacing()
	defer pacer.close()
	now := s.run.clock.now()
	for i := 0; ; i++ {
		due := s.run.start + int64(s.arrivals())
		if due >= s.run.end || s.spent() {
			s.exhausted = true
			return
		}
		if due < s.run.rec.from && now >= s.run.rec.from {
			continue
		}
		now = s.wait(pacer, due, now)
		if s.run.stop.Load() || now > s.run.end+int64(grace) {
			return
		}
		client := s.clients[i%len(s.clients)]
		if !client.ready() {
			now = s.waitForRoom(client)
		}
		if !s.begin(client, due, now) {
			now = s.run.clock.now()
		}
	}
}

// wait waits until due and returns the time, which it looks up at least once
// per batch.
func (s *sender) wait(p pacer, due, now int64) int64 {
	switch {
	case due > now:
		s.settle()
		return p.sleepUntil(due, &s.run.stop)
	case s.batch.sent >= batchOps:
		s.settle()
		return s.run.clock.now()
	default:
		return now
	}
}

func (s *sender) waitForRoom(client operation) int64 {
	for !client.ready() && !s.run.stop.Load() {
		s.batch.blocked++
		client.await()
	}
	return s.run.clock.now()
}

func (s *sender) spent() bool { return s.left == 0 }

// begin reports whether the operation began.
func (s *sender) begin(client operation, due, now int64) bool {
	measured := due >= s.run.rec.from
	err := client.send(due, now)
	if measured {
		s.left--
		if s.arrivals != nil {
			s.late = append(s.late, now-due)
		}
	}
	if err != nil {
		s.run.fail(err, measured)
		if measured {
			s.batch.refused++
		}
		if s.arrivals == nil {
			pause(s.run, pauseAfterError)
		}
		return false
	}
	s.batch.sent++
	if measured {
		s.batch.begun++
		s.batch.begunBytes += s.size
	}
	return true
}

// settle hands what was counted to the meter.
func (s *sender) settle() {
	if s.batch == (counts{}) && len(s.late) == 0 {
		return
	}
	s.meter.mu.Lock()
	s.meter.add(s.batch)
	for _, ns := range s.late {
		s.meter.lateness.Record(ns)
	}
	s.meter.mu.Unlock()
	s.batch, s.late = counts{}, s.late[:0]
}

// pause waits d, or less when the load is stopped.
func pause(r *run, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-r.stopped:
	}
}
