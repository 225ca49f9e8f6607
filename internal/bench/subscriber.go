package bench

import (
	"sync"
	"time"

	"github.com/natsops/natsops/internal/ledger"
)

// The most messages received between two looks at the clock and the lock.
const receiveBatch = 64

// How long a receiver without traffic sleeps. Closing its connection wakes it.
const receiveWait = 100 * time.Millisecond

// A unit is what messages are accounted for: one subscriber, or all members of
// a queue group together. mu is taken once per batch.
type unit struct {
	id      int
	mu      sync.Mutex
	ledger  *ledger.Ledger
	fresh   uint64    // first arrivals
	windows []*window // by publisher; nil: none
	strangers
}

// strangers numbers the publishers of other processes, whose runs are not known
// before their first message comes.
type strangers struct {
	open  bool // messages of any run are taken
	index map[uint32]int
}

func (s *strangers) publisher(st ledger.Stamp) int {
	key := uint32(st.Run)<<16 | uint32(st.Publisher)
	i, known := s.index[key]
	if !known {
		i = len(s.index)
		s.index[key] = i
	}
	return i
}

// A subscriber is one connection that receives. It belongs to one goroutine.
type subscriber struct {
	run      *run
	sub      Subscription
	unit     *unit
	order    *ledger.Order // of a member of a queue group; nil otherwise
	meter    *meter
	received uint64
	last     position // for the window, which has not been told yet
}

// A position is how far a publisher's messages have come; seq 0: nowhere new.
type position struct {
	publisher int
	seq       uint64
}

// receive takes messages until the run quits. One clock reading serves a batch,
// taken once all of it has arrived: what waits in the client counts as latency,
// and a latency is too high by at most what taking a batch off the queue costs.
func (s *subscriber) receive() {
	batch := make([]Message, receiveBatch)
	for !s.run.quit.Load() {
		n := s.sub.Receive(batch, receiveWait)
		if n == 0 {
			continue
		}
		s.take(batch[:n], s.run.clock.now())
	}
}

func (s *subscriber) take(batch []Message, now int64) {
	var (
		m     = s.meter
		bytes uint64
	)
	s.run.touch(now)
	s.unit.mu.Lock()
	m.mu.Lock()
	for i := range batch {
		bytes += uint64(len(batch[i].Data))
		s.account(batch[i].Data, now)
	}
	s.advance()
	n := uint64(len(batch))
	m.received += n
	m.lastArrival = now
	if now >= s.run.rec.from && now <= s.run.rec.until.Load() {
		m.arrived += n
		m.arrivedBytes += bytes
	}
	m.mu.Unlock()
	s.unit.mu.Unlock()
	s.received += n
}

// advance moves the window of the publisher whose messages came last. It costs
// more than the rest of a message together, so it is done for runs of messages.
func (s *subscriber) advance() {
	if s.last.seq > 0 {
		s.unit.windows[s.last.publisher].advance(s.unit.id, s.last.seq)
		s.last.seq = 0
	}
}

// account enters one message in the unit's ledger. The latency of a message
// that came twice is that of its first arrival.
func (s *subscriber) account(data []byte, now int64) {
	var (
		u       = s.unit
		st, err = ledger.Read(data)
	)
	if err != nil {
		if !u.open {
			u.ledger.AddCorrupt(1)
		}
		return
	}
	publisher := int(st.Publisher)
	switch {
	case u.open:
		publisher = u.publisher(st)
	case st.Run != s.run.id:
		u.ledger.AddForeign(1)
		return
	}
	if st.Seq == ledger.ProbeSeq || !u.ledger.Observe(publisher, st.Seq).Fresh() {
		return
	}
	u.fresh++
	if s.order != nil {
		s.order.Observe(publisher, st.Seq)
	}
	if u.windows != nil {
		if publisher != s.last.publisher {
			s.advance()
		}
		s.last = position{publisher, st.Seq}
	}
	if due := st.Time - s.run.epoch; due >= s.run.rec.from {
		s.meter.done++
		s.meter.doneBytes += uint64(len(data))
		s.meter.response.Record(now - due)
	}
}
