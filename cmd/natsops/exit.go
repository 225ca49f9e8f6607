package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/natsops/natsops/internal/bench"
	"github.com/natsops/natsops/internal/chaos"
	"github.com/natsops/natsops/internal/chaos/drill"
	"github.com/natsops/natsops/internal/chaos/fault"
	"github.com/natsops/natsops/internal/deadletter"
	"github.com/natsops/natsops/internal/hint"
	"github.com/natsops/natsops/internal/natsconn"
)

// An exit pairs an exit code with what causes it.
type exit struct {
	code int
	is   []error // any of them
	when string
}

// exits lists every outcome that a script can tell apart. The codes are part of
// the interface; docs/reference/exit-codes.md is generated from this list.
func exits() []exit {
	return []exit{
		{code: 0, when: "success"},
		{code: 1, when: "any other failure"},
		{code: 2, is: []error{errUsage, natsconn.ErrConfig, natsconn.ErrNoTarget, bench.ErrConfig, drill.ErrFile, fault.ErrSpec, fault.ErrNoVictim, fault.ErrNeeds}, when: "the command line or an input file is wrong; nothing was sent"},
		{code: 3, is: []error{natsconn.ErrConnect, bench.ErrDenied, bench.ErrGone, deadletter.ErrDenied}, when: "no server could be reached, or it refused the credentials"},
		{code: 4, is: []error{errObjectiveMissed, chaos.ErrRefused}, when: "the run finished, but an SLO was missed or a regression was found; chaos: an expectation was missed, a guard ended the drill, or the system was not well before it, and nothing was injected"},
		{code: 5, is: []error{errProblem}, when: "an inspection found a problem at or above --fail-on"},
		{code: 6, is: []error{errUnrecovered}, when: "chaos: the fault was healed, but the system did not recover or messages were lost"},
		{code: 7, is: []error{errUnhealed}, when: "chaos: a fault could not be healed; a person must look now"},
		{code: 8, is: []error{errIncomplete}, when: "the answer is incomplete: a server or an API did not answer, nothing worse was found"},
		{code: 143, is: []error{errTerminated}, when: "terminated; what was measured so far was printed"},
		{code: 130, is: []error{errInterrupted, context.Canceled}, when: "interrupted; what was measured so far was printed"},
	}
}

var (
	errUsage           = errors.New("usage")
	errObjectiveMissed = errors.New("objective missed")
)

// A usageError says what is wrong with a command line.
type usageError struct{ error }

func (usageError) Is(target error) bool { return target == errUsage }

func (e usageError) Unwrap() error { return e.error }

func usagef(format string, args ...any) error { return usageError{fmt.Errorf(format, args...)} }

// codeOf returns the exit of err. With several causes the first in the list counts.
func codeOf(err error) exit {
	if err == nil {
		return exits()[0]
	}
	for _, e := range exits() {
		for _, is := range e.is {
			if errors.Is(err, is) {
				return e
			}
		}
	}
	return exits()[1]
}

// complain says on stderr what went wrong, for people or for programs, and
// returns the exit code.
func complain(stderr io.Writer, err error, asJSON bool) int {
	e := codeOf(err)
	if err == nil {
		return e.code
	}
	if plugin, ok := errors.AsType[pluginError](err); ok {
		return int(plugin.state)
	}
	message, remedy := err.Error(), hint.Of(err)
	if asJSON {
		out := json.NewEncoder(stderr)
		out.SetEscapeHTML(false) // objectives have < and > in them
		_ = out.Encode(struct {
			Error string `json:"error"`
			Hint  string `json:"hint,omitempty"`
			Code  int    `json:"code"`
		}{message, remedy, e.code})
		return e.code
	}
	fmt.Fprintf(stderr, "natsops: %s\n", message)
	if remedy != "" {
		fmt.Fprintf(stderr, "natsops: try %s\n", remedy)
	}
	return e.code
}
