package drill

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/natsops/natsops/internal/chaos/fault"
	"github.com/natsops/natsops/internal/quantity"
	"github.com/natsops/natsops/internal/slo"
)

// scalar makes a form of how a text is read and where its value goes.
func scalar[T, V any](name string, parse func(string) (V, error), of func(*T) *V) form[T] {
	return form[T]{name: name, text: func(into *T, text string) error {
		v, err := parse(text)
		if err == nil {
			*of(into) = v
		}
		return err
	}}
}

func duration[T any](of func(*T) *time.Duration) form[T] {
	return scalar("duration", quantity.ParseDuration, of)
}

func rate[T any](of func(*T) *float64) form[T] { return scalar("rate", quantity.ParseRate, of) }

func size[T any](of func(*T) *int) form[T] {
	return scalar("size", func(s string) (int, error) {
		v, err := quantity.ParseSize(s)
		return int(v), err
	}, of)
}

func count[T any](of func(*T) *int) form[T] {
	return scalar("count", func(s string) (int, error) {
		v, err := quantity.ParseCount(s)
		return int(v), err
	}, of)
}

func text[T any](of func(*T) *string) form[T] {
	return scalar("text", func(s string) (string, error) {
		s = strings.TrimSpace(s)
		if s == "" {
			return "", errors.New("it is empty; leave it out, or give it a text")
		}
		return s, nil
	}, of)
}

// truth takes the two words of YAML 1.2. "yes" and "on" are not among them.
func truth[T any](of func(*T) *bool) form[T] {
	return scalar("true or false", func(s string) (bool, error) {
		if s != "true" && s != "false" {
			return false, fmt.Errorf("it is %q; want true or false", s)
		}
		return s == "true", nil
	}, of)
}

func percent[T any](of func(*T) *float64) form[T] {
	return scalar("percentage", func(s string) (float64, error) {
		v, err := strconv.ParseFloat(strings.TrimSpace(strings.TrimSuffix(s, "%")), 64)
		if err != nil || !(v > 0 && v <= 100) {
			return 0, fmt.Errorf("it is %q; want a percentage above 0 and up to 100, such as 34%%", s)
		}
		return v, nil
	}, of)
}

// word takes one of words, and gives what it stands for.
func word[T, V any](words map[string]V, of func(*T) *V) form[T] {
	list := sortedKeys(words)
	return scalar(strings.Join(list, " or "), func(s string) (V, error) {
		v, known := words[s]
		if !known {
			return v, fmt.Errorf("it cannot be %q; %s", s, suggest(s, list))
		}
		return v, nil
	}, of)
}

// exactly takes one text, and keeps nothing.
func exactly[T any](want string) form[T] {
	return form[T]{name: want, text: func(_ *T, s string) error {
		if s != want {
			return fmt.Errorf("it is %q; want %s", s, want)
		}
		return nil
	}}
}

// section is a mapping with keys of its own.
func section[T, S any](of func(*T) *S, keys func() []key[S]) form[T] {
	return form[T]{
		name:   "section",
		node:   func(p *parser, at place, into *T) { read(p, at, keys(), of(into)) },
		absent: func(into *T) { fill(keys(), of(into)) },
		below:  func() []Row { return rows("", keys()) },
	}
}

// list is a sequence of mappings.
func list[T, S any](of func(*T) *[]S, keys func() []key[S]) form[T] {
	return form[T]{
		name: "list",
		node: func(p *parser, at place, into *T) {
			if at.node.Kind != yaml.SequenceNode {
				p.add(at.node.Line, at.path, "%s; want a list, each item behind a dash", what(at.node))
				return
			}
			items := of(into)
			for i, n := range at.node.Content {
				inner := at.item(i, n)
				p.lines[inner.path] = n.Line
				var item S
				fill(keys(), &item)
				read(p, inner, keys(), &item)
				*items = append(*items, item)
			}
		},
		below: func() []Row { return rows("", keys()) },
	}
}

// texts is a list of texts, or one.
func texts[T any](of func(*T) *[]string) form[T] {
	one := func(into *T, s string) error {
		if strings.TrimSpace(s) == "" {
			return errors.New("it is empty; leave it out, or give it a text")
		}
		*of(into) = append(*of(into), s)
		return nil
	}
	return form[T]{name: "text, or several in a list", text: one, node: each(one)}
}

// objectives are separated by commas, or a list of them.
func objectives[T any](metrics func() []slo.Metric, of func(*T) *[]slo.Objective) form[T] {
	one := func(into *T, s string) error {
		parsed, err := slo.Parse(s, metrics())
		if err == nil {
			*of(into) = append(*of(into), parsed...)
		}
		return misplaced(err, s, metrics())
	}
	whole := func(into *T, s string) error { // not beside the default
		*of(into) = nil
		return one(into, s)
	}
	many := each(one)
	return form[T]{name: "objectives", text: whole, node: func(p *parser, at place, into *T) {
		*of(into) = nil
		many(p, at, into)
	}}
}

// misplaced explains an objective for a metric that there is, elsewhere.
func misplaced(err error, expr string, metrics []slo.Metric) error {
	if err == nil {
		return nil
	}
	for term := range strings.SplitSeq(expr, ",") {
		name := strings.TrimSpace(term[:max(strings.IndexAny(term, "<>=!"), 0)])
		is := func(m slo.Metric) bool { return m.Name == name }
		if slices.ContainsFunc(metrics, is) || !slices.ContainsFunc(pick(func(Metric) bool { return true }), is) {
			continue
		}
		fits := make([]string, len(metrics))
		for i, m := range metrics {
			fits[i] = m.Name
		}
		return fmt.Errorf("%s is not known there; want one of: %s", name, strings.Join(fits, ", "))
	}
	return err
}

// each reads a list of scalars.
func each[T any](one func(*T, string) error) func(*parser, place, *T) {
	return func(p *parser, at place, into *T) {
		if at.node.Kind != yaml.SequenceNode {
			p.add(at.node.Line, at.path, "%s; want a text, or a list of texts", what(at.node))
			return
		}
		for i, n := range at.node.Content {
			item := at.item(i, n)
			if item.node.Kind != yaml.ScalarNode || item.node.Tag == "!!null" {
				p.add(item.node.Line, item.path, "%s; want a text", what(item.node))
			} else if err := one(into, item.node.Value); err != nil {
				p.add(item.node.Line, item.path, "%s", said(err))
			}
		}
	}
}

// params are names and texts, which the kind of the fault checks.
func params[T any](of func(*T) *map[string]string) form[T] {
	return form[T]{name: "names and values", node: func(p *parser, at place, into *T) {
		if at.node.Kind != yaml.MappingNode {
			p.add(at.node.Line, at.path, "%s; want names and values", what(at.node))
			return
		}
		found := map[string]string{}
		for name, value := range pairs(p, at) {
			_, twice := found[name.Value]
			switch {
			case twice:
				p.add(name.Line, at.key(name.Value), "it is there twice; keep one")
			case value.Kind != yaml.ScalarNode || value.Tag == "!!null":
				p.add(name.Line, at.key(name.Value), "%s; want one value", what(value))
			}
			found[name.Value] = value.Value
			p.lines[at.key(name.Value)] = name.Line
		}
		*of(into) = found
	}}
}

// lasting is a duration that is longer than 0.
func lasting[T any](of func(*T) *time.Duration) form[T] {
	return scalar("duration", func(s string) (time.Duration, error) {
		d, err := quantity.ParseDuration(s)
		if err == nil && d == 0 {
			err = errors.New("it is 0; want a time, or leave it out for the usual of the kind")
		}
		return d, err
	}, of)
}

func cid() form[fault.Victim] {
	return scalar("number", func(s string) (uint64, error) {
		v, err := strconv.ParseUint(s, 10, 64)
		if err != nil || v == 0 {
			return 0, fmt.Errorf("it is %q; want the number of a connection, such as 42", s)
		}
		return v, nil
	}, func(v *fault.Victim) *uint64 { return &v.CID })
}
