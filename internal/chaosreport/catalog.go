package chaosreport

import (
	"io"
	"slices"
	"strings"
	"time"

	"github.com/natsops/natsops/internal/chaos/drill"
	"github.com/natsops/natsops/internal/chaos/fault"
	"github.com/natsops/natsops/internal/quantity"
	"github.com/natsops/natsops/internal/report"
)

// ListSchema names the JSON form of a list of drills. It is described by
// docs/reference/schemas/natsops.chaos-drills.v1.schema.json.
const ListSchema = "natsops.chaos-drills/v1"

// A List is the drills that there are.
type List struct {
	Schema string   `json:"schema"`
	Drills []Listed `json:"drills"`
}

// A Listed is a drill in a List.
type Listed struct {
	Name       string   `json:"name"`
	Title      string   `json:"title"`
	Hypothesis string   `json:"hypothesis"`
	Faults     []string `json:"faults"`   // kinds
	Needs      []string `json:"needs"`    // besides an application's account
	TakesNS    int64    `json:"takes_ns"` // at least
	Loses      bool     `json:"loses"`
	Control    bool     `json:"control"`
	Expect     []string `json:"expect"` // objectives
}

func newList(drills []drill.Drill, kind lookup) List {
	l := List{Schema: ListSchema, Drills: []Listed{}}
	for _, d := range drills {
		made := Listed{
			Name: d.Name, Title: d.Title, Hypothesis: d.Hypothesis, Faults: []string{}, Needs: []string{},
			TakesNS: takes(d).Nanoseconds(), Loses: d.Loses, Control: d.Control, Expect: []string{},
		}
		for _, f := range d.Faults {
			if !slices.Contains(made.Faults, f.Kind) {
				made.Faults = append(made.Faults, f.Kind)
			}
			for _, need := range needsOf(f.Kind, kind) {
				if !slices.Contains(made.Needs, need) {
					made.Needs = append(made.Needs, need)
				}
			}
		}
		for _, o := range d.Expect {
			made.Expect = append(made.Expect, o.String())
		}
		l.Drills = append(l.Drills, made)
	}
	return l
}

// takes is the shortest time that a drill can take.
func takes(d drill.Drill) time.Duration { return 2*d.Steady.Window + d.Span() + d.Observe }

// A lookup finds a kind of fault by its name.
type lookup func(name string) (fault.Kind, error)

// needsOf tells what a kind of fault takes; nothing of one that does not exist.
func needsOf(name string, kind lookup) []string {
	k, err := kind(name)
	if err != nil {
		return nil
	}
	return needs(k.Needs)
}

// needs lists in words what a fault takes.
func needs(n fault.Need) []string {
	list := []string{}
	for _, need := range []struct {
		is   bool
		text string
	}{
		{n.System, "system account"},
		{n.Nodes, "own servers"},
		{n.Links, "own links"},
		{n.Doors, "own proxies"},
		{n.Linux, "Linux"},
		{n.Unix, "not Windows"},
	} {
		if need.is {
			list = append(list, need.text)
		}
	}
	return list
}

func listFormats() []report.Format[List] {
	return []report.Format[List]{
		{Name: "table", Write: writeListText},
		{Name: "json", Write: asJSON[List]},
		{Name: "markdown", Write: writeListMarkdown},
	}
}

// ListFormats lists what WriteList can write; the first one is for people.
func ListFormats() []string { return report.Names(listFormats()) }

// WriteList writes which drills there are, in one of ListFormats.
func WriteList(w io.Writer, format string, drills []drill.Drill, style report.Style) error {
	return report.WriteAs(w, listFormats(), format, newList(drills, fault.Lookup), style)
}

func writeListText(w io.Writer, l List, style report.Style) error {
	p := report.Page{Style: style}
	if len(l.Drills) == 0 {
		p.Text("no drills")
		return p.Write(w)
	}
	table := report.Table{Columns: []report.Column{{Name: "drill", Left: true}, {Name: "takes"}, {Name: "needs", Left: true}}}
	for _, d := range l.Drills {
		table.Rows = append(table.Rows, []string{d.Name, about(d.TakesNS), needsText(d.Needs)})
	}
	lines := table.Text(style, p.Room())
	p.Lines(lines[0])
	for i, d := range l.Drills {
		p.Lines(lines[i+1])
		p.Under(d.Title + d.mark())
	}
	p.Title("natsops chaos describe DRILL tells what one does, and what NATS promises")
	return p.Write(w)
}

// mark says what is special about a drill.
func (d Listed) mark() string {
	switch {
	case d.Control:
		return " (a test of the instrument)"
	case d.Loses:
		return " (it is expected to lose messages)"
	default:
		return ""
	}
}

// about writes a time that is not exact.
func about(ns int64) string {
	return quantity.FormatDuration(time.Duration(ns).Round(time.Second))
}

func needsText(needs []string) string {
	if len(needs) == 0 {
		return "nothing more"
	}
	return strings.Join(needs, ", ")
}

func writeListMarkdown(w io.Writer, l List, _ report.Style) error {
	table := report.Table{Columns: []report.Column{
		{Name: "drill", Left: true}, {Name: "what happens", Left: true}, {Name: "faults", Left: true}, {Name: "takes"}, {Name: "needs", Left: true}, {Name: "expects", Left: true},
	}}
	for _, d := range l.Drills {
		table.Rows = append(table.Rows, []string{
			d.Name, d.Title + d.mark(), strings.Join(d.Faults, ", "), about(d.TakesNS), needsText(d.Needs), strings.Join(d.Expect, ", "),
		})
	}
	_, err := io.WriteString(w, markdownTable(table)+"\n")
	return err
}

// FaultsSchema names the JSON form of a list of kinds of faults. It is described
// by docs/reference/schemas/natsops.chaos-faults.v1.schema.json.
const FaultsSchema = "natsops.chaos-faults/v1"

// A Faults is the kinds of faults that there are.
type Faults struct {
	Schema string      `json:"schema"`
	Faults []FaultKind `json:"faults"`
}

// A FaultKind is a sort of fault.
type FaultKind struct {
	Name      string       `json:"name"`
	About     string       `json:"about"`
	Expect    string       `json:"expect"` // of a healthy system
	Class     string       `json:"class"`
	Needs     []string     `json:"needs"`
	Since     string       `json:"since"`      // version of nats-server; "": any that natsops supports
	DefaultNS int64        `json:"default_ns"` // until it is healed; 0: it is over at once
	Params    []FaultParam `json:"params"`
}

// A FaultParam is a setting of a kind of fault.
type FaultParam struct {
	Name    string   `json:"name"`
	About   string   `json:"about"`
	Default string   `json:"default"`
	Unit    string   `json:"unit"`
	Words   []string `json:"words"` // that it can be; none: it is no word
}

func newFaults(kinds []fault.Kind) Faults {
	f := Faults{Schema: FaultsSchema, Faults: []FaultKind{}}
	for _, k := range kinds {
		made := FaultKind{
			Name: k.Name, About: k.About, Expect: k.Expect, Class: string(k.Class), Needs: needs(k.Needs), Since: k.Since,
			DefaultNS: k.Default.Nanoseconds(), Params: []FaultParam{},
		}
		for _, p := range k.Params {
			made.Params = append(made.Params, FaultParam{p.Name, p.About, p.Default, string(p.Unit), report.Listed(p.Words)})
		}
		f.Faults = append(f.Faults, made)
	}
	return f
}

func faultsFormats() []report.Format[Faults] {
	return []report.Format[Faults]{
		{Name: "table", Write: writeFaultsText},
		{Name: "json", Write: asJSON[Faults]},
		{Name: "markdown", Write: writeFaultsMarkdown},
	}
}

// FaultsFormats lists what WriteFaults can write; the first one is for people.
func FaultsFormats() []string { return report.Names(faultsFormats()) }

// WriteFaults writes which kinds of faults there are, in one of FaultsFormats.
func WriteFaults(w io.Writer, format string, kinds []fault.Kind, style report.Style) error {
	return report.WriteAs(w, faultsFormats(), format, newFaults(kinds), style)
}

func writeFaultsText(w io.Writer, f Faults, style report.Style) error {
	p := report.Page{Style: style}
	for _, k := range f.Faults {
		p.Title(k.Name)
		p.Item("does", k.About)
		p.Item("expect", k.Expect)
		p.Item("lasts", k.lasts())
		p.Item("needs", k.takes())
		for i, param := range k.Params {
			label := ""
			if i == 0 {
				label = "params"
			}
			p.Item(label, param.String())
		}
	}
	return p.Write(w)
}

// lasts says how a fault ends.
func (k FaultKind) lasts() string {
	if k.DefaultNS == 0 {
		return "it is over at once; " + classText(k.Class)
	}
	return span(k.DefaultNS) + " unless told otherwise; " + classText(k.Class)
}

func (k FaultKind) takes() string {
	text := needsText(k.Needs)
	if k.Since != "" {
		text += "; nats-server " + k.Since + " or newer"
	}
	return text
}

// String returns the param as it is given.
func (p FaultParam) String() string {
	text := p.Name
	if p.Default != "" {
		text += ": " + p.Default
	}
	text += " (" + p.Unit
	if len(p.Words) > 0 {
		text += ": " + strings.Join(p.Words, ", ")
	}
	return text + "): " + p.About
}

func writeFaultsMarkdown(w io.Writer, f Faults, _ report.Style) error {
	table := report.Table{Columns: []report.Column{
		{Name: "fault", Left: true},
		{Name: "what it does", Left: true},
		{Name: "a healthy system", Left: true},
		{Name: "lasts", Left: true},
		{Name: "needs", Left: true},
		{Name: "params", Left: true},
	}}
	for _, k := range f.Faults {
		var params []string
		for _, p := range k.Params {
			params = append(params, p.String())
		}
		table.Rows = append(table.Rows, []string{k.Name, k.About, k.Expect, k.lasts(), k.takes(), strings.Join(params, "; ")})
	}
	_, err := io.WriteString(w, markdownTable(table)+"\n")
	return err
}
