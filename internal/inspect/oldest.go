package inspect

import "time"

// A Lookup asks for the oldest message that a consumer has yet to finish.
type Lookup struct {
	Key     Key
	From    uint64    // the stream sequence from which on there may be one
	Since   time.Time // messages stored before do not count; zero: all do
	Filters []string  // the consumer's; none: every subject
	Direct  bool      // the stream allows direct gets
}

// Oldest is the answer to a [Lookup].
type Oldest struct {
	Found   bool // otherwise there is none, or Why says why it is not known
	Seq     uint64
	Subject string
	At      time.Time // when it was stored, by the server's clock
	Why     string    // why it is not known; "": it is
}
