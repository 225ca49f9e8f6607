package main

import (
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/natsops/natsops/internal/hint"
)

// newRootCommand returns the whole command tree.
func newRootCommand(w world) *cobra.Command {
	root := &cobra.Command{
		Use:   "natsops",
		Short: "Load, inspect and break NATS, with numbers that can be trusted",
		Long: `natsops answers three questions about NATS:

  How much can it take?        natsops bench
  Who is behind, and why?      natsops lag, natsops doctor, natsops dlq
  What happens when it breaks? natsops chaos

The result goes to stdout, everything else to stderr. Commands that load a
server use the one that is named with --server, --context, NATS_URL or
NATS_CONTEXT; if none is named they start a throwaway one on this machine.`,
		Example: `  natsops bench
  natsops bench request --rate 5k --duration 5s --slo 'p99<50ms,errors==0'
  natsops bench pubsub -s nats://127.0.0.1:4222 --subscribers 10
  natsops lag
  natsops doctor`,
		Args:              noCommand,
		RunE:              func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
		SilenceErrors:     true,
		SilenceUsage:      true,
		CompletionOptions: cobra.CompletionOptions{DisableDefaultCmd: true}, // we have our own
	}
	root.SetIn(w.stdin)
	root.SetOut(w.stdout)
	root.SetErr(w.stderr)
	root.SetUsageTemplate(strings.ReplaceAll(root.UsageTemplate(), ".FlagUsages", ".FlagUsagesWrapped 80"))
	root.SetFlagErrorFunc(flagError)
	root.AddCommand(
		newBenchCommand(w),
		newLagCommand(w),
		newDoctorCommand(w),
		newDLQCommand(w),
		newChaosCommand(w),
		newLabCommand(w),
		newLabServerCommand(w),
		newWatchdogCommand(w),
		newVersionCommand(w),
		newCompletionCommand(w),
		newDocsCommand(w),
	)
	root.SetHelpCommand(newHelpCommand())
	return root
}

func newHelpCommand() *cobra.Command {
	return &cobra.Command{
		Use:     "help [COMMAND]",
		Short:   "Help about any command",
		Example: "  natsops help bench request",
		RunE: func(cmd *cobra.Command, args []string) error {
			about, rest, err := cmd.Root().Find(args)
			if err != nil || len(rest) > 0 {
				return usagef("unknown command %q (see: natsops --help)", strings.Join(args, " "))
			}
			about.InitDefaultHelpFlag()
			return about.Help()
		},
	}
}

// flagError completes what is said of a wrong flag with what may have been
// meant and where to look.
func flagError(cmd *cobra.Command, err error) error {
	if unknown, ok := errors.AsType[*pflag.NotExistError](err); ok {
		var names []string
		cmd.Flags().VisitAll(func(f *pflag.Flag) { names = append(names, f.Name) })
		if near, found := hint.Nearest(unknown.GetSpecifiedName(), names); found {
			return usagef("%w; did you mean --%s?", err, near)
		}
	}
	return usagef("%w (see: %s --help)", err, cmd.CommandPath())
}

// noCommand refuses arguments where a sub-command was meant.
func noCommand(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	var names []string
	for _, sub := range cmd.Commands() {
		names = append(names, sub.Name())
	}
	if near, found := hint.Nearest(args[0], names); found {
		return usagef("unknown command %q for %s; did you mean %s?", args[0], cmd.CommandPath(), near)
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
