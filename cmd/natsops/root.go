package main

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"
)

// newRootCommand returns the whole command tree.
func newRootCommand(w world) *cobra.Command {
	root := &cobra.Command{
		Use:   "natsops",
		Short: "Load, inspect and break NATS, with numbers that can be trusted",
		Long: `natsops answers three questions about NATS:

  How much can it take?        natsops bench
  Who is behind, and why?      natsops lag      (to come)
  What happens when it breaks? natsops chaos    (to come)

The result goes to stdout, everything else to stderr. Commands that load a
server use the one that is named with --server, --context, NATS_URL or
NATS_CONTEXT; if none is named they start a throwaway one on this machine.`,
		Example: `  natsops bench
  natsops bench request --rate 5k --duration 5s --slo 'p99<50ms,errors==0'
  natsops bench pubsub -s nats://127.0.0.1:4222 --subscribers 10`,
		Args:          noCommand,
		RunE:          func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
		SilenceErrors: true,
		SilenceUsage:  true,
		CompletionOptions: cobra.CompletionOptions{
			HiddenDefaultCmd: false,
		},
	}
	root.SetIn(w.stdin)
	root.SetOut(w.stdout)
	root.SetErr(w.stderr)
	root.SetUsageTemplate(strings.ReplaceAll(root.UsageTemplate(), ".FlagUsages", ".FlagUsagesWrapped 80"))
	root.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error {
		return usagef("%w (see: %s --help)", err, cmd.CommandPath())
	})
	root.AddCommand(
		newBenchCommand(w),
		newLabCommand(w),
		newLabServerCommand(w),
		newVersionCommand(w),
		newDocsCommand(w),
	)
	return root
}

// noCommand refuses arguments where a sub-command was meant.
func noCommand(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	if near := cmd.SuggestionsFor(args[0]); len(near) > 0 {
		return usagef("unknown command %q for %s; did you mean %s?", args[0], cmd.CommandPath(), strings.Join(near, " or "))
	}
	return usagef("unknown command %q for %s (see: %s --help)", args[0], cmd.CommandPath(), cmd.CommandPath())
}

// between returns a check that a command has so many arguments, each a subject.
func between(least, most int) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		switch {
		case len(args) < least:
			return usagef("%s needs a subject (usage: %s)", cmd.CommandPath(), cmd.UseLine())
		case len(args) > most:
			return usagef("unexpected argument %q (usage: %s)", args[most], cmd.UseLine())
		default:
			return nil
		}
	}
}

func newVersionCommand(w world) *cobra.Command {
	return &cobra.Command{
		Use:     "version",
		Short:   "Print the version",
		Example: "  natsops version",
		Args:    between(0, 0),
		RunE: func(*cobra.Command, []string) error {
			_, err := fmt.Fprintf(w.stdout, "natsops %s\n", w.version)
			return err
		},
	}
}
