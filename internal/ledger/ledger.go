package ledger

import (
	"math"
	"math/bits"
	"slices"
)

const (
	// DefaultWindow is the window of a Ledger in sequence numbers: 128 KiB per
	// publisher with gaps.
	DefaultWindow = 1 << 20

	minWindow     = 2 * wordBits
	maxPublishers = math.MaxUint16 + 1 // what a Stamp can name
)

// A Config describes a Ledger.
type Config struct {
	// Publishers is how many to make room for; others are added as they appear.
	Publishers int
	// Window is how many sequence numbers a stream with gaps keeps in mind, and
	// so bounds its memory at Window/8 bytes. It is rounded up to a power of two,
	// at least 128; 0 means DefaultWindow. A message that comes more than
	// Window-64 behind the highest one seen may be counted as lost for good.
	// 1000 subscribers that each miss messages of 1000 publishers fill 131 GB at
	// the default, but 1 GB with a window of 8192.
	Window uint64
}

// A Ledger keeps account of what one receiving unit (one subscriber, or a queue
// group as a whole) got of every publisher. It is not safe for concurrent use:
// lock it once per batch.
type Ledger struct {
	streams    []stream // by publisher
	maxWords   uint64   // limit of one stream's window
	corrupt    uint64
	foreign    uint64
	unexpected uint64 // of publishers that cannot exist
}

// New returns an empty Ledger.
func New(cfg Config) *Ledger {
	window := max(cfg.Window, minWindow)
	if cfg.Window == 0 {
		window = DefaultWindow
	}
	l := &Ledger{maxWords: ceilPow2((window-1)/wordBits + 1)}
	l.grow(min(cfg.Publishers, maxPublishers))
	return l
}

// Observe notes the arrival of message seq of a publisher. While messages come
// in order it compares and increments one number; it allocates only when
// something unusual arrives.
func (l *Ledger) Observe(publisher int, seq uint64) Outcome {
	if uint(publisher) < uint(len(l.streams)) {
		if s := &l.streams[publisher]; s.next == seq && s.missing == 0 {
			s.next++
			return First
		}
	}
	return l.observe(publisher, seq)
}

func (l *Ledger) observe(publisher int, seq uint64) Outcome {
	if publisher < 0 || publisher >= maxPublishers {
		l.unexpected++
		return Unexpected
	}
	if publisher >= len(l.streams) {
		l.grow(publisher + 1)
		return l.Observe(publisher, seq)
	}
	return l.streams[publisher].observe(seq, l.maxWords)
}

// AddCorrupt counts n messages whose stamp could not be read. Whose they were is
// unknown, so each is also a lost one of its publisher.
func (l *Ledger) AddCorrupt(n uint64) { l.corrupt += n }

// AddForeign counts n messages that belong to another run.
func (l *Ledger) AddForeign(n uint64) { l.foreign += n }

// Account says what became of the messages when publisher i sent 1..sent[i].
// Publishers beyond len(sent) sent nothing. It changes nothing, and while
// messages are in flight counts them as lost.
//
// Within a queue group order is promised per member only, and not for the
// group. Its account takes an [Order] of every member, and Reordered is what
// they saw.
func (l *Ledger) Account(sent []uint64, members ...*Order) Account {
	publishers := make([]Tally, max(len(sent), len(l.streams)))
	for i := range publishers {
		s := stream{next: 1}
		if i < len(l.streams) {
			s = l.streams[i]
		}
		if i < len(sent) {
			publishers[i] = s.tally(sent[i])
		} else {
			publishers[i] = s.tally(0)
		}
	}
	return l.account(publishers, members)
}

// OpenAccount is Account for a receiver that does not know what was sent: it
// takes the highest sequence seen for the last one sent, so what was lost after
// it is missing in Sent and Lost.
func (l *Ledger) OpenAccount(members ...*Order) Account {
	publishers := make([]Tally, len(l.streams))
	for i := range l.streams {
		publishers[i] = l.streams[i].tally(l.streams[i].next - 1)
	}
	return l.account(publishers, members)
}

func (l *Ledger) account(publishers []Tally, members []*Order) Account {
	a := Account{Publishers: publishers, Corrupt: l.corrupt, Foreign: l.foreign}
	for i := range publishers {
		if len(members) > 0 {
			publishers[i].Reordered = 0
			for _, m := range members {
				publishers[i].Reordered += m.Reordered(i)
			}
		}
		a.add(publishers[i])
	}
	a.Unexpected += l.unexpected
	return a
}

func (l *Ledger) grow(publishers int) {
	l.streams = slices.Grow(l.streams, max(0, publishers-len(l.streams)))
	for len(l.streams) < publishers {
		l.streams = append(l.streams, stream{next: 1})
	}
}

// ceilPow2 returns the smallest power of two that is not below n.
func ceilPow2(n uint64) uint64 {
	if n <= 1 {
		return 1
	}
	return 1 << bits.Len64(n-1)
}
