package proxy

import "time"

// Window is how many bytes each direction of a connection holds at most,
// besides one read and what is in the buffers of the system. It bounds the
// throughput under latency: a window per delay.
const Window = 1 << 20

// maxChunks bounds what the bookkeeping of very small chunks takes.
const maxChunks = 4096

// A chunk is what one read gave.
type chunk struct {
	bytes   []byte
	arrived time.Time
	draw    float64 // of the jitter, -1 to 1
}

// A queue is what has been read and not been delivered yet, oldest first.
type queue struct {
	chunks []chunk
	bytes  int
}

func (q *queue) empty() bool { return len(q.chunks) == 0 }

// fits tells whether n more bytes may come.
func (q *queue) fits(n int) bool {
	return q.empty() || q.bytes+n <= Window && len(q.chunks) < maxChunks
}

func (q *queue) push(c chunk) {
	q.chunks = append(q.chunks, c)
	q.bytes += len(c.bytes)
}

// pop takes n bytes of the oldest chunk away.
func (q *queue) pop(n int) {
	q.bytes -= n
	if head := &q.chunks[0]; n < len(head.bytes) {
		head.bytes = head.bytes[n:]
	} else {
		*head = chunk{} // or else it is kept until the slice moves
		q.chunks = q.chunks[1:]
	}
}
