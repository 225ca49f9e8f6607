package drill

import (
	"errors"
	"fmt"
	"strings"
)

// ErrFile says that a drill makes no sense as it is written. Nothing was sent.
var ErrFile = errors.New("the drill cannot be used")

// A Problem is one thing that is wrong with a drill.
type Problem struct {
	Line int    // of the file, from 1; 0: there is none
	Key  string // "load.rate", "faults[1].for"; "": the file itself
	Text string // what is wrong, and behind a semicolon what fits
}

// A FileError is all that is wrong with a drill, in the order of the lines. It
// is [ErrFile].
type FileError struct {
	File     string // "": it is from no file
	Problems []Problem
}

// Lines are the problems, each as "FILE:LINE: what is wrong; what fits".
func (e *FileError) Lines() []string {
	lines := make([]string, len(e.Problems))
	for i, p := range e.Problems {
		lines[i] = oneLine(e.place(p) + p.what())
	}
	return lines
}

// Error is the first problem, and how many there are besides.
func (e *FileError) Error() string {
	lines := e.Lines()
	switch more := len(lines) - 1; {
	case more < 0:
		return ErrFile.Error()
	case more > 0:
		return fmt.Sprintf("%s (and %d more)", lines[0], more)
	default:
		return lines[0]
	}
}

// Is makes it an ErrFile.
func (e *FileError) Is(target error) bool { return target == ErrFile }

func (e *FileError) place(p Problem) string {
	if e.File == "" {
		return ""
	}
	return fmt.Sprintf("%s:%d: ", e.File, max(p.Line, 1))
}

func (p Problem) what() string {
	if p.Key == "" {
		return p.Text
	}
	return p.Key + ": " + p.Text
}

// oneLine keeps what somebody wrote from breaking a line of ours.
func oneLine(s string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f || r == '\u0085' || r == '\u2028' || r == '\u2029' {
			return ' '
		}
		return r
	}, s)
}
