package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/natsops/natsops/internal/chaos/drill"
	"github.com/natsops/natsops/internal/chaos/fault"
	"github.com/natsops/natsops/internal/chaosreport"
)

func newChaosListCommand(w world) *cobra.Command {
	var f chaosFlags
	var faults bool
	cmd := &cobra.Command{
		Use:   "list",
		Short: "List drills that are built in, or the faults they are made of",
		Long: `Lists the drills that are built in, what each needs and how long it takes.
With --faults it lists the faults that drills are made of, what a healthy
system does about each, what is left of it when natsops dies, and its
parameters.`,
		Example: `  natsops chaos list
  natsops chaos list --faults
  natsops chaos list -o json`,
		Args: between(0, 0),
		RunE: func(*cobra.Command, []string) error {
			if faults {
				return chaosreport.WriteFaults(w.stdout, f.output, fault.Kinds(), w.style(w.stdout))
			}
			return chaosreport.WriteList(w.stdout, f.output, drill.Builtins(), w.style(w.stdout))
		},
	}
	cmd.Flags().BoolVar(&faults, "faults", false, "list the faults, with their parameters")
	f.addOutput(cmd, chaosreport.ListFormats()...)
	return cmd
}

func newChaosDescribeCommand(w world) *cobra.Command {
	var asYAML bool
	cmd := &cobra.Command{
		Use:   "describe NAME",
		Short: "Say what a drill does, what NATS promises, and what passes",
		Long: `Says what a drill does, what NATS promises about it, and what must be true for
it to pass. With --yaml it prints the drill as a file for natsops chaos run, to
change and keep.`,
		Example: `  natsops chaos describe kill-node
  natsops chaos describe kill-node --yaml`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) != 1 {
				return usagef("natsops chaos describe needs the name of one drill (see: natsops chaos list)")
			}
			return nil
		},
		ValidArgsFunction: completeDrills,
		RunE: func(_ *cobra.Command, args []string) error {
			d, err := drill.Builtin(args[0])
			if err != nil {
				return err
			}
			source, err := drill.Source(d.Name)
			if err != nil {
				return err
			}
			if asYAML {
				_, err := fmt.Fprint(w.stdout, source)
				return err
			}
			return chaosreport.WriteDescription(w.stdout, d, "", measuredLine(d.Name), w.style(w.stdout))
		},
	}
	cmd.Flags().BoolVar(&asYAML, "yaml", false, "print the drill as a file")
	return cmd
}

func newChaosSelftestCommand(w world) *cobra.Command {
	var f chaosFlags
	cmd := &cobra.Command{
		Use:   "selftest",
		Short: "Prove that drills find what they look for",
		Long: `Runs controls on clusters of its own: one that must lose messages, one that
must store duplicates, one in which nothing is broken and that must be clean. A
control that finds what was planted passes. When one does not, no result of
natsops chaos on this machine is to be trusted.`,
		Example: "  natsops chaos selftest",
		Args:    between(0, 0),
		RunE: func(cmd *cobra.Command, _ []string) error {
			return runDrills(cmd.Context(), w, &f, drill.Controls())
		},
	}
	f.addOutput(cmd, chaosreport.Formats()...)
	return cmd
}
