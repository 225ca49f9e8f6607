package history

import "time"

// An Account is the verdict on a [Record]: [Check] makes it. A message counts
// once, however many attempts were made at it. Always
//
//	Messages = Acked + Refused + Unknown
//	Lost     = LostFirst + LostMiddle + LostLast
//	Stored   = Acked - Lost + RefusedStored + UnknownStored   when StoredKnown
type Account struct {
	Messages uint64 // distinct messages that publishers began to send
	Attempts uint64
	Acked    uint64 // messages with at least one acknowledgement
	// Unknown messages were neither acknowledged nor is each attempt at them refused.
	Unknown uint64
	Refused uint64 // messages of which every attempt was refused

	// StoredKnown says that the whole stream was read. Without it nothing is known
	// of what follows up to Unexpected, of Undelivered and DeliveredNotStored, and
	// of what was lost of a [Placement]: these are 0, and that is no finding.
	StoredKnown bool
	Stored      uint64 // distinct messages in the stream, of those that were sent
	// Lost messages were acknowledged and are not stored.
	Lost         uint64
	LostFirst    uint64 // of these: before the first of their publisher's that is stored, or none of its is
	LostMiddle   uint64
	LostLast     uint64    // after the last of their publisher's that is stored
	LostExamples []Message // the first few, by when they were acknowledged

	UnknownStored uint64 // of Unknown, stored
	RefusedStored uint64 // of Refused, stored: a refusal that was none
	// DuplicatesStored are stored messages beyond the first of each.
	DuplicatesStored uint64
	// AckMismatches are acknowledgements of stored messages that name a place where
	// the message is not. One that says "duplicate" names the original's place.
	AckMismatches uint64
	// Reordered messages were acknowledged at their first attempt, and stored
	// behind one that their publisher sent later, and that was acknowledged at its
	// first attempt, too. The first place of each counts.
	Reordered  uint64
	Unexpected uint64 // stored and never sent, or damaged

	// DeliveriesKnown says that there was a consumer. Without it what follows, up to
	// DeliveredNotStored, is 0, and that is no finding.
	DeliveriesKnown     bool
	Delivered           uint64 // distinct messages that came to any consumer, of those that were sent
	DuplicatesDelivered uint64 // deliveries beyond the first to the same consumer, to whichever worker
	// DuplicatesUnflagged are deliveries with NumDelivered 1 beyond the first of
	// these to the same consumer: the server does not know that it had delivered
	// the message.
	DuplicatesUnflagged uint64
	Undelivered         uint64 // stored, and no delivery to any consumer
	// DeliveredReordered are first deliveries to a consumer of which the worker had
	// got the first delivery of a message that is stored later.
	DeliveredReordered uint64
	DeliveredNotStored uint64 // distinct messages that were delivered and are not in the stream at the end

	// ReplicasDiffer says that two servers do not have the same of the stream. That
	// none differ is known only with ReplicasKnown.
	ReplicasDiffer bool
	ReplicasKnown  bool             // each told what it has
	Errors         map[Class]uint64 // attempts, by why they were not acknowledged
	Placements     []Placement      // by publisher
	Warnings       []string         // about what could not be told
}

// A Message names one.
type Message struct {
	Publisher string
	Seq       uint64
	AckedAt   time.Duration // for the first time; 0: it was not
	StreamSeq uint64        // by that acknowledgement
}

// A Placement is how one publisher fared.
type Placement struct {
	Publisher                      string
	Server                         string // the only one that it connects to; "": any
	Messages, Acked, Lost, Unknown uint64
	Outages                        []Outage
	Disconnects, Reconnects        int
	Closed                         bool // its connection, for good
}
