// Package hint attaches a remedy ("try …") to an error, where the knowledge of
// the remedy is, without deciding how either is shown.
package hint

import "errors"

type hinted struct {
	error
	hint string
}

func (h hinted) Unwrap() error { return h.error }

// Wrap returns err with a remedy. The remedy completes the sentence "try …":
// lower case, one line, no full stop. A nil err stays nil.
func Wrap(err error, remedy string) error {
	if err == nil {
		return nil
	}
	return hinted{err, remedy}
}

// Of returns the outermost remedy attached to err, or "" when there is none.
func Of(err error) string {
	if h, ok := errors.AsType[hinted](err); ok {
		return h.hint
	}
	return ""
}
