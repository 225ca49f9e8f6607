package chaosreport

import (
	"bytes"
	"encoding/json"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/natsops/natsops/internal/chaos"
	"github.com/natsops/natsops/internal/chaos/history"
	"github.com/natsops/natsops/internal/report"
	"github.com/natsops/natsops/internal/schematest"
)

func schemaFile(name string) string {
	return "../../docs/reference/schemas/natsops." + name + ".v1.schema.json"
}

func TestDocumentsHaveTheFormThatTheSchemaDescribes(t *testing.T) {
	schema := schematest.Compile(t, schemaFile("chaos"))
	for name, doc := range everything() {
		if doc.Verdict == "" {
			doc.Verdict = string(chaos.Passed)
		}
		if err := schematest.Validate(t, schema, written(t, "json", doc, report.Style{})); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	for _, v := range verdicts() {
		if err := schematest.Validate(t, schema, written(t, "json", Document{Verdict: string(v)}, report.Style{})); err != nil {
			t.Errorf("%s: %v", v, err)
		}
	}
}

func TestSuitesHaveTheFormThatTheSchemaDescribes(t *testing.T) {
	schema := schematest.Compile(t, schemaFile("chaos-suite"))
	for name, s := range map[string]Suite{"three": suite(), "empty": {}} {
		if err := schematest.Validate(t, schema, writtenSuite(t, "json", s, report.Style{})); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestPagesHaveTheFormThatTheirSchemasDescribe(t *testing.T) {
	for name, about := range map[string]string{
		"list": "chaos-drills", "nothing-list": "chaos-drills", "faults": "chaos-faults",
		"plan": "chaos-plan", "nothing-plan": "chaos-plan", "status": "chaos-status", "nothing-status": "chaos-status",
	} {
		schema := schematest.Compile(t, schemaFile(about))
		if err := schematest.Validate(t, schema, writtenPage(t, pages()[name], "json", report.Style{})); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestEveryLineOfAHistoryHasTheFormThatTheSchemaDescribes(t *testing.T) {
	r := failed()
	r.Record.Attempts = append(r.Record.Attempts, history.Attempt{Publisher: 99, Class: history.Timeout})
	r.Record.Events = []history.Event{{Who: "n1", Kind: history.EventClosed, Text: "gone"}}
	r.Record.Stored = []history.Stored{{StreamSeq: 1, Seq: 1}, {StreamSeq: 2, Foreign: true}}
	r.Record.Replicas[2].Unread = "no answer"
	var b bytes.Buffer
	if err := WriteHistory(&b, r); err != nil {
		t.Fatal(err)
	}
	schema := schematest.Compile(t, schemaFile("chaos-history"))
	for line := range strings.Lines(b.String()) {
		if err := schematest.Validate(t, schema, line); err != nil {
			t.Errorf("%s: %v", line, err)
		}
	}
}

func TestTheSchemaRefusesWhatIsNotADocument(t *testing.T) {
	schema := schematest.Compile(t, schemaFile("chaos"))
	valid := written(t, "json", New("v1.2.3", passed()), report.Style{})
	for name, change := range map[string][2]string{
		"another version":    {`"schema": "natsops.chaos/v1"`, `"schema": "natsops.chaos/v2"`},
		"a field too many":   {`"lab": true`, `"lab": true, "laboratory": true`},
		"a field too few":    {`"lab": true,`, ``},
		"null for a list":    {`"why": []`, `"why": null`},
		"text for a number":  {`"seed": 42`, `"seed": "42"`},
		"a fraction of one":  {`"lost": 0`, `"lost": 0.5`},
		"an unknown verdict": {`"verdict": "passed"`, `"verdict": "fine"`},
		"less than nothing":  {`"acked": 24648,`, `"acked": -1,`},
		"not a time":         {`"began_at": "2026-03-01T12:30:00Z"`, `"began_at": "now"`},
		"another part":       {`"part": "fault"`, `"part": "some"`},
	} {
		broken := strings.Replace(valid, change[0], change[1], 1)
		if broken == valid {
			t.Errorf("%s: %s is not in the document", name, change[0])
		} else if schematest.Validate(t, schema, broken) == nil {
			t.Errorf("%s is accepted", name)
		}
	}
}

func TestTheSchemasDescribeEveryFieldAndNoOther(t *testing.T) {
	schematest.Describes[Document](t, schemaFile("chaos"))
	schematest.Describes[Suite](t, schemaFile("chaos-suite"))
	schematest.Describes[List](t, schemaFile("chaos-drills"))
	schematest.Describes[Faults](t, schemaFile("chaos-faults"))
	schematest.Describes[Plan](t, schemaFile("chaos-plan"))
	schematest.Describes[Status](t, schemaFile("chaos-status"))
	schematest.Describes[Line](t, schemaFile("chaos-history"))
}

// A drill in a suite has the form of a drill on its own. The two files repeat
// each other, since who validates a document has no other file at hand.
func TestADrillOfASuiteHasTheFormOfADrill(t *testing.T) {
	alone, within := readSchema(t, "chaos"), readSchema(t, "chaos-suite")
	defs := within["$defs"].(map[string]any)
	document := defs["document"].(map[string]any)
	for _, key := range []string{"type", "additionalProperties", "required", "properties"} {
		if diff := cmp.Diff(alone[key], document[key]); diff != "" {
			t.Errorf("%s differs (-drill +suite):\n%s", key, diff)
		}
	}
	delete(defs, "document")
	delete(defs, "totals")
	if diff := cmp.Diff(alone["$defs"], any(defs)); diff != "" {
		t.Errorf("definitions differ (-drill +suite):\n%s", diff)
	}
}

func readSchema(t *testing.T, name string) map[string]any {
	t.Helper()
	text, err := os.ReadFile(schemaFile(name))
	if err != nil {
		t.Fatal(err)
	}
	var schema map[string]any
	if err := json.Unmarshal(text, &schema); err != nil {
		t.Fatal(err)
	}
	return schema
}
