package report

import (
	"io"
	"strings"
)

// A Page is text for people. Under titles it has labelled texts, tables and
// notes, which share one left margin; no line but a command is wider than the
// style allows.
type Page struct {
	Style Style
	lines []string
}

const (
	margin = 2  // of all but titles
	gutter = 14 // where labelled texts begin
)

// Gutter is how wide the first column of a table must be for the second one to
// begin where labelled texts do.
const Gutter = gutter - margin - gap

// Title begins a new part of the page, after an empty line.
func (p *Page) Title(text string) {
	if len(p.lines) > 0 {
		p.lines = append(p.lines, "")
	}
	for i, line := range p.wrap(text, margin) {
		if i > 0 {
			line = strings.Repeat(" ", margin) + line
		}
		p.lines = append(p.lines, p.Style.Strong(line))
	}
}

// Heading begins a new part of the page with a mark, which may be colored, before
// the title.
func (p *Page) Heading(mark, title string) {
	if len(p.lines) > 0 {
		p.lines = append(p.lines, "")
	}
	p.hang(mark+" ", Width(mark)+1, title)
}

// Text adds a text that belongs to no title.
func (p *Page) Text(text string) { p.hang("", 0, text) }

// Item adds a text with a label of at most 10 cells.
func (p *Page) Item(label, text string) {
	p.hang(strings.Repeat(" ", margin)+p.Style.Faint(pad(label, Gutter)), gutter, text)
}

// Command adds a labelled line that is to be pasted, and therefore is never
// broken.
func (p *Page) Command(label, command string) {
	p.lines = append(p.lines, strings.Repeat(" ", margin)+p.Style.Faint(pad(label, Gutter))+strings.Repeat(" ", gap)+p.Style.Plain(command))
}

// Note adds a warning.
func (p *Page) Note(text string) {
	p.hang(strings.Repeat(" ", margin)+p.Style.Warn("!"), margin+2, text)
}

// Under adds a text that says more about the line before.
func (p *Page) Under(text string) { p.hang("", 2*margin, text) }

// Table adds a table.
func (p *Page) Table(t Table) { p.Lines(t.Text(p.Style, p.Room())...) }

// Room returns how many cells a line of [Page.Lines] may have.
func (p *Page) Room() int { return p.Style.Columns() - margin }

// Lines adds lines as they are, at the margin.
func (p *Page) Lines(lines ...string) {
	for _, line := range lines {
		p.lines = append(p.lines, strings.Repeat(" ", margin)+line)
	}
}

// Write writes the page.
func (p *Page) Write(w io.Writer) error {
	if len(p.lines) == 0 {
		return nil
	}
	_, err := io.WriteString(w, strings.Join(p.lines, "\n")+"\n")
	return err
}

// hang adds a text whose lines all begin at the same cell, with something
// before the first.
func (p *Page) hang(before string, at int, text string) {
	for i, line := range p.wrap(text, at) {
		if i > 0 {
			before = ""
		}
		p.lines = append(p.lines, pad(before, at)+line)
	}
}

func (p *Page) wrap(text string, at int) []string {
	return Wrap(p.Style.Plain(text), p.Style.Columns()-at)
}
