package chaosreport

import (
	"math"
	"slices"
	"time"

	"github.com/natsops/natsops/internal/chaos"
	"github.com/natsops/natsops/internal/chaos/drill"
	"github.com/natsops/natsops/internal/chaos/history"
	"github.com/natsops/natsops/internal/report"
	"github.com/natsops/natsops/internal/slo"
)

// New puts the document of a drill together.
func New(version string, r chaos.Result) Document {
	d := Document{
		Version: version, ID: r.ID, Seed: r.Seed, BeganAt: r.Began, TookNS: r.Took.Nanoseconds(),
		Drill: newDrill(r.Drill), Target: newTarget(r.Target),
		Verdict: string(r.Verdict), Why: r.Why,
		SteadyBefore: newGate(r.Steady), SteadyAfter: newGate(r.Restored),
		Expectations: judged(r.Expected), Metrics: newMetrics(r.Metrics), Warnings: r.Warnings,
	}
	for _, p := range r.Phases {
		d.Phases = append(d.Phases, Phase{string(p.Name), p.From.Nanoseconds(), p.To.Nanoseconds()})
	}
	for _, f := range r.Faults {
		d.Faults = append(d.Faults, Fault{
			Kind: f.Kind, Victims: f.Victims, Down: f.Down, InjectedNS: unlessZero(f.Injected), HealedNS: unlessZero(f.Healed),
			Counts: f.Counts, Error: f.Err,
		})
	}
	for _, e := range r.Timeline {
		d.Timeline = append(d.Timeline, Event{e.At.Nanoseconds(), e.Kind, e.Who, e.Text})
	}
	d.State = d.state(r)
	d.addLoad(r)
	return d.complete()
}

func newDrill(d drill.Drill) Drill {
	return Drill{Name: d.Name, Title: d.Title, Hypothesis: d.Hypothesis, Loses: d.Loses, Control: d.Control}
}

func newTarget(t chaos.Target) Target {
	return Target{
		Name: t.Name, Lab: t.Lab, Cluster: t.Cluster, Servers: report.Listed(t.Servers),
		ServerVersion: t.Version, Stream: t.Stream, Replicas: t.Replicas,
	}
}

// state tells what the drill left behind.
func (d Document) state(r chaos.Result) State {
	var s State
	healed := r.Verdict != chaos.HealFailed
	for _, f := range d.Faults {
		if f.InjectedNS != nil {
			s.Injected = true
			healed = healed && f.HealedNS != nil
		}
	}
	if s.Injected || r.Verdict == chaos.HealFailed {
		s.Healed = &healed
	}
	if d.SteadyAfter != nil {
		s.Recovered = &d.SteadyAfter.Open
	}
	return s
}

// newGate returns nil when nobody looked.
func newGate(g chaos.Gate) *Gate {
	if !g.Open && g.Why == "" && g.Took == 0 && len(g.Verdicts) == 0 {
		return nil
	}
	return &Gate{Open: g.Open, TookNS: g.Took.Nanoseconds(), Objectives: judged(g.Verdicts), Why: g.Why}
}

// judged returns verdicts without numbers that JSON does not have.
func judged(verdicts []slo.Verdict) []slo.Verdict {
	return each(verdicts, func(v *slo.Verdict) {
		if v.Got != nil && !finite(*v.Got) {
			v.Got, v.Met = nil, false
		}
	})
}

// newMetrics lists all metrics that a drill can end with, known or not.
func newMetrics(values map[string]float64) map[string]Metric {
	all := map[string]Metric{}
	for _, m := range drill.Objectives() {
		all[m.Name] = Metric{Unit: m.Unit}
	}
	for name, v := range values {
		m, listed := all[name]
		if !listed {
			m.Unit = slo.Count
		}
		if finite(v) {
			m.Value = &v
		}
		all[name] = m
	}
	return all
}

// addLoad adds what publishers and consumers saw.
func (d *Document) addLoad(r chaos.Result) {
	if len(r.Record.Publishers) == 0 && r.Account.Messages == 0 {
		return
	}
	d.Account = newAccount(r)
	at := d.moments()
	for _, p := range r.Account.Placements {
		made := Placement{
			Publisher: p.Publisher, Server: p.Server, Messages: p.Messages, Acked: p.Acked, Unknown: p.Unknown,
			Disconnects: p.Disconnects, Reconnects: p.Reconnects, Closed: p.Closed,
		}
		if r.Account.StoredKnown {
			made.Lost = &p.Lost
		}
		made.Outages = outagesOf(p.Outages, at, r.Record.Period)
		d.Placements = append(d.Placements, made)
	}
	for i, name := range r.Record.Consumers {
		gaps := history.DeliveryGaps(r.Record, i)
		d.Consumers = append(d.Consumers, Consumer{name, outagesOf(gaps, at, r.Record.Period)})
	}
}

// unlessZero returns nil for a moment that never came.
func unlessZero(t time.Duration) *int64 {
	if t == 0 {
		return nil
	}
	ns := t.Nanoseconds()
	return &ns
}

func finite(v float64) bool { return !math.IsNaN(v) && !math.IsInf(v, 0) }

// A moments is when the drill turned.
type moments struct {
	injected, healed time.Duration
	broke, whole     bool // whether there was such a moment
}

// moments returns when the first fault was injected and the last one healed.
func (d Document) moments() moments {
	var m moments
	for _, f := range d.Faults {
		if f.InjectedNS != nil && (!m.broke || *f.InjectedNS < m.injected.Nanoseconds()) {
			m.injected, m.broke = time.Duration(*f.InjectedNS), true
		}
	}
	if m.broke {
		open := slices.ContainsFunc(d.Faults, func(f Fault) bool { return f.InjectedNS != nil && f.HealedNS == nil })
		for _, f := range d.Faults {
			if f.HealedNS != nil && !open {
				m.healed, m.whole = max(m.healed, time.Duration(*f.HealedNS)), true
			}
		}
		return m
	}
	i := slices.IndexFunc(d.Phases, func(p Phase) bool { return p.Name == string(chaos.PhaseFault) })
	if i >= 0 {
		m.injected, m.broke = time.Duration(d.Phases[i].FromNS), true
		m.healed, m.whole = time.Duration(d.Phases[i].ToNS), true
	}
	return m
}

// part tells which part of the drill an outage counts to, as [history.Impact]
// has it: what had ended at the injection is before; and since the last success
// is older than what caused the outage, it begins when it is as long as
// threshold.
func (m moments) part(o history.Outage, threshold time.Duration) part {
	switch {
	case !m.broke || o.To < m.injected:
		return partBefore
	case m.whole && o.From+threshold > m.healed && o.From > m.injected+threshold:
		return partAfter
	default:
		return partFault
	}
}

// outagesOf adds to outages which part of the drill each counts to.
func outagesOf(outages []history.Outage, at moments, period time.Duration) []Outage {
	var made []Outage
	for _, o := range outages {
		made = append(made, Outage{o.From.Nanoseconds(), o.To.Nanoseconds(), o.Open, at.part(o, history.Threshold(period))})
	}
	return made
}
