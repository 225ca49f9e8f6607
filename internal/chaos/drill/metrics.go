package drill

import "github.com/natsops/natsops/internal/slo"

// A Metric is a number of a drill that has a name: in objectives, in results and
// in the documentation.
type Metric struct {
	slo.Metric
	Doc    string
	Steady bool // it is known before anything is broken, and can be in [Steady.SLO]
	Expect bool // it is known at the end, and can be in [Drill.Expect]
}

// Metrics lists every metric, in the order in which tables show them. What a
// drill did not measure, such as what consumers got when there are none, it does
// not have; an objective for it is then not met.
func Metrics() []Metric {
	var all []Metric
	for _, group := range [][]Metric{messageMetrics(), outageMetrics(), consumerMetrics(), stateMetrics()} {
		all = append(all, group...)
	}
	return all
}

// Objectives are the metrics that [Drill.Expect] can have, for slo.Parse.
func Objectives() []slo.Metric {
	return pick(func(m Metric) bool { return m.Expect })
}

// SteadyObjectives are those of [Steady.SLO].
func SteadyObjectives() []slo.Metric {
	return pick(func(m Metric) bool { return m.Steady })
}

func pick(fits func(Metric) bool) []slo.Metric {
	var list []slo.Metric
	for _, m := range Metrics() {
		if fits(m) {
			list = append(list, m.Metric)
		}
	}
	return list
}

func atEnd(name string, unit slo.Unit, doc string) Metric {
	return Metric{Metric: slo.Metric{Name: name, Unit: unit}, Doc: doc, Expect: true}
}

func before(name string, unit slo.Unit, doc string) Metric {
	return Metric{Metric: slo.Metric{Name: name, Unit: unit}, Doc: doc, Steady: true}
}

func both(name string, unit slo.Unit, doc string) Metric {
	return Metric{Metric: slo.Metric{Name: name, Unit: unit}, Doc: doc, Steady: true, Expect: true}
}

func messageMetrics() []Metric {
	return []Metric{
		atEnd("lost", slo.Count, "messages that were acknowledged and are not stored"),
		atEnd("unknown", slo.Count, "messages of which the publisher was never told whether they are stored"),
		atEnd("unknown_stored", slo.Count, "of these, stored"),
		atEnd("refused_stored", slo.Count, "messages that are stored although every attempt was refused"),
		atEnd("duplicates_stored", slo.Count, "stored messages beyond the first of each"),
		atEnd("duplicates_delivered", slo.Count, "deliveries beyond a message's first to the same consumer"),
		atEnd("duplicates_unflagged", slo.Count, "of these, with a delivery count of 1: the server does not know of the first"),
		atEnd("reordered", slo.Count, "messages stored behind one that their publisher sent later"),
		atEnd("ack_mismatches", slo.Count, "acknowledgements that name another place in the stream than the message's"),
		atEnd("unexpected", slo.Count, "stored messages that nobody sent, or that are damaged"),
		atEnd("undelivered", slo.Count, "stored messages that no consumer got"),
	}
}

func outageMetrics() []Metric {
	return []Metric{
		atEnd("outage_max", slo.Duration, "longest time without an acknowledgement of a publisher that could use a server that was up"),
		atEnd("outage_total", slo.Duration, "all such times of the publisher that had most of them"),
		atEnd("second_outage", slo.Duration, "longest such time that began after the last heal"),
		atEnd("victim_outage_max", slo.Duration, "longest time without an acknowledgement of a publisher whose only server was taken away"),
		atEnd("detect", slo.Duration, "from the first fault until a client noticed: an error, a disconnect, a missing acknowledgement"),
		atEnd("recover", slo.Duration, "from the first fault until the end of the last outage of a publisher that could use a server that was up, or of any where none could; 0: there was none"),
		atEnd("availability", slo.Ratio, "share of the messages, of those first sent from the first fault on, that were acknowledged at that attempt"),
		both("publish_p50", slo.Duration, "median time until the acknowledgement of an attempt"),
		both("publish_p99", slo.Duration, "99th percentile of the same"),
		both("rate", slo.Rate, "acknowledgements per second, of all publishers"),
		both("errors", slo.Count, "attempts that were not acknowledged"),
		atEnd("errors_timeout", slo.Count, "of these, without an answer within the ack wait"),
		atEnd("errors_no_responders", slo.Count, "of these, because nobody took the subject"),
		atEnd("errors_disconnected", slo.Count, "of these, because there was no connection"),
		atEnd("disconnects", slo.Count, "connections of the load that broke"),
		atEnd("reconnects", slo.Count, "connections of the load that came back"),
		atEnd("closed", slo.Count, "connections of the load that gave up for good"),
	}
}

func consumerMetrics() []Metric {
	return []Metric{
		atEnd("consumer_gap", slo.Duration, "longest time without a delivery"),
		atEnd("alarm", slo.Duration, "from the first fault until natsops lag would have called the consumer behind or broken"),
		atEnd("backlog_peak", slo.Count, "most messages that waited for the consumer at a time"),
		atEnd("backlog", slo.Count, "messages that waited for the consumer at the end"),
		atEnd("drain", slo.Duration, "from the last heal until fewer than 100 messages waited for the consumer"),
		before("consumer_pending", slo.Count, "messages that wait for the consumer"),
	}
}

func stateMetrics() []Metric {
	return []Metric{
		atEnd("replicas_equal", slo.Duration, "from the last heal until all servers had the same of the stream, and kept it"),
		before("replicas_current", slo.Ratio, "share of the stream's replicas that are up to date"),
	}
}
