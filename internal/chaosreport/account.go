package chaosreport

import (
	"github.com/natsops/natsops/internal/chaos"
	"github.com/natsops/natsops/internal/report"
)

// An Account is what became of the messages. A number that is nil is not known:
// those of what is stored when Unread says why, those of what was delivered when
// nothing consumed.
type Account struct {
	Unread string `json:"unread,omitempty"` // why it is not known what the stream held

	Messages uint64 `json:"messages"` // distinct ones that publishers began to send
	Attempts uint64 `json:"attempts"`
	Acked    uint64 `json:"acked"` // messages with an acknowledgement

	Stored        *uint64   `json:"stored"` // distinct messages
	Lost          *uint64   `json:"lost"`   // acknowledged, and not stored
	LostFirst     *uint64   `json:"lost_first"`
	LostMiddle    *uint64   `json:"lost_middle"`
	LostLast      *uint64   `json:"lost_last"`
	LostExamples  []Message `json:"lost_examples"`
	Unknown       uint64    `json:"unknown"` // neither acknowledged nor refused
	UnknownStored *uint64   `json:"unknown_stored"`
	Refused       uint64    `json:"refused"`
	RefusedStored *uint64   `json:"refused_stored"`

	DuplicatesStored *uint64 `json:"duplicates_stored"`
	AckMismatches    *uint64 `json:"ack_mismatches"`
	Reordered        *uint64 `json:"reordered"`
	Unexpected       *uint64 `json:"unexpected"`

	Delivered           *uint64 `json:"delivered"` // distinct messages
	DuplicatesDelivered *uint64 `json:"duplicates_delivered"`
	DuplicatesUnflagged *uint64 `json:"duplicates_unflagged"`
	Undelivered         *uint64 `json:"undelivered"`
	DeliveredReordered  *uint64 `json:"delivered_reordered"`
	DeliveredNotStored  *uint64 `json:"delivered_not_stored"`

	ReplicasEqual *bool             `json:"replicas_equal"`    // nil: not known
	EqualAtNS     *int64            `json:"replicas_equal_ns"` // when they were first seen to be, and stayed so; nil: they were not
	Replicas      []Replica         `json:"replicas"`
	Errors        map[string]uint64 `json:"errors"` // attempts, by why they were not acknowledged
	Warnings      []string          `json:"warnings"`
}

// A Message is one that was lost.
type Message struct {
	Publisher string `json:"publisher"`
	Seq       uint64 `json:"seq"`
	AckedNS   *int64 `json:"acked_ns"`   // nil: it was not
	StreamSeq uint64 `json:"stream_seq"` // by the acknowledgement
}

// A Replica is what one server had of the stream at the end.
type Replica struct {
	Server   string  `json:"server"`
	Messages *uint64 `json:"messages"`  // nil: not known, like the others
	First    *uint64 `json:"first_seq"` // of the stream
	Last     *uint64 `json:"last_seq"`
	Unread   string  `json:"unread,omitempty"` // why nothing is known
}

// A Placement is how one publisher fared.
type Placement struct {
	Publisher   string   `json:"publisher"`
	Server      string   `json:"server"` // the only one that it connects to; "": any
	Messages    uint64   `json:"messages"`
	Acked       uint64   `json:"acked"`
	Lost        *uint64  `json:"lost"` // nil: not known
	Unknown     uint64   `json:"unknown"`
	Outages     []Outage `json:"outages"` // in order
	Disconnects int      `json:"disconnects"`
	Reconnects  int      `json:"reconnects"`
	Closed      bool     `json:"closed"` // for good
}

// A Consumer is how long nothing was delivered to one.
type Consumer struct {
	Name    string   `json:"name"`
	Outages []Outage `json:"outages"` // in order
}

// An Outage is a time without an acknowledgement, or without a delivery.
type Outage struct {
	FromNS int64 `json:"from_ns"`
	ToNS   int64 `json:"to_ns"`
	Open   bool  `json:"open"` // it had not ended when the load did
	Part   part  `json:"part"` // that it counts to
}

// A part of a drill.
type part string

const (
	partBefore part = "before" // anything was injected
	partFault  part = "fault"  // while something was broken
	partAfter  part = "after"  // everything was healed
)

func (a Account) complete() Account {
	a.LostExamples, a.Replicas, a.Warnings = report.Listed(a.LostExamples), report.Listed(a.Replicas), report.Listed(a.Warnings)
	if a.Errors == nil {
		a.Errors = map[string]uint64{}
	}
	return a
}

func newAccount(r chaos.Result) *Account {
	a := r.Account
	// what can be told only by what is stored, or delivered
	stored, delivered := known(a.StoredKnown), known(a.DeliveriesKnown)
	both := known(a.StoredKnown && a.DeliveriesKnown)
	made := Account{
		Unread:   unread(r),
		Messages: a.Messages, Attempts: a.Attempts, Acked: a.Acked, Unknown: a.Unknown, Refused: a.Refused,
		Stored: stored(a.Stored),
		Lost:   stored(a.Lost), LostFirst: stored(a.LostFirst), LostMiddle: stored(a.LostMiddle), LostLast: stored(a.LostLast),
		UnknownStored: stored(a.UnknownStored), RefusedStored: stored(a.RefusedStored),
		DuplicatesStored: stored(a.DuplicatesStored), AckMismatches: stored(a.AckMismatches),
		Reordered: stored(a.Reordered), Unexpected: stored(a.Unexpected),
		Delivered: delivered(a.Delivered), DuplicatesDelivered: delivered(a.DuplicatesDelivered),
		DuplicatesUnflagged: delivered(a.DuplicatesUnflagged), DeliveredReordered: delivered(a.DeliveredReordered),
		Undelivered: both(a.Undelivered), DeliveredNotStored: both(a.DeliveredNotStored),
		Errors: map[string]uint64{}, Warnings: a.Warnings,
	}
	if a.StoredKnown {
		for _, m := range a.LostExamples {
			made.LostExamples = append(made.LostExamples, Message{m.Publisher, m.Seq, unlessZero(m.AckedAt), m.StreamSeq})
		}
	}
	if a.ReplicasKnown {
		equal := !a.ReplicasDiffer
		made.ReplicasEqual = &equal
		made.EqualAtNS = unlessZero(r.Record.EqualAt)
	}
	for _, s := range r.Record.Replicas {
		replica := Replica{Server: s.Server, Unread: s.Unread}
		if s.Unread == "" {
			replica.Messages, replica.First, replica.Last = &s.Messages, &s.First, &s.Last
		}
		made.Replicas = append(made.Replicas, replica)
	}
	for class, n := range a.Errors {
		made.Errors[string(class)] = n
	}
	return &made
}

// known returns how a number is shown: as it is, or not at all.
func known(is bool) func(uint64) *uint64 {
	return func(n uint64) *uint64 {
		if !is {
			return nil
		}
		return &n
	}
}

// unread says why it is not known what is stored.
func unread(r chaos.Result) string {
	switch {
	case r.Account.StoredKnown:
		return ""
	case r.Record.Unread == "":
		return "it was not read"
	default:
		return r.Record.Unread
	}
}
