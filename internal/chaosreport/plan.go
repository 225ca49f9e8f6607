package chaosreport

import (
	"fmt"
	"io"
	"strings"

	"github.com/natsops/natsops/internal/chaos"
	"github.com/natsops/natsops/internal/chaos/fault"
	"github.com/natsops/natsops/internal/report"
)

// PlanSchema names the JSON form of a Plan. It is described by
// docs/reference/schemas/natsops.chaos-plan.v1.schema.json.
const PlanSchema = "natsops.chaos-plan/v1"

// A Plan is what a drill would do.
type Plan struct {
	Schema  string   `json:"schema"`
	Version string   `json:"natsops_version"`
	Drill   Drill    `json:"drill"`
	Target  Target   `json:"target"`
	Load    string   `json:"load"` // in words; "": none
	Strikes []Strike `json:"strikes"`
	Expect  []string `json:"expect"` // objectives
	Limits  string   `json:"limits"` // in words
	Abort   string   `json:"abort"`  // in words; "": nothing ends it early
	TakesNS int64    `json:"takes_ns"`
}

// A Strike is a fault and what it would do.
type Strike struct {
	Kind    string   `json:"kind"`
	AtNS    int64    `json:"at_ns"`  // after the first fault
	ForNS   int64    `json:"for_ns"` // 0: it is over at once
	Class   string   `json:"class"`
	Victims []string `json:"victims"`
	Down    []string `json:"down"`            // names of servers
	AtOnce  int      `json:"at_once"`         // how many of them at the same time
	Later   string   `json:"later,omitempty"` // why victims are chosen later
	Steps   []Step   `json:"steps"`           // in order
	Undo    []string `json:"undo"`            // in words
}

// A Step is one thing that is done.
type Step struct {
	Do      string `json:"do"`
	Object  string `json:"object"`
	Payload string `json:"payload"`
}

func newPlan(version string, p chaos.Plan) Plan {
	d := p.Drill
	made := Plan{
		Schema: PlanSchema, Version: version,
		Drill: newDrill(d), Target: newTarget(p.Target), Load: loadText(d.Load),
		Strikes: []Strike{}, Expect: []string{}, Limits: limitsText(d.Limits), Abort: abortText(d.Abort), TakesNS: takes(d).Nanoseconds(),
	}
	for _, o := range d.Expect {
		made.Expect = append(made.Expect, o.String())
	}
	for _, s := range p.Strikes {
		strike := Strike{
			Kind: s.Spec.Kind, AtNS: s.Spec.At.Nanoseconds(), ForNS: s.Spec.For.Nanoseconds(), Class: string(s.Class),
			Victims: report.Listed(s.Victims), Down: report.Listed(s.Down), AtOnce: s.AtOnce, Later: s.Later, Steps: []Step{}, Undo: []string{},
		}
		for _, step := range s.Steps {
			strike.Steps = append(strike.Steps, Step(step))
		}
		for _, u := range s.Undo {
			strike.Undo = append(strike.Undo, undoText(u))
		}
		made.Strikes = append(made.Strikes, strike)
	}
	return made
}

// undoText says what undoes a fault, if natsops cannot.
func undoText(u fault.Undo) string {
	object := u.Subject
	switch u.Kind {
	case fault.UndoPause, fault.UndoConsumer:
		object = u.Stream + "/" + u.Consumer
	case fault.UndoStream:
		object = u.Stream
	case fault.UndoFill:
		object = u.Stream + " " + u.Subject
	case fault.UndoStop:
		object = fmt.Sprintf("%d", u.PID)
	}
	text := strings.TrimSpace(string(u.Kind) + " " + object)
	if u.Server != "" {
		text += " (" + u.Server + ")"
	}
	if !u.Expires.IsZero() {
		text += ", which ends by itself at " + u.Expires.UTC().Format("15:04:05 UTC")
	}
	return text
}

func planFormats() []report.Format[Plan] {
	return []report.Format[Plan]{{Name: "table", Write: writePlanText}, {Name: "json", Write: asJSON[Plan]}}
}

// PlanFormats lists what WriteDryRun can write; the first one is for people.
func PlanFormats() []string { return report.Names(planFormats()) }

// WriteDryRun writes what a drill would do, in one of PlanFormats.
func WriteDryRun(w io.Writer, format, version string, p chaos.Plan, style report.Style) error {
	return report.WriteAs(w, planFormats(), format, newPlan(version, p), style)
}

// WritePlan writes for people what a drill will do, before they are asked.
func WritePlan(w io.Writer, version string, p chaos.Plan, style report.Style) error {
	return writePlan(w, newPlan(version, p), style, "PLAN", "this is what will be done")
}

func writePlanText(w io.Writer, p Plan, style report.Style) error {
	return writePlan(w, p, style, "DRY RUN", "nothing was injected; this is what would be done")
}

func writePlan(w io.Writer, p Plan, style report.Style, mark, what string) error {
	page := report.Page{Style: style}
	page.Heading(style.Warn(mark), p.Drill.Name+": "+what)
	page.Item("target", targetText(Document{Target: p.Target}))
	if p.Load != "" {
		page.Item("load", p.Load)
	}
	for i, s := range p.Strikes {
		page.Title(fmt.Sprintf("Fault %d: %s, %s", i+1, s.Kind, s.when()))
		page.Item("victims", s.victims())
		if len(s.Down) > 0 {
			page.Item("down", s.downText())
		}
		page.Item("safety", classText(s.Class))
		addSteps(&page, s.Steps)
		for j, undo := range s.Undo {
			page.Item(onlyFirst("undo", j), undo)
		}
	}
	page.Title("Bounds")
	page.Item("limits", p.Limits)
	if p.Abort != "" {
		page.Item("abort", p.Abort)
	}
	if len(p.Expect) > 0 {
		page.Item("expect", strings.Join(p.Expect, ", "))
	}
	if p.TakesNS > 0 {
		page.Item("takes", "at least "+about(p.TakesNS))
	}
	return page.Write(w)
}

// addSteps adds exactly what would be sent or done.
func addSteps(page *report.Page, steps []Step) {
	const most = 20
	some, more := first(steps, most)
	for i, step := range some {
		page.Item(onlyFirst("steps", i), strings.TrimSpace(step.Do+" "+step.Object))
		if step.Payload != "" {
			page.Item("", "> "+step.Payload)
		}
	}
	if more > 0 {
		page.Item("", fmt.Sprintf("and %d more: --output json has all", more))
	}
}

// onlyFirst returns the label for the first of several lines.
func onlyFirst(label string, i int) string {
	if i > 0 {
		return ""
	}
	return label
}

// when says when a strike begins and ends.
func (s Strike) when() string {
	text := "at once"
	if s.AtNS > 0 {
		text = span(s.AtNS) + " after the first"
	}
	if s.ForNS > 0 {
		text += ", for " + span(s.ForNS)
	}
	return text
}

// downText says which servers cannot serve, and how many of them at a time.
func (s Strike) downText() string {
	if s.AtOnce > 0 && s.AtOnce < len(s.Down) {
		return fmt.Sprintf("%d at a time of %s", s.AtOnce, listed(s.Down))
	}
	return listed(s.Down)
}

func (s Strike) victims() string {
	switch {
	case s.Later != "":
		return "chosen later: " + s.Later
	case len(s.Victims) == 0:
		return "none"
	default:
		return strings.Join(s.Victims, "; ")
	}
}
