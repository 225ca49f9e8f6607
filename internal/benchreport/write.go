package benchreport

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/natsops/natsops/internal/report"
)

// A format is a way to write a Document.
type format struct {
	name  string
	write func(w io.Writer, doc Document, style report.Style) error
}

func formats() []format {
	return []format{
		{"table", writeText},
		{"json", func(w io.Writer, doc Document, _ report.Style) error { return report.WriteJSON(w, doc) }},
		{"csv", writeCSV},
		{"markdown", writeMarkdown},
		{"hdr", writePercentileLog},
	}
}

// Formats lists what Write can write; the first one is for people.
func Formats() []string {
	var names []string
	for _, f := range formats() {
		names = append(names, f.name)
	}
	return names
}

// Write writes a document in one of Formats. The style matters for the table
// only. Errors are those of w, or say that there is no such format.
func Write(w io.Writer, name string, doc Document, style report.Style) error {
	all := formats()
	i := slices.IndexFunc(all, func(f format) bool { return f.name == name })
	if i < 0 {
		return fmt.Errorf("no output format %q: want %s", name, strings.Join(Formats(), ", "))
	}
	return all[i].write(w, doc.complete(), style)
}
