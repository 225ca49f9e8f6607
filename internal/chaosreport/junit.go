package chaosreport

import (
	"cmp"
	"encoding/xml"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/natsops/natsops/internal/chaos"
	"github.com/natsops/natsops/internal/report"
	"github.com/natsops/natsops/internal/slo"
)

// The elements of the JUnit XML that CI systems read (Jenkins, GitLab, GitHub
// reporters): https://github.com/testmoapp/junitxml. A suite is a drill.
type junitSuites struct {
	XMLName  xml.Name `xml:"testsuites"`
	Name     string   `xml:"name,attr"`
	Tests    int      `xml:"tests,attr"`
	Failures int      `xml:"failures,attr"`
	Errors   int      `xml:"errors,attr"`
	Skipped  int      `xml:"skipped,attr"`
	Time     string   `xml:"time,attr"` // seconds

	Suites []junitSuite `xml:"testsuite"`
}

type junitSuite struct {
	Name      string `xml:"name,attr"`
	Tests     int    `xml:"tests,attr"`
	Failures  int    `xml:"failures,attr"`
	Errors    int    `xml:"errors,attr"`
	Skipped   int    `xml:"skipped,attr"`
	Time      string `xml:"time,attr"`
	Timestamp string `xml:"timestamp,attr,omitempty"`

	Properties []junitProperty `xml:"properties>property"`
	Cases      []junitCase     `xml:"testcase"`
	Out        *junitOut       `xml:"system-out"`
}

type junitProperty struct {
	Name  string `xml:"name,attr"`
	Value string `xml:"value,attr"`
}

type junitCase struct {
	Class   string       `xml:"classname,attr"`
	Name    string       `xml:"name,attr"`
	Time    string       `xml:"time,attr"`
	Skipped *junitReason `xml:"skipped"`
	Failure *junitReason `xml:"failure"`
	Error   *junitReason `xml:"error"`
	Out     *junitOut    `xml:"system-out"`
}

type junitOut struct {
	Text string `xml:",cdata"`
}

type junitReason struct {
	Message string `xml:"message,attr"`
	Text    string `xml:",chardata"`
}

func writeDrillJUnit(w io.Writer, d Document, _ report.Style) error {
	return writeJUnit(w, []Document{d})
}

func writeSuiteJUnit(w io.Writer, s Suite, _ report.Style) error { return writeJUnit(w, s.Drills) }

func writeJUnit(w io.Writer, drills []Document) error {
	all := junitSuites{Name: "natsops chaos"}
	var took int64
	for _, d := range drills {
		s := newJUnitSuite(d)
		all.Suites = append(all.Suites, s)
		all.Tests += s.Tests
		all.Failures += s.Failures
		all.Errors += s.Errors
		all.Skipped += s.Skipped
		took += d.TookNS
	}
	all.Time = seconds(took)
	text, err := xml.MarshalIndent(all, "", "  ")
	if err != nil {
		return fmt.Errorf("write JUnit XML: %w", err)
	}
	_, err = io.WriteString(w, xml.Header+string(text)+"\n")
	return err
}

func newJUnitSuite(d Document) junitSuite {
	s := junitSuite{Name: clean(d.Drill.Name), Time: seconds(d.TookNS), Properties: properties(d), Out: newOut(suiteOut(d))}
	if !d.BeganAt.IsZero() {
		s.Timestamp = d.BeganAt.UTC().Format(time.RFC3339)
	}
	for _, c := range casesOf(d) {
		made := junitCase{Class: "natsops.chaos." + clean(d.Drill.Name), Name: clean(c.name), Time: seconds(c.tookNS), Out: newOut(clean(c.out))}
		reason := &junitReason{clean(c.why), clean(c.why)}
		switch c.result {
		case caseFailed:
			made.Failure = reason
			s.Failures++
		case caseBroken:
			made.Error = reason
			s.Errors++
		case caseSkipped:
			made.Skipped = &junitReason{Message: clean(c.why)}
			s.Skipped++
		case casePassed:
		}
		s.Cases = append(s.Cases, made)
	}
	s.Tests = len(s.Cases)
	return s
}

// newOut returns nil for nothing.
func newOut(text string) *junitOut {
	if text == "" {
		return nil
	}
	return &junitOut{text}
}

// properties are what tells runs apart and can be plotted over them. A metric
// that is not known is left out.
func properties(d Document) []junitProperty {
	all := []junitProperty{
		{"drill", d.Drill.Name},
		{"id", d.ID},
		{"seed", strconv.FormatUint(d.Seed, 10)},
		{"verdict", d.Verdict},
		{"natsops_version", d.Version},
		{"server_version", d.Target.ServerVersion},
		{"target", d.Target.Name},
	}
	for _, name := range slices.Sorted(maps.Keys(d.Metrics)) {
		if m := d.Metrics[name]; m.Value != nil {
			all = append(all, junitProperty{name, strconv.FormatFloat(*m.Value, 'f', -1, 64)})
		}
	}
	for i := range all {
		all[i].Name, all[i].Value = clean(all[i].Name), clean(all[i].Value)
	}
	return all
}

// suiteOut is the report for people, for whoever opens a failed suite.
func suiteOut(d Document) string {
	var b strings.Builder
	_ = writeDrillText(&b, d, report.Style{}) // a Builder takes everything
	return b.String()
}

// clean makes a text fit for XML: on one line and without control characters.
func clean(text string) string { return report.Style{Unicode: true}.Plain(text) }

// A caseResult is what became of a test case.
type caseResult int

const (
	casePassed caseResult = iota
	caseFailed            // not as expected
	caseBroken            // it could not be told, or done
	caseSkipped
)

// A testCase is one thing that a drill looks at, for CI systems. Names are part
// of the interface.
type testCase struct {
	name   string
	result caseResult
	tookNS int64
	why    string // not passed
	out    string // what was measured
}

// casesOf judges a drill case by case, always the same ones in the same order,
// with those of expectations that have no case of their own behind. Only what was
// expected fails: a metric that nothing is expected of passes with its value, and
// what is not known is skipped.
func casesOf(d Document) []testCase {
	cases := []testCase{gateCase("steady-before", d.SteadyBefore, d), injectCase(d)}
	own := map[string]bool{}
	for _, c := range metricCases() {
		cases = append(cases, metricCase(c.name, c.metric, d))
		own[c.metric] = true
	}
	cases = append(cases, healCase(d), gateCase("steady-after", d.SteadyAfter, d))
	for _, v := range d.Expectations {
		if !own[v.Metric] {
			cases = append(cases, metricCase(v.Metric, v.Metric, d))
			own[v.Metric] = true
		}
	}
	return append(cases, guardCase(d, cases))
}

// metricCases are the cases of a single metric.
func metricCases() []struct{ name, metric string } {
	return []struct{ name, metric string }{
		{"outage", "outage_max"},
		{"recover", "recover"},
		{"second-outage", "second_outage"},
		{"lost", "lost"},
		{"duplicates-stored", "duplicates_stored"},
		{"duplicates-delivered", "duplicates_delivered"},
		{"order", "reordered"},
		{"replicas-equal", "replicas_equal"},
		{"consumer-drain", "drain"},
	}
}

// metricCase judges a metric by all that was expected of it.
func metricCase(name, metric string, d Document) testCase {
	c := testCase{name: name}
	m := d.Metrics[metric]
	if m.Value == nil {
		c.result, c.why = caseSkipped, metric+" is not known"
		return c
	}
	c.out = metric + " is " + m.String()
	if m.Unit == slo.Duration {
		c.tookNS = int64(*m.Value)
	}
	var missed []string
	for _, v := range d.Expectations {
		if v.Metric == metric && !v.Met {
			missed = append(missed, v.String())
		}
	}
	if len(missed) > 0 {
		c.result, c.why = caseFailed, strings.Join(missed, "; ")
	}
	return c
}

// gateCase judges whether the system was steady. Before the drill that is no
// finding about it, but the reason that there is none.
func gateCase(name string, g *Gate, d Document) testCase {
	switch {
	case g == nil:
		return testCase{name: name, result: caseSkipped, why: "nobody looked"}
	case g.Open:
		return testCase{name: name, tookNS: g.TookNS}
	case name == "steady-before":
		return testCase{name: name, tookNS: g.TookNS, result: caseBroken, why: cmp.Or(g.Why, whyText(d))}
	default:
		return testCase{name: name, tookNS: g.TookNS, result: caseFailed, why: cmp.Or(g.Why, whyText(d))}
	}
}

func injectCase(d Document) testCase {
	c := testCase{name: "inject"}
	var victims []string
	for _, f := range d.Faults {
		if f.Error != "" && f.HealedNS != nil || f.InjectedNS == nil { // an error of the heal leaves it open
			c.result, c.why = caseBroken, cmp.Or(f.Error, f.Kind+" was not injected")
		}
		victims = append(victims, strings.TrimSpace(f.Kind+" "+strings.Join(f.Victims, ", ")))
	}
	if !d.State.Injected && c.result == casePassed {
		c.result, c.why = caseSkipped, "nothing was injected"
	}
	c.out = strings.Join(victims, "; ")
	return c
}

func healCase(d Document) testCase {
	switch c := (testCase{name: "heal"}); {
	case d.State.Healed == nil:
		c.result, c.why = caseSkipped, "nothing was injected"
		return c
	case !*d.State.Healed:
		c.result, c.why = caseFailed, cmp.Or(strings.Join(faultErrors(d), "; "), whyText(d))
		return c
	default:
		return c
	}
}

// guardCase says that a drill could be carried out and judged. A verdict that no
// other case shows is shown here, so that what did not pass never looks green.
func guardCase(d Document, others []testCase) testCase {
	c := testCase{name: "guard"}
	red := slices.ContainsFunc(others, func(c testCase) bool { return c.result == caseFailed || c.result == caseBroken })
	switch v := chaos.Verdict(d.Verdict); {
	case v == chaos.Aborted, v == chaos.Interrupted, v == chaos.Inconclusive, v != chaos.Passed && !red:
		c.result, c.why = caseBroken, d.Verdict+": "+whyText(d)
	}
	return c
}
