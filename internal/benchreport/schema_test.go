package benchreport

import (
	"encoding/json"
	"maps"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/natsops/natsops/internal/report"
)

const schemaFile = "../../docs/reference/schemas/natsops.bench.v1.schema.json"

func compiled(t *testing.T) *jsonschema.Schema {
	t.Helper()
	c := jsonschema.NewCompiler()
	c.AssertFormat()
	schema, err := c.Compile(schemaFile)
	if err != nil {
		t.Fatal(err)
	}
	return schema
}

func validate(t *testing.T, schema *jsonschema.Schema, text string) error {
	t.Helper()
	document, err := jsonschema.UnmarshalJSON(strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	return schema.Validate(document)
}

func TestDocumentsHaveTheFormThatTheSchemaDescribes(t *testing.T) {
	schema := compiled(t)
	all := documents()
	all["empty"], all["zero"], all["extreme"] = document(), Document{}, extreme()
	for name, doc := range all {
		if err := validate(t, schema, written(t, "json", doc, report.Style{})); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestTheSchemaRefusesWhatIsNotADocument(t *testing.T) {
	schema := compiled(t)
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
		} else if validate(t, schema, broken) == nil {
			t.Errorf("%s is accepted", name)
		}
	}
}

// What Go may write and what the schema describes must be the same fields, of
// the same kind, required unless Go may leave them out.
func TestTheSchemaDescribesEveryFieldAndNoOther(t *testing.T) {
	text, err := os.ReadFile(schemaFile)
	if err != nil {
		t.Fatal(err)
	}
	var root map[string]any
	if err := json.Unmarshal(text, &root); err != nil {
		t.Fatal(err)
	}
	w := walker{t, root["$defs"].(map[string]any)}
	w.walk("document", reflect.TypeFor[Document](), root)
}

type walker struct {
	*testing.T
	defs map[string]any
}

// resolve follows references, and returns the one schema of those that also
// allow null.
func (w walker) resolve(s map[string]any) map[string]any {
	if ref, ok := s["$ref"].(string); ok {
		return w.resolve(w.defs[strings.TrimPrefix(ref, "#/$defs/")].(map[string]any))
	}
	if either, ok := s["anyOf"].([]any); ok {
		return w.resolve(either[0].(map[string]any))
	}
	return s
}

func (w walker) walk(path string, typ reflect.Type, unresolved any) {
	outer := unresolved.(map[string]any)
	if got, want := nullable(outer), typ.Kind() == reflect.Pointer; got != want {
		w.Errorf("%s: may be null: the schema says %v, Go says %v", path, got, want)
	}
	if typ.Kind() == reflect.Pointer {
		typ = typ.Elem()
	}
	s := w.resolve(outer)
	switch kind := typ.Kind(); {
	case typ == reflect.TypeFor[time.Time]():
		w.expect(path, s, "string")
	case kind == reflect.Struct:
		w.expect(path, s, "object")
		w.object(path, typ, s)
	case kind == reflect.Slice:
		w.expect(path, s, "array")
		w.walk(path+"[]", typ.Elem(), s["items"])
	case kind == reflect.String:
		w.expect(path, s, "string")
	case kind == reflect.Bool:
		w.expect(path, s, "boolean")
	case kind == reflect.Float64:
		w.expect(path, s, "number")
	default:
		w.expect(path, s, "integer")
	}
}

func (w walker) expect(path string, s map[string]any, want string) {
	got := s["type"]
	if list, ok := got.([]any); ok {
		got = list[0]
	}
	if s["enum"] != nil || s["const"] != nil {
		got = "string"
	}
	if got != want {
		w.Errorf("%s: the schema says %v, Go writes %s", path, got, want)
	}
}

func nullable(s map[string]any) bool {
	if types, ok := s["type"].([]any); ok {
		return slices.Contains(types, any("null"))
	}
	return s["anyOf"] != nil
}

func (w walker) object(path string, typ reflect.Type, s map[string]any) {
	fields, required := fieldsOf(typ)
	properties := s["properties"].(map[string]any)
	names := slices.Sorted(maps.Keys(properties))
	if diff := cmp.Diff(slices.Sorted(maps.Keys(fields)), names); diff != "" {
		w.Errorf("%s: fields differ (-Go +schema):\n%s", path, diff)
	}
	var listed []string
	for _, name := range s["required"].([]any) {
		listed = append(listed, name.(string))
	}
	slices.Sort(required)
	slices.Sort(listed)
	if diff := cmp.Diff(required, listed); diff != "" {
		w.Errorf("%s: required fields differ (-Go +schema):\n%s", path, diff)
	}
	if s["additionalProperties"] != false {
		w.Errorf("%s: additional properties are allowed", path)
	}
	for _, name := range names {
		described, _ := properties[name].(map[string]any)["description"].(string)
		if described == "" {
			w.Errorf("%s.%s has no description", path, name)
		}
		if strings.HasSuffix(name, "_ns") && !strings.Contains(described, "nanoseconds") {
			w.Errorf("%s.%s: the description has no unit: %s", path, name, described)
		}
		if field, ok := fields[name]; ok {
			w.walk(path+"."+name, field, properties[name])
		}
	}
}

// fieldsOf returns the fields of a struct as encoding/json names them, with
// those of embedded structs, and which of them are always there.
func fieldsOf(typ reflect.Type) (fields map[string]reflect.Type, required []string) {
	fields = map[string]reflect.Type{}
	for field := range typ.Fields() {
		name, options, _ := strings.Cut(field.Tag.Get("json"), ",")
		if field.Anonymous && name == "" {
			embedded, always := fieldsOf(field.Type)
			maps.Copy(fields, embedded)
			required = append(required, always...)
			continue
		}
		if name == "-" || !field.IsExported() {
			continue
		}
		fields[name] = field.Type
		// A latency without values is null, so its times are never left out.
		if !strings.HasPrefix(options, "omit") || strings.HasSuffix(name, "_ns") && options == "omitzero" {
			required = append(required, name)
		}
	}
	return fields, required
}
