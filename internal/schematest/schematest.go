// Package schematest holds what Go writes as JSON against the schema that
// describes it. Only tests use it.
package schematest

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
)

// Compile reads a schema.
func Compile(t *testing.T, file string) *jsonschema.Schema {
	t.Helper()
	c := jsonschema.NewCompiler()
	c.AssertFormat()
	schema, err := c.Compile(file)
	if err != nil {
		t.Fatal(err)
	}
	return schema
}

// Validate holds a JSON text against a schema.
func Validate(t *testing.T, schema *jsonschema.Schema, text string) error {
	t.Helper()
	document, err := jsonschema.UnmarshalJSON(strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	return schema.Validate(document)
}

// Describes checks that the schema in a file has every field that Go may write of
// a document of type D and no other, each of the same kind, required unless Go
// may leave it out, and with a description that names its unit.
func Describes[D any](t *testing.T, file string) {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var root map[string]any
	if err := json.Unmarshal(text, &root); err != nil {
		t.Fatal(err)
	}
	w := walker{t, root["$defs"].(map[string]any)}
	w.walk("document", reflect.TypeFor[D](), root)
}

// A walker compares a Go type with a schema, from the root of both.
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
	case kind == reflect.Map:
		w.expect(path, s, "object")
		w.walk(path+"{}", typ.Elem(), s["additionalProperties"])
	case typ == reflect.TypeFor[[]byte]():
		w.expect(path, s, "string")
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
