package bench

import (
	"context"
	"time"
)

// A Driver opens connections to the system under test. It is the seam between
// offering load and the client that carries it: schedules, recording, ledger
// and results do not know which driver runs below them.
type Driver interface {
	// Connect opens one connection. The driver reports what happens to the
	// connection later through events, which must be safe for concurrent use.
	Connect(ctx context.Context, name string, events func(Event)) (Conn, error)
	// Classify names the kind of an error that Publish, Subscribe or Flush
	// returned, so that equal failures are counted together.
	Classify(err error) ErrorClass
}

// A Conn is one connection. It is safe for concurrent use.
type Conn interface {
	// Publish hands a message over for sending. It copies data before it
	// returns. An error means that the message was not sent and never will be.
	Publish(subject, reply string, data []byte) error
	// Subscribe starts receiving; queue "" means no queue group. At most buffer
	// messages wait in the client; those beyond it are dropped and counted.
	Subscribe(subject, queue string, buffer int) (Subscription, error)
	// Flush returns once the server has read everything published so far and
	// has acted on every Subscribe. ctx must have a deadline.
	Flush(ctx context.Context) error
	// Inbox returns a new subject for replies.
	Inbox() string
	// Server describes the server at the other end.
	Server() ServerInfo
	Close()
}

// A Subscription yields messages in batches, so that one clock reading and one
// lock serve all that have already arrived.
type Subscription interface {
	// Receive fills batch with messages that have arrived and returns how many.
	// It waits for the first at most wait and never for a second. The messages
	// are valid until the next Receive. Zero means that nothing arrived in time
	// or that the connection was closed.
	Receive(batch []Message, wait time.Duration) int
	// Dropped counts the messages that the client threw away because the
	// buffer was full. It is 0 once the connection is closed.
	Dropped() uint64
}

// A Message is what a Subscription yields.
type Message struct {
	Subject string
	Reply   string
	Data    []byte
	// Failed is set when the message is not data but the system's word that an
	// operation failed: no responders, or an error of the service itself.
	Failed ErrorClass
}

// ServerInfo is what a server says of itself when a client connects.
type ServerInfo struct {
	URL        string `json:"url"` // without credentials
	ID         string `json:"id"`
	Name       string `json:"name"`
	Version    string `json:"version"`
	Cluster    string `json:"cluster,omitempty"`
	MaxPayload int64  `json:"max_payload_bytes"`
}

// An Event is something that happened to a connection outside any call.
type Event struct {
	Kind EventKind
	Err  error // may be nil
}

// EventKind says what an Event reports.
type EventKind int

// The kinds of events.
const (
	Disconnected EventKind = iota
	Reconnected
	AsyncError
)

// ErrorClass groups failures that have the same cause and the same remedy.
type ErrorClass string

// The classes of failures. The empty class means no failure.
const (
	ClassNone         ErrorClass = ""
	ClassTimeout      ErrorClass = "timeout"
	ClassNoResponders ErrorClass = "no_responders"
	ClassService      ErrorClass = "service_error"
	ClassDisconnected ErrorClass = "disconnected"
	ClassBufferFull   ErrorClass = "reconnect_buffer_full"
	ClassPermission   ErrorClass = "permission"
	ClassSlowConsumer ErrorClass = "slow_consumer"
	ClassTooLarge     ErrorClass = "too_large"
	ClassOther        ErrorClass = "other"
)

// retryable reports whether the same request may succeed a moment later. An
// error that the service itself gave, or a missing permission, will not go away.
func (c ErrorClass) retryable() bool {
	switch c {
	case ClassTimeout, ClassNoResponders, ClassDisconnected, ClassBufferFull:
		return true
	default:
		return false
	}
}

// says describes a failure that came without a text.
func (c ErrorClass) says() string {
	switch c {
	case ClassTimeout:
		return "no reply within the timeout"
	case ClassNoResponders:
		return "nobody is subscribed to the subject"
	case ClassService:
		return "the service answered with an error"
	default:
		return string(c)
	}
}
