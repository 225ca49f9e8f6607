package fault

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/natsops/natsops/internal/hint"
	"github.com/natsops/natsops/internal/quantity"
)

// paramEvery is the param that makes a fault of a moment one that is repeated.
const paramEvery = "every"

// settings are the params of a spec, read once: those that it does not name have
// their defaults. Asking for a param that the kind does not have is a bug, and
// yields zero.
type settings struct {
	numbers map[string]float64 // in base units: ns, bytes, 1/s
	texts   map[string]string
}

func (s settings) number(name string) float64         { return s.numbers[name] }
func (s settings) count(name string) int              { return int(s.numbers[name]) }
func (s settings) size(name string) int64             { return int64(s.numbers[name]) }
func (s settings) duration(name string) time.Duration { return time.Duration(s.numbers[name]) }
func (s settings) text(name string) string            { return s.texts[name] }

// read reads params as text.
func (k Kind) read(given map[string]string) (settings, error) {
	s := settings{numbers: map[string]float64{}, texts: map[string]string{}}
	for name := range given {
		if err := k.knows(name); err != nil {
			return s, err
		}
	}
	for _, p := range k.Params {
		text, ok := given[p.Name]
		if !ok {
			text = p.Default
		}
		if err := s.set(p, text); err != nil {
			return s, err
		}
	}
	return s, nil
}

func (k Kind) knows(param string) error {
	var names []string
	for _, p := range k.Params {
		if p.Name == param {
			return nil
		}
		names = append(names, p.Name)
	}
	err := refuse(ErrSpec, "%s has no param %q", k.Name, param)
	if len(names) == 0 {
		return hint.Wrap(err, "it without params: it has none")
	}
	return hint.Wrap(err, oneOf(param, names))
}

// set reads the text of one param.
func (s settings) set(p Param, text string) error {
	switch p.Unit {
	case Text:
		s.texts[p.Name] = text
		return nil
	case Word:
		if slices.Contains(p.Words, text) {
			s.texts[p.Name] = text
			return nil
		}
		return hint.Wrap(refuse(ErrSpec, "param %s cannot be %q", p.Name, text), oneOf(text, p.Words))
	default:
		value, err := p.Unit.parse(text)
		if err != nil {
			return refuse(ErrSpec, "param %s: %w", p.Name, err)
		}
		s.numbers[p.Name] = value
		return p.within(value)
	}
}

func (p Param) within(value float64) error {
	switch {
	case value < p.Least:
		return refuse(ErrSpec, "param %s is %s; it is at least %s", p.Name, p.Unit.format(value), p.Unit.format(p.Least))
	case p.Most > 0 && value > p.Most:
		return refuse(ErrSpec, "param %s is %s; it is at most %s", p.Name, p.Unit.format(value), p.Unit.format(p.Most))
	}
	return nil
}

// parse reads a number in base units.
func (u Unit) parse(text string) (float64, error) {
	switch u {
	case Count:
		v, err := quantity.ParseCount(text)
		return float64(v), err
	case Duration:
		v, err := quantity.ParseDuration(text)
		return float64(v), err
	case Rate:
		return quantity.ParseRate(text)
	case Size:
		v, err := quantity.ParseSize(text)
		return float64(v), err
	case ByteRate:
		return quantity.ParseByteRate(text)
	case Ratio:
		return quantity.ParseRatio(text)
	default:
		return 0, fmt.Errorf("a %s is no number", u)
	}
}

func (u Unit) format(value float64) string {
	switch u {
	case Duration:
		return quantity.FormatDuration(time.Duration(value))
	case Rate:
		return quantity.FormatRate(value)
	case Size:
		return quantity.FormatSize(value)
	case ByteRate:
		return quantity.FormatByteRate(value)
	case Ratio:
		return quantity.FormatRatio(value)
	default:
		return quantity.FormatCount(value)
	}
}

// oneOf is a remedy for a word that is none of words.
func oneOf(word string, words []string) string {
	if near, ok := hint.Nearest(word, words); ok {
		return near
	}
	return "one of " + strings.Join(words, ", ")
}
