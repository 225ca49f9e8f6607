package load

import (
	"container/heap"
	"context"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/natsops/natsops/internal/chaos/history"
	"github.com/natsops/natsops/internal/ledger"
)

// A line is where a publisher sends to: a connection.
type line interface {
	PublishMsg(m *nats.Msg) error
}

// A publisher sends its messages when they are due, and tries those again that
// are not acknowledged. One goroutine does all of it, another hears the answers:
// nothing runs or waits for a single message. An answer names its attempt in its
// subject, so that it counts however late it comes.
type publisher struct {
	cfg      *Config
	number   uint16
	name     string
	conn     *nats.Conn
	line     line
	now      func() time.Duration
	schedule schedule
	inbox    string // with the dot; answers come to it and the attempt's index

	// Of the goroutine that sends.
	stamper *ledger.Stamper
	msg     *nats.Msg
	id      []string // the header's

	wake  chan struct{}
	quiet chan struct{} // closed when it was told to stop and nothing is left to do

	mu      sync.Mutex
	log     attempts
	slot    uint64 // the next
	seq     uint64 // the last
	open    int    // messages that are not settled
	oldest  int    // no attempt before this one waits for an answer
	retries retries
	missed  uint64
	lastAck time.Duration // 0: none
	stopped bool
	gaveUp  bool
	isQuiet bool
}

func newPublisher(cfg *Config, number uint16, out line, now func() time.Duration) (*publisher, error) {
	stamper, err := ledger.NewStamper(cfg.Run, number, make([]byte, cfg.Size))
	if err != nil {
		return nil, err
	}
	p := &publisher{
		cfg: cfg, number: number, name: cfg.Publishers[number].Name, line: out, now: now,
		// Their messages are spread over the period.
		schedule: schedule{offset: cfg.period() * time.Duration(number) / time.Duration(len(cfg.Publishers)), rate: cfg.Rate},
		stamper:  stamper,
		wake:     make(chan struct{}, 1),
		quiet:    make(chan struct{}),
	}
	p.msg = nats.NewMsg(cfg.Subject + "." + p.name)
	if cfg.Retry != NoID {
		p.id = []string{""}
		p.msg.Header[nats.MsgIdHdr] = p.id
	}
	return p, nil
}

// listen subscribes to the answers.
func (p *publisher) listen(ctx context.Context, nc *nats.Conn) error {
	p.inbox = nc.NewInbox() + "."
	sub, err := nc.Subscribe(p.inbox+"*", p.hear)
	if err == nil {
		err = sub.SetPendingLimits(-1, -1) // an answer that was dropped would be a lie
	}
	if err == nil {
		err = check(ctx, nc, "")
	}
	if err != nil {
		return fmt.Errorf("listen for acknowledgements: %w", err)
	}
	return nil
}

// run sends until ctx ends.
func (p *publisher) run(ctx context.Context) {
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-timer.C:
		case <-p.wake:
		}
		for p.step() {
			if ctx.Err() != nil {
				return
			}
		}
		timer.Reset(p.rest())
	}
}

// step makes one attempt that is due, new messages first, since nothing may
// delay them; false: none is.
func (p *publisher) step() bool {
	p.mu.Lock()
	now := p.now()
	i, ok := p.next(now)
	if !ok {
		p.expire(now)
		p.mu.Unlock()
		return false
	}
	a := *p.log.at(i)
	p.mu.Unlock()
	p.msg.Data = p.stamper.Next(a.Seq, int64(a.Began))
	p.msg.Reply = p.inbox + strconv.Itoa(i)
	if p.id != nil {
		p.id[0] = p.cfg.Mark + "-" + p.name + "-" + strconv.FormatUint(a.Seq, 10)
	}
	if err := p.line.PublishMsg(p.msg); err != nil {
		p.mu.Lock()
		defer p.mu.Unlock()
		p.judged(i, unsent(err), p.now())
	}
	return true
}

// next notes the attempt to make now.
func (p *publisher) next(now time.Duration) (index int, ok bool) {
	if !p.stopped {
		if n := p.schedule.skip(p.slot, now); n > 0 {
			p.slot += n
			p.missed += n
		}
		if p.schedule.due(p.slot) <= now {
			p.slot++
			p.seq++
			p.open++
			return p.log.add(history.Attempt{Publisher: p.number, Try: 1, Seq: p.seq, Began: now}), true
		}
	}
	for len(p.retries) > 0 && p.retries[0].at <= now {
		r := heap.Pop(&p.retries).(retry)
		if !p.log.isSettled(r.seq) { // by an answer that came late
			return p.log.add(history.Attempt{Publisher: p.number, Try: r.try, Seq: r.seq, Began: now}), true
		}
	}
	return 0, false
}

// expire ends the attempts whose answer is overdue. All wait equally long, so
// that they end in the order in which they began.
func (p *publisher) expire(now time.Duration) {
	for ; p.oldest < p.log.n; p.oldest++ {
		a := p.log.at(p.oldest)
		if a.Ended != 0 {
			continue
		}
		if a.Began+p.cfg.AckWait > now {
			return
		}
		p.judged(p.oldest, verdict{class: history.Timeout}, now)
	}
}

// rest is how long nothing is due.
func (p *publisher) rest() time.Duration {
	p.mu.Lock()
	defer p.mu.Unlock()
	next := p.now() + time.Hour
	if !p.stopped {
		next = min(next, p.schedule.due(p.slot))
	}
	if len(p.retries) > 0 {
		next = min(next, p.retries[0].at)
	}
	if p.oldest < p.log.n {
		next = min(next, p.log.at(p.oldest).Began+p.cfg.AckWait)
	}
	return max(0, next-p.now())
}

// hear takes an answer.
func (p *publisher) hear(m *nats.Msg) {
	now := p.now()
	index, ok := strings.CutPrefix(m.Subject, p.inbox)
	i, err := strconv.Atoi(index)
	if !ok || err != nil {
		return
	}
	v := judge(m, p.cfg.Stream)
	p.mu.Lock()
	defer p.mu.Unlock()
	if i >= 0 && i < p.log.n {
		p.judged(i, v, now)
	}
}

// judged notes what became of an attempt. What is known for sure replaces what
// is not, and an acknowledgement, being a promise, everything.
func (p *publisher) judged(i int, v verdict, now time.Duration) {
	a := p.log.at(i)
	first := a.Ended == 0
	if !first && (a.Outcome == history.Acked || v.outcome == history.Unknown || v.outcome == a.Outcome) {
		return
	}
	a.Ended, a.Outcome, a.Class = max(1, now), v.outcome, v.class
	a.StreamSeq, a.Duplicate = v.streamSeq, v.duplicate
	switch {
	case v.outcome == history.Acked:
		p.lastAck = a.Ended
		p.settle(a.Seq)
	case p.cfg.Retry == NoRetry || p.gaveUp:
		p.settle(a.Seq)
	case first:
		heap.Push(&p.retries, retry{at: now + backoff(a.Try), seq: a.Seq, try: max(a.Try, a.Try+1)}) // which ends at 65535
		p.rouse()
	}
}

// settle notes that a message needs no further attempt.
func (p *publisher) settle(seq uint64) {
	if !p.log.settle(seq) {
		p.open--
	}
	p.hush()
}

// hush says so when nothing is left to do.
func (p *publisher) hush() {
	if p.stopped && p.open == 0 && !p.isQuiet {
		p.isQuiet = true
		close(p.quiet)
	}
}

// rouse has the schedule looked at anew.
func (p *publisher) rouse() {
	select {
	case p.wake <- struct{}{}:
	default:
	}
}

// stop has it begin no new message.
func (p *publisher) stop() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.stopped = true
	p.hush()
}

// giveUp ends all attempts and makes no further ones. It returns how many
// messages are left.
func (p *publisher) giveUp() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	left, now := p.open, p.now()
	p.gaveUp = true
	for ; p.oldest < p.log.n; p.oldest++ {
		if p.log.at(p.oldest).Ended == 0 {
			p.judged(p.oldest, verdict{class: history.Timeout}, now)
		}
	}
	for _, r := range p.retries {
		p.settle(r.seq)
	}
	p.retries = nil
	return left
}

// appendTo appends a copy of all attempts.
func (p *publisher) appendTo(all []history.Attempt) []history.Attempt {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, c := range p.log.chunks {
		all = append(all, c...)
	}
	return all
}
