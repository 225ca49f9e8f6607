package main

import (
	"maps"
	"slices"
	"strings"

	"github.com/spf13/cobra"
)

func newCompletionCommand(w world) *cobra.Command {
	generators := map[string]func(root *cobra.Command) error{
		"bash":       func(root *cobra.Command) error { return root.GenBashCompletionV2(w.stdout, true) },
		"fish":       func(root *cobra.Command) error { return root.GenFishCompletion(w.stdout, true) },
		"powershell": func(root *cobra.Command) error { return root.GenPowerShellCompletionWithDesc(w.stdout) },
		"zsh":        func(root *cobra.Command) error { return root.GenZshCompletion(w.stdout) },
	}
	shells := slices.Sorted(maps.Keys(generators))
	return &cobra.Command{
		Use:   "completion SHELL",
		Short: "Print the completion script for a shell",
		Long: `Prints a script that lets a shell complete commands, flags and their values:
` + strings.Join(shells, ", ") + `. Installed with Homebrew, natsops has it already.`,
		Example: `  natsops completion bash > /etc/bash_completion.d/natsops
  natsops completion zsh > "${fpath[1]}/_natsops"
  natsops completion fish > ~/.config/fish/completions/natsops.fish`,
		ValidArgs: shells,
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) != 1 {
				return usagef("completion needs one shell: %s", strings.Join(shells, ", "))
			}
			generate, known := generators[args[0]]
			if !known {
				return usagef("unknown shell %q; completion knows %s", args[0], strings.Join(shells, ", "))
			}
			return generate(cmd.Root())
		},
	}
}
