package main

import (
	"context"
	"errors"
)

// run executes one command line and returns the process exit code.
func run(ctx context.Context, w world, args []string) int {
	root := newRootCommand(w)
	root.SetArgs(args)
	cmd, err := root.ExecuteContextC(ctx)
	if errors.Is(err, context.Canceled) && ctx.Err() != nil {
		err = context.Cause(ctx) // it says which signal
	}
	asJSON := false
	if f := cmd.Flags().Lookup("output"); f != nil {
		asJSON = f.Value.String() == "json"
	}
	return complain(w.stderr, err, asJSON)
}
