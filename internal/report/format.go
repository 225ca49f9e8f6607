package report

import (
	"fmt"
	"io"
	"slices"
	"strings"
)

// A Format is a way to write documents of a kind.
type Format[D any] struct {
	Name  string
	Write func(w io.Writer, doc D, style Style) error
}

// Names lists formats by name, in their order.
func Names[D any](formats []Format[D]) []string {
	var all []string
	for _, f := range formats {
		all = append(all, f.Name)
	}
	return all
}

// WriteAs writes a document in the format of that name. Errors are those of w,
// or say that there is no such format.
func WriteAs[D any](w io.Writer, formats []Format[D], name string, doc D, style Style) error {
	i := slices.IndexFunc(formats, func(f Format[D]) bool { return f.Name == name })
	if i < 0 {
		return fmt.Errorf("no output format %q: want %s", name, strings.Join(Names(formats), ", "))
	}
	return formats[i].Write(w, doc, style)
}

// Listed returns an empty list for none: readers of JSON in other languages
// stumble over null.
func Listed[T any](list []T) []T {
	if list == nil {
		return []T{}
	}
	return list
}
