package inspect

import (
	"cmp"
	"time"
)

// A Snapshot is what the servers said at one moment. Nothing changes it once it
// has been taken, so that judgements and screens may share it.
type Snapshot struct {
	At    time.Time     // by our clock, when the questions were sent
	Took  time.Duration // until the last answer, or until waiting for it ended
	Route Route

	Servers     []Server     // by name; also those that did not answer
	Streams     []Stream     // by account and name
	Consumers   []Consumer   // by account, stream and name
	Connections []Connection // by server and number
	Closed      []Connection // the most recently closed, likewise
	Accounts    []Account    // by name
	Events      []Event      // since the snapshot before, oldest first

	Gaps []Gap // what was asked for and is missing; empty: the picture is whole
	Cost Cost
}

// Route is the way questions take, which depends on the credentials.
type Route string

// The routes. They are tried in this order.
const (
	RouteSystem  Route = "system"  // $SYS.REQ…, in the system account: all accounts, one question for all servers
	RouteAccount Route = "account" // $JS.API…, in an account of an application: that account only
	RouteMonitor Route = "monitor" // HTTP monitoring endpoints: the servers that were named
)

// Can returns what of n can be asked for by route r. The rest would be a gap in
// every snapshot.
func (r Route) Can(n Need) Need {
	switch r {
	case RouteAccount: // of the servers themselves only users of the system account hear
		n.Servers, n.Links, n.Interest = false, false, false
	case RouteMonitor: // nobody can listen to HTTP
		n.Events = false
	case RouteSystem:
	}
	return n
}

// State says how far a value can be believed. The zero value is not at all.
type State uint8

// The states of a value.
const (
	Unknown State = iota // nobody said it; the numbers beside it mean nothing and are not zero
	Stale                // it was said once, but not in this snapshot
	Fresh                // it was said in this snapshot
)

func (s State) String() string { return [...]string{"unknown", "stale", "ok"}[s] }

// A Reading says where the values beside it come from.
type Reading struct {
	State State
	At    time.Time // by the clock of the server that said it
	By    string    // that server's name
	Why   string    // why it is stale or unknown, as a half-sentence
}

// Age returns how old the values were when s was taken; offset is how far the
// clock of the server that said it is ahead of ours.
func (r Reading) Age(s *Snapshot, offset time.Duration) time.Duration {
	return max(0, s.At.Add(s.Took).Sub(r.At.Add(-offset)))
}

// A Gap is something that was asked for and not answered.
type Gap struct {
	What   string // "server n2", "stream ORDERS of account APP", "connections"
	Why    string // "no answer within 2s", "no permission for $JS.API.STREAM.LIST"
	Remedy string // what may help; "" when nothing is known
}

// Cost is what taking a snapshot took of the servers, and what lookups took
// since the snapshot before.
type Cost struct {
	Requests int
	Replies  int
	Bytes    int64 // of replies, as they came over the wire
}

// Key names a consumer, or a stream when Consumer is empty.
type Key struct {
	Account  string `json:"account"`
	Stream   string `json:"stream"`
	Consumer string `json:"consumer"`
}

func (k Key) String() string {
	if k.Consumer == "" {
		return k.Stream
	}
	return k.Stream + "/" + k.Consumer
}

// Compare orders by account, stream and consumer.
func (k Key) Compare(other Key) int {
	return cmp.Or(cmp.Compare(k.Account, other.Account), cmp.Compare(k.Stream, other.Stream), cmp.Compare(k.Consumer, other.Consumer))
}

// Need says what a snapshot is for. Only what is needed is asked for.
type Need struct {
	Consumers     bool // streams and consumers: state, and configuration where it is not known yet
	Servers       bool // Varz of each
	Links         bool // routes, gateways and leaf nodes
	Connections   bool
	Subscriptions bool // of each connection, with counts
	Closed        bool // recently closed connections
	Accounts      bool
	Interest      bool // SubStats of each server
	Events        bool // keep listening to advisories
}

// Or returns what at least one of the two needs.
func (n Need) Or(other Need) Need {
	return Need{
		Consumers:     n.Consumers || other.Consumers,
		Servers:       n.Servers || other.Servers,
		Links:         n.Links || other.Links,
		Connections:   n.Connections || other.Connections,
		Subscriptions: n.Subscriptions || other.Subscriptions,
		Closed:        n.Closed || other.Closed,
		Accounts:      n.Accounts || other.Accounts,
		Interest:      n.Interest || other.Interest,
		Events:        n.Events || other.Events,
	}
}
