package report

import (
	"strings"
	"unicode"
)

// A Style says what the reader's screen can show. The caller decides it; a
// library does not look at the environment.
type Style struct {
	Width    int  // cells of a line; 0: not known
	Unicode  bool // otherwise ASCII only
	Color    bool // otherwise no escape sequences
	Terminal bool // somebody is looking; otherwise a file or a pipe
}

const (
	widest    = 80 // longer lines are hard to read, and mailed or pasted they break
	narrowest = 40
	unbounded = 1000
)

// Columns returns how many cells a line may take: never more than 80.
func (s Style) Columns() int {
	if s.Width <= 0 {
		return widest
	}
	return max(narrowest, min(s.Width, widest))
}

// Breadth returns how many cells a table may take that names things: in a file
// or a pipe enough for no name to be cut.
func (s Style) Breadth() int {
	if s.Terminal {
		return max(narrowest, s.Width)
	}
	return unbounded
}

// Plain makes a text safe to print: one line, without control characters (names
// and errors come from servers, and could write to the terminal), and in ASCII
// where the screen has no more.
func (s Style) Plain(text string) string {
	var b strings.Builder
	for _, r := range text {
		switch {
		case r == '\n', r == '\t', r == '\r':
			b.WriteByte(' ')
		case unicode.In(r, unicode.Cc, unicode.Cf, unicode.Zl, unicode.Zp):
			// escape sequences; marks that hide text or turn it round; more new lines
		case r <= unicode.MaxASCII, s.Unicode:
			b.WriteRune(r)
		default:
			b.WriteString(ascii(r))
		}
	}
	return b.String()
}

// ascii spells the characters that our own texts use.
func ascii(r rune) string {
	switch r {
	case '→':
		return "->"
	case '…':
		return "..."
	case 'µ', 'μ':
		return "u"
	case '–', '—', '−':
		return "-"
	case '×':
		return "x"
	case '≤':
		return "<="
	case '≥':
		return ">="
	default:
		return "?"
	}
}

// Strong makes a text stand out.
func (s Style) Strong(text string) string { return s.paint("1", text) }

// Faint makes a text stand back.
func (s Style) Faint(text string) string { return s.paint("2", text) }

// Good marks what is as it should be.
func (s Style) Good(text string) string { return s.paint("32", text) }

// Bad marks what is broken.
func (s Style) Bad(text string) string { return s.paint("31", text) }

// Warn marks what needs a second look.
func (s Style) Warn(text string) string { return s.paint("33", text) }

func (s Style) paint(code, text string) string {
	if !s.Color || text == "" {
		return text
	}
	return "\x1b[" + code + "m" + text + "\x1b[0m"
}
