// Package chaosreport shows what drills did: to people as text with a timeline
// and as Markdown, to programs as JSON and JUnit. What is not known is never
// shown as 0.
package chaosreport

import (
	"io"
	"time"

	"github.com/natsops/natsops/internal/report"
	"github.com/natsops/natsops/internal/slo"
)

// Schema names the JSON form of a Document. Fields may be added to it; when one
// changes its meaning or goes, the number at its end changes. It is described by
// docs/reference/schemas/natsops.chaos.v1.schema.json.
const Schema = "natsops.chaos/v1"

// A Document is the whole outcome of one drill. All times but BeganAt count from
// the moment when it began.
type Document struct {
	Schema  string    `json:"schema"` // WriteDrill fills it in
	Version string    `json:"natsops_version"`
	ID      string    `json:"id"`
	Seed    uint64    `json:"seed"`
	BeganAt time.Time `json:"began_at,omitzero"`
	TookNS  int64     `json:"took_ns"`
	Drill   Drill     `json:"drill"`
	Target  Target    `json:"target"`

	Verdict string   `json:"verdict"` // as in package chaos
	Why     []string `json:"why"`     // it did not pass; the worst first
	State   State    `json:"state"`

	Phases   []Phase `json:"phases"` // in order
	Faults   []Fault `json:"faults"`
	Timeline []Event `json:"timeline"` // in order

	SteadyBefore *Gate       `json:"steady_before"` // nil: nobody looked
	SteadyAfter  *Gate       `json:"steady_after"`  // nil: nobody looked
	Account      *Account    `json:"account"`       // nil: there was no load
	Placements   []Placement `json:"placements"`
	Consumers    []Consumer  `json:"consumers"`

	Expectations []slo.Verdict     `json:"expectations"`
	Metrics      map[string]Metric `json:"metrics"` // by name, as in objectives
	Warnings     []string          `json:"warnings"`
}

// A Drill is what was tried.
type Drill struct {
	Name       string `json:"name"`
	Title      string `json:"title"`
	Hypothesis string `json:"hypothesis"`
	Loses      bool   `json:"loses"`   // it is expected to lose messages
	Control    bool   `json:"control"` // it tests the instrument
}

// A Target is where the drill ran.
type Target struct {
	Name          string   `json:"name"` // URLs without secrets, or "lab"
	Lab           bool     `json:"lab"`
	Cluster       string   `json:"cluster"` // "": a server of its own
	Servers       []string `json:"servers"`
	ServerVersion string   `json:"server_version"`
	Stream        string   `json:"stream"` // of the load
	Replicas      int      `json:"replicas"`
}

// A State is what the drill left behind.
type State struct {
	Injected  bool  `json:"injected"`  // something was broken
	Healed    *bool `json:"healed"`    // all that was; nil: nothing was
	Recovered *bool `json:"recovered"` // it was steady at the end; nil: nobody looked
}

// A Phase is a part of a drill.
type Phase struct {
	Name   string `json:"name"`
	FromNS int64  `json:"from_ns"`
	ToNS   int64  `json:"to_ns"`
}

// A Fault is one that was injected, or tried.
type Fault struct {
	Kind       string             `json:"kind"`
	Victims    []string           `json:"victims"`
	Down       []string           `json:"down"`        // names of servers
	InjectedNS *int64             `json:"injected_ns"` // nil: it was not
	HealedNS   *int64             `json:"healed_ns"`   // nil: it was not
	Counts     map[string]float64 `json:"counts"`
	Error      string             `json:"error,omitempty"`
}

// An Event is a line of the timeline.
type Event struct {
	AtNS int64  `json:"at_ns"`
	Kind string `json:"kind"`
	Who  string `json:"who"`
	Text string `json:"text"`
}

// A Gate is a look at whether the system is well.
type Gate struct {
	Open       bool          `json:"open"`
	TookNS     int64         `json:"took_ns"` // until it was open, or given up
	Objectives []slo.Verdict `json:"objectives"`
	Why        string        `json:"why,omitempty"` // it is not open
}

// A Metric is a number that objectives can be set for.
type Metric struct {
	Value *float64 `json:"value"` // in base units; nil: not known
	Unit  slo.Unit `json:"unit"`
}

// complete returns the document with its schema named, and with an empty list
// wherever there is none. The lists of d itself stay as they are.
func (d Document) complete() Document {
	d.Schema = Schema
	d.Why, d.Warnings, d.Expectations = report.Listed(d.Why), report.Listed(d.Warnings), report.Listed(d.Expectations)
	d.Phases, d.Timeline = report.Listed(d.Phases), report.Listed(d.Timeline)
	d.Target.Servers = report.Listed(d.Target.Servers)
	if d.Metrics == nil {
		d.Metrics = map[string]Metric{}
	}
	d.Faults = each(d.Faults, func(f *Fault) {
		f.Victims, f.Down = report.Listed(f.Victims), report.Listed(f.Down)
		if f.Counts == nil {
			f.Counts = map[string]float64{}
		}
	})
	d.Placements = each(d.Placements, func(p *Placement) { p.Outages = report.Listed(p.Outages) })
	d.Consumers = each(d.Consumers, func(c *Consumer) { c.Outages = report.Listed(c.Outages) })
	d.SteadyBefore, d.SteadyAfter = d.SteadyBefore.complete(), d.SteadyAfter.complete()
	if d.Account != nil {
		account := d.Account.complete()
		d.Account = &account
	}
	return d
}

func (g *Gate) complete() *Gate {
	if g == nil {
		return nil
	}
	completed := *g
	completed.Objectives = report.Listed(g.Objectives)
	return &completed
}

// each returns a changed copy of a list, which is empty if there is none.
func each[T any](list []T, change func(*T)) []T {
	changed := append([]T{}, list...)
	for i := range changed {
		change(&changed[i])
	}
	return changed
}

func drillFormats() []report.Format[Document] {
	return []report.Format[Document]{
		{Name: "table", Write: writeDrillText},
		{Name: "json", Write: asJSON[Document]},
		{Name: "markdown", Write: writeDrillMarkdown},
		{Name: "junit", Write: writeDrillJUnit},
	}
}

// Formats lists what WriteDrill and WriteSuite can write; the first one is for
// people.
func Formats() []string { return report.Names(drillFormats()) }

// WriteDrill writes a document in one of Formats. The style matters for the table
// only. Errors are those of w, or say that there is no such format.
func WriteDrill(w io.Writer, format string, doc Document, style report.Style) error {
	return report.WriteAs(w, drillFormats(), format, doc.complete(), style)
}

func asJSON[D any](w io.Writer, doc D, _ report.Style) error { return report.WriteJSON(w, doc) }
