package lag

import (
	"cmp"
	"math"
	"slices"
	"time"

	"github.com/natsops/natsops/internal/inspect"
)

// Thresholds say from when on a consumer is behind. Either is enough.
type Thresholds struct {
	Backlog uint64        // more unprocessed messages than this
	Age     time.Duration // an unprocessed message older than this
	Loss    time.Duration // limits that delete unprocessed messages within this alarm; 0: one hour
}

// DefaultThresholds returns the thresholds of somebody who named none.
func DefaultThresholds() Thresholds { return Thresholds{Backlog: 100, Age: 30 * time.Second} }

func (t Thresholds) loss() time.Duration { return cmp.Or(t.Loss, time.Hour) }

// Judge returns a verdict for each consumer of the last snapshot of a window,
// which is in the order of time; worst first. oldest holds the answers to
// [Lookups] or [Verifications] of the last snapshot, as far as there are any.
// Rates come from all samples in which the consumer's leader answered, as long as
// it was the same consumer. All times and ages are those of the servers' clocks.
func Judge(window []*inspect.Snapshot, oldest map[inspect.Key]inspect.Oldest, t Thresholds) []Verdict {
	if len(window) == 0 {
		return nil
	}
	f := newFilm(window)
	statuses, tags := rules(), tagRules()
	consumers := window[len(window)-1].Consumers
	verdicts := make([]Verdict, len(consumers))
	for i := range consumers {
		s := f.series(&consumers[i], t)
		if o, asked := oldest[s.key]; asked {
			s.found = &o
		}
		s.v = &verdicts[i]
		s.fill()
		s.conclude(statuses, tags)
	}
	Sort(verdicts, BySeverity)
	return verdicts
}

// conclude finds the status and the tags.
func (s *series) conclude(statuses []rule, tags []tagRule) {
	v := s.v
	for _, r := range statuses {
		found, holds := r.holds(s)
		if !holds {
			continue
		}
		v.Status, v.Severity = r.Status, r.Severity
		if found.graded {
			v.Severity = found.severity
		}
		v.Advice, v.Evidence, v.Next = found.advice, found.evidence, found.next
		v.Confidence = s.confidence(found)
		break
	}
	if s.now == nil {
		return
	}
	for _, r := range tags {
		if found, holds := r.holds(s); holds {
			v.Tags = append(v.Tags, Tag{Name: r.Name, Detail: found.detail, Text: found.text})
			v.Evidence = append(v.Evidence, found.evidence...)
			v.Next = append(v.Next, found.next...)
		}
	}
}

func (s *series) confidence(f finding) Confidence {
	const enough = 4
	switch {
	case f.blind:
		return None
	case s.stale || s.moved || f.assumed:
		return Low
	case f.fact || len(s.samples) >= enough:
		return High
	default:
		return Low
	}
}

// Order is what verdicts are sorted by.
type Order string

// The orders. What is not known comes last, and otherwise the severity decides
// between equals, then the name.
const (
	BySeverity Order = "severity" // worst first; of the same severity, the oldest message and then the largest backlog
	ByBacklog  Order = "backlog"  // largest first
	ByAge      Order = "age"      // oldest message first
	ByGrowth   Order = "growth"   // fastest growing first
	ByETA      Order = "eta"      // never empty first
)

// Orders lists them, the default first.
func Orders() []Order { return []Order{BySeverity, ByBacklog, ByAge, ByGrowth, ByETA} }

// Sort sorts verdicts, worst first.
func Sort(verdicts []Verdict, by Order) {
	figure := map[Order]func(*Verdict) Figure{
		ByBacklog: func(v *Verdict) Figure { return v.Backlog },
		ByAge:     func(v *Verdict) Figure { return v.OldestAge },
		ByGrowth:  func(v *Verdict) Figure { return v.Net },
		ByETA:     func(v *Verdict) Figure { return v.ETA },
	}[by]
	order := make([]int, len(verdicts))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(i, j int) int {
		a, b := &verdicts[i], &verdicts[j]
		if figure != nil {
			if c := larger(figure(a), figure(b)); c != 0 {
				return c
			}
		}
		return cmp.Or(
			cmp.Compare(b.Severity, a.Severity), larger(a.OldestAge, b.OldestAge), larger(a.Backlog, b.Backlog), a.Key.Compare(b.Key),
		)
	})
	arrange(verdicts, order)
}

// arrange moves each verdict once, since they are large: order[i] is the index of
// the one that goes to i. It uses order up.
func arrange(verdicts []Verdict, order []int) {
	for start := range order {
		if order[start] == start {
			continue
		}
		first := verdicts[start]
		to := start
		for order[to] != start {
			from := order[to]
			verdicts[to], order[to] = verdicts[from], to
			to = from
		}
		verdicts[to], order[to] = first, to
	}
}

// larger orders large figures before small ones, and unknown ones last.
func larger(a, b Figure) int { return cmp.Compare(b.rank(), a.rank()) }

func (f Figure) rank() float64 {
	if !f.Known {
		return math.Inf(-1)
	}
	return f.Value
}
