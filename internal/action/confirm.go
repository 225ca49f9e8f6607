package action

import (
	"context"
	"fmt"
	"strings"
)

// Prompt returns the question that a person has to answer before a is done.
func Prompt(a Action) string {
	if a.Risk == Safe {
		return "Go on? [y/N] "
	}
	return fmt.Sprintf("Type %s to go on: ", a.Object)
}

// Accepts reports whether typed confirms a: the exact name of the object when a
// is disruptive, and y or yes otherwise. Space around it does not matter.
func Accepts(a Action, typed string) bool {
	typed = strings.TrimSpace(typed)
	if a.Risk == Safe {
		return strings.EqualFold(typed, "y") || strings.EqualFold(typed, "yes")
	}
	return typed != "" && typed == a.Object
}

// Answered confirms with what was typed in advance, for example in a flag.
func Answered(typed string) func(context.Context, Action) (bool, error) {
	return func(_ context.Context, a Action) (bool, error) { return Accepts(a, typed), nil }
}
