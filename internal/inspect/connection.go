package inspect

import "time"

// A Connection of a client. The names are those of the monitoring endpoint
// /connz.
type Connection struct {
	Reading
	Server string // name

	CID           uint64
	Kind          string // Client, Leafnode, …; "": not known
	Type          string // nats, mqtt, websocket; "": not known
	IP            string
	Port          int
	Start         time.Time
	LastActivity  time.Time
	Stop          time.Time // zero: it is open
	Reason        string    // why it was closed: "Slow Consumer (Pending Bytes)", "Client Closed", …
	RTT           time.Duration
	Idle          time.Duration
	PendingBytes  int64 // that wait to be sent to it; of a closed one at its end
	InMsgs        int64
	OutMsgs       int64
	InBytes       int64
	OutBytes      int64
	Stalls        int64 // times that it was held back as a publisher (2.12)
	NumSubs       int
	Name          string // that the client gave itself
	Lang, Version string // of the client library
	TLSVersion    string // "": no TLS, or not known
	TLSCipher     string
	User          string
	Account       string
	Subs          []Subscription // when subscriptions were asked for
}

// A Subscription of a connection.
type Subscription struct {
	Subject string
	Queue   string
	Msgs    int64 // delivered to it
}

// An Event is an advisory, or a metric, that a server published.
type Event struct {
	At        time.Time
	Kind      EventKind
	Key       Key    // the stream or the consumer that it is about
	StreamSeq uint64 // the message that it is about; 0: none
	Delivery  int    // how many times that message had been delivered
	Reason    string
	AckTime   time.Duration // of EventAck: from delivery to acknowledgement
}

// EventKind says what happened.
type EventKind string

// The kinds of events.
const (
	EventMaxDeliver   EventKind = "max_deliver" // a message was given up
	EventTerminated   EventKind = "terminated"  // a client said that it will never be able to process a message, or a limit deleted it in flight
	EventNak          EventKind = "nak"
	EventAck          EventKind = "ack" // only of consumers with sample_freq
	EventLeader       EventKind = "leader_elected"
	EventQuorumLost   EventKind = "quorum_lost"
	EventCreated      EventKind = "created"
	EventDeleted      EventKind = "deleted"
	EventPaused       EventKind = "paused"
	EventResumed      EventKind = "resumed"
	EventAPILimit     EventKind = "api_limit_reached"
	EventSlowConsumer EventKind = "slow_consumer" // a client was disconnected for not reading fast enough
)
