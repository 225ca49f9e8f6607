package inspectreport

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/natsops/natsops/internal/report"
)

// A format is a way to write a document.
type format[D any] struct {
	name  string
	write func(w io.Writer, doc D, style report.Style) error
}

func lagFormats() []format[Lag] {
	return []format[Lag]{
		{"table", writeLagText},
		{"json", func(w io.Writer, l Lag, _ report.Style) error {
			l.Schema = LagSchema
			return report.WriteJSON(w, l)
		}},
		{"csv", writeLagCSV},
		{"markdown", writeLagMarkdown},
		{"nagios", writeNagios},
		{"prom", writeProm},
	}
}

// LagFormats lists what WriteLag can write; the first one is for people.
func LagFormats() []string { return names(lagFormats()) }

// WriteLag writes the document in one of LagFormats. Errors are those of w, or
// say that there is no such format.
func WriteLag(w io.Writer, name string, l Lag, style report.Style) error {
	return write(w, lagFormats(), name, l, style)
}

// WriteLagLine writes the document as JSON on one line.
func WriteLagLine(w io.Writer, l Lag) error {
	l.Schema = LagSchema
	return report.WriteJSONLine(w, l)
}

func doctorFormats() []format[Doctor] {
	return []format[Doctor]{
		{"table", writeDoctorText},
		{"json", func(w io.Writer, d Doctor, _ report.Style) error {
			d.Schema = DoctorSchema
			return report.WriteJSON(w, d)
		}},
		{"csv", writeDoctorCSV},
		{"markdown", writeDoctorMarkdown},
		{"nagios", writeDoctorNagios},
		{"prom", writeDoctorProm},
	}
}

// DoctorFormats lists what WriteDoctor can write; the first one is for people.
func DoctorFormats() []string { return names(doctorFormats()) }

// WriteDoctor writes the document in one of DoctorFormats. Errors are those of w,
// or say that there is no such format.
func WriteDoctor(w io.Writer, name string, d Doctor, style report.Style) error {
	return write(w, doctorFormats(), name, d, style)
}

func names[D any](formats []format[D]) []string {
	var all []string
	for _, f := range formats {
		all = append(all, f.name)
	}
	return all
}

func write[D any](w io.Writer, formats []format[D], name string, doc D, style report.Style) error {
	i := slices.IndexFunc(formats, func(f format[D]) bool { return f.name == name })
	if i < 0 {
		return fmt.Errorf("no output format %q: want %s", name, strings.Join(names(formats), ", "))
	}
	return formats[i].write(w, doc, style)
}
