package drill

import (
	"fmt"
	"maps"
	"math"
	"regexp"
	"slices"
	"time"

	"github.com/natsops/natsops/internal/chaos/fault"
	"github.com/natsops/natsops/internal/ledger"
	"github.com/natsops/natsops/internal/quantity"
	"github.com/natsops/natsops/internal/slo"
)

// What a drill can be at most.
const (
	maxName       = 64
	maxReplicas   = 5         // as nats-server has it
	maxSize       = 64 << 20  // bytes, the most that nats-server lets max_payload be
	maxPublishers = 1000      // of each sort; each is a connection
	maxRate       = 1_000_000 // 1/s
	maxLength     = 7 * 24 * time.Hour
)

// Check says what makes no sense about a drill, however it was made. An error is
// a [FileError] without a file.
func (d Drill) Check() error {
	if problems := d.problems(); len(problems) > 0 {
		return &FileError{Problems: problems}
	}
	return nil
}

// settled is the drill with what its faults have by default.
func (d Drill) settled() Drill {
	d.Faults = slices.Clone(d.Faults)
	for i, f := range d.Faults {
		if kind, err := fault.Lookup(f.Kind); err == nil && f.For == 0 {
			d.Faults[i].For = kind.Default
		}
	}
	return d
}

// problems are in no order.
func (d Drill) problems() []Problem {
	c := &checker{}
	c.names(d)
	if !d.Unloaded() {
		c.load(d.Load, d.Lab)
		c.steady(d.Steady)
	}
	c.faults(d)
	c.times(d)
	c.expect(d)
	return c.found
}

type checker struct{ found []Problem }

// refuse notes a problem where it is one.
func (c *checker) refuse(wrong bool, key, format string, args ...any) {
	if wrong {
		c.found = append(c.found, Problem{Key: key, Text: fmt.Sprintf(format, args...)})
	}
}

// within notes a number that is out of its bounds.
func (c *checker) within(n, least, most int, key string) {
	c.refuse(n < least || n > most, key, "it is %d; want %d to %d", n, least, most)
}

// lasts notes a time that is out of its bounds.
func (c *checker) lasts(t, least time.Duration, key string) {
	c.refuse(t < least || t > maxLength, key, "it is %s; want %s to %s",
		quantity.FormatDuration(t), quantity.FormatDuration(least), quantity.FormatDuration(maxLength))
}

func (c *checker) names(d Drill) {
	ok := regexp.MustCompile(`^[a-z][a-z0-9]*(-[a-z0-9]+)*$`).MatchString(d.Name) && len(d.Name) <= maxName
	c.refuse(!ok, "name", "it is %q; want lower-case words with hyphens between, up to %d letters, such as kill-node", d.Name, maxName)
}

func (c *checker) load(l Load, lab Lab) {
	c.refuse(!(l.Rate > 0 && l.Rate <= maxRate), "load.rate", "it is %s; want a rate above 0 and up to %s",
		quantity.FormatRate(l.Rate), quantity.FormatRate(maxRate))
	c.within(l.PerServer, 0, maxPublishers, "load.publishers.per_server")
	c.within(l.Any, 0, maxPublishers, "load.publishers.any")
	c.refuse(l.PerServer == 0 && l.Any == 0, "load.publishers", "there are none; want at least one, per_server or any")
	c.within(l.Size, ledger.StampSize, maxSize, "load.size")
	c.lasts(l.AckWait, 10*time.Millisecond, "load.ack_wait")
	c.within(l.Workers, 0, maxPublishers, "load.consumers.workers")
	c.lasts(l.Work, 0, "load.consumers.work")
	c.lasts(l.ConsumerAckWait, 10*time.Millisecond, "load.consumers.ack_wait")
	c.refuse(l.Work >= l.ConsumerAckWait, "load.consumers.work", "it is as long as ack_wait, so that every message is delivered again; want less than %s",
		quantity.FormatDuration(l.ConsumerAckWait))
	c.within(l.MaxAckPending, 0, math.MaxInt32, "load.consumers.max_ack_pending")
	c.within(l.MaxDeliver, 0, math.MaxInt32, "load.consumers.max_deliver")
	c.within(l.Replicas, 0, maxReplicas, "load.replicas")
	c.refuse(l.LikeStream != "" && l.Replicas > 0, "load.replicas", "like_stream says how many already; keep one of the two")
	nodes := lab.Servers()
	c.refuse(!slices.Contains([]int{1, 3, 5}, nodes), "lab.nodes", "it is %d; want 1, 3 or 5", nodes)
	c.refuse(l.Replicas > nodes, "load.replicas", "it is %d, and the lab has %d nodes; want fewer, or more nodes in lab.nodes", l.Replicas, nodes)
}

func (c *checker) steady(s Steady) {
	c.lasts(s.Window, time.Second, "steady.window")
	c.lasts(s.Limit, time.Second, "steady.limit")
	c.refuse(s.Window > s.Limit, "steady.window", "it is longer than the limit of %s, so that it never holds; want less", quantity.FormatDuration(s.Limit))
	c.refuse(len(s.SLO) == 0, "steady.slo", "there is no objective; want at least errors==0")
	c.objectives(s.SLO, SteadyObjectives(), "steady.slo")
}

func (c *checker) faults(d Drill) {
	c.refuse(len(d.Faults) == 0 && !d.Control, "faults", "nothing is broken; want at least one fault, or control: true")
	for i, f := range d.Faults {
		key := fmt.Sprintf("faults[%d]", i)
		c.refuse(f.At < 0 || f.At > maxLength, key+".at", "it is %s; want 0 to %s", quantity.FormatDuration(f.At), quantity.FormatDuration(maxLength))
		c.refuse(f.For < 0 || f.For > maxLength, key+".for", "it is %s; want up to %s", quantity.FormatDuration(f.For), quantity.FormatDuration(maxLength))
		if _, err := fault.Lookup(f.Kind); err != nil {
			c.refuse(true, key+".type", "%s", said(err))
		} else if err := f.Check(); err != nil {
			c.refuse(true, culprit(f, key), "%s", said(err))
		}
	}
	if len(d.Faults) > 0 {
		first := slices.MinFunc(d.Faults, func(a, b fault.Spec) int { return int(a.At - b.At) })
		c.refuse(first.At > 0, "faults", "the first fault is at %s; want one at 0s", quantity.FormatDuration(first.At))
	}
}

// culprit returns the key of the param without which there is nothing wrong with
// a fault, or else that of the fault.
func culprit(f fault.Spec, key string) string {
	for name := range f.Params {
		without := f
		without.Params = maps.Clone(f.Params)
		delete(without.Params, name)
		if without.Check() == nil {
			return key + ".params." + name
		}
	}
	return key
}

func (c *checker) times(d Drill) {
	c.lasts(d.Observe, 0, "observe")
	c.lasts(d.Abort.Bystanders, 0, "abort_if.bystander_outage")
	c.lasts(d.Abort.Leaderless, 0, "abort_if.leaderless")
	c.lasts(d.Limits.MaxTime, time.Second, "limits.max_time")
	c.within(d.Limits.MaxVictims, 0, math.MaxInt32, "limits.max_victims")
	c.refuse(!(d.Limits.MaxPercent >= 0 && d.Limits.MaxPercent <= 100), "limits.max_percent", "it is %v; want 0 to 100", d.Limits.MaxPercent)
	took := d.Span() + d.Observe
	longest := "observe"
	for i, f := range d.Faults {
		if f.At+f.For == d.Span() {
			longest = fmt.Sprintf("faults[%d].for", i)
		}
	}
	c.refuse(took > d.Limits.MaxTime, longest, "with observe the drill takes %s, and limits.max_time is %s; want a shorter drill, or a higher limit",
		quantity.FormatDuration(took), quantity.FormatDuration(d.Limits.MaxTime))
	c.refuse(d.Load.AckWait > took, "load.ack_wait", "it is longer than faults and observe, %s, so that a lost message is not noticed; want less",
		quantity.FormatDuration(took))
}

func (c *checker) expect(d Drill) {
	c.objectives(d.Expect, Objectives(), "expect")
	c.refuse(len(d.Expect) == 0 && !d.Unloaded(), "expect", "nothing is expected; want at least one objective, such as lost==0")
	for _, o := range d.Expect {
		c.refuse(d.Loses && o.Metric == "lost" && o.Op == slo.Equal && o.Want == 0, "expect",
			"lost==0 is expected of a drill that says loses: true; want one of the two")
		c.refuse(d.Load.Workers == 0 && slices.Contains(ofConsumers(), o.Metric), "expect",
			"%s is not known without consumers; want load.consumers.workers of 1 or more", o.Metric)
	}
}

// objectives notes those for metrics that are not among known.
func (c *checker) objectives(list []slo.Objective, known []slo.Metric, key string) {
	names := make([]string, len(known))
	for i, m := range known {
		names[i] = m.Name
	}
	for _, o := range list {
		c.refuse(!slices.Contains(names, o.Metric), key, "there is no metric %q; %s", o.Metric, suggest(o.Metric, names))
	}
}

// ofConsumers are the metrics that a drill without consumers does not have.
func ofConsumers() []string {
	list := []string{"duplicates_delivered", "duplicates_unflagged", "undelivered"}
	for _, m := range consumerMetrics() {
		list = append(list, m.Name)
	}
	return list
}
