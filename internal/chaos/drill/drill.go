// Package drill describes drills: what is broken, under which load, and what is
// expected of it. A drill is a value; it is read from YAML, or built in.
package drill

import (
	"time"

	"github.com/natsops/natsops/internal/chaos/fault"
	"github.com/natsops/natsops/internal/chaos/load"
	"github.com/natsops/natsops/internal/slo"
)

// A Drill is steady state, faults, recovery, and what must be true then.
type Drill struct {
	Name       string // kebab-case
	Title      string // half a line: "the leader's process is killed"
	About      string // what it does, in sentences
	Promise    string // what NATS promises, in sentences, with its source
	Hypothesis string // what a pass shows, in a sentence

	Load   Load
	Steady Steady
	Faults []fault.Spec
	// Observe is how long the load goes on after the last heal, since healing can
	// hurt more than the fault did.
	Observe time.Duration
	Abort   Abort
	Limits  Limits
	Expect  []slo.Objective
	// Loses marks a drill that is expected to lose messages: its report documents
	// a risk.
	Loses bool
	// Control marks a drill that tests the instrument: what it is known to do must
	// be seen. It may break nothing.
	Control bool
	// Lab says what the drill needs of its own cluster, when it has one.
	Lab Lab
}

// A Load is the traffic of a drill.
type Load struct {
	Rate       float64 // messages per second of each publisher
	PerServer  int     // publishers that connect to one server only, for each server
	Any        int     // publishers that may connect to any
	Size       int     // bytes of a message
	AckWait    time.Duration
	Retry      load.Retry
	Workers    int           // of the consumer; 0: nothing is consumed
	Work       time.Duration // what a worker needs for a message
	Replicas   int           // of the stream; 0: 3, or fewer where there are fewer servers
	Memory     bool          // stored in memory, not in files
	LikeStream string        // the stream is made after this one: replicas, storage, placement, compression
	// Of the consumer.
	ConsumerAckWait time.Duration
	MaxAckPending   int // 0: as the server has it, 1000
	MaxDeliver      int // 0: for ever
}

// A Steady is when the system counts as well: before anything is broken, and
// again at the end.
type Steady struct {
	Window time.Duration
	Limit  time.Duration // how long to wait for it at the beginning
	SLO    []slo.Objective
}

// An Abort ends a drill early, and heals.
type Abort struct {
	// Bystanders is the longest outage of publishers that no fault was aimed at;
	// 0: any.
	Bystanders time.Duration
	// Leaderless is how long streams that are not the drill's may be without a
	// leader; 0: for ever.
	Leaderless time.Duration
}

// Limits keep a drill small.
type Limits struct {
	MaxVictims int     // servers or connections; 0: no limit
	MaxPercent float64 // of all servers, 0 to 100; 0: no limit
	KeepQuorum bool    // the stream and the meta group keep a majority
	// MaxTime is from the first fault until nothing new is published.
	MaxTime time.Duration
}

// A Lab is the cluster that a drill gets when no server was named.
type Lab struct {
	Nodes int // 0: 3
}

// Span is the time from the first fault to the last heal.
func (d Drill) Span() time.Duration {
	var span time.Duration
	for _, f := range d.Faults {
		span = max(span, f.At+f.For)
	}
	return span
}
