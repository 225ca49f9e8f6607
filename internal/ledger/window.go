package ledger

import "math/bits"

const (
	wordBits = 64
	minWords = 16 // first size of a window: 1024 sequence numbers in 128 bytes
)

// A window is a bitmap of the sequences seen in a moving range. It is a ring of
// words: sequence n is bit n%64 of word n/64, which is kept at n/64 modulo the
// ring's length, a power of two. Words after the highest sequence are zero.
type window struct {
	ring []uint64
	base uint64 // number of the first word in the ring
}

// start returns the first sequence in the window.
func (w *window) start() uint64 { return w.base * wordBits }

// open starts an empty window, in which everything below next has been seen.
func (w *window) open(next uint64) {
	w.base = next / wordBits
	if w.ring == nil {
		w.ring = make([]uint64, 1)
	}
	*w.word(w.base) = 1<<(next%wordBits) - 1
}

// clear empties a window whose highest sequence is last.
func (w *window) clear(last uint64) {
	for ; w.base <= last/wordBits; w.base++ {
		*w.word(w.base) = 0
	}
}

// mark notes that seq, which is not beyond the window, was seen, and reports
// whether it was new. Below the window nothing is.
func (w *window) mark(seq uint64) bool {
	if seq < w.start() {
		return false
	}
	word, bit := w.word(seq/wordBits), uint64(1)<<(seq%wordBits)
	unseen := *word&bit == 0
	*word |= bit
	return unseen
}

// reach makes the window include seq, and returns how many unseen sequences had
// to be dropped for it. Complete words at the start are dropped first, then the
// ring grows up to maxWords, and only then unseen sequences go.
func (w *window) reach(seq, maxWords uint64) (lost uint64) {
	last := seq / wordBits
	if w.holds(last) {
		return 0
	}
	for *w.word(w.base) == ^uint64(0) {
		*w.word(w.base) = 0
		w.base++
	}
	if size := uint64(len(w.ring)); !w.holds(last) && size < maxWords {
		w.resize(min(maxWords, ceilPow2(max(minWords, last-w.base+1))))
	}
	if w.holds(last) {
		return 0
	}
	return w.drop(last - uint64(len(w.ring)) + 1)
}

// drop moves the start of the window up to word base, and returns how many
// unseen sequences that leaves behind. Its cost is bounded by the size of the
// ring, however far it goes.
func (w *window) drop(base uint64) (lost uint64) {
	inRing := min(base-w.base, uint64(len(w.ring)))
	for end := w.base + inRing; w.base < end; w.base++ {
		lost += uint64(bits.OnesCount64(^*w.word(w.base)))
		*w.word(w.base) = 0
	}
	lost += (base - w.base) * wordBits
	w.base = base
	return lost
}

// unseen counts the sequences in [from, to) that are in the window and were not
// seen.
func (w *window) unseen(from, to uint64) uint64 {
	var n int
	for from = max(from, w.start()); from < to; from = (from/wordBits + 1) * wordBits {
		missing := ^*w.word(from / wordBits) >> (from % wordBits)
		if end := to - from; end < wordBits {
			missing &= 1<<end - 1
		}
		n += bits.OnesCount64(missing)
	}
	return uint64(n)
}

func (w *window) resize(words uint64) {
	old := *w
	w.ring = make([]uint64, words)
	for i := old.base; i < old.base+uint64(len(old.ring)); i++ {
		*w.word(i) = *old.word(i)
	}
}

func (w *window) holds(word uint64) bool { return word-w.base < uint64(len(w.ring)) }

func (w *window) word(n uint64) *uint64 { return &w.ring[n&uint64(len(w.ring)-1)] }
