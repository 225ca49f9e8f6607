package main

import (
	"context"
	"errors"
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
	return complain(w.stderr, err, wantsJSON(cmd, args))
}

// wantsJSON reports whether errors are for a program. A command line that could
// not be read to its end may have said so behind the mistake.
func wantsJSON(cmd *cobra.Command, args []string) bool {
	if f := cmd.Flags().Lookup("output"); f == nil {
		return false
	} else if f.Changed {
		return f.Value.String() == "json"
	}
	line := " " + strings.Join(args, " ") + " "
	for _, form := range []string{" -o json ", " -ojson ", " -o=json ", " --output json ", " --output=json "} {
		if strings.Contains(line, form) {
			return true
		}
	}
	return false
}
