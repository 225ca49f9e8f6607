package bench

import (
	"sync/atomic"
	"time"
)

// A window bounds how many messages of one publisher are on their way, so that
// an unpaced publisher runs as fast as its subscribers receive, and not as fast
// as buffers fill. Nothing is sent back for it: publisher and subscribers share
// a process, and the highest sequence number that each receiving unit has seen
// is all that it needs.
type window struct {
	size    uint64
	seen    []padded      // by receiving unit
	waiting atomic.Uint64 // wake the publisher once every unit has seen this; 0: it runs
	room    chan struct{}
	floor   uint64 // publisher's own: taken for seen, since it never will be
}

type padded struct {
	atomic.Uint64
	_ [56]byte
}

func newWindow(size, units int) *window {
	return &window{size: uint64(size), seen: make([]padded, units), room: make(chan struct{}, 1)}
}

// advance notes that a unit has seen everything up to seq. Calls for one unit
// must not overlap.
func (w *window) advance(unit int, seq uint64) {
	if w.seen[unit].Load() < seq {
		w.seen[unit].Store(seq)
	}
	if at := w.waiting.Load(); at != 0 && w.slowest() >= at {
		select {
		case w.room <- struct{}{}:
		default:
		}
	}
}

func (w *window) slowest() uint64 {
	least := w.seen[0].Load()
	for i := range w.seen[1:] {
		least = min(least, w.seen[i+1].Load())
	}
	return least
}

// credit returns how many messages may follow number seq.
func (w *window) credit(seq uint64) int {
	out := seq - min(seq, max(w.floor, w.slowest()))
	return int(w.size - min(out, w.size))
}

// How long a full window may stand still before the publisher takes what is in
// it for lost. The ledger, which is exact, decides that later.
const windowPatience = time.Second

// await waits until half of the window is free, or for windowPatience.
func (w *window) await(seq uint64) {
	w.waiting.Store(max(1, seq-min(seq, w.size/2)))
	defer w.waiting.Store(0)
	if w.slowest() >= w.waiting.Load() {
		return
	}
	before := w.slowest()
	timer := time.NewTimer(windowPatience)
	defer timer.Stop()
	select {
	case <-w.room:
	case <-timer.C:
		if w.slowest() == before {
			w.floor = seq
		}
	}
}
