package deadletter

import (
	"context"
	"math"
	"slices"
	"sync"
	"sync/atomic"
)

// How messages are read: so many at once, in parts of about so many each, but
// not more parts than that.
const (
	readers   = 8
	partSize  = 256
	mostParts = 4096
)

// A budget is how many reads are left.
type budget struct{ left atomic.Int64 }

func newBudget(n int) *budget {
	b := &budget{}
	b.left.Store(int64(n))
	return b
}

func (b *budget) take() bool  { return b.left.Add(-1) >= 0 }
func (b *budget) spent() bool { return b.left.Load() < 0 }

// A span is the messages of a stream with sequences from from to to whose
// subject matches filter.
type span struct {
	stream, filter string
	from, to       uint64
	expected       uint64 // at most so many
}

// parts divides s, latest part first.
func (s span) parts() []span {
	s.to = min(s.to, math.MaxInt64) // room to count on
	if s.from == 0 || s.from > s.to {
		return nil
	}
	width := s.to - s.from + 1
	n := min(max(1, min(width, s.expected)/partSize), mostParts)
	step := (width + n - 1) / n
	var all []span
	for from := s.from; ; from += step {
		part := s
		part.from, part.to = from, min(s.to, from+step-1)
		all = append(all, part)
		if part.to == s.to {
			slices.Reverse(all)
			return all
		}
	}
}

// walk calls visit with each message of s, from several goroutines but one at
// a time, and about the latest first. It begins no further part once enough
// says so. Whether everything was read is in the budget, enough and the error.
func (a api) walk(ctx context.Context, s span, reads *budget, visit func(*stored), enough func() bool) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var mu sync.Mutex
	locked := func(m *stored) {
		mu.Lock()
		defer mu.Unlock()
		visit(m)
	}
	done := func() bool {
		mu.Lock()
		defer mu.Unlock()
		return enough()
	}
	parts := s.parts()
	next := make(chan span)
	var group sync.WaitGroup
	for range min(readers, len(parts)) {
		group.Go(func() {
			for part := range next {
				if err := a.walkPart(ctx, part, reads, locked); err != nil {
					cancel(err)
				}
			}
		})
	}
	for _, part := range parts {
		if done() || reads.spent() || ctx.Err() != nil {
			break
		}
		select {
		case next <- part:
		case <-ctx.Done():
		}
	}
	close(next)
	group.Wait()
	return context.Cause(ctx)
}

// walkPart goes from message to message, over what is deleted.
func (a api) walkPart(ctx context.Context, s span, reads *budget, visit func(*stored)) error {
	for seq := s.from; seq <= s.to && reads.take(); {
		m, err := a.message(ctx, s.stream, lookup{Seq: seq, Next: s.filter})
		if err != nil {
			return err
		}
		if m == nil || m.Seq > s.to {
			return nil
		}
		visit(m)
		seq = m.Seq + 1
	}
	return nil
}

// parallel calls do for the numbers below n, several at a time, until ctx ends.
func parallel(ctx context.Context, n int, do func(i int)) {
	var next atomic.Int64
	var group sync.WaitGroup
	for range min(readers, n) {
		group.Go(func() {
			for i := next.Add(1) - 1; i < int64(n) && ctx.Err() == nil; i = next.Add(1) - 1 {
				do(int(i))
			}
		})
	}
	group.Wait()
}
