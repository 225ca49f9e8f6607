package benchreport

import (
	"math"
	"strings"
	"time"

	"github.com/natsops/natsops/internal/bench"
	"github.com/natsops/natsops/internal/ledger"
	"github.com/natsops/natsops/internal/slo"
	"github.com/natsops/natsops/internal/stats"
)

func at() time.Time { return time.Date(2026, 3, 1, 12, 30, 0, 123456789, time.UTC) }

// latencies returns n durations around a median whose tail grows with spread,
// the same ones every time: a log-normal distribution sampled at equal steps.
func latencies(n int, median time.Duration, spread float64) *bench.Latency {
	h := stats.NewHistogram()
	for i := range n {
		z := math.Sqrt2 * math.Erfinv(2*(float64(i)+0.5)/float64(n)-1)
		h.Record(int64(float64(median) * math.Exp(spread*z)))
	}
	return latencyOf(h)
}

func latencyOf(h *stats.Histogram) *bench.Latency {
	return &bench.Latency{Summary: stats.Summarize(h), Histogram: h.Encode(), Values: h}
}

func serverInfo() bench.ServerInfo {
	return bench.ServerInfo{
		URL: "nats://127.0.0.1:41234", ID: "NABC", Name: "lab", Version: "2.15.2", Cluster: "", MaxPayload: 1 << 20,
	}
}

func base(w bench.Workload, title string) bench.Result {
	return bench.Result{
		Workload: w, Title: title, Run: 1, Loop: bench.ClosedLoop, StartedAt: at(), Server: serverInfo(),
		Settings: bench.Settings{
			Subject: "natsops.bench.x", Subjects: 1, Senders: 1, Receivers: 1, DurationNS: 10e9, WarmupNS: 1e9,
			Schedule: "unpaced", Rate: "max", Size: 128, Payload: "random", InFlight: 16384, TimeoutNS: 5e9,
		},
		ElapsedNS: 10_002_000_000, WarmupNS: 1e9,
		Generator: bench.Generator{
			CPUNS: 12_100_000_000, Cores: 1.21, CoresHere: 2, CPUPerOpNS: new(413.4), GCs: 12, GCPauseNS: 3_100_000,
			HeapBytes: 9 << 20, Pacer: "none", Senders: 1,
		},
		Usage: &bench.ServerUsage{
			Source: "http://127.0.0.1:8222/varz", CPUCores: new(0.98), CPUCoresMax: new(1.1), CPUNS: new(int64(9_800_000_000)),
			Cores: 2, MemBytes: 22334668, MemGrowth: 2202009, InMsgs: 17_600_000, OutMsgs: 17_600_000, Connections: 2,
		},
		Limit: bench.Limit{By: "machine", Why: "generator (1.21 cores) and server (0.98) used up the 2 cores that they share"},
	}
}

func intervals() []bench.Interval {
	return []bench.Interval{
		{StartNS: 0, LengthNS: 1e9, Warmup: true, Sent: 10, Received: 10},
		{StartNS: 1e9, LengthNS: 1e9, Sent: 10, Received: 9, Errors: 1, P50NS: new(int64(1e6)), P99NS: new(int64(2e6)), MaxNS: new(int64(3e6))},
	}
}

func pubResult() bench.Result {
	r := base(bench.Pub, "pub: 1 publisher, 128 B, as fast as the connection takes it")
	r.Loop = bench.NoLoop
	r.RatePerS, r.BytesPerS, r.Sent = 4.93e6, 4.93e6*128, 49_300_000
	r.Limit = bench.Limit{By: "generator", Why: "its one sending goroutine was busy all the time (1.00 cores): try more --clients"}
	return r
}

func pubsubResult() bench.Result {
	r := base(bench.PubSub, "pubsub: 1 publisher → 1 subscriber, 128 B, 16384 in flight per client")
	r.RatePerS, r.BytesPerS, r.Sent, r.Received = 1.7613e6, 1.7613e6*128, 17_612_345, 17_612_345
	r.Response = latencies(200_000, 1020*time.Microsecond, 0.52)
	r.Ledger = &ledger.Account{Tally: ledger.Tally{Sent: 19_400_000, Received: 19_400_000}}
	r.Ledger.Publishers = []ledger.Tally{r.Ledger.Tally}
	r.Intervals = intervals()
	return r
}

func requestResult() bench.Result {
	r := base(bench.Request, "request: 1 client → 1 responder, 128 B, 10k/s poisson")
	r.Loop = bench.OpenLoop
	r.Settings.Schedule, r.Settings.Rate = "poisson", "10k"
	r.RatePerS, r.BytesPerS, r.Sent, r.Received = 9998, 9998*128, 100_000, 100_000
	r.AskedPerS, r.Achieved = new(10_000.0), new(1.0)
	r.Response = latencies(100_000, 312*time.Microsecond, 0.61)
	r.Service = latencies(100_000, 298*time.Microsecond, 0.58)
	r.Generator.Lateness = latencies(100_000, 21*time.Microsecond, 0.7)
	r.Generator.Pacer = "nanosleep"
	r.Limit = bench.Limit{By: "schedule", Why: "the load was what --rate asked for; more may be possible"}
	return r
}

func troubledResult() bench.Result {
	r := requestResult()
	r.Title = "request: 1 client → external service, 128 B, 10k/s poisson"
	r.Settings.External, r.Settings.Retries, r.Settings.Headers = true, 3, []string{"Trace-Id"}
	r.Response = latencies(97_000, 2100*time.Microsecond, 0.9)
	r.Service = latencies(97_000, 1800*time.Microsecond, 0.85)
	r.Sent, r.Received, r.Achieved, r.RatePerS = 98_700, 97_000, new(0.987), 9700
	r.Missed, r.Unfinished, r.Unexpected, r.Retries, r.Disconnects = 1300, 12, 1, 240, 1
	r.ErrorCount = 1688
	r.Errors = []bench.ErrorCount{
		{Class: bench.ClassTimeout, Count: 1650, Example: "no reply within the timeout"},
		{Class: bench.ClassNoResponders, Count: 38, Example: "nobody is subscribed to the subject"},
	}
	r.Usage, r.NoUsage = nil, "no monitoring URL is known and the account is not the system account; give --monitor"
	r.Limit = bench.Limit{By: "window", Why: "operations waited because 1024 per client were outstanding: replies came slower than the rate"}
	r.Warnings = []string{
		"1300 operations that were due never began: the asked rate was not reached",
		"12 requests were still waiting at the end",
	}
	return r
}

func interruptedResult() bench.Result {
	r := pubsubResult()
	r.Interrupted = true
	r.ElapsedNS = 3_210_000_000
	r.Response = latencies(90, 900*time.Microsecond, 0.3)
	r.Ledger.Lost, r.Ledger.Stale, r.Ledger.Duplicated = 12, 2, 1
	r.Warnings = []string{"12 of 19400000 messages were lost"}
	return r
}

func queueResult() bench.Result {
	r := base(bench.PubSub, "pubsub: 2 publishers → 4 subscribers, 1024 B, queue workers, 50k/s constant")
	r.Loop = bench.OpenLoop
	r.Settings.Queue, r.Settings.Schedule, r.Settings.Rate, r.Settings.Size = "workers", "constant", "50k", 1024
	r.AskedPerS, r.Achieved = new(50_000.0), new(1.0)
	r.RatePerS, r.BytesPerS, r.Sent, r.Received = 50_000, 50_000*1024, 500_000, 500_000
	r.Response = latencies(500_000, 180*time.Microsecond, 0.4)
	r.Generator.Lateness = latencies(500_000, 9*time.Microsecond, 0.5)
	r.Fairness = &bench.Fairness{Shares: []uint64{124_500, 125_500, 125_000, 125_000}, Jain: 0.99998}
	r.Ledger = &ledger.Account{Tally: ledger.Tally{Sent: 550_000, Received: 550_000, Reordered: 31}}
	r.Limit = bench.Limit{By: "schedule", Why: "the load was what --rate asked for; more may be possible"}
	return r
}

func document(results ...bench.Result) Document {
	return Document{
		Version: "0.1.0", StartedAt: at(), Host: Host{OS: "linux", Arch: "amd64", CPUs: 2, Go: "go1.26.8"},
		Target: "nats://127.0.0.1:41234", Lab: true, Results: results,
	}
}

func repeated() Document {
	var runs []bench.Result
	for i, rate := range []float64{1.7613e6, 1.6931e6, 1.7702e6} {
		r := pubsubResult()
		r.Run, r.RatePerS = i+1, rate
		r.Response = latencies(200_000, time.Duration(1020+13*i)*time.Microsecond, 0.52)
		if i == 1 {
			r.Ledger.Lost = 3
			r.Warnings = []string{"3 of 19400000 messages were lost"}
		}
		runs = append(runs, r)
	}
	for i, rate := range []float64{4.93e6, 4.1e6} {
		r := pubResult()
		r.Run, r.RatePerS = i+1, rate
		runs = append(runs, r)
	}
	runs[4].Limit = bench.Limit{By: "server", Why: "it used 1.90 of its 2 cores"}
	runs[4].Interrupted = true
	runs[4].ErrorCount, runs[4].Errors = 2, []bench.ErrorCount{{Class: bench.ClassBufferFull, Count: 2, Example: "nats: outbound buffer limit exceeded"}}
	d := document(runs...)
	d.Spreads = bench.Spreads(runs)
	return d
}

func verdicts() []slo.Verdict {
	return []slo.Verdict{
		{Objective: slo.Objective{Metric: "p99", Op: slo.Less, Want: 5e6, Unit: slo.Duration}, Got: new(7.31e6)},
		{Objective: slo.Objective{Metric: "rate", Op: slo.GreaterEqual, Want: 9000, Unit: slo.Rate}, Got: new(9700.0), Met: true},
		{Objective: slo.Objective{Metric: "lost", Op: slo.Equal, Want: 0, Unit: slo.Count}},
	}
}

func troubled() Document {
	d := document(troubledResult())
	d.Lab = false
	d.SLO = verdicts()
	return d
}

// documents are what the golden files show.
func documents() map[string]Document {
	return map[string]Document{
		"tour":        document(pubResult(), pubsubResult(), requestResult()),
		"troubled":    troubled(),
		"interrupted": document(interruptedResult()),
		"queue":       document(queueResult()),
		"repeated":    repeated(),
		"bare":        bare(),
	}
}

// bare has results of which hardly anything is known.
func bare() Document {
	d := document()
	d.Host, d.Lab, d.Target = Host{OS: "darwin", Arch: "arm64", CPUs: 1}, false, "nats://example.com:4222"
	for _, w := range []bench.Workload{bench.Pub, bench.Sub, bench.PubSub, bench.Request, bench.Reply} {
		d.Results = append(d.Results, bench.Result{
			Workload: w, Title: string(w) + ": nothing", Run: 1, Loop: bench.NoLoop, StartedAt: at(),
			Generator: bench.Generator{CoresHere: 1, Pacer: "none"}, Limit: bench.Limit{By: "unknown", Why: "nothing is known"},
		})
	}
	d.Results[2].Usage = &bench.ServerUsage{Source: "system account", Cores: 1, MemBytes: 1 << 20, MemGrowth: -4096, SlowConsumers: 1}
	return d
}

// extreme has the largest numbers and the most hostile texts.
func extreme() Document {
	const (
		most    = math.MaxUint64
		fastest = most * 1e3
	)
	hostile := strings.Repeat("wide語", 60) + " \x1b[2J\n" + strings.Repeat("word ", 80) + strings.Repeat("x", 300)
	h := stats.NewHistogram()
	h.RecordN(1, 1000)
	h.RecordN(math.MaxInt64, 1000)
	for i := range int64(1000) {
		h.Record(i * i * i * i)
	}
	l := latencyOf(h)
	r := bench.Result{
		Workload: bench.PubSub, Title: hostile, Run: math.MaxInt, Loop: bench.ClosedLoop, StartedAt: at(), Server: serverInfo(),
		ElapsedNS: math.MaxInt64, WarmupNS: math.MaxInt64, Interrupted: true, RatePerS: fastest, BytesPerS: fastest,
		AskedPerS: new(fastest), Achieved: new(math.SmallestNonzeroFloat64), Sent: most, Received: most, Missed: most, Unfinished: most,
		Unexpected: most, Retries: most, Dropped: most, Disconnects: most, ErrorCount: most,
		Response: l, Service: latencies(1000, time.Hour, 9), Fairness: &bench.Fairness{Shares: []uint64{most, 0, 1}, Jain: 1.0 / 3},
		Errors: []bench.ErrorCount{{Class: bench.ErrorClass(hostile), Count: most, Example: hostile}},
		Generator: bench.Generator{
			Cores: fastest, CoresHere: math.MaxInt, CPUPerOpNS: new(fastest), GCs: math.MaxUint32, GCPauseNS: math.MaxInt64, Lateness: l,
		},
		Usage: &bench.ServerUsage{CPUCores: new(fastest), Cores: math.MaxInt, MemBytes: math.MaxInt64, MemGrowth: math.MinInt64, SlowConsumers: math.MaxInt64},
		Limit: bench.Limit{By: hostile, Why: hostile}, Warnings: []string{hostile},
		Settings: bench.Settings{Schedule: hostile, DurationNS: math.MaxInt64},
	}
	tally := ledger.Tally{Sent: most, Received: most, Lost: most, Duplicated: most, Reordered: most, Stale: most, Unexpected: most}
	r.Ledger = &ledger.Account{Tally: tally, Corrupt: most, Foreign: most}
	other := r
	other.Title, other.Usage, other.NoUsage, other.Response = "single", nil, hostile, nil
	d := document(r, r, other)
	d.Target, d.Spreads = hostile, bench.Spreads(d.Results)
	for _, u := range []slo.Unit{slo.Duration, slo.Rate, slo.Count, slo.Bytes, slo.BytesPerSecond, slo.Ratio} {
		d.SLO = append(d.SLO, slo.Verdict{Objective: slo.Objective{Metric: hostile, Op: slo.LessEqual, Want: 1e-300, Unit: u}, Got: new(fastest)})
	}
	return d
}
