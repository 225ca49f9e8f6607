// Package deadletter finds the messages that consumers gave up, shows them, and
// sends them again.
//
// NATS keeps no list of them. A consumer that gives a message up says so once,
// in an advisory that is lost unless somebody listens or a stream captures it.
// What no advisory tells can be inferred on work-queue and interest streams,
// where a message that was delivered, is not being worked on and is still
// stored was given up; on other streams it can only be counted.
//
// Looking alters nothing: there are no consumers and no acknowledgements, only
// requests for messages by their sequence.
package deadletter

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/natsops/natsops/internal/inspect"
)

// A Letter is a message that a consumer gave up.
type Letter struct {
	Key        inspect.Key // stream and consumer; the account is that of the connection
	Domain     string      // of JetStream, where the advisory has one
	Seq        uint64      // in the stream
	Cause      Cause
	Reason     string    // what the client or the server gave as the reason
	Source     Source    // how we know
	GivenUp    time.Time // by the server's clock; zero: not known
	Deliveries int       // 0: not known

	Presence Presence
	Why      string // why the message is gone, or why that is not known
	Message         // known only when Present
}

// A Message is what a stream holds, but for the payload.
type Message struct {
	Subject   string
	Stored    time.Time // by the server's clock
	Size      int       // of the payload, in bytes
	Header    nats.Header
	RedriveOf string // the message that this is a copy of: stream/consumer/sequence; "": of none
}

// Cause is why a message was given up.
type Cause string

// The causes.
const (
	MaxDeliver Cause = "max_deliver" // it was delivered as often as the consumer allows
	Terminated Cause = "terminated"  // the client said that it never wants to see it again
	Evicted    Cause = "evicted"     // it was deleted from the stream while the consumer still owed it
)

// Source is how it is known that a message was given up.
type Source string

// The sources.
const (
	Advisory   Source = "advisory"
	Inspection Source = "inspection" // it was delivered, nobody works on it, and it is still there
)

// Presence says whether the message is still in the stream.
type Presence uint8

// The states of a message. The zero value is that nobody looked, or could.
const (
	Unknown Presence = iota
	Present
	Gone
)

func (p Presence) String() string { return [...]string{"unknown", "present", "gone"}[p] }

// ID names the letter: stream/consumer/sequence. Names cannot contain a slash.
func (l Letter) ID() string {
	return l.Key.Stream + "/" + l.Key.Consumer + "/" + strconv.FormatUint(l.Seq, 10)
}

// latestFirst orders by when letters were given up, those without a time last,
// and then by where they are.
func latestFirst(a, b Letter) int {
	return cmp.Or(b.GivenUp.Compare(a.GivenUp), a.Key.Compare(b.Key), cmp.Compare(a.Seq, b.Seq))
}

// merged leaves one letter of each consumer and message: the latest advisory,
// or else what inspection found.
func merged(letters []Letter) []Letter {
	slices.SortStableFunc(letters, latestFirst)
	seen := map[string]bool{}
	return slices.DeleteFunc(letters, func(l Letter) bool {
		known := seen[l.ID()]
		seen[l.ID()] = true
		return known
	})
}

// shown makes a name safe for a terminal: names, subjects and reasons may
// contain control characters.
func shown(name string) string {
	for _, r := range name {
		if !strconv.IsPrint(r) {
			return strconv.Quote(name)
		}
	}
	return name
}

func shownAll(names []string) string {
	all := make([]string, len(names))
	for i, name := range names {
		all[i] = shown(name)
	}
	return strings.Join(all, ", ")
}
