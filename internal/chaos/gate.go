package chaos

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/natsops/natsops/internal/slo"
)

// steady waits until the system is well, before anything is done to it.
func (r *run) steady(ctx context.Context) {
	r.phase(PhaseSteady)
	r.result.Steady = r.gate(ctx, time.Now())
	if !r.result.Steady.Open && !r.interrupted(ctx) {
		r.end(NotSteady, "it was not steady before anything was done: "+r.result.Steady.Why)
	}
	if r.arena != nil {
		r.replicas = r.keepers(ctx)
	}
}

// gate waits until the objectives of the steady state hold over its window, of
// which nothing is before a moment.
func (r *run) gate(ctx context.Context, from time.Time) Gate {
	var g Gate
	s := r.drill.Steady
	if r.load == nil || len(s.SLO) == 0 {
		g.Open = true
		return g
	}
	began := time.Now()
	for {
		if time.Since(from) >= s.Window {
			g.Verdicts = slo.Judge(s.SLO, r.vitals(ctx, s.Window))
			g.Why = misses(g.Verdicts)
			if g.Open = g.Why == ""; g.Open {
				g.Took = time.Since(began)
				return g
			}
		}
		if time.Since(began) > s.Limit {
			g.Took = time.Since(began)
			return g
		}
		text := "waiting for steady state"
		if g.Why != "" {
			text += ": " + g.Why
		}
		r.tell(text)
		if !sleep(ctx, 2*tick) {
			g.Why = "interrupted before it could be told"
			return g
		}
	}
}

// misses lists the objectives that are not met; "": all are.
func misses(verdicts []slo.Verdict) string {
	var missed []string
	for _, v := range verdicts {
		if !v.Met {
			missed = append(missed, v.String())
		}
	}
	return strings.Join(missed, "; ")
}

// vitals looks up how the system has fared over a window up to now.
func (r *run) vitals(ctx context.Context, window time.Duration) func(string) (float64, bool) {
	now := r.load.Look(window)
	known := map[string]float64{
		"errors": float64(now.Errors),
		"rate":   now.Rate,
	}
	if now.Acks > 0 {
		known["publish_p50"], known["publish_p99"] = float64(now.P50), float64(now.P99)
	}
	ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	if ratio, ok := currentReplicas(ctx, r.env.JS, StreamName, r.behind()); ok {
		known["replicas_current"] = ratio
	}
	if c, err := r.env.JS.Consumer(ctx, StreamName, consumerName); err == nil {
		known["consumer_pending"] = float64(c.CachedInfo().NumPending)
	}
	return func(name string) (float64, bool) {
		v, ok := known[name]
		return v, ok
	}
}

// keepers are the servers that keep the stream of the load.
func (r *run) keepers(ctx context.Context) []string {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	s, err := r.env.JS.Stream(ctx, StreamName)
	if err != nil || s.CachedInfo().Cluster == nil {
		return nil
	}
	g := s.CachedInfo().Cluster
	names := []string{g.Leader}
	for _, p := range g.Replicas {
		names = append(names, p.Name)
	}
	return names
}

// observe goes on under load after the heal, and then looks whether the system
// is well again.
func (r *run) observe(ctx context.Context) {
	if r.result.Verdict == NotSteady || r.interrupted(ctx) {
		return
	}
	r.phase(PhaseObserve)
	if !r.pass(ctx, r.drill.Observe, "of observation left") {
		return
	}
	p, _ := r.span(PhaseObserve)
	r.result.Restored = r.gate(ctx, r.zero.Add(p.From))
	if r.result.Restored.Open || r.interrupted(ctx) {
		return
	}
	why := fmt.Sprintf("%s after the last heal it is not steady again: %s",
		r.drill.Observe+r.result.Restored.Took.Round(time.Second), r.result.Restored.Why)
	if r.drill.Loses { // that is the risk which it documents
		r.result.Warnings = append(r.result.Warnings, why)
		return
	}
	r.end(NotRecovered, why)
}

// bystanders tells which publisher has been out for longer than it may, though
// nothing was done to its server; "": none.
func (r *run) bystanders(standing []string) string {
	limit := r.drill.Abort.Bystanders
	if limit == 0 || r.load == nil {
		return ""
	}
	for _, p := range r.load.Look(limit).Publishers {
		for _, name := range standing {
			if p.Server == name && p.SinceAck > limit {
				return fmt.Sprintf("publisher %s, to whose server nothing was done, has been out for %s", p.Name, p.SinceAck.Round(time.Millisecond))
			}
		}
	}
	return ""
}
