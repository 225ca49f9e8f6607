package bench

import (
	"math"
	"slices"
	"time"

	"github.com/natsops/natsops/internal/ledger"
	"github.com/natsops/natsops/internal/stats"
)

// result puts together what was measured. loadEnd is when the last operation
// began and flushed when the server had read all of them.
func (r *run) result(loadEnd, flushed int64) Result {
	var (
		cfg     = r.cfg
		sum     = r.rec.total
		from    = r.rec.from
		to, ops = r.measured(loadEnd, flushed)
	)
	if !cfg.loads() {
		from = r.firstSeen.Load() // before it nobody was sending
	}
	res := Result{
		Workload:    cfg.Workload,
		Title:       cfg.Title(),
		Run:         1,
		Settings:    cfg.settings(),
		Loop:        cfg.loop(),
		Server:      r.server,
		ElapsedNS:   max(0, to-from),
		WarmupNS:    min(int64(cfg.Warmup), loadEnd-r.start),
		Sent:        sum.begun,
		Received:    sum.done,
		Unexpected:  sum.unexpected,
		Retries:     sum.retries,
		Disconnects: r.disconnects.Load(),
		ErrorCount:  r.rec.failures.count.Load(),
		Errors:      r.rec.failures.list(),
		Intervals:   r.rec.intervals,
		Ledger:      r.account(),
		Fairness:    r.fairness(),
	}
	if !cfg.loads() {
		res.Received = sum.received // stamped or not
	}
	if s := time.Duration(res.ElapsedNS).Seconds(); s > 0 {
		res.RatePerS = float64(ops.messages) / s
		res.BytesPerS = float64(ops.bytes) / s
	}
	for _, q := range r.requesters {
		res.Unfinished += q.unfinished()
	}
	r.offered(&res, to)
	res.Response = latency(r.rec.response)
	res.Service = latency(r.rec.service)
	return res
}

type volume struct{ messages, bytes uint64 }

// measured returns the end of the measured part, and what the rate counts
// until then. A run that ends by time counts what arrived in time, whenever it
// was due; one that ends by count runs until the last arrival.
func (r *run) measured(loadEnd, flushed int64) (int64, volume) {
	var (
		sum     = r.rec.total
		done    = volume{sum.done, sum.doneBytes}
		arrived = volume{sum.arrived, sum.arrivedBytes}
	)
	switch {
	case r.cfg.Workload == Pub && r.cfg.Schedule != nil && r.cfg.Duration > 0 && !r.cut.Load():
		return max(flushed, r.end), volume{sum.begun, sum.begunBytes}
	case r.cfg.Workload == Pub:
		return flushed, volume{sum.begun, sum.begunBytes}
	case !r.cfg.loads():
		arrived.messages -= min(1, arrived.messages) // n messages are n-1 gaps apart
		return r.lastSeen.Load(), arrived
	case r.cfg.Msgs > 0:
		return max(sum.lastArrival, r.rec.from), done
	case r.cut.Load():
		return min(loadEnd, r.end), arrived
	default:
		return r.end, arrived
	}
}

// offered fills in what was asked of the generator and what it did.
func (r *run) offered(res *Result, to int64) {
	if r.cfg.Schedule == nil {
		return
	}
	part := time.Duration(to - r.rec.from)
	if r.cfg.Duration > 0 {
		part = min(part, r.cfg.Duration)
	}
	if part <= 0 {
		return
	}
	due := r.planned(r.cfg.Warmup+part) - r.planned(r.cfg.Warmup)
	asked := math.Round(due/part.Seconds()*1e6) / 1e6
	begun := float64(r.rec.total.begun)
	if left := due - begun - float64(r.rec.total.refused); !r.cut.Load() && !r.exhausted() && left > 0 {
		res.Missed = uint64(math.Round(left))
	}
	achieved := 1.0
	if all := begun + float64(r.rec.total.refused+res.Missed); all > 0 {
		achieved = begun / all
	}
	res.AskedPerS, res.Achieved = &asked, &achieved
}

// exhausted reports whether everything that was due has begun. It is asked, so
// that a rounding of what was planned is never shown as a missed operation.
func (r *run) exhausted() bool {
	return !slices.ContainsFunc(r.senders, func(s *sender) bool { return !s.exhausted })
}

// dropped counts what clients threw away; it must be asked while they are open.
func (r *run) dropped() uint64 {
	var n uint64
	for _, q := range r.requesters {
		n += q.sub.Dropped()
	}
	for _, s := range r.subscribers {
		n += s.sub.Dropped()
	}
	for _, a := range r.responders {
		n += a.sub.Dropped()
	}
	return n
}

func (r *run) planned(d time.Duration) float64 {
	if d <= 0 {
		return 0
	}
	return r.cfg.Schedule.MeanRate(d) * d.Seconds()
}

// account balances the ledgers, or returns nil when nothing was accounted for.
func (r *run) account() *ledger.Account {
	if len(r.units) == 0 {
		return nil
	}
	var orders []*ledger.Order
	for _, s := range r.subscribers {
		if s.order != nil {
			orders = append(orders, s.order)
		}
	}
	sent := make([]uint64, len(r.publishers))
	for i, p := range r.publishers {
		sent[i] = p.seq
	}
	var (
		sum   ledger.Account
		fresh uint64
	)
	for _, u := range r.units {
		fresh += u.fresh
		if u.open {
			sum.Add(u.ledger.OpenAccount(orders...))
		} else {
			sum.Add(u.ledger.Account(sent, orders...))
		}
	}
	if r.cfg.Workload == Sub && fresh == 0 {
		return nil // what came carries no stamps
	}
	return &sum
}

func (r *run) fairness() *Fairness {
	var shares []uint64
	if r.cfg.Queue != "" {
		for _, s := range r.subscribers {
			shares = append(shares, s.received)
		}
	}
	for _, a := range r.responders {
		shares = append(shares, a.answered)
	}
	if len(shares) < 2 {
		return nil
	}
	values := make([]float64, len(shares))
	for i, n := range shares {
		values[i] = float64(n)
	}
	jain, ok := stats.Jain(values)
	if !ok {
		return nil
	}
	return &Fairness{Shares: shares, Jain: jain}
}

func latency(h *stats.Histogram) *Latency {
	if h.Count() == 0 {
		return nil
	}
	return &Latency{Summary: stats.Summarize(h), Histogram: h.Encode(), Values: h}
}

func (c Config) settings() Settings {
	s := Settings{
		Subject: c.Subject, Subjects: c.Subjects, Queue: c.Queue,
		Senders: c.Senders, Receivers: c.Receivers,
		Msgs: c.Msgs, DurationNS: int64(c.Duration), WarmupNS: int64(c.Warmup),
		Schedule: "unpaced", Rate: c.Rate,
		Size: c.Size, Payload: c.Payload.String(), Headers: c.Headers,
		InFlight: c.window(), TimeoutNS: int64(c.Timeout), Retries: c.Retries, External: c.External,
	}
	if c.Schedule != nil {
		s.Schedule = c.Schedule.String()
	}
	return s
}
