package chaosreport

import (
	"fmt"
	"io"
	"time"

	"github.com/natsops/natsops/internal/chaos/fault"
	"github.com/natsops/natsops/internal/chaos/journal"
	"github.com/natsops/natsops/internal/report"
)

// StatusSchema names the JSON form of a Status. It is described by
// docs/reference/schemas/natsops.chaos-status.v1.schema.json.
const StatusSchema = "natsops.chaos-status/v1"

// A Status is what journals say of drills.
type Status struct {
	Schema  string `json:"schema"`
	Version string `json:"natsops_version"`
	Runs    []Run  `json:"runs"` // the oldest first
	Open    int    `json:"open"` // undos, of all runs that do not run any more
}

// A Run is one drill that was started on this machine.
type Run struct {
	ID       string       `json:"id"`
	Drill    string       `json:"drill"` // "": not known, like what follows
	Servers  []string     `json:"servers"`
	Context  string       `json:"context"`
	Cluster  string       `json:"cluster"`
	Lab      bool         `json:"lab"`
	PID      int          `json:"pid"`
	BeganAt  time.Time    `json:"began_at,omitzero"`
	State    string       `json:"state"`
	Verdict  string       `json:"verdict,omitempty"` // of one that ended
	Injected int          `json:"injected"`
	Healed   int          `json:"healed"`
	Open     []fault.Undo `json:"open"` // what is not known to be healed
}

func newStatus(version string, runs []journal.Run) Status {
	s := Status{Schema: StatusSchema, Version: version, Runs: []Run{}}
	for _, r := range runs {
		s.Runs = append(s.Runs, Run{
			ID: r.ID, Drill: r.Drill, Servers: report.Listed(r.Target.Servers), Context: r.Target.Context, Cluster: r.Target.Cluster,
			Lab: r.Lab, PID: r.PID, BeganAt: r.Time, State: string(r.State), Verdict: r.Verdict,
			Injected: r.Injected, Healed: r.Healed, Open: report.Listed(r.Open),
		})
		if r.State != journal.Running {
			s.Open += len(r.Open)
		}
	}
	return s
}

func statusFormats() []report.Format[Status] {
	return []report.Format[Status]{{Name: "table", Write: writeStatusText}, {Name: "json", Write: asJSON[Status]}}
}

// StatusFormats lists what WriteStatus can write; the first one is for people.
func StatusFormats() []string { return report.Names(statusFormats()) }

// WriteStatus writes what became of runs, in one of StatusFormats.
func WriteStatus(w io.Writer, format, version string, runs []journal.Run, style report.Style) error {
	return report.WriteAs(w, statusFormats(), format, newStatus(version, runs), style)
}

func writeStatusText(w io.Writer, s Status, style report.Style) error {
	page := report.Page{Style: style}
	for _, r := range s.Runs {
		word, paint := r.word(style)
		page.Heading(paint(word), r.name())
		page.Item("target", r.where())
		if !r.BeganAt.IsZero() {
			page.Item("began", fmt.Sprintf("%s, process %d", r.BeganAt.UTC().Format("2006-01-02 15:04:05 UTC"), r.PID))
		}
		if r.Verdict != "" {
			page.Item("verdict", r.Verdict)
		}
		page.Item("faults", fmt.Sprintf("%d injected, %d healed", r.Injected, r.Healed))
		for i, undo := range r.Open {
			page.Item(onlyFirst("open", i), undoText(undo))
		}
	}
	page.Title(s.headline())
	if s.Open > 0 {
		page.Item("try", "natsops chaos heal")
	}
	return page.Write(w)
}

func (s Status) headline() string {
	if len(s.Runs) == 0 {
		return "no drill runs here, and none left anything behind"
	}
	return fmt.Sprintf("%s; %d left to undo", plural(uint64(len(s.Runs)), "drill"), s.Open)
}

// word is the state in capitals, and its color.
func (r Run) word(style report.Style) (string, func(string) string) {
	switch {
	case r.State == string(journal.Running):
		return "RUNNING", style.Warn
	case len(r.Open) > 0:
		return "NOT HEALED", style.Bad
	case r.State == string(journal.Died):
		return "DIED", style.Warn
	default:
		return "ENDED", style.Good
	}
}

func (r Run) name() string {
	if r.Drill == "" {
		return r.ID + ": which drill is not known"
	}
	return r.Drill + ", run " + r.ID
}

func (r Run) where() string {
	text := listed(r.Servers)
	if text == "" {
		text = unknown
	}
	if r.Lab {
		text = "lab at " + text + "; it ended with its process"
		if r.State == string(journal.Running) {
			text = "lab at " + listed(r.Servers)
		}
	}
	if r.Cluster != "" {
		text += ", cluster " + r.Cluster
	}
	if r.Context != "" {
		text += ", context " + r.Context
	}
	return text
}
