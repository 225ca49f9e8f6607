package report

import (
	"encoding/csv"
	"io"
	"slices"
	"strings"

	"github.com/olekukonko/tablewriter"
	"github.com/olekukonko/tablewriter/renderer"
	"github.com/olekukonko/tablewriter/tw"
)

// A Table has a name over each column and a cell in it for each row.
type Table struct {
	Columns []Column
	Rows    [][]string
}

// A Column of a Table.
type Column struct {
	Name     string
	Left     bool // text; numbers stand right
	Min      int  // cells, however narrow the screen; keeps tables that follow one another in line
	Optional bool // left out of a text that would be too wide, the last one first
}

// gap is between columns.
const gap = 2

// Text returns the table as aligned lines without borders, at most width cells
// wide as long as its right-aligned columns leave room: optional columns are
// left out, then texts shortened.
func (t Table) Text(style Style, width int) []string {
	t = t.plain(style).fit(style, width)
	for i, c := range t.Columns {
		filler := strings.Repeat(" ", max(0, c.Min-Width(c.Name)))
		if c.Left {
			t.Columns[i].Name += filler
		} else {
			t.Columns[i].Name = filler + c.Name
		}
	}
	text := t.draw(renderer.NewBlueprint(tw.Rendition{
		Borders:  tw.BorderNone,
		Symbols:  tw.NewSymbols(tw.StyleNone),
		Settings: tw.Settings{Lines: tw.LinesNone, Separators: tw.SeparatorsNone},
	}), tw.Padding{Right: strings.Repeat(" ", gap), Overwrite: true})
	lines := strings.Split(strings.TrimRight(text, "\n"), "\n")
	for i := range lines {
		lines[i] = strings.TrimRight(lines[i], " ")
	}
	lines[0] = style.Faint(lines[0])
	return lines
}

// Markdown returns the table in GitHub's Markdown. Cells may contain Markdown of
// their own: texts of others go through [EscapeMarkdown].
func (t Table) Markdown() string {
	return t.draw(renderer.NewMarkdown(), tw.Padding{Left: " ", Right: " ", Overwrite: true})
}

// WriteCSV writes a line of column names and one per row, as RFC 4180 has it
// but with plain newlines.
func (t Table) WriteCSV(w io.Writer) error {
	c := csv.NewWriter(w)
	if err := c.Write(t.header()); err != nil {
		return err
	}
	return c.WriteAll(t.Rows)
}

func (t Table) header() []string {
	names := make([]string, len(t.Columns))
	for i, c := range t.Columns {
		names[i] = c.Name
	}
	return names
}

// draw lays the table out. Writing to memory does not fail.
func (t Table) draw(r tw.Renderer, padding tw.Padding) string {
	var b strings.Builder
	align := make(tw.Alignment, len(t.Columns))
	for i, c := range t.Columns {
		align[i] = tw.AlignRight
		if c.Left {
			align[i] = tw.AlignLeft
		}
	}
	table := tablewriter.NewTable(&b,
		tablewriter.WithRenderer(r),
		tablewriter.WithHeaderAutoFormat(tw.Off), // it would turn p99 into P 99
		tablewriter.WithHeaderAutoWrap(tw.WrapNone),
		tablewriter.WithRowAutoWrap(tw.WrapNone),
		tablewriter.WithTrimSpace(tw.Off),
		tablewriter.WithEastAsian(tw.Off), // as Width has it
		tablewriter.WithPadding(padding),
		tablewriter.WithAlignment(align),
	)
	table.Header(t.header())
	_ = table.Bulk(t.Rows)
	_ = table.Render()
	return b.String()
}

func (t Table) plain(style Style) Table {
	rows := make([][]string, len(t.Rows))
	for i, row := range t.Rows {
		rows[i] = make([]string, len(row))
		for j, cell := range row {
			rows[i][j] = style.Plain(cell)
		}
	}
	return Table{slices.Clone(t.Columns), rows}
}

// fit makes the table at most width cells wide, as far as that goes.
func (t Table) fit(style Style, width int) Table {
	for t.excess(width) > 0 {
		last := -1
		for i, c := range t.Columns {
			if c.Optional {
				last = i
			}
		}
		if last < 0 {
			break
		}
		t.Columns = slices.Delete(t.Columns, last, last+1)
		for i := range t.Rows {
			t.Rows[i] = slices.Delete(t.Rows[i], last, last+1)
		}
	}
	const least = 8
	for i, c := range t.Columns {
		if over := t.excess(width); c.Left && over > 0 {
			room := max(least, c.Min, t.width(i)-over)
			for _, row := range t.Rows {
				row[i] = style.shorten(row[i], room)
			}
		}
	}
	return t
}

func (t Table) excess(width int) int {
	used := -gap
	for i := range t.Columns {
		used += t.width(i) + gap
	}
	return used - width
}

func (t Table) width(column int) int {
	most := max(t.Columns[column].Min, Width(t.Columns[column].Name))
	for _, row := range t.Rows {
		most = max(most, Width(row[column]))
	}
	return most
}
