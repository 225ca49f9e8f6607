package chaosreport

import (
	"encoding/xml"
	"errors"
	"io"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/natsops/natsops/internal/chaos"
	"github.com/natsops/natsops/internal/chaos/drill"
	"github.com/natsops/natsops/internal/report"
	"github.com/natsops/natsops/internal/slo"
)

// caseNames are part of the interface: dashboards follow them over time.
func caseNames() []string {
	return []string{
		"steady-before", "inject", "outage", "recover", "second-outage", "lost", "duplicates-stored", "duplicates-delivered", "order",
		"replicas-equal", "consumer-drain", "heal", "steady-after",
	}
}

func readJUnit(t *testing.T, text string) junitSuites {
	t.Helper()
	checkStructure(t, text)
	var read junitSuites
	if err := xml.Unmarshal([]byte(text), &read); err != nil {
		t.Fatal(err)
	}
	return read
}

// checkStructure holds a text against what readers of JUnit XML agree on: which
// element may be in which, and which attributes it must have.
func checkStructure(t *testing.T, text string) {
	t.Helper()
	parents := map[string][]string{
		"testsuites": {""}, "testsuite": {"testsuites"}, "properties": {"testsuite"}, "property": {"properties"}, "testcase": {"testsuite"},
		"skipped": {"testcase"}, "failure": {"testcase"}, "error": {"testcase"}, "system-out": {"testcase", "testsuite"},
	}
	counts := []string{"name", "tests", "failures", "errors", "skipped", "time"}
	attributes := map[string][]string{
		"testsuites": counts, "testsuite": counts, "property": {"name", "value"}, "testcase": {"classname", "name", "time"},
		"skipped": {"message"}, "failure": {"message"}, "error": {"message"},
	}
	var path []string
	d := xml.NewDecoder(strings.NewReader(text))
	for {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			return
		}
		if err != nil {
			t.Fatalf("not XML: %v\n%s", err, text)
		}
		switch e := token.(type) {
		case xml.StartElement:
			name, parent := e.Name.Local, ""
			if len(path) > 0 {
				parent = path[len(path)-1]
			}
			if !slices.Contains(parents[name], parent) {
				t.Errorf("<%s> in <%s>", name, parent)
			}
			for _, want := range attributes[name] {
				if !slices.ContainsFunc(e.Attr, func(a xml.Attr) bool { return a.Name.Local == want }) {
					t.Errorf("<%s> has no %s", name, want)
				}
			}
			path = append(path, name)
		case xml.EndElement:
			path = path[:len(path)-1]
		}
	}
}

func TestJUnitCountsItsCasesAndNamesThemAlways(t *testing.T) {
	for name, doc := range everything() {
		read := readJUnit(t, written(t, "junit", doc, report.Style{}))
		for _, s := range read.Suites {
			var names []string
			failures, errs, skipped := 0, 0, 0
			for _, c := range s.Cases {
				names = append(names, c.Name)
				results := 0
				for _, r := range []struct {
					is    *junitReason
					total *int
				}{{c.Failure, &failures}, {c.Error, &errs}, {c.Skipped, &skipped}} {
					if r.is != nil {
						results++
						*r.total++
						if r.is.Message == "" {
							t.Errorf("%s: case %s does not say why it did not pass", name, c.Name)
						}
					}
				}
				if results > 1 {
					t.Errorf("%s: case %s has %d results", name, c.Name, results)
				}
				if _, err := strconv.ParseFloat(c.Time, 64); err != nil {
					t.Errorf("%s: case %s took %q", name, c.Name, c.Time)
				}
			}
			if diff := cmp.Diff(append(caseNames(), "guard"), names); diff != "" {
				t.Errorf("%s: cases differ (-want +got):\n%s", name, diff)
			}
			if got, want := [4]int{s.Tests, s.Failures, s.Errors, s.Skipped}, [4]int{len(s.Cases), failures, errs, skipped}; got != want {
				t.Errorf("%s: got counts %v, want %v", name, got, want)
			}
		}
	}
}

// outcomes tells the cases that did not pass, and how.
func outcomes(t *testing.T, doc Document) map[string]string {
	t.Helper()
	all := map[string]string{}
	for _, c := range readJUnit(t, written(t, "junit", doc, report.Style{})).Suites[0].Cases {
		switch {
		case c.Failure != nil:
			all[c.Name] = "failed"
		case c.Error != nil:
			all[c.Name] = "error"
		case c.Skipped != nil:
			all[c.Name] = "skipped"
		}
	}
	return all
}

func TestJUnitFailsWhatWasExpectedAndSkipsWhatIsNotKnown(t *testing.T) {
	notRun := map[string]string{"steady-before": "error"}
	for _, name := range caseNames()[1:] {
		notRun[name] = "skipped"
	}
	for name, want := range map[string]map[string]string{
		"passed":     {},
		"lost":       {"recover": "failed", "second-outage": "failed", "lost": "failed", "replicas-equal": "skipped"},
		"not-steady": notRun,
		"aborted": {
			"recover": "skipped", "second-outage": "skipped", "replicas-equal": "skipped", "consumer-drain": "skipped", "steady-after": "skipped", "guard": "error",
		},
		"heal-failed": {
			"recover": "skipped", "second-outage": "skipped", "replicas-equal": "skipped", "consumer-drain": "skipped", "heal": "failed", "steady-after": "failed",
		},
		"inconclusive": {"lost": "skipped", "duplicates-stored": "skipped", "order": "skipped", "replicas-equal": "skipped", "guard": "error"},
	} {
		r := results()[name]
		if name == "not-steady" {
			r.Metrics = nil
		}
		if diff := cmp.Diff(want, outcomes(t, New("", r))); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

func TestJUnitIsNeverGreenUnlessTheDrillPassed(t *testing.T) {
	for _, v := range append(verdicts(), "of-the-future") {
		r := passed() // every case of which passes
		r.Verdict = v
		read := readJUnit(t, written(t, "junit", New("", r), report.Style{}))
		if green := read.Failures+read.Errors == 0; green != (v == chaos.Passed) {
			t.Errorf("%s: green is %v", v, green)
		}
	}
}

func TestJUnitHasACaseForExpectationsOfOtherMetrics(t *testing.T) {
	r := passed()
	r.Drill.Expect = append(r.Drill.Expect, objectives("unknown==0,errors<100,unknown<2,closed==0")...)
	got := outcomes(t, New("", judge(r)))
	if diff := cmp.Diff(map[string]string{"unknown": "failed", "closed": "skipped"}, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	var names []string
	for _, c := range readJUnit(t, written(t, "junit", New("", judge(r)), report.Style{})).Suites[0].Cases {
		names = append(names, c.Name)
	}
	want := append(caseNames(), "unknown", "errors", "closed", "guard")
	if diff := cmp.Diff(want, names); diff != "" {
		t.Errorf("cases differ (-want +got):\n%s", diff)
	}
}

func TestJUnitTellsTheErrorOfAnInjectionFromThatOfAHeal(t *testing.T) {
	r := aborted()
	r.Faults[0].Err = "no such process"
	if got := outcomes(t, New("", r)); got["inject"] != "error" || got["heal"] != "" {
		t.Errorf("an injection that failed and was healed: got %v", got)
	}
	if got := outcomes(t, New("", healFailed())); got["inject"] != "" || got["heal"] != "failed" {
		t.Errorf("a heal that failed: got %v", got)
	}
}

// Every metric that reports name has to exist, or its case would be skipped for
// ever.
func TestReportsNameMetricsThatDrillsHave(t *testing.T) {
	known := func(name string) bool {
		return slices.ContainsFunc(drill.Objectives(), func(m slo.Metric) bool { return m.Name == name })
	}
	for _, c := range metricCases() {
		if !known(c.metric) {
			t.Errorf("case %s: there is no metric %s", c.name, c.metric)
		}
	}
	for _, f := range figures() {
		if !known(f.metric) {
			t.Errorf("there is no metric %s", f.metric)
		}
	}
}
