package inspectreport

import (
	"slices"

	"github.com/natsops/natsops/internal/inspect"
	"github.com/natsops/natsops/internal/inspect/doctor"
	"github.com/natsops/natsops/internal/report"
)

// DoctorSchema names the JSON form of a Doctor. Fields may be added to it; when
// one changes its meaning or goes, the number at its end changes. It is
// described by docs/reference/schemas/natsops.doctor.v1.schema.json.
const DoctorSchema = "natsops.doctor/v1"

// A Doctor is the whole outcome of natsops doctor.
type Doctor struct {
	Schema   string    `json:"schema"` // WriteDoctor fills it in
	Version  string    `json:"natsops_version"`
	Target   string    `json:"target"` // server URLs without credentials, separated by commas
	Picture  Picture   `json:"picture"`
	Findings []Finding `json:"findings"` // worst first
	Passed   []string  `json:"passed"`   // IDs of checks that saw everything, and found nothing
	Skipped  []Skip    `json:"skipped"`  // checks that could not look, or not everywhere
}

// A Finding is one kind of trouble, and everything that has it.
type Finding struct {
	Check    string        `json:"check"`
	Title    string        `json:"title"`
	Severity string        `json:"severity"`
	Object   string        `json:"object"`
	Count    int           `json:"count"`
	Keys     []inspect.Key `json:"keys"`
	Evidence []string      `json:"evidence"`
	Advice   string        `json:"advice"`
	Next     []string      `json:"next"`

	severity inspect.Severity
}

// A Skip is a check that could not look, or not everywhere.
type Skip struct {
	Check string `json:"check"`
	Why   string `json:"why"`
	Empty bool   `json:"empty"` // there is nothing of what it looks at, and nothing is hidden
}

// NewDoctor puts the outcome together. The window must have a snapshot.
func NewDoctor(version, target string, window []*inspect.Snapshot, r doctor.Result) Doctor {
	d := Doctor{
		Version: version, Target: target, Picture: NewPicture(window),
		Findings: []Finding{}, Passed: report.Listed(r.Passed), Skipped: []Skip{},
	}
	for _, f := range r.Findings {
		d.Findings = append(d.Findings, Finding{
			Check: f.Check, Title: f.Title, Severity: f.Severity.String(), Object: f.Object, Count: f.Count,
			Keys: report.Listed(f.Keys), Evidence: report.Listed(f.Evidence), Advice: f.Advice, Next: report.Listed(f.Next), severity: f.Severity,
		})
	}
	for _, s := range r.Skipped {
		d.Skipped = append(d.Skipped, Skip(s))
	}
	return d
}

// From returns how many findings are that bad, or worse.
func (d Doctor) From(severity inspect.Severity) int {
	n := 0
	for _, f := range d.Findings {
		if f.severity >= severity {
			n++
		}
	}
	return n
}

// blind returns the checks that could not see what there may be.
func (d Doctor) blind() []Skip {
	return slices.DeleteFunc(slices.Clone(d.Skipped), func(s Skip) bool { return s.Empty })
}

// Worst returns the severity of the worst finding.
func (d Doctor) Worst() inspect.Severity {
	worst := inspect.OK
	for _, f := range d.Findings {
		worst = max(worst, f.severity)
	}
	return worst
}

// Plugin returns the state for monitoring systems.
func (d Doctor) Plugin() PluginState { return pluginState(d.Worst(), d.Picture.Complete) }
