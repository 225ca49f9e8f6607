package inspectreport

import (
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/natsops/natsops/internal/inspect/lag"
	"github.com/natsops/natsops/internal/report"
)

// A metric is one of Prometheus: a value for the whole, or one per consumer.
type metric struct {
	name, help string
	of         func(lag.Verdict) lag.Figure
}

// consumerMetrics lists the metrics that each shown consumer has.
func consumerMetrics() []metric {
	return []metric{
		{"natsops_consumer_severity", "0 ok, 1 info, 2 warn, 3 crit", func(v lag.Verdict) lag.Figure {
			return lag.Figure{Value: float64(v.Severity), Known: v.Status != lag.Unsampled}
		}},
		{"natsops_consumer_backlog", "messages not delivered or not acknowledged", func(v lag.Verdict) lag.Figure { return v.Backlog }},
		{"natsops_consumer_unacked", "messages delivered and not acknowledged", func(v lag.Verdict) lag.Figure { return v.Unacked }},
		{"natsops_consumer_oldest_age_seconds", "age of the oldest message of the backlog", func(v lag.Verdict) lag.Figure { return v.OldestAge }},
		{"natsops_consumer_in_per_second", "messages that arrive", func(v lag.Verdict) lag.Figure { return v.In }},
		{"natsops_consumer_done_per_second", "messages that are finished", func(v lag.Verdict) lag.Figure { return v.Done }},
		{"natsops_consumer_redelivered_per_second", "deliveries that are not the first", func(v lag.Verdict) lag.Figure { return v.Redeliver }},
		{"natsops_consumer_drain_seconds", "time until the backlog is gone, +Inf: never", func(v lag.Verdict) lag.Figure { return v.ETA }},
		{"natsops_consumer_loss_in_seconds", "time until limits delete what was not delivered, +Inf: they do not", func(v lag.Verdict) lag.Figure { return v.ToLoss }},
		{"natsops_consumer_dead_letters", "messages given up, at least", func(v lag.Verdict) lag.Figure { return v.DeadLetters }},
	}
}

// writeProm writes the text format of Prometheus (exposition format 0.0.4). Only
// consumers that are shown have series of their own, and of these only durable
// ones: the names of ephemerals never come back, and would fill the database.
// A value that is not known has no sample.
func writeProm(w io.Writer, l Lag, _ report.Style) error {
	var b strings.Builder
	total := func(name, help string, value float64) {
		fmt.Fprintf(&b, "# HELP %s %s\n# TYPE %s gauge\n%s %s\n", name, help, name, name, number(value))
	}
	total("natsops_lag_complete", "1: everything that was asked for was answered", float64(bit(l.Picture.Complete)))
	total("natsops_lag_sample_seconds", "duration of the last sample", float64(l.Picture.TookNS)/1e9)
	total("natsops_lag_consumers", "consumers that were looked at", float64(l.Totals.Consumers))
	total("natsops_lag_consumers_unknown", "consumers of which nothing is known", float64(l.Totals.Unknown))

	const status = "natsops_lag_status_consumers"
	fmt.Fprintf(&b, "# HELP %s consumers by status\n# TYPE %s gauge\n", status, status)
	for _, s := range lag.Statuses() {
		fmt.Fprintf(&b, "%s{status=%q} %d\n", status, s.Status, l.Totals.Statuses[s.Status])
	}
	for _, m := range consumerMetrics() {
		fmt.Fprintf(&b, "# HELP %s %s\n# TYPE %s gauge\n", m.name, m.help, m.name)
		for _, v := range l.verdicts {
			if f := m.of(v); f.Known && !ephemeral(v) {
				fmt.Fprintf(&b, "%s{%s} %s\n", m.name, labels(v), number(f.Value))
			}
		}
	}
	const current = "natsops_consumer_status"
	fmt.Fprintf(&b, "# HELP %s 1 for the status that a consumer has\n# TYPE %s gauge\n", current, current)
	for _, v := range l.verdicts {
		if !ephemeral(v) {
			fmt.Fprintf(&b, "%s{%s,status=%q} 1\n", current, labels(v), v.Status)
		}
	}
	_, err := io.WriteString(w, b.String())
	return err
}

func ephemeral(v lag.Verdict) bool {
	return slices.ContainsFunc(v.Tags, func(t lag.Tag) bool { return t.Name == lag.Ephemeral })
}

func labels(v lag.Verdict) string {
	return fmt.Sprintf("account=%s,stream=%s,consumer=%s", label(v.Key.Account), label(v.Key.Stream), label(v.Key.Consumer))
}

// label quotes a label value: only these three are escaped.
func label(value string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`).Replace(value) + `"`
}

func bit(b bool) int {
	if b {
		return 1
	}
	return 0
}

func number(v float64) string {
	if math.IsInf(v, 1) {
		return "+Inf"
	}
	return strconv.FormatFloat(v, 'g', -1, 64)
}
