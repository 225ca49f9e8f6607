package bench

import (
	"context"
	"time"
)

// Progress says how far a run has come.
type Progress struct {
	Phase string // connecting, warming up, measuring or draining
	// Done of Total are connections while connecting, messages in a run that
	// ends by count, and nanoseconds otherwise; Total 0 means no end is set.
	Done, Total int
	RatePerS    float64 // operations in the last second
	P99NS       *int64  // response time in the last second
	Errors      uint64
	Disconnects uint64
	ETA         time.Duration // until the end of the load; 0: not known
}

const (
	tickEvery = 100 * time.Millisecond
	cutEvery  = time.Second
)

// supervise waits for the end of the load. It returns why the run was cut
// short, or nil.
func (r *run) supervise(ctx context.Context) error {
	tick := time.NewTicker(tickEvery)
	defer tick.Stop()
	end := time.NewTimer(time.Duration(r.end - r.clock.now()))
	defer end.Stop()

	var (
		cause  error
		done   = ctx.Done()
		loaded = r.loaded()
	)
	for {
		select {
		case <-loaded:
			r.halt()
			return cause
		case <-done:
			cause, done = context.Cause(ctx), nil
			r.halt()
		case cause = <-r.fatal:
			r.halt()
		case <-end.C:
			if r.cfg.Schedule == nil { // otherwise senders end by the schedule, and may be catching up
				r.halt()
			}
		case <-tick.C:
			r.tick()
		}
		if loaded == nil && r.stop.Load() {
			return cause
		}
	}
}

// tick is what happens every tenth of a second.
func (r *run) tick() {
	now := r.clock.now()
	if now-r.rec.cutAt >= int64(cutEvery) {
		r.rec.cut(now)
	}
	r.report(now)
	if !r.cfg.loads() && r.complete(now) {
		r.halt()
	}
}

// loaded returns a channel that is closed when the last operation has begun, or
// nil when others make the load.
func (r *run) loaded() <-chan struct{} {
	if !r.cfg.loads() {
		return nil
	}
	done := make(chan struct{})
	go func() {
		r.loading.Wait()
		close(done)
	}()
	return done
}

// complete reports whether a run that only receives has had what it waits for.
func (r *run) complete(now int64) bool {
	if r.cfg.Msgs > 0 && r.rec.peek().received >= r.cfg.Msgs {
		return true
	}
	last := r.lastSeen.Load()
	return r.cfg.Idle > 0 && last > 0 && now-last > int64(r.cfg.Idle)
}

func (r *run) report(now int64) {
	if r.env.Progress == nil {
		return
	}
	sum := r.rec.peek()
	p := Progress{
		Phase:       "measuring",
		Done:        int(now - r.start),
		Errors:      r.rec.failures.count.Load(),
		Disconnects: r.disconnects.Load(),
	}
	if r.cfg.Duration > 0 {
		p.Total = int(r.end - r.start)
	}
	if r.cfg.Msgs > 0 {
		p.Done, p.Total = int(max(sum.begun, sum.done)), int(r.cfg.Msgs)
	}
	if now < r.rec.from {
		p.Phase = "warming up"
	}
	if n := len(r.rec.intervals); n > 0 {
		last := r.rec.intervals[n-1]
		p.P99NS = last.P99NS
		ops := last.Received
		if r.cfg.Workload == Pub {
			ops = last.Sent
		}
		p.RatePerS = float64(ops) / time.Duration(last.LengthNS).Seconds()
	}
	if p.Total > 0 && p.Done > 0 && p.Done < p.Total {
		p.ETA = time.Duration(float64(now-r.start) * (float64(p.Total)/float64(p.Done) - 1))
	}
	r.env.Progress(p)
}

// flush waits until the server has read what was published, and returns when.
func (r *run) flush(ctx context.Context) (int64, error) {
	ctx, cancel := r.afterLoad(ctx, r.cfg.Timeout)
	defer cancel()
	var first error
	for _, p := range r.publishers {
		if err := p.conn.Flush(ctx); err != nil && first == nil {
			first = err
		}
	}
	return r.clock.now(), first
}

// How long the end of a run may take after an interrupt. It takes as long only
// where something is still out.
const hurry = 2 * time.Second

// afterLoad returns a context for what follows the load: it outlives ctx, but
// once ctx has ended by no more than hurry.
func (r *run) afterLoad(ctx context.Context, most time.Duration) (context.Context, context.CancelFunc) {
	if ctx.Err() != nil {
		most = min(most, hurry)
	}
	after, cancel := context.WithTimeout(context.WithoutCancel(ctx), most)
	unhook := context.AfterFunc(ctx, func() { time.AfterFunc(hurry, cancel) })
	return after, func() { unhook(); cancel() }
}

// How long nothing may arrive before what is still out is taken for lost.
const quiet = 2 * time.Second

// drain waits for what is on its way, as long as more of it keeps arriving.
func (r *run) drain(ctx context.Context) {
	if !r.cfg.loads() {
		return
	}
	ctx, cancel := r.afterLoad(ctx, time.Hour)
	defer cancel()
	tick := time.NewTicker(longestSleep)
	defer tick.Stop()
	var (
		least = r.outstanding()
		since = time.Now()
	)
	for least > 0 {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		patience := quiet
		switch {
		case r.cfg.Workload == Request:
			patience += r.cfg.longestRequest()
		case r.down.Load() > 0:
			patience += r.cfg.Timeout
		}
		now := r.outstanding()
		if now < least {
			least, since = now, time.Now()
		} else if time.Since(since) > patience {
			return
		}
		if at := r.clock.now(); at-r.rec.cutAt >= int64(cutEvery) {
			r.rec.cut(at)
		}
	}
}

// outstanding counts what was sent and has neither arrived nor failed.
func (r *run) outstanding() uint64 {
	var out uint64
	for _, q := range r.requesters {
		out += uint64(q.flight.Load())
	}
	if len(r.units) == 0 || len(r.publishers) == 0 {
		return out
	}
	var sent uint64
	for _, p := range r.publishers {
		sent += p.seq
	}
	for _, u := range r.units {
		u.mu.Lock()
		out += sent - min(sent, u.fresh)
		u.mu.Unlock()
	}
	return out
}
