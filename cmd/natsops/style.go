package main

import (
	"io"
	"strings"

	"github.com/natsops/natsops/internal/report"
)

// The width of what is printed where there is no terminal.
const plainWidth = 80

// style says how much a text on out may look like more than plain text.
func (w world) style(out io.Writer) report.Style {
	width := w.width(out)
	terminal := width > 0
	if !terminal {
		width = plainWidth
	}
	return report.Style{
		Width:    width,
		Terminal: terminal,
		Unicode:  w.unicode(),
		Color:    terminal && w.getenv("NO_COLOR") == "" && w.getenv("TERM") != "dumb",
	}
}

// unicode reports whether the locale can show more than ASCII (POSIX: the
// first of these that is set counts).
func (w world) unicode() bool {
	for _, name := range []string{"LC_ALL", "LC_CTYPE", "LANG"} {
		if v := strings.ToUpper(w.getenv(name)); v != "" {
			return strings.Contains(v, "UTF-8") || strings.Contains(v, "UTF8")
		}
	}
	return w.getenv("TERM") != "dumb"
}
