package drill

import (
	"fmt"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/natsops/natsops/internal/hint"
)

// A key is one that a mapping may have which is read into a T. The tables of
// keys are what files are read by, and what the reference page is made of.
type key[T any] struct {
	name     string
	form     form[T]
	fallback string // what it is where it is absent, as text; "": nothing
	required bool
	about    string // a sentence without its full stop
}

// A form is how a value is written, and where it goes.
type form[T any] struct {
	name   string                             // "duration"
	text   func(into *T, text string) error   // reads a scalar; nil: it is none
	node   func(p *parser, at place, into *T) // reads anything else; nil: it is a scalar
	absent func(into *T)                      // fills the defaults below it in
	below  func() []Row
}

// A place is a value in a file.
type place struct {
	path string // "load.rate"; "": the file
	node *yaml.Node
}

// A Row is a line of the reference: a key of a drill file.
type Row struct {
	Key     string // "load.rate"
	Type    string
	Default string // "": none
	About   string
	// Required says that a file without it is refused.
	Required bool
}

// rows lists keys and those below them, under path.
func rows[T any](path string, keys []key[T]) []Row {
	var all []Row
	for _, k := range keys {
		all = append(all, Row{Key: path + k.name, Type: k.form.name, Default: k.fallback, About: k.about, Required: k.required})
		if k.form.below == nil {
			continue
		}
		sep := "."
		if strings.HasPrefix(k.form.name, "list") {
			sep = "[]."
		}
		for _, r := range k.form.below() {
			r.Key = path + k.name + sep + r.Key
			all = append(all, r)
		}
	}
	return all
}

// fill sets what keys are where they are absent.
func fill[T any](keys []key[T], into *T) {
	for _, k := range keys {
		if k.form.absent != nil {
			k.form.absent(into)
		}
		if k.fallback == "" {
			continue
		}
		if err := k.form.text(into, k.fallback); err != nil {
			panic(fmt.Sprintf("the default of %s: %v", k.name, err)) // a test reads them all
		}
	}
}

// read reads a mapping by its keys. What it does not have stays as it is.
func read[T any](p *parser, at place, keys []key[T], into *T) {
	if at.node.Kind != yaml.MappingNode {
		p.add(at.node.Line, at.path, "%s; want keys and their values: %s", what(at.node), strings.Join(names(keys), ", "))
		return
	}
	seen := map[string]int{}
	for name, value := range pairs(p, at) {
		if line, twice := seen[name.Value]; twice {
			p.add(name.Line, at.key(name.Value), "it is there twice; keep this or line %d", line)
			continue
		}
		seen[name.Value] = name.Line
		i := slices.IndexFunc(keys, func(k key[T]) bool { return k.name == name.Value })
		if i < 0 {
			p.add(name.Line, at.path, "there is no key %q; %s", name.Value, suggest(name.Value, names(keys)))
			continue
		}
		inner := place{at.key(name.Value), value}
		p.lines[inner.path] = name.Line
		keys[i].read(p, inner, into)
	}
	for _, k := range keys {
		if seen[k.name] == 0 && k.required {
			p.add(at.node.Line, at.path, "the key %q is missing; %s", k.name, k.about)
		}
	}
}

func (k key[T]) read(p *parser, at place, into *T) {
	scalar := at.node.Kind == yaml.ScalarNode
	switch {
	case scalar && at.node.Tag == "!!null" && (k.form.text != nil || k.form.node != nil):
		p.add(at.node.Line, at.path, "it has no value; give it a %s, or leave it out", k.form.name)
	case scalar && k.form.text != nil:
		if err := k.form.text(into, at.node.Value); err != nil {
			p.add(at.node.Line, at.path, "%s", said(err))
		}
	case k.form.node != nil:
		k.form.node(p, at, into)
	default:
		p.add(at.node.Line, at.path, "%s; want a %s", what(at.node), k.form.name)
	}
}

func (at place) key(name string) string {
	if at.path == "" {
		return name
	}
	return at.path + "." + name
}

func (at place) item(i int, node *yaml.Node) place {
	return place{fmt.Sprintf("%s[%d]", at.path, i), resolve(node)}
}

// pairs yields the keys of a mapping with their values.
func pairs(p *parser, at place) func(yield func(name, value *yaml.Node) bool) {
	return func(yield func(name, value *yaml.Node) bool) {
		for i := 0; i+1 < len(at.node.Content); i += 2 {
			name := resolve(at.node.Content[i])
			if name.Kind != yaml.ScalarNode {
				p.add(name.Line, at.path, "%s as a key; want a word", what(name))
				continue
			}
			if !yield(name, resolve(at.node.Content[i+1])) {
				return
			}
		}
	}
}

// resolve follows an alias. One alias never leads to another.
func resolve(n *yaml.Node) *yaml.Node {
	if n.Kind == yaml.AliasNode && n.Alias != nil {
		return n.Alias
	}
	return n
}

// what names a value by its form.
func what(n *yaml.Node) string {
	switch {
	case n.Kind == yaml.MappingNode:
		return "it is a mapping"
	case n.Kind == yaml.SequenceNode:
		return "it is a list"
	case n.Tag == "!!null":
		return "it is empty"
	default:
		return fmt.Sprintf("it is %q", n.Value)
	}
}

func names[T any](keys []key[T]) []string {
	list := make([]string, len(keys))
	for i, k := range keys {
		list[i] = k.name
	}
	return list
}

// suggest completes "there is no … ;".
func suggest(word string, words []string) string {
	if near, found := hint.Nearest(word, words); found {
		return fmt.Sprintf("did you mean %q?", near)
	}
	return "want one of: " + strings.Join(words, ", ")
}

// said is an error of another package in the form of a problem.
func said(err error) string {
	text := err.Error()
	for _, want := range []string{": want ", ", want ", ", did you mean "} {
		if before, after, found := strings.Cut(text, want); found {
			return before + "; " + strings.TrimLeft(want, ":, ") + after
		}
	}
	if remedy := hint.Of(err); remedy != "" {
		return text + "; try " + remedy
	}
	return text
}
