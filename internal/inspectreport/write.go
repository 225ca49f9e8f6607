package inspectreport

import (
	"io"

	"github.com/natsops/natsops/internal/report"
)

func lagFormats() []report.Format[Lag] {
	return []report.Format[Lag]{
		{Name: "table", Write: writeLagText},
		{Name: "json", Write: func(w io.Writer, l Lag, _ report.Style) error {
			l.Schema = LagSchema
			return report.WriteJSON(w, l)
		}},
		{Name: "csv", Write: writeLagCSV},
		{Name: "markdown", Write: writeLagMarkdown},
		{Name: "nagios", Write: writeNagios},
		{Name: "prom", Write: writeProm},
	}
}

// LagFormats lists what WriteLag can write; the first one is for people.
func LagFormats() []string { return report.Names(lagFormats()) }

// WriteLag writes the document in one of LagFormats. Errors are those of w, or
// say that there is no such format.
func WriteLag(w io.Writer, name string, l Lag, style report.Style) error {
	return report.WriteAs(w, lagFormats(), name, l, style)
}

// WriteLagLine writes the document as JSON on one line.
func WriteLagLine(w io.Writer, l Lag) error {
	l.Schema = LagSchema
	return report.WriteJSONLine(w, l)
}

func doctorFormats() []report.Format[Doctor] {
	return []report.Format[Doctor]{
		{Name: "table", Write: writeDoctorText},
		{Name: "json", Write: func(w io.Writer, d Doctor, _ report.Style) error {
			d.Schema = DoctorSchema
			return report.WriteJSON(w, d)
		}},
		{Name: "csv", Write: writeDoctorCSV},
		{Name: "markdown", Write: writeDoctorMarkdown},
		{Name: "nagios", Write: writeDoctorNagios},
		{Name: "prom", Write: writeDoctorProm},
	}
}

// DoctorFormats lists what WriteDoctor can write; the first one is for people.
func DoctorFormats() []string { return report.Names(doctorFormats()) }

// WriteDoctor writes the document in one of DoctorFormats. Errors are those of w,
// or say that there is no such format.
func WriteDoctor(w io.Writer, name string, d Doctor, style report.Style) error {
	return report.WriteAs(w, doctorFormats(), name, d, style)
}
