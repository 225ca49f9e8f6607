package chaosreport

import (
	"math"
	"time"

	"github.com/natsops/natsops/internal/chaos"
	"github.com/natsops/natsops/internal/chaos/drill"
	"github.com/natsops/natsops/internal/chaos/fault"
	"github.com/natsops/natsops/internal/chaos/history"
	"github.com/natsops/natsops/internal/chaos/load"
	"github.com/natsops/natsops/internal/slo"
)

const (
	second = time.Second
	ms     = time.Millisecond
)

// objectives reads objectives as drills have them.
func objectives(expr string) []slo.Objective {
	list, err := slo.Parse(expr, drill.Objectives())
	if err != nil {
		panic(err)
	}
	return list
}

func steadyObjectives() []slo.Objective {
	list, err := slo.Parse("publish_p99<100ms,errors==0,replicas_current>=100%", drill.SteadyObjectives())
	if err != nil {
		panic(err)
	}
	return list
}

func killNode() drill.Drill {
	return drill.Drill{
		Name: "kill-node", Title: "the leader's process is killed",
		About:      "Kills the process of the server that leads the stream, and starts it again after 15 s.",
		Promise:    "A stream with 3 replicas survives the loss of one server (docs.nats.io, JetStream clustering).",
		Hypothesis: "killing the leader of a stream loses nothing, and writes return within 10 s",
		Load: drill.Load{
			Rate: 100, PerServer: 1, Any: 1, Size: 256, AckWait: 2 * second, Retry: load.SameID, Workers: 1, Replicas: 3,
		},
		Steady:  drill.Steady{Window: 5 * second, Limit: 30 * second, SLO: steadyObjectives()},
		Faults:  []fault.Spec{{Kind: "kill", Victim: fault.Victim{Role: fault.StreamLeader}, For: 15 * second}},
		Observe: 40 * second,
		Abort:   drill.Abort{Bystanders: 20 * second, Leaderless: 30 * second},
		Limits:  drill.Limits{MaxVictims: 1, MaxPercent: 34, KeepQuorum: true, MaxTime: 2 * time.Minute},
		Expect:  objectives("lost==0,duplicates_stored==0,recover<10s,second_outage<6s,replicas_equal<30s"),
	}
}

// passed is a drill that went as expected: the leader n2 was killed.
func passed() chaos.Result {
	d := killNode()
	r := chaos.Result{
		Drill: d, ID: "x7k2", Seed: 42, Verdict: chaos.Passed, Took: 71300 * ms,
		Began: time.Date(2026, 3, 1, 12, 30, 0, 0, time.UTC),
		Target: chaos.Target{
			Name: "lab", Lab: true, Cluster: "LAB", Servers: []string{"n1", "n2", "n3"}, Version: "2.15.2", Stream: "NATSOPS_CHAOS", Replicas: 3,
		},
		Phases: []chaos.Phase{
			{Name: chaos.PhaseSteady, From: 0, To: 6 * second},
			{Name: chaos.PhaseFault, From: 6 * second, To: 21200 * ms},
			{Name: chaos.PhaseObserve, From: 21200 * ms, To: 66200 * ms},
			{Name: chaos.PhaseSettle, From: 66200 * ms, To: 71300 * ms},
		},
		Faults: []chaos.FaultResult{{
			Kind: "kill", Victims: []string{"n2"}, Down: []string{"n2"}, Injected: 6010 * ms, Healed: 21200 * ms, Counts: map[string]float64{"killed": 1},
		}},
		Timeline: []chaos.Event{
			{At: 6010 * ms, Kind: "inject", Who: "kill", Text: "n2"},
			{At: 6020 * ms, Kind: "disconnected", Who: "n2", Text: "EOF"},
			{At: 10200 * ms, Kind: "leader", Who: "n3"},
			{At: 21200 * ms, Kind: "heal", Who: "kill"},
			{At: 21400 * ms, Kind: "reconnected", Who: "n2"},
		},
		Steady:   chaos.Gate{Open: true, Took: 6 * second, Verdicts: slo.Judge(d.Steady.SLO, steadyValues(0))},
		Restored: chaos.Gate{Open: true, Took: 5100 * ms, Verdicts: slo.Judge(d.Steady.SLO, steadyValues(0))},
		Metrics: map[string]float64{
			"lost": 0, "unknown": 3, "unknown_stored": 1, "duplicates_stored": 0, "duplicates_delivered": 13, "duplicates_unflagged": 0,
			"reordered": 0, "detect": float64(12 * ms), "recover": float64(4190 * ms), "outage_max": float64(4190 * ms),
			"second_outage": 0, "victim_outage_max": float64(15400 * ms), "consumer_gap": float64(5300 * ms), "drain": float64(280 * ms),
			"replicas_equal": float64(290 * ms), "availability": 0.9304, "errors": 46, "rate": 372.4, "backlog_peak": 1520,
		},
	}
	r.Record = history.Record{
		Publishers: []history.Publisher{{Name: "n1", Server: "n1"}, {Name: "n2", Server: "n2"}, {Name: "n3", Server: "n3"}, {Name: "any"}},
		Consumers:  []string{"load-1"}, Period: 10 * ms, Stopped: 66200 * ms, EqualAt: 21490 * ms,
		Attempts: []history.Attempt{{Seq: 1, Try: 1, Began: 0, Ended: 2 * ms, Outcome: history.Acked, StreamSeq: 1}},
		Replicas: []history.Replica{
			{Server: "n1", Messages: 24650, First: 1, Last: 24650},
			{Server: "n2", Messages: 24650, First: 1, Last: 24650},
			{Server: "n3", Messages: 24650, First: 1, Last: 24650},
		},
	}
	r.Record.Deliveries = deliveriesBut(r.Record.Stopped, history.Outage{From: 6 * second, To: 11300 * ms})
	r.Account = history.Account{
		Messages: 24651, Attempts: 24697, Acked: 24648, StoredKnown: true, Stored: 24649, Unknown: 3, UnknownStored: 1,
		DeliveriesKnown: true, Delivered: 24649, DuplicatesDelivered: 13, ReplicasKnown: true,
		Errors: map[history.Class]uint64{history.Timeout: 8, history.Disconnected: 35, history.InProcess: 3},
		Placements: []history.Placement{
			{Publisher: "n1", Server: "n1", Messages: 6620, Acked: 6620, Outages: []history.Outage{{From: 6 * second, To: 10190 * ms}}},
			{Publisher: "n2", Server: "n2", Messages: 6620, Acked: 6617, Unknown: 3, Disconnects: 1, Reconnects: 1, Outages: []history.Outage{{From: 6 * second, To: 21400 * ms}}},
			{Publisher: "n3", Server: "n3", Messages: 6620, Acked: 6620, Outages: []history.Outage{{From: 6 * second, To: 10190 * ms}}},
			{Publisher: "any", Messages: 6620, Acked: 6620, Disconnects: 1, Reconnects: 1, Outages: []history.Outage{{From: 6 * second, To: 10200 * ms}}},
		},
	}
	return judge(r)
}

// judge judges the expectations by the metrics.
func judge(r chaos.Result) chaos.Result {
	r.Expected = slo.Judge(r.Drill.Expect, func(name string) (float64, bool) {
		v, ok := r.Metrics[name]
		return v, ok
	})
	return r
}

func steadyValues(errors float64) func(string) (float64, bool) {
	return func(name string) (float64, bool) {
		v, ok := map[string]float64{"publish_p99": float64(6400 * time.Microsecond), "errors": errors, "replicas_current": 1}[name]
		return v, ok
	}
}

// deliveriesBut is a delivery every 100 ms until then, except in an outage.
func deliveriesBut(until time.Duration, out history.Outage) []history.Delivery {
	var all []history.Delivery
	for at := 100 * ms; at <= until; at += 100 * ms {
		if at <= out.From || at >= out.To {
			all = append(all, history.Delivery{At: at, Seq: uint64(at / ms), NumDelivered: 1})
		}
	}
	return all
}

// failed is a drill that lost messages and was out for longer after the heal than
// in the fault.
func failed() chaos.Result {
	r := passed()
	r.Verdict = chaos.NotRecovered
	r.Why = []string{
		"1234 messages were acknowledged and are lost",
		"lost == 0: got 1234; recover < 10s: got 12.3s (23% over); second_outage < 6s: got 8.28s (38% over)",
	}
	r.Faults[0].Victims = []string{"n2 from n1", "n2 from n3"}
	r.Faults[0].Kind = "partition"
	r.Timeline[0].Who, r.Timeline[0].Text, r.Timeline[3].Who = "partition", "n2 from n1, n2 from n3", "partition"
	r.Drill.Name, r.Drill.Hypothesis = "partition-leader", "a leader that is cut off loses nothing, and writes return within 10 s"
	r.Metrics["lost"], r.Metrics["recover"], r.Metrics["second_outage"] = 1234, float64(12300*ms), float64(8280*ms)
	r.Metrics["outage_max"] = float64(12300 * ms)
	delete(r.Metrics, "replicas_equal")
	a := &r.Account
	a.Lost, a.LostMiddle, a.LostLast, a.Stored = 1234, 34, 1200, 23415
	a.RefusedStored, a.Unexpected, a.DeliveredNotStored, a.Refused = 2, 1, 1234, 2
	a.LostExamples = []history.Message{
		{Publisher: "n2", Seq: 601, AckedAt: 6020 * ms, StreamSeq: 2404},
		{Publisher: "n2", Seq: 602, AckedAt: 6030 * ms, StreamSeq: 2408},
		{Publisher: "any", Seq: 602, AckedAt: 6031 * ms, StreamSeq: 2409},
		{Publisher: "any", Seq: 603, AckedAt: 6041 * ms, StreamSeq: 2412},
	}
	for i := range a.Placements {
		p := &a.Placements[i]
		p.Outages = []history.Outage{{From: 6 * second, To: 18300 * ms}, {From: 21700 * ms, To: 29980 * ms}}
		p.Lost = 300
	}
	a.Placements[3].Outages = append(a.Placements[3].Outages, history.Outage{From: 63 * second, To: 66200 * ms, Open: true})
	a.Placements[3].Lost, a.Placements[3].Closed = 334, true
	a.ReplicasDiffer = true
	r.Record.EqualAt = 0
	r.Record.Replicas[1].Messages, r.Record.Replicas[1].Last = 23416, 24200
	r.Warnings = []string{"the publishers were late by 12 ms at most"}
	return judge(r)
}

func notSteady() chaos.Result {
	r := passed()
	r.Verdict = chaos.NotSteady
	verdicts := slo.Judge(r.Drill.Steady.SLO, steadyValues(17))
	why := verdicts[1].String()
	r.Why = []string{"it was not steady before anything was done: " + why}
	r.Steady = chaos.Gate{Took: 30 * second, Verdicts: verdicts, Why: why}
	return chaos.Result{
		Drill: r.Drill, ID: r.ID, Seed: r.Seed, Target: r.Target, Began: r.Began, Took: 31 * second, Verdict: r.Verdict, Why: r.Why, Steady: r.Steady,
		Phases: []chaos.Phase{{Name: chaos.PhaseSteady, To: 30 * second}, {Name: chaos.PhaseSettle, From: 30 * second, To: 31 * second}},
	}
}

// aborted is a drill that a guard ended, and that was healed.
func aborted() chaos.Result {
	r := passed()
	r.Verdict = chaos.Aborted
	r.Why = []string{"publisher n1, to whose server nothing was done, has been out for 20.1s"}
	r.Phases = []chaos.Phase{
		{Name: chaos.PhaseSteady, To: 6 * second},
		{Name: chaos.PhaseFault, From: 6 * second, To: 26200 * ms},
		{Name: chaos.PhaseSettle, From: 26200 * ms, To: 31 * second},
	}
	r.Faults[0].Healed = 26200 * ms
	r.Timeline = append(r.Timeline[:3], chaos.Event{At: 26100 * ms, Kind: "abort", Text: r.Why[0]}, chaos.Event{At: 26200 * ms, Kind: "heal", Who: "kill"})
	r.Record.Stopped, r.Took = 26200*ms, 31*second
	r.Restored = chaos.Gate{}
	for i := range r.Account.Placements {
		r.Account.Placements[i].Outages = []history.Outage{{From: 6 * second, To: 26200 * ms, Open: true}}
	}
	r.Record.Deliveries = deliveriesBut(6*second, history.Outage{})
	for _, name := range []string{"recover", "second_outage", "drain", "replicas_equal"} {
		delete(r.Metrics, name)
	}
	r.Metrics["outage_max"] = float64(20200 * ms)
	return judge(r)
}

func healFailed() chaos.Result {
	r := passed()
	r.Verdict = chaos.HealFailed
	r.Faults[0].Healed, r.Faults[0].Err = 0, "restart n2: listen tcp 127.0.0.1:4222: address already in use"
	r.Why = []string{"kill is not healed: " + r.Faults[0].Err}
	r.Timeline[3] = chaos.Event{At: 111 * second, Kind: "heal-failed", Who: "kill", Text: r.Faults[0].Err}
	r.Restored = chaos.Gate{Took: 30 * second, Verdicts: slo.Judge(r.Drill.Steady.SLO, steadyValues(170)), Why: "errors == 0: got 170"}
	for _, name := range []string{"recover", "second_outage", "drain", "replicas_equal"} {
		delete(r.Metrics, name)
	}
	r.Account.Placements[1].Outages = []history.Outage{{From: 6 * second, To: 66200 * ms, Open: true}}
	return judge(r)
}

// inconclusive is a drill of which the stream could not be read back: nothing is
// known of loss.
func inconclusive() chaos.Result {
	r := passed()
	r.Verdict = chaos.Inconclusive
	r.Record.Unread = "no message for 30s at sequence 812: context deadline exceeded"
	r.Why = []string{"what was stored could not be read back: " + r.Record.Unread}
	a := &r.Account
	a.StoredKnown, a.Stored, a.UnknownStored, a.ReplicasKnown = false, 0, 0, false
	r.Record.Replicas[1] = history.Replica{Server: "n2", Unread: "no answer within 2s"}
	r.Record.EqualAt = 0
	for _, name := range []string{"lost", "unknown_stored", "duplicates_stored", "reordered", "replicas_equal"} {
		delete(r.Metrics, name)
	}
	return judge(r)
}

// bare has nothing at all, as when a result was never filled in.
func bare() chaos.Result { return chaos.Result{} }

// hostile has names and numbers that nobody expects.
func hostile() chaos.Result {
	r := failed()
	evil := "n\x1b[31m\n```|<b>&\u202e" + string(rune(0xfeff)) + "日本語-with-a-name-that-is-longer-than-any-screen-is-wide-and-then-some-more"
	r.Drill.Name, r.Drill.Hypothesis, r.Target.Name, r.Why = evil, evil, evil, []string{evil}
	r.Faults = append(r.Faults, chaos.FaultResult{Kind: evil, Victims: []string{evil}, Injected: math.MaxInt64, Err: evil}, chaos.FaultResult{Kind: "never"})
	r.Account.Placements[0].Publisher, r.Account.Placements[0].Server = evil, evil
	r.Account.Placements[0].Outages = []history.Outage{{From: math.MinInt64, To: math.MaxInt64}, {From: 5, To: 1}}
	r.Account.Messages, r.Account.Lost = math.MaxUint64, math.MaxUint64
	r.Account.Errors[history.Class(evil)] = math.MaxUint64
	r.Record.Consumers = append(r.Record.Consumers, evil)
	r.Record.Replicas[0].Server = evil
	r.Timeline = append(r.Timeline, chaos.Event{At: math.MinInt64, Kind: evil, Who: evil, Text: evil})
	r.Metrics["recover"], r.Metrics["detect"], r.Metrics[evil] = math.Inf(1), math.NaN(), 1e300
	r.Target.Servers = append(r.Target.Servers, evil)
	return judge(r)
}

// results are drills that ended in all ways.
func results() map[string]chaos.Result {
	return map[string]chaos.Result{
		"passed": passed(), "lost": failed(), "not-steady": notSteady(), "aborted": aborted(), "heal-failed": healFailed(), "inconclusive": inconclusive(),
	}
}

func suite() Suite {
	s := Suite{Version: "v1.2.3"}
	for _, r := range []chaos.Result{passed(), failed(), notSteady()} {
		s.Drills = append(s.Drills, New("v1.2.3", r))
	}
	return s
}
