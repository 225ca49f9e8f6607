package load

import "github.com/natsops/natsops/internal/chaos/history"

// chunkSize is how many attempts are allocated at once: 1/4 MiB.
const chunkSize = 4096

// attempts is a list that grows without ever copying what it holds, and
// remembers which messages are settled.
type attempts struct {
	chunks  [][]history.Attempt
	n       int
	settled []uint64 // a bit for each message
}

func (a *attempts) add(x history.Attempt) int {
	if a.n%chunkSize == 0 {
		a.chunks = append(a.chunks, make([]history.Attempt, 0, chunkSize))
	}
	last := len(a.chunks) - 1
	a.chunks[last] = append(a.chunks[last], x)
	a.n++
	return a.n - 1
}

// at returns an attempt; the pointer stays valid.
func (a *attempts) at(i int) *history.Attempt { return &a.chunks[i/chunkSize][i%chunkSize] }

// settle marks a message as one that needs no further attempt, and returns
// whether it did before.
func (a *attempts) settle(seq uint64) bool {
	for seq/64 >= uint64(len(a.settled)) {
		a.settled = append(a.settled, 0)
	}
	before := a.settled[seq/64]
	a.settled[seq/64] |= 1 << (seq % 64)
	return before == a.settled[seq/64]
}

func (a *attempts) isSettled(seq uint64) bool {
	return seq/64 < uint64(len(a.settled)) && a.settled[seq/64]&(1<<(seq%64)) != 0
}
