package inspectreport

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/natsops/natsops/internal/report"
)

// WriteLetter writes one letter with its payload for people. The payload is cut
// to most bytes; what could write to the terminal is left out of it.
func WriteLetter(w io.Writer, l Letters, most int, style report.Style) error {
	p := report.Page{Style: style}
	letter := l.Letters[0]
	p.Title(letter.ID)
	cause := string(letter.Cause)
	if cause == "" {
		cause = "not known: no advisory about it was kept"
	}
	if letter.Reason != "" {
		cause += ": " + letter.Reason
	}
	p.Item("cause", cause)
	p.Item("given up", at(letter.GivenUpAt, time.RFC3339Nano))
	p.Item("deliveries", orUnknown(letter.Deliveries))
	state := letter.Presence
	if letter.Why != "" {
		state += ": " + letter.Why
	}
	p.Item("message is", state)
	if letter.SizeBytes != nil {
		p.Item("subject", letter.Subject)
		p.Item("stored", at(letter.StoredAt, time.RFC3339Nano))
		p.Item("payload", plural(*letter.SizeBytes, "byte"))
		if letter.RedriveOf != "" {
			p.Item("copy of", letter.RedriveOf)
		}
		for i, name := range slices.Sorted(maps.Keys(letter.Header)) {
			p.Item(first("headers", i), name+": "+strings.Join(letter.Header[name], ", "))
		}
	}
	for _, g := range l.Gaps {
		p.Note(g.String())
	}
	if err := p.Write(w); err != nil {
		return err
	}
	return writePayload(w, letter, most, style)
}

func writePayload(w io.Writer, l Letter, most int, style report.Style) error {
	switch {
	case l.Text != nil && *l.Text != "":
		text := *l.Text
		rest := ""
		if len(text) > most {
			text, rest = strings.ToValidUTF8(text[:most], ""), fmt.Sprintf("\n(%d bytes more; --raw prints all)\n", len(text)-most)
		}
		for line := range strings.Lines(text) {
			if _, err := io.WriteString(w, "\n"+style.Plain(strings.TrimRight(line, "\r\n"))); err != nil {
				return err
			}
		}
		_, err := io.WriteString(w, "\n"+rest)
		return err
	case len(l.Data) > 0:
		_, err := fmt.Fprintf(w, "\n(%d bytes that are no text; --raw prints them)\n", len(l.Data))
		return err
	default:
		return nil
	}
}
