package load

import (
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/natsops/natsops/internal/chaos/history"
)

// sameError is how soon an error that a connection repeats is not worth another
// event: some come with each attempt.
const sameError = time.Second

// A diary has the clock of a load and notes what happens to its connections,
// from the beginning of the traffic until its end: that we connect and hang up
// is no event.
type diary struct {
	zero time.Time // not before begin
	live atomic.Bool

	mu    sync.Mutex
	notes []history.Event
	said  map[string]history.Event // the last error, by who
}

// begin starts the clock.
func (d *diary) begin() {
	d.zero = time.Now()
	d.said = make(map[string]history.Event)
	d.live.Store(true)
}

func (d *diary) end() { d.live.Store(false) }

func (d *diary) now() time.Duration { return time.Since(d.zero) }

func (d *diary) note(who string, kind history.EventKind, text string) {
	if !d.live.Load() {
		return
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	e := history.Event{At: d.now(), Who: who, Kind: kind, Text: text}
	if kind == history.EventError {
		if last, ok := d.said[who]; ok && last.Text == text && e.At-last.At < sameError {
			return
		}
		d.said[who] = e
	}
	d.notes = append(d.notes, e)
}

func (d *diary) events() []history.Event {
	d.mu.Lock()
	defer d.mu.Unlock()
	return slices.Clone(d.notes)
}
