package chaos

import (
	"time"

	"github.com/natsops/natsops/internal/chaos/drill"
	"github.com/natsops/natsops/internal/chaos/history"
	"github.com/natsops/natsops/internal/slo"
)

// A Result is what came of a drill. It is a value; nothing changes it afterwards.
type Result struct {
	Drill   drill.Drill
	ID      string // of this run
	Seed    uint64 // repeats the choice of victims
	Target  Target
	Began   time.Time     // by the clock of this machine; all durations below count from here
	Took    time.Duration // all of it
	Verdict Verdict
	Why     []string // that it is not Passed: a sentence each, the worst first

	Faults   []FaultResult
	Phases   []Phase // in order
	Timeline []Event // in order
	Alarm    *Alarm  // of natsops lag; nil: it would not have given any
	Steady   Gate    // before
	Restored Gate    // after
	Account  history.Account
	Record   history.Record // of every message
	Expected []slo.Verdict
	Metrics  map[string]float64 // by the names of [Metrics], in base units; what is not known is absent
	Warnings []string           // about the numbers
}

// A Verdict is the one word for a drill.
type Verdict string

// The verdicts, the best first.
const (
	Passed       Verdict = "passed"
	Failed       Verdict = "failed"        // an expectation was not met
	NotSteady    Verdict = "not-steady"    // before anything was injected: nothing was
	Aborted      Verdict = "aborted"       // by a guard or an abort condition, and healed
	Interrupted  Verdict = "interrupted"   // by whoever runs it, and healed
	Inconclusive Verdict = "inconclusive"  // what was stored could not be read, or too little was seen
	NotRecovered Verdict = "not-recovered" // healed, and not steady again, or messages were lost against expectation
	HealFailed   Verdict = "heal-failed"   // a person must look now
)

// A Target is where the drill ran.
type Target struct {
	Name     string   // URLs without secrets, or "lab"
	Lab      bool     // our own cluster
	Cluster  string   // name; "": a server of its own
	Servers  []string // names
	Version  string   // of nats-server; several, with commas between, when they differ
	Stream   string   // of the load
	Replicas int
}

// A FaultResult is a fault as it was.
type FaultResult struct {
	Kind     string
	Victims  []string
	Down     []string // names of servers
	Injected time.Duration
	Healed   time.Duration // 0: it was not
	Counts   map[string]float64
	Err      string // of the injection or the heal
}

// A Phase is a part of a drill.
type Phase struct {
	Name     PhaseName
	From, To time.Duration
}

// PhaseName names a part of a drill.
type PhaseName string

// The phases, in order.
const (
	PhaseSteady  PhaseName = "steady"  // until the first fault
	PhaseFault   PhaseName = "fault"   // until the last heal
	PhaseObserve PhaseName = "observe" // under load, until nothing new is published
	PhaseSettle  PhaseName = "settle"  // retries end, consumers drain, replicas catch up, the stream is read back
)

// An Event is a line of the timeline.
type Event struct {
	At   time.Duration
	Kind string // "inject", "heal", "abort", "disconnected", "leader", …
	Who  string
	Text string
}

// A Gate is a look at whether the system is well.
type Gate struct {
	Open     bool
	Took     time.Duration // until it was
	Verdicts []slo.Verdict // of the last look
	Why      string        // it is not open
}
