package inspectreport

import (
	"io"
	"strconv"

	"github.com/natsops/natsops/internal/action"
	"github.com/natsops/natsops/internal/deadletter"
	"github.com/natsops/natsops/internal/report"
)

// RedriveSchema names the JSON form of a Redrive. Fields may be added to it; when
// one changes its meaning or goes, the number at its end changes. It is
// described by docs/reference/schemas/natsops.redrive.v1.schema.json.
const RedriveSchema = "natsops.redrive/v1"

// A Redrive is what sending messages again would do, and what it did.
type Redrive struct {
	Schema  string             `json:"schema"` // WriteRedrive fills it in
	Version string             `json:"natsops_version"`
	Target  string             `json:"target"` // server URLs without credentials, separated by commas
	DryRun  bool               `json:"dry_run"`
	What    string             `json:"what"`    // in words
	Confirm string             `json:"confirm"` // what has to be typed
	Impact  []string           `json:"impact"`  // in words
	Steps   []Step             `json:"steps"`
	Done    *deadletter.Report `json:"done"` // null: nothing was sent
}

// A Step is one message to be sent again.
type Step struct {
	Of       string   `json:"of"` // stream/consumer/sequence
	Subject  string   `json:"subject"`
	Stream   string   `json:"stream"` // that will store the copy
	MsgID    string   `json:"msg_id"`
	Bytes    int      `json:"size_bytes"`
	LeftOut  []string `json:"left_out"` // headers of the original that the copy does not have
	Delete   bool     `json:"delete"`   // the original, afterwards
	Warnings []string `json:"warnings"`
	Skip     string   `json:"skip"` // why nothing is sent; empty: it is
}

// NewRedrive describes a plan and the action made of it.
func NewRedrive(version, target string, plan *deadletter.Plan, a action.Action, dryRun bool) Redrive {
	r := Redrive{Version: version, Target: target, DryRun: dryRun, What: a.Target, Confirm: a.Object, Impact: report.Listed(a.Impact), Steps: []Step{}}
	for _, s := range plan.Steps {
		r.Steps = append(r.Steps, Step{
			Of: s.ID(), Subject: s.Subject, Stream: s.Stream, MsgID: s.MsgID, Bytes: s.Size,
			LeftOut: report.Listed(s.LeftOut), Delete: s.Delete, Warnings: report.Listed(s.Warnings), Skip: s.Skip,
		})
	}
	return r
}

// WriteRedrive writes the document as table or json. Errors are those of w, or
// say that there is no such format.
func WriteRedrive(w io.Writer, name string, r Redrive, style report.Style) error {
	return report.WriteAs(w, []report.Format[Redrive]{
		{Name: "table", Write: writeRedriveText},
		{Name: "json", Write: func(w io.Writer, r Redrive, _ report.Style) error {
			r.Schema = RedriveSchema
			return report.WriteJSON(w, r)
		}},
	}, name, r, style)
}

func writeRedriveText(w io.Writer, r Redrive, style report.Style) error {
	p := report.Page{Style: style}
	t := report.Table{Columns: []report.Column{
		{Name: "message", Left: true}, {Name: "to subject", Left: true}, {Name: "in stream", Left: true}, {Name: "bytes"}, {Name: "skipped because", Left: true},
	}}
	const most = 20
	for i, s := range r.Steps {
		if i == most {
			break
		}
		t.Rows = append(t.Rows, []string{s.Of, s.Subject, s.Stream, strconv.Itoa(s.Bytes), s.Skip})
	}
	p.Lines(t.Text(style, style.Breadth()-2)...)
	if more := len(r.Steps) - most; more > 0 {
		p.Lines("and " + strconv.Itoa(more) + " more")
	}
	p.Title("redrive " + r.What + " at " + r.Target)
	for i, impact := range r.Impact {
		p.Item(first("it", i), impact)
	}
	return p.Write(w)
}
