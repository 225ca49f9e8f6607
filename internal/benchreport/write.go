package benchreport

import (
	"io"

	"github.com/natsops/natsops/internal/report"
)

func formats() []report.Format[Document] {
	return []report.Format[Document]{
		{Name: "table", Write: writeText},
		{Name: "json", Write: func(w io.Writer, doc Document, _ report.Style) error { return report.WriteJSON(w, doc) }},
		{Name: "csv", Write: writeCSV},
		{Name: "markdown", Write: writeMarkdown},
		{Name: "hdr", Write: writePercentileLog},
	}
}

// Formats lists what Write can write; the first one is for people.
func Formats() []string { return report.Names(formats()) }

// Write writes a document in one of Formats. The style matters for the table
// only. Errors are those of w, or say that there is no such format.
func Write(w io.Writer, name string, doc Document, style report.Style) error {
	return report.WriteAs(w, formats(), name, doc.complete(), style)
}
