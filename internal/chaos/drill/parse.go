package drill

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"
)

// maxFile is more than any drill needs, in bytes.
const maxFile = 256 << 10

// Parse reads the drill in a file called name. What the file does not say has
// the defaults of the reference. An error is a [FileError].
func Parse(name string, text []byte) (Drill, error) {
	p := &parser{lines: map[string]int{}}
	d := Defaults()
	if root := p.document(text); root != nil {
		read(p, place{node: root}, drillKeys(), &d)
	}
	if len(p.problems) == 0 {
		d = d.settled()
		for _, problem := range d.problems() {
			problem.Line = p.lineOf(problem.Key)
			p.problems = append(p.problems, problem)
		}
	}
	if len(p.problems) == 0 {
		return d, nil
	}
	slices.SortStableFunc(p.problems, func(a, b Problem) int { return cmp.Compare(a.Line, b.Line) })
	return Drill{}, &FileError{File: name, Problems: p.problems}
}

// Defaults is a drill of which nothing is said.
func Defaults() Drill {
	var d Drill
	fill(drillKeys(), &d)
	return d
}

// A parser notes what is wrong, and where things stand.
type parser struct {
	problems []Problem
	lines    map[string]int // of keys, by path
}

func (p *parser) add(line int, path, format string, args ...any) {
	p.problems = append(p.problems, Problem{Line: line, Key: path, Text: fmt.Sprintf(format, args...)})
}

// lineOf returns the line of a key, or else that of the nearest around it.
func (p *parser) lineOf(path string) int {
	for path != "" {
		if line := p.lines[path]; line > 0 {
			return line
		}
		path = path[:max(strings.LastIndexAny(path, ".["), 0)]
	}
	return 1
}

// document returns the only document's content, or nil after a problem.
func (p *parser) document(text []byte) *yaml.Node {
	if !p.plain(text) {
		return nil
	}
	decoder := yaml.NewDecoder(bytes.NewReader(text))
	var first, second yaml.Node
	err := decoder.Decode(&first)
	switch {
	case errors.Is(err, io.EOF) || err == nil && empty(first):
		p.add(1, "", "the file is empty; `natsops chaos describe NAME` shows one to begin with")
		return nil
	case err != nil:
		p.syntax(err, text)
		return nil
	}
	switch err := decoder.Decode(&second); {
	case err == nil:
		p.add(second.Line, "", "a second document begins; a file is one drill")
		return nil
	case !errors.Is(err, io.EOF):
		p.syntax(err, text)
		return nil
	}
	return resolve(first.Content[0])
}

func empty(document yaml.Node) bool {
	return len(document.Content) == 0 || document.Content[0].Kind == yaml.ScalarNode && document.Content[0].Tag == "!!null"
}

// plain reports whether text is one that YAML can be read from.
func (p *parser) plain(text []byte) bool {
	if len(text) > maxFile {
		p.add(1, "", "the file has %d bytes; a drill has at most %d", len(text), maxFile)
		return false
	}
	line := 1
	for rest := text; len(rest) > 0; {
		r, n := utf8.DecodeRune(rest)
		switch {
		case r == '\n':
			line++
		case r == utf8.RuneError && n == 1:
			p.add(line, "", "it is not UTF-8; save the file as UTF-8")
			return false
		case r < ' ' && r != '\t' && r != '\r', r >= 0x7f && r < 0xa0 && r != 0x85:
			p.add(line, "", "there is the control character %U; remove it", r)
			return false
		}
		rest = rest[n:]
	}
	return true
}

// syntax tells of text that is no YAML. The library has the line in its text, or
// not at all where that is the first.
func (p *parser) syntax(err error, text []byte) {
	line, message := 1, strings.TrimPrefix(err.Error(), "yaml: ")
	if m := regexp.MustCompile(`^line (\d+): (.*)$`).FindStringSubmatch(message); m != nil {
		if n, err := strconv.Atoi(m[1]); err == nil {
			line, message = n, m[2]
		}
	}
	lines := strings.Split(string(text), "\n")
	if m := regexp.MustCompile(`unknown anchor '(.*)' referenced`).FindStringSubmatch(message); m != nil {
		i := slices.IndexFunc(lines, func(l string) bool { return strings.Contains(l, "*"+m[1]) })
		p.add(i+1, "", "*%s stands for nothing; give what it stands for the name &%s, before it", m[1], m[1])
		return
	}
	for i, l := range lines[:min(line+1, len(lines))] {
		indent := l[:len(l)-len(strings.TrimLeft(l, " \t"))]
		if strings.Contains(indent, "\t") {
			p.add(i+1, "", "a tab stands before the first word; indent with spaces")
			return
		}
	}
	p.add(min(line, len(lines)), "", "it is not YAML: %s; look at the quotes, brackets, colons and the indentation here and one line before", message)
}
