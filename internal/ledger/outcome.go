package ledger

import "strconv"

// An Outcome says what an arrival was.
type Outcome uint8

// The outcomes of an arrival.
const (
	First      Outcome = iota // first arrival, above every sequence seen so far
	Late                      // first arrival, below the highest sequence seen
	Duplicate                 // seen before
	Stale                     // older than the window: late or duplicate, nobody can tell
	Unexpected                // a sequence or publisher that cannot exist
)

// Fresh reports whether the message arrived for the first time.
func (o Outcome) Fresh() bool { return o == First || o == Late }

func (o Outcome) String() string {
	switch o {
	case First:
		return "first"
	case Late:
		return "late"
	case Duplicate:
		return "duplicate"
	case Stale:
		return "stale"
	case Unexpected:
		return "unexpected"
	default:
		return "outcome " + strconv.Itoa(int(o))
	}
}
