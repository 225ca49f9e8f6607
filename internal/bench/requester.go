package bench

import (
	"strconv"
	"sync/atomic"
	"time"
)

// A requester is one connection that sends requests and takes the replies, many
// at a time, on one reply subject of its own: no goroutine, subscription or
// timer per request. A sender begins requests in an open loop (send); in a
// closed loop the receiving goroutine begins the next one when a reply comes,
// which saves a change of goroutines per request.
//
// Every request has a slot. Only the sending side fills a free slot, and only
// the receiving side frees it, so the token in it is all that they agree on.
//
// The token is also the end of the reply subject. While every request gets one
// reply, a slot goes round a few tokens: a server remembers where a subject
// leads, and one that never comes again costs it a third more per request. With
// the first failure or surplus reply tokens are never used again (wary), since
// a reply could otherwise be taken for another's.
type requester struct {
	run      *run
	conn     Conn
	sub      Subscription
	subjects []string
	body     []byte
	inbox    string // a reply subject is inbox + token
	slots    []slot
	window   int64
	next     atomic.Uint64 // number of the next request
	flight   atomic.Int64  // slots in use
	rounds   uint64        // tokens that a slot goes round
	wary     atomic.Bool
	waiting  atomic.Bool
	room     chan struct{}

	// The receiving goroutine's own:
	closed bool   // it begins requests too
	quota  uint64 // then: how many after the warm-up
	asked  uint64 // then: of quota
	loaded bool   // then: it has begun the last one
	meter  *meter
	oldest uint64 // requests before it are settled or in again
	again  []attempt
	swept  int64
}

// A slot is a request that waits for its reply. Times are ns on the run's clock.
type slot struct {
	token  atomic.Uint64 // free, or (round·slots + slot)<<attemptBits | attempt
	number uint64        // of the request
	uses   uint64        // the sending side's
	due    int64
	sent   int64 // first attempt
	last   int64 // latest attempt
}

const (
	attemptBits = 4
	free        = 0
	// What a server remembers per connection (maxResultCacheSize in
	// nats-server's client.go).
	rememberedSubjects = 512
)

func newRequester(r *run, id int, conn Conn) (*requester, error) {
	slots := 1
	for slots < r.cfg.window() {
		slots *= 2
	}
	q := &requester{
		run: r, conn: conn,
		subjects: r.cfg.publishSubjects(),
		body:     r.cfg.body(id),
		inbox:    conn.Inbox() + ".",
		slots:    make([]slot, slots),
		window:   int64(r.cfg.window()),
		room:     make(chan struct{}, 1),
		meter:    r.rec.meter(id),
		oldest:   1,
		rounds:   uint64(max(2, rememberedSubjects/(slots*r.cfg.Senders))),
	}
	q.next.Store(1)
	var err error
	q.sub, err = conn.Subscribe(q.inbox+"*", "", max(1024, 2*slots))
	return q, err
}

func (q *requester) slot(number uint64) *slot { return &q.slots[number&uint64(len(q.slots)-1)] }

func (q *requester) ready() bool { return q.flight.Load() < q.window }

func (q *requester) await() {
	q.waiting.Store(true)
	defer q.waiting.Store(false)
	if q.ready() {
		return
	}
	timer := time.NewTimer(longestSleep)
	defer timer.Stop()
	select {
	case <-q.room:
	case <-timer.C:
	}
}

func (q *requester) send(due, now int64) error {
	number := q.next.Load()
	for q.slot(number).token.Load() != free {
		number++ // an old request still waits there
	}
	s := q.slot(number)
	s.number, s.due, s.sent, s.last = number, due, now, now
	token := q.token(number, s)
	s.token.Store(token)
	q.flight.Add(1)
	q.next.Store(number + 1)
	if err := q.publish(token); err != nil {
		s.token.Store(free)
		q.flight.Add(-1)
		return err
	}
	return nil
}

// token returns the next token of a slot. Rounds count from 1, so that no token
// is free.
func (q *requester) token(number uint64, s *slot) uint64 {
	round := 1 + s.uses%q.rounds
	if q.wary.Load() {
		round = 1 + q.rounds + s.uses
	}
	s.uses++
	slots := uint64(len(q.slots))
	return (round*slots + number%slots) << attemptBits
}

func (q *requester) publish(token uint64) error {
	var buf [96]byte
	reply := strconv.AppendUint(append(buf[:0], q.inbox...), token, 36)
	subject := q.subjects[(token>>attemptBits)%uint64(len(q.subjects))]
	return q.conn.Publish(subject, string(reply), q.body)
}

// receive takes replies until the run quits.
func (q *requester) receive() {
	var (
		batch = make([]Message, receiveBatch)
		wait  = q.run.sweepEvery
	)
	for !q.run.quit.Load() {
		n := q.sub.Receive(batch, wait)
		now := q.run.clock.now()
		if n > 0 {
			q.take(batch[:n], now)
		}
		if now-q.swept >= int64(wait) {
			q.swept = now
			q.sweep(now)
		}
		switch {
		case q.closed:
			q.refill(now)
		case q.waiting.Load() && q.ready():
			select {
			case q.room <- struct{}{}:
			default:
			}
		}
	}
}

func (q *requester) take(batch []Message, now int64) {
	m := q.meter
	m.mu.Lock()
	defer m.mu.Unlock()
	m.lastArrival = now
	for i := range batch {
		token, err := strconv.ParseUint(batch[i].Subject[len(q.inbox):], 36, 64)
		s := q.slot(token >> attemptBits)
		if err != nil || token == free || s.token.Load() != token {
			q.wary.Store(true)
			if now >= q.run.rec.from {
				m.unexpected++
			}
			continue
		}
		if class := batch[i].Failed; class != ClassNone {
			q.failed(s, token, class, now)
			continue
		}
		m.received++
		if now >= q.run.rec.from && now <= q.run.rec.until.Load() {
			m.arrived++
			m.arrivedBytes += uint64(len(batch[i].Data))
		}
		if s.due >= q.run.rec.from {
			m.done++
			m.doneBytes += uint64(len(batch[i].Data))
			m.response.Record(now - s.due)
			m.service.Record(now - s.sent)
		}
		q.release(s)
	}
}

func (q *requester) release(s *slot) {
	s.token.Store(free)
	q.flight.Add(-1)
}

// refill begins requests until the window is full.
func (q *requester) refill(now int64) {
	if q.loaded {
		return
	}
	var begun, measured uint64
	for q.ready() && !q.spent() {
		inPart := now >= q.run.rec.from
		if err := q.send(now, now); err != nil {
			q.run.fail(err, inPart)
			break // and try again after the next wait
		}
		begun++
		if inPart {
			measured++
			q.asked++
		}
	}
	if begun > 0 {
		q.meter.mu.Lock()
		q.meter.sent += begun
		q.meter.begun += measured
		q.meter.begunBytes += measured * uint64(len(q.body))
		q.meter.mu.Unlock()
	}
	if q.spent() {
		q.loaded = true
		q.run.loading.Done()
	}
}

func (q *requester) spent() bool {
	return q.run.stop.Load() || q.asked >= q.quota
}

// unfinished counts the measured requests that still wait.
func (q *requester) unfinished() uint64 {
	var n uint64
	for i := range q.slots {
		if s := &q.slots[i]; s.token.Load() != free && s.due >= q.run.rec.from {
			n++
		}
	}
	return n
}
