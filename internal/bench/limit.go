package bench

import (
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/natsops/natsops/internal/quantity"
)

const (
	// A processor that is this busy has nothing left to give.
	busy = 0.9
	// A schedule of which this much was begun was kept.
	kept = 0.999
)

// limit says what kept the result from being higher. It claims no more than
// the witnesses support.
func (r *run) limit(res Result) Limit {
	switch {
	case !r.cfg.loads():
		return Limit{"unknown", "the load was made elsewhere"}
	case slices.ContainsFunc(res.Errors, func(e ErrorCount) bool { return e.Class == ClassPermission }):
		return Limit{"unknown", "the server refused what was sent"}
	case res.Achieved != nil && *res.Achieved >= kept:
		return Limit{"schedule", "the load was what --rate asked for; more may be possible"}
	case r.cfg.Schedule != nil && r.rec.total.blocked > 0:
		return Limit{"window", fmt.Sprintf("operations waited because %d per client were outstanding: replies came slower than the rate", r.cfg.window())}
	}
	if l, known := r.busiest(res); known {
		return l
	}
	if res.Loop == ClosedLoop {
		return Limit{"window", fmt.Sprintf("each client had at most %d outstanding, and neither side was busy; more clients or --in-flight may give more", r.cfg.window())}
	}
	return Limit{"unknown", "neither the generator nor the server was seen to be busy; the network or a pause may have been the limit"}
}

// busiest tells whose processors were used up.
func (r *run) busiest(res Result) (Limit, bool) {
	var (
		gen         = res.Generator
		srv, known  = MetricOf([]Result{res}, "server_cores")
		pub         = r.cfg.Workload == Pub
		serverCores = math.Inf(1)
	)
	if known {
		serverCores = float64(res.Usage.Cores)
	}
	for _, l := range []struct {
		used, of float64 // processors
		by, why  string
	}{
		{gen.Cores + srv, when(r.env.SameHost && known, gen.CoresHere), "machine", fmt.Sprintf(
			"generator (%.2f cores) and server (%.2f) used up the %d cores that they share", gen.Cores, srv, gen.CoresHere)},
		{gen.Cores, when(true, gen.CoresHere), "generator", fmt.Sprintf(
			"it used %.2f of its %d cores: the server may take more than this", gen.Cores, gen.CoresHere)},
		{gen.Cores, when(pub && gen.Senders == 1, 1), "generator", fmt.Sprintf(
			"its one sending goroutine was busy all the time (%.2f cores): try more --clients", gen.Cores)},
		{srv, when(pub, r.cfg.Senders), "server", fmt.Sprintf(
			"it reads a connection with one goroutine, and was busy (%.2f cores): try more --clients", srv)},
		{srv, serverCores, "server", fmt.Sprintf("it used %.2f of its %.0f cores", srv, serverCores)},
	} {
		if l.used >= busy*l.of {
			return Limit{l.by, l.why}, true
		}
	}
	return Limit{}, false
}

// when returns n processors, or more than any machine has where that is no limit.
func when(limit bool, n int) float64 {
	if !limit {
		return math.Inf(1)
	}
	return float64(n)
}

// warnings says, in whole sentences, what a reader must know before believing
// the numbers.
func (r *run) warnings(res Result, flushErr error) []string {
	var w []string
	add := func(broken bool, format string, args ...any) {
		if broken {
			w = append(w, fmt.Sprintf(format, args...))
		}
	}
	if flushErr != nil {
		add(true, "the server did not confirm that it read everything: %v", flushErr)
	}
	if l := res.Ledger; l != nil {
		add(l.Lost > 0, "%d of %d messages were lost", l.Lost, l.Sent)
		add(l.Corrupt > 0, "%d messages arrived damaged", l.Corrupt)
		add(l.Foreign > 0, "%d messages of somebody else arrived on the subject", l.Foreign)
		add(l.Unexpected > 0, "%d messages arrived that were never sent: are two runs using one subject?", l.Unexpected)
	}
	add(res.Dropped > 0, "%d messages were dropped in the client: it received slower than they came (slow consumer)", res.Dropped)
	add(res.Missed > 0, "%d operations that were due never began: the asked rate was not reached", res.Missed)
	add(res.Unexpected > 0 && res.ErrorCount == 0 && res.Retries == 0, "%d more replies than requests: more than one responder answers; is a queue group missing?", res.Unexpected)
	add(res.Unfinished > 0, "%d requests were still waiting at the end", res.Unfinished)
	add(res.Workload == Pub && res.Disconnects > 0,
		"a connection broke: what was on its way then may be lost, and pub cannot tell; pubsub can")
	if res.Usage != nil {
		add(res.Usage.Restarted, "the server restarted during the run; its numbers count from the restart")
		add(res.Usage.SlowConsumers > 0, "the server cut off %d slow consumers", res.Usage.SlowConsumers)
	}
	if late := res.Generator.Lateness; late != nil && res.Response != nil {
		ownFault := r.rec.total.blocked == 0 // otherwise it waited for replies
		add(ownFault && late.P99 > res.Response.P50 && late.P99 > 100*time.Microsecond,
			"operations began up to %v late at p99: the response time has the generator's own delay in it", quantity.FormatDuration(late.P99))
	}
	add(res.ElapsedNS < int64(100*time.Millisecond), "the measured part was only %v: too short for a rate to be trusted", quantity.FormatDuration(time.Duration(res.ElapsedNS)))
	return w
}
