package main

import (
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/spf13/cobra"
)

// run executes one command line and returns the process exit code.
func run(ctx context.Context, w world, args []string) int {
	root := newRootCommand(w)
	root.SetArgs(append([]string{}, args...)) // cobra takes nil for os.Args
	cmd, err := root.ExecuteContextC(ctx)
	if errors.Is(err, context.Canceled) && ctx.Err() != nil {
		err = context.Cause(ctx) // it says which signal
	}
	if wants(cmd, args, "nagios") {
		err = asPlugin(w, strings.ToUpper(cmd.Name()), err)
	}
	return complain(w.stderr, err, wants(cmd, args, "json"))
}

// wants reports whether the result, and so an error, is to have a form. A command
// line that could not be read to its end may have said so behind the mistake.
func wants(cmd *cobra.Command, args []string, form string) bool {
	f := cmd.Flags().Lookup("output")
	if f == nil {
		return false
	}
	if known, ok := f.Value.(*choiceValue); ok && !slices.Contains(known.words, form) {
		return false
	}
	if f.Changed {
		return f.Value.String() == form
	}
	line := " " + strings.Join(args, " ") + " "
	for _, before := range []string{" -o ", " -o", " -o=", " --output ", " --output="} {
		if strings.Contains(line, before+form+" ") {
			return true
		}
	}
	return false
}
