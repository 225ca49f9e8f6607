package bench

import (
	"slices"
	"time"

	"github.com/natsops/natsops/internal/slo"
	"github.com/natsops/natsops/internal/stats"
)

// A Metric is a number of a Result that has a name: in objectives, in tables
// for programs and in the documentation.
type Metric struct {
	slo.Metric
	Doc string // what it counts or measures
	// Of returns the number in base units (ns, 1/s, bytes, ratio), and false
	// where the result does not have it.
	Of func(Result) (float64, bool)
	// fits reports whether a run can have it at all.
	fits func(Config) bool
}

// AllMetrics lists every metric, in the order in which tables show them.
func AllMetrics() []Metric {
	m := slices.Concat(volumeMetrics(), latencyMetrics("", "response time, from when the operation was due", hasLatency,
		func(r Result) *Latency { return r.Response }),
		latencyMetrics("service_", "service time, from when the request was sent", is(Request),
			func(r Result) *Latency { return r.Service }),
		ledgerMetrics(),
		latencyMetrics("late_", "how late the generator began operations", paced,
			func(r Result) *Latency { return r.Generator.Lateness }),
		resourceMetrics())
	return m
}

// Metrics returns the metrics that a run as configured can have, for slo.Parse.
func Metrics(c Config) []slo.Metric {
	var fit []slo.Metric
	for _, m := range AllMetrics() {
		if m.fits(c) {
			fit = append(fit, m.Metric)
		}
	}
	return fit
}

// MetricOf returns a metric of several runs: the median of those that have it.
func MetricOf(results []Result, name string) (float64, bool) {
	all := AllMetrics()
	i := slices.IndexFunc(all, func(m Metric) bool { return m.Name == name })
	if i < 0 {
		return 0, false
	}
	var values []float64
	for _, r := range results {
		if v, ok := all[i].Of(r); ok {
			values = append(values, v)
		}
	}
	if len(values) == 0 {
		return 0, false
	}
	return stats.SpreadOf(values).Median, true
}

func always(Config) bool { return true }

func is(workloads ...Workload) func(Config) bool {
	return func(c Config) bool { return slices.Contains(workloads, c.Workload) }
}

func hasLatency(c Config) bool { return c.Workload != Pub && c.Workload != Reply }

func paced(c Config) bool { return c.Schedule != nil }

func metric(name string, unit slo.Unit, doc string, fits func(Config) bool, of func(Result) (float64, bool)) Metric {
	return Metric{slo.Metric{Name: name, Unit: unit}, doc, of, fits}
}

// number makes an accessor of a field that every result has.
func number[T ~uint64 | ~int64 | ~float64](of func(Result) T) func(Result) (float64, bool) {
	return func(r Result) (float64, bool) { return float64(of(r)), true }
}

// known makes an accessor of a field that is nil where it is not known.
func known[T ~uint64 | ~int64 | ~float64](of func(Result) *T) func(Result) (float64, bool) {
	return func(r Result) (float64, bool) {
		v := of(r)
		if v == nil {
			return 0, false
		}
		return float64(*v), true
	}
}

func volumeMetrics() []Metric {
	return []Metric{
		metric("rate", slo.Rate, "operations per second: messages read by the server (pub), delivered (sub, pubsub), or answered (request, reply)", always,
			number(func(r Result) float64 { return r.RatePerS })),
		metric("throughput", slo.BytesPerSecond, "payload bytes per second of the same", always,
			number(func(r Result) float64 { return r.BytesPerS })),
		metric("achieved", slo.Ratio, "operations begun, of those that were due", paced,
			known(func(r Result) *float64 { return r.Achieved })),
		metric("sent", slo.Count, "operations begun", func(c Config) bool { return c.loads() },
			number(func(r Result) uint64 { return r.Sent })),
		metric("received", slo.Count, "messages delivered or requests answered", func(c Config) bool { return c.Workload != Pub },
			number(func(r Result) uint64 { return r.Received })),
		metric("errors", slo.Count, "failed operations of all classes", always,
			number(func(r Result) uint64 { return r.ErrorCount })),
		metric("error_rate", slo.Ratio, "failed operations, of all that ended", always, errorRate),
		metric("missed", slo.Count, "operations that were due and never begun", paced,
			number(func(r Result) uint64 { return r.Missed })),
		metric("retries", slo.Count, "requests sent again", is(Request),
			number(func(r Result) uint64 { return r.Retries })),
		metric("unexpected_replies", slo.Count, "replies beyond the first, or after the request was given up", is(Request),
			number(func(r Result) uint64 { return r.Unexpected })),
		metric("dropped", slo.Count, "messages dropped in the client because it received too slowly", func(c Config) bool { return c.Workload != Pub },
			number(func(r Result) uint64 { return r.Dropped })),
		metric("disconnects", slo.Count, "connections lost during the run", always,
			number(func(r Result) uint64 { return r.Disconnects })),
		metric("fairness", slo.Ratio, "Jain's index of the members' shares: 1 is even", func(c Config) bool {
			return c.Receivers > 1 && (c.Queue != "" || c.Workload == Request || c.Workload == Reply)
		},
			func(r Result) (float64, bool) {
				if r.Fairness == nil {
					return 0, false
				}
				return r.Fairness.Jain, true
			}),
	}
}

func errorRate(r Result) (float64, bool) {
	ended := r.Received
	if r.Workload == Pub {
		ended = r.Sent
	}
	if ended+r.ErrorCount == 0 {
		return 0, false
	}
	return float64(r.ErrorCount) / float64(ended+r.ErrorCount), true
}

func latencyMetrics(prefix, doc string, fits func(Config) bool, of func(Result) *Latency) []Metric {
	var list []Metric
	for _, q := range []struct {
		name, doc string
		of        func(stats.Summary) time.Duration
	}{
		{"min", "smallest ", func(s stats.Summary) time.Duration { return s.Min }},
		{"mean", "mean ", func(s stats.Summary) time.Duration { return s.Mean }},
		{"p50", "median ", func(s stats.Summary) time.Duration { return s.P50 }},
		{"p90", "90th percentile of ", func(s stats.Summary) time.Duration { return s.P90 }},
		{"p99", "99th percentile of ", func(s stats.Summary) time.Duration { return s.P99 }},
		{"p999", "99.9th percentile of ", func(s stats.Summary) time.Duration { return s.P999 }},
		{"p9999", "99.99th percentile of ", func(s stats.Summary) time.Duration { return s.P9999 }},
		{"max", "largest ", func(s stats.Summary) time.Duration { return s.Max }},
	} {
		list = append(list, metric(prefix+q.name, slo.Duration, q.doc+doc, fits, func(r Result) (float64, bool) {
			l := of(r)
			if l == nil {
				return 0, false
			}
			return float64(q.of(l.Summary)), true
		}))
	}
	return list
}

func ledgerMetrics() []Metric {
	entry := func(name, doc string, of func(r Result) uint64) Metric {
		return metric(name, slo.Count, doc, is(PubSub, Sub), func(r Result) (float64, bool) {
			if r.Ledger == nil {
				return 0, false
			}
			return float64(of(r)), true
		})
	}
	return []Metric{
		entry("lost", "messages that never arrived", func(r Result) uint64 { return r.Ledger.Lost }),
		entry("duplicated", "arrivals beyond a message's first", func(r Result) uint64 { return r.Ledger.Duplicated }),
		entry("reordered", "messages that arrived after one sent later", func(r Result) uint64 { return r.Ledger.Reordered }),
		entry("corrupt", "messages that arrived damaged", func(r Result) uint64 { return r.Ledger.Corrupt }),
	}
}

func resourceMetrics() []Metric {
	server := func(name string, unit slo.Unit, doc string, of func(u *ServerUsage) (float64, bool)) Metric {
		return metric(name, unit, doc, always, func(r Result) (float64, bool) {
			if r.Usage == nil {
				return 0, false
			}
			return of(r.Usage)
		})
	}
	return []Metric{
		metric("generator_cores", slo.Ratio, "processors that the generator used", always,
			number(func(r Result) float64 { return r.Generator.Cores })),
		server("server_cores", slo.Ratio, "processors that the server used", func(u *ServerUsage) (float64, bool) {
			if u.CPUCores == nil {
				return 0, false
			}
			return *u.CPUCores, true
		}),
		server("server_memory", slo.Bytes, "resident memory of the server at the end", func(u *ServerUsage) (float64, bool) {
			return float64(u.MemBytes), true
		}),
		server("slow_consumers", slo.Count, "connections that the server cut off as slow consumers", func(u *ServerUsage) (float64, bool) {
			return float64(u.SlowConsumers), true
		}),
	}
}

// Spreads summarises what repeated runs of the same workload have in common,
// for the metrics that people compare.
func Spreads(results []Result) []Spread {
	var (
		spreads []Spread
		titles  []string
	)
	for _, r := range results {
		if !slices.Contains(titles, r.Title) {
			titles = append(titles, r.Title)
		}
	}
	for _, title := range titles {
		for _, m := range AllMetrics() {
			if !slices.Contains([]string{"rate", "p50", "p99", "p999", "lost", "errors"}, m.Name) {
				continue
			}
			var values []float64
			for _, r := range results {
				if v, ok := m.Of(r); ok && r.Title == title {
					values = append(values, v)
				}
			}
			if len(values) > 1 {
				spreads = append(spreads, Spread{Title: title, Metric: m.Name, Unit: m.Unit, Spread: stats.SpreadOf(values)})
			}
		}
	}
	return spreads
}
