package bench

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	"github.com/natsops/natsops/internal/hint"
)

// Env is what a run needs of the world.
type Env struct {
	Driver Driver
	// Usage asks the server what it has used; nil when nobody can be asked, for
	// the reason in NoUsage.
	Usage   func(context.Context) (UsageSample, error)
	NoUsage string
	// Progress, if set, is called from one goroutine, about ten times a second.
	Progress func(Progress)
	Pacing   Pacing
	SameHost bool // the server runs on this machine
}

// A run is the state of one run, which ends with it.
type run struct {
	cfg    Config
	env    Env
	id     uint16 // in every stamp, to tell this run's messages from others'
	server ServerInfo
	clock  clock
	epoch  int64 // the clock's zero, ns since 1970
	rec    *recorder

	// Set before the first goroutine starts, ns on the clock:
	start      int64 // of the load
	end        int64 // of the load; far away when it ends by count
	sweepEvery time.Duration

	publishers  []*publisher
	subscribers []*subscriber
	units       []*unit
	requesters  []*requester
	responders  []*responder
	senders     []*sender
	conns       []Conn

	loading sync.WaitGroup // whoever begins operations
	taking  sync.WaitGroup // whoever receives
	stop    atomic.Bool    // begin nothing more
	stopped chan struct{}  // closed with stop
	quit    atomic.Bool    // receive nothing more
	fatal   chan error     // what makes going on pointless

	cut         atomic.Bool // short, by an interrupt or a fatal error
	disconnects atomic.Uint64
	down        atomic.Int64 // connections that are down now
	firstSeen   atomic.Int64 // first arrival; 0: none
	lastSeen    atomic.Int64
}

var (
	// ErrDenied marks an error that the user's permissions caused.
	ErrDenied = errors.New("the server does not allow this")
	// ErrGone is returned with the result when no connection was up at the end.
	ErrGone = errors.New("the server was gone when the run ended")
)

// Run offers the load that cfg describes and returns what it measured, also
// when ctx ends early; the error is then the context's cause. Other errors wrap
// ErrConfig, when nothing was sent, or are the driver's.
func Run(ctx context.Context, cfg Config, env Env) (Result, error) {
	if err := cfg.Check(); err != nil {
		return Result{}, err
	}
	r := &run{
		cfg:     cfg,
		env:     env,
		id:      uint16(rand.Uint32()), //nolint:gosec // tells runs apart, guards nothing
		rec:     newRecorder(cfg.Senders + cfg.Receivers),
		stopped: make(chan struct{}),
		fatal:   make(chan error, 1),
		// A sweep costs a wake-up per requester, so many of them sweep seldom.
		sweepEvery: min(receiveWait, 5*time.Millisecond*time.Duration(1+cfg.Senders/32)),
	}
	defer r.leave()
	if err := r.connect(ctx); err != nil {
		return Result{}, err
	}
	if err := r.prepare(ctx); err != nil {
		return Result{}, err
	}
	return r.measure(ctx)
}

// measure runs the load, from the first operation to the last reply.
func (r *run) measure(ctx context.Context) (Result, error) {
	witness := startWitness(ctx, r.env)
	before := readUsage()
	begun := time.Now()
	r.begin()
	cause := r.supervise(ctx)
	loadEnd := r.clock.now()
	if cause != nil {
		r.cut.Store(true)
		r.rec.until.Store(min(r.rec.until.Load(), loadEnd))
	}
	flushed, flushErr := r.flush(ctx)
	r.drain(ctx)
	if cause == nil && int(r.down.Load()) >= len(r.conns) {
		cause = ErrGone
	}
	used := readUsage()
	usage, missing := witness.finish(ctx)
	dropped := r.dropped()
	r.leave()
	r.rec.cut(r.clock.now())

	res := r.result(loadEnd, flushed)
	res.StartedAt, res.Dropped = begun, dropped
	res.Interrupted = cause != nil && ctx.Err() != nil
	ops := r.rec.total.sent + r.rec.total.received
	res.Generator = used.since(before, ops)
	res.Generator.Lateness = latency(r.rec.lateness)
	res.Generator.Senders = len(r.senders)
	res.Generator.Pacer = r.pacerName()
	res.Usage, res.NoUsage = usage, missing
	res.Limit = r.limit(res)
	res.Warnings = r.warnings(res, flushErr)
	return res, cause
}

// begin starts the clock, the receivers and the load, in this order.
func (r *run) begin() {
	r.clock = startClock()
	r.epoch = r.clock.unix()
	r.start = r.clock.now()
	from := r.start + int64(r.cfg.Warmup)
	r.end = farAway.Nanoseconds() - int64(time.Hour)
	if r.cfg.Duration > 0 {
		r.end = from + int64(r.cfg.Duration)
		r.rec.until.Store(r.end)
	}
	r.rec.begin(r.start, from)
	for _, p := range r.publishers {
		p.epoch = r.epoch
	}
	for _, s := range r.subscribers {
		r.taking.Go(s.receive)
	}
	if r.cfg.Workload == Reply {
		r.respond()
	}
	r.load()
	for _, q := range r.requesters {
		r.taking.Go(q.receive)
	}
	for _, s := range r.senders {
		r.loading.Go(s.offer)
	}
}

// load shares the operations among the goroutines that will begin them: the
// requesters themselves in an unpaced closed loop, otherwise senders.
func (r *run) load() {
	clients := make([]operation, 0, r.cfg.Senders)
	for _, p := range r.publishers {
		clients = append(clients, p)
	}
	for i, q := range r.requesters {
		clients = append(clients, q)
		if r.cfg.Schedule == nil {
			q.closed, q.quota = true, share(r.cfg.Msgs, i, len(r.requesters))
			r.loading.Add(1)
		}
	}
	if len(r.requesters) > 0 && r.cfg.Schedule == nil || len(clients) == 0 {
		return
	}
	n := r.senderCount(len(clients))
	for i := range n {
		s := &sender{run: r, quota: share(r.cfg.Msgs, i, n), meter: r.rec.meter(i), size: uint64(r.cfg.Size)}
		for c := i; c < len(clients); c += n {
			s.clients = append(s.clients, clients[c])
		}
		if r.cfg.Schedule != nil {
			s.arrivals = r.cfg.Schedule.Share(i, n)
		}
		r.senders = append(r.senders, s)
	}
}

// senderCount returns how many goroutines begin the operations of n clients. A
// client that waits for its window must not hold up others, so in a closed
// loop each has its own; in an open loop few threads serve all, since beginning
// an operation is a buffer write, and many precise sleepers would only compete.
func (r *run) senderCount(n int) int {
	if r.cfg.Schedule == nil || r.cfg.Closed {
		return n
	}
	return min(n, max(1, procs()/2))
}

// noQuota is more operations than any run begins.
const noQuota = math.MaxUint64

// share returns the part of total that falls to i of n; a total of 0 is no limit.
func share(total uint64, i, n int) uint64 {
	if total == 0 {
		return noQuota
	}
	part := total / uint64(n)
	if uint64(i) < total%uint64(n) {
		part++
	}
	return part
}

func (r *run) pacing() pacer { return r.env.Pacing.start(r.clock, len(r.senders)) }

func (r *run) pacerName() string {
	if r.cfg.Schedule == nil || len(r.senders) == 0 {
		return "none"
	}
	return r.env.Pacing.name(len(r.senders))
}

// fail counts an operation that could not begin.
func (r *run) fail(err error, measured bool) {
	class := r.env.Driver.Classify(err)
	if measured {
		r.rec.failures.add(class, err.Error())
	}
	if class == ClassPermission {
		r.abort(hint.Wrap(fmt.Errorf("%w: %w", ErrDenied, err), "a subject that the user may publish and subscribe to"))
	}
	if class == ClassTooLarge {
		r.abort(err)
	}
}

// abort ends the run because of what no waiting will mend.
func (r *run) abort(err error) {
	select {
	case r.fatal <- err:
	default:
	}
}

// event takes what a driver reports of a connection.
func (r *run) event(e Event) {
	switch e.Kind {
	case Disconnected:
		r.disconnects.Add(1)
		r.down.Add(1)
	case Reconnected:
		r.down.Add(-1)
	case AsyncError:
		r.fail(e.Err, true)
	}
}

// touch notes an arrival, for runs that end by what arrives.
func (r *run) touch(now int64) {
	r.lastSeen.Store(now)
	if r.firstSeen.Load() == 0 {
		r.firstSeen.CompareAndSwap(0, max(1, now))
	}
}

// halt makes the load end.
func (r *run) halt() {
	if r.stop.CompareAndSwap(false, true) {
		close(r.stopped)
	}
}

func (r *run) respond() {
	for _, a := range r.responders {
		r.taking.Go(a.receive)
	}
}

// leave ends the receivers and closes all connections.
func (r *run) leave() {
	r.quit.Store(true)
	for _, c := range r.conns {
		c.Close()
	}
	r.taking.Wait()
}

func (c Config) connName(role string, i int) string {
	return fmt.Sprintf("natsops bench %s %s %d", c.Workload, role, i)
}
