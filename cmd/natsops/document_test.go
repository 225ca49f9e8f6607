package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/rogpeppe/go-internal/testscript"
	"github.com/santhosh-tekuri/jsonschema/v6"
)

// published is the schema of a kind of document, "natsops.bench/v1" for example.
func published(kind string) (*jsonschema.Schema, error) {
	compiler := jsonschema.NewCompiler()
	compiler.AssertFormat()
	compiler.AssertContent()
	file := strings.ReplaceAll(kind, "/", ".") + ".schema.json"
	return compiler.Compile(filepath.Join("..", "..", "docs", "reference", "schemas", file))
}

func cmdValidates(ts *testscript.TestScript, args []string) {
	document, err := onlyDocument(ts.ReadFile(args[0]))
	ts.Check(err)
	fields, _ := document.(map[string]any)
	kind, _ := fields["schema"].(string)
	schema, err := published(kind)
	ts.Check(err)
	if err := schema.Validate(document); err != nil {
		ts.Fatalf("%s does not fit the schema: %v", args[0], err)
	}
}

// onlyDocument reads a text that is one JSON document and nothing else.
func onlyDocument(text string) (any, error) {
	decoder := json.NewDecoder(strings.NewReader(text))
	decoder.UseNumber()
	var document any
	if err := decoder.Decode(&document); err != nil {
		return nil, fmt.Errorf("not JSON: %w", err)
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("something follows the JSON document")
	}
	return document, nil
}

func cmdHolds(ts *testscript.TestScript, args []string) {
	document, err := onlyDocument(ts.ReadFile(args[0]))
	ts.Check(err)
	a, err := evaluate(document, args[1])
	ts.Check(err)
	b, err := evaluate(document, args[3])
	ts.Check(err)
	if !compare(ts, a, args[2], b) {
		ts.Fatalf("%s is %v, want %s %v", args[1], a, args[2], b)
	}
}

// compare compares numbers as such and anything else as text.
func compare(ts *testscript.TestScript, a any, op string, b any) bool {
	x, isX := a.(float64)
	y, isY := b.(float64)
	numbers := isX && isY
	switch op {
	case "==":
		return a == b
	case "!=":
		return a != b
	case "<":
		return numbers && x < y
	case "<=":
		return numbers && x <= y
	case ">":
		return numbers && x > y
	case ">=":
		return numbers && x >= y
	default:
		ts.Fatalf("no comparison is called %s", op)
		return false
	}
}

// evaluate returns what an operand stands for: a number or a text.
func evaluate(document any, operand string) (any, error) {
	if !strings.HasPrefix(operand, ".") {
		return constant(operand), nil
	}
	terms := strings.Split(operand, "+")
	if len(terms) == 1 {
		return at(document, operand)
	}
	var sum float64
	for _, term := range terms {
		v, err := at(document, term)
		if err != nil {
			return nil, err
		}
		n, ok := v.(float64)
		if !ok {
			return nil, fmt.Errorf("%s is %v, which is no number", term, v)
		}
		sum += n
	}
	return sum, nil
}

// at returns what is at a path such as .results.0.sent. In a list, length is its
// length, and the class of an error is how many there were of it, as in
// .results.0.errors.timeout.
func at(document any, path string) (any, error) {
	for key := range strings.SplitSeq(strings.TrimPrefix(path, "."), ".") {
		switch v := document.(type) {
		case map[string]any:
			inner, ok := v[key]
			if !ok {
				return nil, fmt.Errorf("nothing is at %s", path)
			}
			document = inner
		case []any:
			if key == "length" {
				return float64(len(v)), nil
			}
			i, err := strconv.Atoi(key)
			switch {
			case err != nil && strings.HasSuffix(path, ".errors."+key):
				document = countOf(v, key)
			case err != nil || i >= len(v):
				return nil, fmt.Errorf("nothing is at %s", path)
			default:
				document = v[i]
			}
		default:
			return nil, fmt.Errorf("nothing is at %s", path)
		}
	}
	if document == nil {
		return "null", nil
	}
	return constant(fmt.Sprint(document)), nil
}

// countOf is 0 where there was no error of the class.
func countOf(errs []any, class string) any {
	for _, e := range errs {
		if fields, ok := e.(map[string]any); ok && fields["class"] == class {
			return fields["count"]
		}
	}
	return 0
}

func constant(text string) any {
	if n, err := strconv.ParseFloat(text, 64); err == nil {
		return n
	}
	return text
}
