// Package history is what a drill saw of every message: what was tried and what
// came of it, what the stream held in the end, what was delivered. From that,
// and nothing else, pure functions tell what was lost, stored or delivered
// twice, reordered, and when the service was out.
//
// All times are durations since the beginning of the drill's load, on the
// monotonic clock of this process.
package history

import "time"

// A Record is the whole history of a drill's load.
type Record struct {
	Publishers []Publisher   // by number
	Consumers  []string      // names of durable consumers, by number; none: nothing was consumed
	Period     time.Duration // between two messages of one publisher
	Attempts   []Attempt     // in the order in which they began
	Deliveries []Delivery    // in the order in which they came
	Events     []Event       // of connections, in order
	Stored     []Stored      // what the stream held at the end, in stream order
	// Unread says why Stored is not complete, and nothing can be said about loss;
	// "": it is.
	Unread   string
	Replicas []Replica     // of the stream, at the end; none: nobody asked
	EqualAt  time.Duration // when all replicas were first seen to be equal, and stayed so; 0: they were not
	Stopped  time.Duration // when the publishers were told to begin no new message; 0: they were not
}

// A Publisher numbers its messages 1, 2, 3, … and sends one each Period, however
// the ones before fare. One that failed is tried again beside the new ones.
type Publisher struct {
	Name   string // "n1", "any"
	Server string // the only server that it connects to; "": any
}

// An Attempt is one publish of one message, with its answer.
type Attempt struct {
	Publisher uint16
	Try       uint16 // 1 is the first
	Seq       uint64 // of the message
	Began     time.Duration
	Ended     time.Duration
	Outcome   Outcome
	Class     Class  // why it was not acknowledged
	StreamSeq uint64 // where the message is stored, by the acknowledgement
	Duplicate bool   // the acknowledgement says that it was stored before
}

// answer is the outcome as far as it can be believed: [InProcess] is never an
// answer, whatever somebody took it for.
func (a Attempt) answer() Outcome {
	if a.Class == InProcess || a.Outcome > Refused {
		return Unknown
	}
	return a.Outcome
}

// An Outcome is what the publisher knows of an attempt.
type Outcome uint8

// The outcomes.
const (
	// Unknown: no answer, or one that leaves it open. The message may be stored,
	// now or later. The zero value, since it claims the least.
	Unknown Outcome = iota
	// Acked: the server said that it is stored.
	Acked
	// Refused: the server, or the client before sending, said that it is not.
	Refused
)

func (o Outcome) String() string {
	switch o {
	case Acked:
		return "acked"
	case Refused:
		return "refused"
	default:
		return "unknown"
	}
}

// A Class says why an attempt was not acknowledged: "timeout", "no-responders",
// "disconnected", "closed", "api-10077", …; "" for those that were.
type Class string

// The classes that are not named for the code of a JetStream error ("api-10077").
const (
	Timeout      Class = "timeout"       // no answer within the ack wait
	NoResponders Class = "no-responders" // nobody takes the subject
	Disconnected Class = "disconnected"  // it could not be sent
	Closed       Class = "closed"        // the connection is closed for good
	Other        Class = "other"
)

// InProcess is JetStream's "duplicate message id is in process" (err_code 10158):
// the first attempt with this id is still waiting for a quorum that may never
// come. It looks like "already stored" and is not (nats-server, since 2.11), so
// its outcome is [Unknown].
const InProcess Class = "api-10158"

// A Delivery is a message that came to a consumer.
type Delivery struct {
	Consumer     uint16
	Worker       uint16 // which of those that share the consumer got it: they have no order among them
	Publisher    uint16
	Seq          uint64
	StreamSeq    uint64
	NumDelivered uint64 // as the server counts; does not find every duplicate
	At           time.Duration
}

// A Stored is a message in the stream.
type Stored struct {
	StreamSeq uint64
	Publisher uint16
	Seq       uint64
	Foreign   bool // not of this drill, or damaged
}

// A Replica is what one server has of the stream.
type Replica struct {
	Server   string
	Messages uint64
	First    uint64 // stream sequences
	Last     uint64
	Unread   string // why nothing is known; "": it is
}

// An Event is what happened to a connection of the load.
type Event struct {
	At   time.Duration
	Who  string // publisher or consumer: "n1", "any", "consumer-1"
	Kind EventKind
	Text string // error or address
}

// EventKind says what happened to a connection.
type EventKind string

// The kinds of events.
const (
	EventDisconnected EventKind = "disconnected"
	EventReconnected  EventKind = "reconnected"
	EventClosed       EventKind = "closed"
	EventLameDuck     EventKind = "lame-duck"
	EventError        EventKind = "error" // asynchronous: stale connection, slow consumer, missed heartbeat
)
