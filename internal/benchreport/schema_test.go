package benchreport

import (
	"strings"
	"testing"

	"github.com/natsops/natsops/internal/report"
	"github.com/natsops/natsops/internal/schematest"
)

const schemaFile = "../../docs/reference/schemas/natsops.bench.v1.schema.json"

func TestDocumentsHaveTheFormThatTheSchemaDescribes(t *testing.T) {
	schema := schematest.Compile(t, schemaFile)
	all := documents()
	all["empty"], all["zero"], all["extreme"] = document(), Document{}, extreme()
	for name, doc := range all {
		if err := schematest.Validate(t, schema, written(t, "json", doc, report.Style{})); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestTheSchemaRefusesWhatIsNotADocument(t *testing.T) {
	schema := schematest.Compile(t, schemaFile)
	valid := written(t, "json", document(requestResult()), report.Style{})
	for name, change := range map[string][2]string{
		"another version":     {`"schema": "natsops.bench/v1"`, `"schema": "natsops.bench/v2"`},
		"a field too many":    {`"lab": true`, `"lab": true, "laboratory": true`},
		"a field too few":     {`"lab": true,`, ``},
		"null for a list":     {`"spreads": []`, `"spreads": null`},
		"text for a number":   {`"run": 1`, `"run": "1"`},
		"a fraction of one":   {`"sent": 100000`, `"sent": 0.5`},
		"an unknown loop":     {`"loop": "open"`, `"loop": "round"`},
		"less than nothing":   {`"retries": 0,`, `"retries": -1,`},
		"more than all of it": {`"achieved": 1`, `"achieved": 1.5`},
		"not a time":          {`"started_at": "2026-03-01T12:30:00.123456789Z"`, `"started_at": "now"`},
	} {
		broken := strings.Replace(valid, change[0], change[1], 1)
		if broken == valid {
			t.Errorf("%s: %s is not in the document", name, change[0])
		} else if schematest.Validate(t, schema, broken) == nil {
			t.Errorf("%s is accepted", name)
		}
	}
}

func TestTheSchemaDescribesEveryFieldAndNoOther(t *testing.T) {
	schematest.Describes[Document](t, schemaFile)
}
