package report

import (
	"strings"

	"github.com/olekukonko/tablewriter/pkg/twwidth"
)

// Width returns how many cells of a terminal a text takes. Escape sequences
// take none.
func Width(text string) int { return twwidth.WidthWithOptions(text, twwidth.Options{}) }

// Wrap breaks a text into lines of at most width cells, at spaces where it can.
// Runs of spaces become one. An empty text has no lines.
func Wrap(text string, width int) []string {
	var (
		lines []string
		line  string
	)
	for word := range strings.FieldsSeq(text) {
		if line != "" && Width(line)+1+Width(word) <= width {
			line += " " + word
			continue
		}
		if line != "" {
			lines = append(lines, line)
		}
		for Width(word) > width {
			part := head(word, width)
			lines = append(lines, part)
			word = word[len(part):]
		}
		line = word
	}
	if line != "" {
		lines = append(lines, line)
	}
	return lines
}

// head returns as much of text as fits into width cells, but at least a rune.
func head(text string, width int) string {
	used := 0
	for i, r := range text {
		used += Width(string(r))
		if i > 0 && used > width {
			return text[:i]
		}
	}
	return text
}

// shorten cuts a text down to width cells, and shows that it did.
func (s Style) shorten(text string, width int) string {
	if Width(text) <= width {
		return text
	}
	mark := s.Plain("…")
	return head(text, width-Width(mark)) + mark
}

// pad fills a text up to width cells.
func pad(text string, width int) string {
	return text + strings.Repeat(" ", max(0, width-Width(text)))
}
