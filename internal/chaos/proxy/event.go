package proxy

import "time"

// A Kind says what an [Event] is about.
type Kind string

// What happens at a proxy.
const (
	Accepted  Kind = "accepted"  // somebody dialled the proxy
	Connected Kind = "connected" // the proxy reached the target for it
	Closed    Kind = "closed"    // the connection is over; Err says why
	Changed   Kind = "changed"   // the toxics are others now; Err: not all of them
)

// An Event is a line of a timeline.
type Event struct {
	At     time.Time
	Proxy  string // [Config.Name]
	Kind   Kind
	Conn   Conn   // unless Changed
	Toxics Toxics // of Changed
	Err    error
}
