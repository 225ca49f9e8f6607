package lag

import (
	"time"

	"github.com/natsops/natsops/internal/inspect"
)

// A Verdict says how one consumer is doing, why, and what to do.
type Verdict struct {
	Key        inspect.Key
	Status     Status
	Severity   inspect.Severity
	Tags       []Tag
	Confidence Confidence
	Advice     string     // what is going on and what to do, in one or two sentences
	Evidence   []Evidence // what Status and Tags were concluded from, the decisive ones first
	Next       []string   // commands that look closer or help, ready to paste

	Leader  string // server that leads it; "": a server of its own, or none
	Reading inspect.Reading

	Pending     Figure // messages not delivered yet
	Unacked     Figure // messages delivered and not finished
	Backlog     Figure // both
	OldestAge   Figure // seconds since the oldest of them was stored
	In          Figure // messages per second that arrive for it
	Deliver     Figure // deliveries per second, redeliveries included
	Done        Figure // messages per second that are finished: acknowledged, terminated, given up
	Redeliver   Figure // redeliveries per second
	Net         Figure // growth of the backlog per second
	ETA         Figure // seconds until the backlog is gone; +Inf: never at this rate
	ETAQuiet    Figure // seconds until it would be gone if nothing more arrived; +Inf: never
	Workers     Figure // by this factor more work must be done to keep up; 1: enough
	ProcessTime Figure // seconds that a message is held on average (Little's law)
	ToLoss      Figure // seconds until limits delete what was not delivered; +Inf: they do not
	Lost        Figure // messages that limits deleted before they were delivered, as far as can be told
	LostRate    Figure // the same per second, within the window
	DeadLetters Figure // messages given up: max_deliver used up; at least so many

	Paused time.Duration // so long it is still paused
}

// A Figure is a number that may not be known.
type Figure struct {
	Value float64
	Known bool
	Exact bool   // otherwise an estimate, shown with ~
	Why   string // why it is not known, as a half-sentence
}

// Evidence is one observation and where it comes from.
type Evidence struct {
	What  string // "num_ack_pending"
	Value string // "1000 in all 6 samples, max_ack_pending 1000"
	Rule  string // the part of the rule that it fulfils: "num_ack_pending >= max_ack_pending in all samples"
}

// Confidence says on how much a verdict rests.
type Confidence string

// The levels of confidence.
const (
	High Confidence = "high" // a fact of one snapshot, or of at least four
	Low  Confidence = "low"  // two or three snapshots, or something had to be assumed
	None Confidence = "none" // there is nothing to judge by
)

// unknown marks all figures as not known.
func (v *Verdict) unknown(why string) {
	for _, f := range []*Figure{
		&v.Pending, &v.Unacked, &v.Backlog, &v.OldestAge, &v.In, &v.Deliver, &v.Done, &v.Redeliver, &v.Net, &v.ETA,
		&v.ETAQuiet, &v.Workers, &v.ProcessTime, &v.ToLoss, &v.Lost, &v.LostRate, &v.DeadLetters,
	} {
		*f = Figure{Why: why}
	}
}
