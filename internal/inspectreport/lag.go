package inspectreport

import (
	"math"
	"time"

	"github.com/natsops/natsops/internal/inspect"
	"github.com/natsops/natsops/internal/inspect/lag"
)

// LagSchema names the JSON form of a Lag. Fields may be added to it; when one
// changes its meaning or goes, the number at its end changes. It is described by
// docs/reference/schemas/natsops.lag.v1.schema.json.
const LagSchema = "natsops.lag/v1"

// A Lag is the whole outcome of natsops lag.
type Lag struct {
	Schema     string     `json:"schema"` // WriteLag fills it in
	Version    string     `json:"natsops_version"`
	Target     string     `json:"target"` // server URLs without credentials, separated by commas
	Picture    Picture    `json:"picture"`
	Thresholds Thresholds `json:"thresholds"`
	Totals     Totals     `json:"totals"`    // of all consumers that were asked for
	Consumers  []Consumer `json:"consumers"` // those that are shown, in the order asked for

	verdicts []lag.Verdict // of Consumers
	all      []lag.Verdict // that were asked for
	alarms   []lag.Verdict // of all, those that have lasted
	explain  bool
}

// Thresholds are what counts as behind.
type Thresholds struct {
	BacklogMsgs uint64 `json:"backlog_msgs"`
	OldestAgeNS int64  `json:"oldest_age_ns"`
	ForNS       int64  `json:"for_ns"` // so long it must last to count
}

// Totals count consumers.
type Totals struct {
	Consumers int                `json:"consumers"`
	OK        int                `json:"ok"`
	Info      int                `json:"info"`
	Warn      int                `json:"warn"`
	Crit      int                `json:"crit"`
	Unknown   int                `json:"unknown"` // of these nothing is known; they are in none of the others
	Pending   int                `json:"pending"` // warn or crit, but not yet for as long as it must last; they count in these too
	Statuses  map[lag.Status]int `json:"statuses"`
}

// LagInput is what a Lag is made of.
type LagInput struct {
	Version, Target string
	Window          []*inspect.Snapshot
	Verdicts        []lag.Verdict // all that were asked for
	Shown           []lag.Verdict // those to print, in order
	Thresholds      lag.Thresholds
	For             time.Duration                 // 0: every alarm counts at once
	Lasted          map[inspect.Key]time.Duration // so long each alarm has lasted
	Explain         bool
}

// NewLag puts the outcome together.
func NewLag(in LagInput) Lag {
	l := Lag{
		Version: in.Version, Target: in.Target, Picture: NewPicture(in.Window),
		Thresholds: Thresholds{in.Thresholds.Backlog, in.Thresholds.Age.Nanoseconds(), in.For.Nanoseconds()},
		Totals:     Totals{Statuses: map[lag.Status]int{}},
		Consumers:  []Consumer{}, verdicts: in.Shown, all: in.Verdicts, explain: in.Explain,
	}
	for _, v := range in.Verdicts {
		alarm := v.Severity >= inspect.Warn
		lasts := in.Lasted[v.Key] >= in.For
		l.Totals.add(v, alarm && !lasts)
		if alarm && lasts {
			l.alarms = append(l.alarms, v)
		}
	}
	for _, v := range in.Shown {
		c := newConsumer(v, in.Explain)
		if lasted, alarmed := in.Lasted[v.Key]; alarmed && in.For > 0 {
			ns := lasted.Nanoseconds()
			c.LastedNS = &ns
		}
		l.Consumers = append(l.Consumers, c)
	}
	return l
}

func (t *Totals) add(v lag.Verdict, pending bool) {
	t.Consumers++
	t.Statuses[v.Status]++
	if pending {
		t.Pending++
	}
	switch {
	case v.Status == lag.Unsampled:
		t.Unknown++
	case v.Severity == inspect.Crit:
		t.Crit++
	case v.Severity == inspect.Warn:
		t.Warn++
	case v.Severity == inspect.Info:
		t.Info++
	default:
		t.OK++
	}
}

// Worst returns the worst severity that has lasted for as long as it must.
func (l Lag) Worst() inspect.Severity {
	worst := inspect.OK
	for _, v := range l.alarms {
		worst = max(worst, v.Severity)
	}
	return worst
}

// Alarms returns how many consumers are that bad, or worse, and have been for as
// long as it must last.
func (l Lag) Alarms(from inspect.Severity) int {
	n := 0
	for _, v := range l.alarms {
		if v.Severity >= from {
			n++
		}
	}
	return n
}

// A Consumer is a verdict as JSON has it: plain numbers with their units in
// their names. A number is null when it is not known, for the reason in Unknown,
// or when it is without end, as Infinite says.
type Consumer struct {
	Account    string         `json:"account"`
	Stream     string         `json:"stream"`
	Consumer   string         `json:"consumer"`
	Status     lag.Status     `json:"status"`
	Tags       []Tag          `json:"tags"`
	Severity   string         `json:"severity"`
	Confidence lag.Confidence `json:"confidence"`
	Advice     string         `json:"advice"`
	Leader     string         `json:"leader"`
	SampledAt  time.Time      `json:"sampled_at,omitzero"`
	State      string         `json:"state"`     // ok, stale, unknown: of the last sample
	LastedNS   *int64         `json:"lasted_ns"` // so long it has been warn or worse; null: it is not, or that does not matter

	Pending       *int64   `json:"pending"`
	Unacked       *int64   `json:"unacked"`
	Backlog       *int64   `json:"backlog"`
	OldestAgeNS   *int64   `json:"oldest_age_ns"`
	InPerS        *float64 `json:"in_per_s"`
	DeliverPerS   *float64 `json:"deliver_per_s"`
	DonePerS      *float64 `json:"done_per_s"`
	RedeliverPerS *float64 `json:"redeliver_per_s"`
	GrowthPerS    *float64 `json:"growth_per_s"`
	ETANS         *int64   `json:"eta_ns"`
	ETAQuietNS    *int64   `json:"eta_if_producers_stop_ns"`
	WorkFactor    *float64 `json:"work_factor"`
	ProcessTimeNS *int64   `json:"process_time_ns"`
	ToLossNS      *int64   `json:"to_loss_ns"`
	Lost          *int64   `json:"lost"`
	LostPerS      *float64 `json:"lost_per_s"`
	DeadLetters   *int64   `json:"dead_letters"`

	Estimated []string          `json:"estimated"` // names of the numbers above that are estimates
	Infinite  []string          `json:"infinite"`  // names of the numbers above that are without end
	Unknown   map[string]string `json:"unknown"`   // why, by name

	Evidence []Evidence `json:"evidence,omitempty"` // when an explanation was asked for
	Next     []string   `json:"next"`
}

// A Tag is something else that is worth knowing of a consumer.
type Tag struct {
	Name   lag.TagName `json:"name"`
	Detail string      `json:"detail,omitempty"`
	Text   string      `json:"text"`
}

// Evidence is what was observed, and the part of the rule that it fulfils.
type Evidence struct {
	What  string `json:"what"`
	Value string `json:"value"`
	Rule  string `json:"rule,omitempty"`
}

// A figure of a verdict: its name in JSON, where it is there, and where it goes.
type figure struct {
	name  string
	from  lag.Figure
	whole **int64   // for counts and times
	unit  float64   // what 1 of the verdict is in JSON
	float **float64 // for rates and ratios
}

func (c *Consumer) figures(v lag.Verdict) []figure {
	return []figure{
		{name: "pending", from: v.Pending, whole: &c.Pending, unit: 1},
		{name: "unacked", from: v.Unacked, whole: &c.Unacked, unit: 1},
		{name: "backlog", from: v.Backlog, whole: &c.Backlog, unit: 1},
		{name: "oldest_age_ns", from: v.OldestAge, whole: &c.OldestAgeNS, unit: 1e9},
		{name: "in_per_s", from: v.In, float: &c.InPerS},
		{name: "deliver_per_s", from: v.Deliver, float: &c.DeliverPerS},
		{name: "done_per_s", from: v.Done, float: &c.DonePerS},
		{name: "redeliver_per_s", from: v.Redeliver, float: &c.RedeliverPerS},
		{name: "growth_per_s", from: v.Net, float: &c.GrowthPerS},
		{name: "eta_ns", from: v.ETA, whole: &c.ETANS, unit: 1e9},
		{name: "eta_if_producers_stop_ns", from: v.ETAQuiet, whole: &c.ETAQuietNS, unit: 1e9},
		{name: "work_factor", from: v.Workers, float: &c.WorkFactor},
		{name: "process_time_ns", from: v.ProcessTime, whole: &c.ProcessTimeNS, unit: 1e9},
		{name: "to_loss_ns", from: v.ToLoss, whole: &c.ToLossNS, unit: 1e9},
		{name: "lost", from: v.Lost, whole: &c.Lost, unit: 1},
		{name: "lost_per_s", from: v.LostRate, float: &c.LostPerS},
		{name: "dead_letters", from: v.DeadLetters, whole: &c.DeadLetters, unit: 1},
	}
}

// newConsumer returns v for JSON, with its evidence if it is to be explained.
func newConsumer(v lag.Verdict, explain bool) Consumer {
	c := Consumer{
		Account: v.Key.Account, Stream: v.Key.Stream, Consumer: v.Key.Consumer,
		Status: v.Status, Severity: v.Severity.String(), Confidence: v.Confidence, Advice: v.Advice, Leader: v.Leader,
		SampledAt: v.Reading.At, State: v.Reading.State.String(),
		Tags: []Tag{}, Estimated: []string{}, Infinite: []string{}, Unknown: map[string]string{}, Next: append([]string{}, v.Next...),
	}
	for _, t := range v.Tags {
		c.Tags = append(c.Tags, Tag(t))
	}
	for _, f := range c.figures(v) {
		switch {
		case !f.from.Known || math.IsNaN(f.from.Value):
			c.Unknown[f.name] = f.from.Why
			continue
		case math.IsInf(f.from.Value, 0):
			c.Infinite = append(c.Infinite, f.name)
			continue
		case f.float != nil:
			*f.float = &f.from.Value
		default:
			whole := int64(min(math.Round(f.from.Value*f.unit), math.MaxInt64/2))
			*f.whole = &whole
		}
		if !f.from.Exact {
			c.Estimated = append(c.Estimated, f.name)
		}
	}
	if explain {
		for _, e := range v.Evidence {
			c.Evidence = append(c.Evidence, Evidence(e))
		}
	}
	return c
}
