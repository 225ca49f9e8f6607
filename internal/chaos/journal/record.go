package journal

import (
	"time"

	"github.com/natsops/natsops/internal/chaos/fault"
)

// A Begin is the first record of a run: who broke what, and where.
type Begin struct {
	ID      string    `json:"id"` // of the run; the name of its file, so letters, digits, "-" and "_" only
	Drill   string    `json:"drill"`
	Target  Target    `json:"target"`
	PID     int       `json:"pid"`
	Started string    `json:"started"` // when that process began, as [process.Started] tells
	Version string    `json:"version"` // of natsops
	Seed    uint64    `json:"seed"`
	Time    time.Time `json:"time"`
	Lab     bool      `json:"lab"`    // the servers are our own, and end with the process
	Stream  string    `json:"stream"` // of the load
}

// A Target is where a drill ran, as another process needs it to find the way.
type Target struct {
	Servers []string `json:"servers"` // URLs without secrets
	Context string   `json:"context,omitempty"`
	Cluster string   `json:"cluster,omitempty"`
}

// A kind of record. Those that a reader does not know it passes over, so that
// an older natsops reads what a newer one wrote.
type kind string

const (
	beginKind    kind = "begin"
	undoKind     kind = "undo"
	injectedKind kind = "injected"
	healedKind   kind = "healed"
	endKind      kind = "end"
)

// A record is one line of a journal.
type record struct {
	Record  kind         `json:"record"`
	At      time.Time    `json:"at"`
	Begin   *Begin       `json:"begin,omitempty"`
	Fault   *int         `json:"fault,omitempty"` // its number in the drill, from 0
	Undo    []fault.Undo `json:"undo,omitempty"`
	Verdict string       `json:"verdict,omitempty"`
}

// damaged reports whether a record lacks what its kind always has.
func (r record) damaged() bool {
	switch r.Record {
	case beginKind:
		return r.Begin == nil
	case undoKind, injectedKind, healedKind:
		return r.Fault == nil
	case endKind:
		return r.Verdict == ""
	default:
		return r.Record == ""
	}
}
