package report

import (
	"encoding/json"
	"io"
)

// WriteJSONLine writes a document on a line of its own, for those who read one
// after the other.
func WriteJSONLine(w io.Writer, document any) error {
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	return e.Encode(document)
}

// WriteJSON writes a document indented, for people and programs alike. Fields
// keep the order of the Go struct.
func WriteJSON(w io.Writer, document any) error {
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false) // it is not HTML, and p99<5ms should stay readable
	e.SetIndent("", "  ")
	return e.Encode(document)
}
