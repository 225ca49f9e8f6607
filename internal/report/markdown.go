package report

import "strings"

// EscapeMarkdown makes a text show as it is in GitHub's Markdown, in a table too:
// on one line, and without a meaning of its own.
func EscapeMarkdown(text string) string {
	var b strings.Builder
	for _, r := range (Style{Unicode: true}).Plain(text) {
		switch r {
		case '\\', '`', '*', '_', '[', ']', '<', '>', '#', '|', '~', '&', '$':
			b.WriteByte('\\')
		}
		b.WriteRune(r)
	}
	return b.String()
}
