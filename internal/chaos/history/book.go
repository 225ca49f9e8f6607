package history

import (
	"iter"
	"maps"
	"slices"
	"time"
)

// A book has a page for each message that a [Record] speaks of.
type book struct {
	shelves []shelf              // by publisher
	again   map[message][]uint64 // where messages are stored beyond their first place
}

// A message is a publisher and a number.
type message struct {
	publisher uint16
	seq       uint64
}

// A shelf has the pages of one publisher. It numbers its messages without gaps,
// so none is above the number of its attempts: those are in a slice. What a
// broken record has beyond that is in a map.
type shelf struct {
	near        []page
	far         map[uint64]*page
	kept        bool   // something of what was sent is stored
	first, last uint64 // of these
	highest     uint64 // of those acknowledged at their first attempt and seen in stream order
}

// A page is what is known of one message.
type page struct {
	place    uint64        // where it is stored, the first time
	ackedAt  time.Duration // for the first time
	ackedAs  uint64        // place by that acknowledgement
	attempts uint32
	refusals uint32
	consumer uint16 // that deliveredHere and deliveredOne are about
	marks    marks
}

// The marks on a page.
type marks uint8

const (
	acked      marks = 1 << iota
	ackedFirst       // at its first attempt
	stored
	delivered
	deliveredHere // to the consumer that is looked at
	deliveredOne  // to that one, with NumDelivered 1
)

func (p *page) is(m marks) bool { return p.marks&m != 0 }
func (p *page) sent() bool      { return p.attempts > 0 }

// count is 1 when the page has a mark.
func (p *page) count(m marks) uint64 {
	if p.is(m) {
		return 1
	}
	return 0
}

// refused is whether each attempt was.
func (p *page) refused() bool { return p.sent() && p.refusals == p.attempts }

// newBook makes room for what was tried.
func newBook(attempts []Attempt) *book {
	b := &book{again: map[message][]uint64{}}
	var counts []int
	for i := range attempts {
		p := int(attempts[i].Publisher)
		if p >= len(counts) {
			counts = append(counts, make([]int, p+1-len(counts))...)
		}
		counts[p]++
	}
	b.shelves = make([]shelf, len(counts))
	for p, n := range counts {
		if n > 0 {
			b.shelves[p].near = make([]page, n+1)
		}
	}
	return b
}

// page finds that of a message, or lays out a new one.
func (b *book) page(publisher uint16, seq uint64) *page {
	if n := int(publisher) + 1 - len(b.shelves); n > 0 {
		b.shelves = append(b.shelves, make([]shelf, n)...)
	}
	s := &b.shelves[publisher]
	if seq < uint64(len(s.near)) {
		return &s.near[seq]
	}
	if s.far[seq] == nil {
		if s.far == nil {
			s.far = map[uint64]*page{}
		}
		s.far[seq] = &page{}
	}
	return s.far[seq]
}

// pages are all of a publisher's, by number. Some of them were never written on.
func (s *shelf) pages() iter.Seq2[uint64, *page] {
	return func(yield func(uint64, *page) bool) {
		for i := range s.near {
			if !yield(uint64(i), &s.near[i]) {
				return
			}
		}
		for _, seq := range slices.Sorted(maps.Keys(s.far)) {
			if !yield(seq, s.far[seq]) {
				return
			}
		}
	}
}
