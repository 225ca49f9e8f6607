// Package action is the only door for anything that changes a user's servers.
// What will happen is a value that can be shown before anything is sent; a
// [Door] has a person agree to it, looks whether it is still as it was shown,
// writes down that it begins, does it, and writes down how it ended.
package action

import (
	"context"
	"errors"
)

// Why an action was not done. Nothing was sent then.
var (
	ErrDeclined = errors.New("not confirmed")
	ErrChanged  = errors.New("it is no longer as it was shown")
	ErrReadOnly = errors.New("read-only mode")
	ErrAudit    = errors.New("cannot write the audit log")
)

// An Action says all about a change before anything is sent.
type Action struct {
	Name       string   // of the kind: "dlq.redrive"
	Target     string   // what it changes, in words: "3 messages given up by ORDERS/worker"
	Object     string   // the target's name, which must be typed to confirm a disruptive action: "ORDERS/worker"
	Impact     []string // what will happen, with numbers; a sentence each
	Equivalent string   // the command of the nats CLI that does the same; "": there is none
	Risk       Risk

	// Check reads again what Target and Impact rest on. It returns an error that
	// is ErrChanged when that is no longer true, and another when it cannot tell.
	Check func(context.Context) error
	// Do makes the change. What was done is in the outcome, also beside an error.
	Do func(context.Context) (Outcome, error)
}

// Risk says how an action has to be confirmed.
type Risk uint8

// The risks. The zero value is the one that asks for more.
const (
	Disruptive Risk = iota // work is interrupted, repeated or lost: type the name
	Safe                   // nobody notices, or it can be undone: say yes
)

func (r Risk) String() string {
	if r == Safe {
		return "safe"
	}
	return "disruptive"
}

// An Outcome is what was done.
type Outcome struct {
	Summary string // one line, with numbers
	Detail  any    // for programs, as JSON; nil: the summary says it all
}

// complete reports what a says too little about to be done.
func (a Action) complete() error {
	switch {
	case a.Name == "" || a.Target == "":
		return errors.New("an action without a name or a target")
	case a.Risk == Disruptive && a.Object == "":
		return errors.New("a disruptive action without a name to type")
	case a.Check == nil || a.Do == nil:
		return errors.New("an action that cannot be checked or done")
	}
	return nil
}
