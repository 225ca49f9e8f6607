package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"runtime"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/natsops/natsops/internal/chaos/drill"
	"github.com/natsops/natsops/internal/chaos/fault"
	"github.com/natsops/natsops/internal/natsconn"
)

func newChaosDrillCommand(w world) *cobra.Command {
	var f chaosFlags
	cmd := &cobra.Command{
		Use:   "drill NAME ...",
		Short: "Run drills that are built in",
		Long: `Runs drills that are built in, one after the other; natsops chaos list names
them, natsops chaos describe says what each does, promises and measures.

` + chaosSafety,
		Example: `  natsops chaos drill kill-node
  natsops chaos drill partition-leader --hold 30s --slo 'recover<8s'
  natsops chaos drill kick --context staging --dry-run
  natsops chaos drill kick step-down --context staging --confirm C1`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) == 0 {
				return usagef("natsops chaos drill needs a name; one of %s", strings.Join(drillNames(), ", "))
			}
			return nil
		},
		ValidArgsFunction: completeDrills,
		RunE: func(cmd *cobra.Command, args []string) error {
			return f.runEach(cmd, w, args, drill.Builtin)
		},
	}
	f.addRun(cmd)
	f.addLoad(cmd)
	return cmd
}

func newChaosRunCommand(w world) *cobra.Command {
	var f chaosFlags
	cmd := &cobra.Command{
		Use:   "run FILE ...",
		Short: "Run drills that are described in YAML files",
		Long: `Runs drills that are described in YAML files; - is stdin. All files are read
and checked before the first begins. docs/reference/drill-file.md describes
them, and natsops chaos describe NAME --yaml prints one to start from.

` + chaosSafety,
		Example: `  natsops chaos run drills/leader.yaml
  natsops chaos run drills/*.yaml --junit chaos.xml
  natsops chaos run drills/leader.yaml --dry-run`,
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				return usagef("natsops chaos run needs a file (usage: %s)", cmd.UseLine())
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			return f.runEach(cmd, w, args, func(file string) (drill.Drill, error) { return readDrill(w, file) })
		},
	}
	f.addRun(cmd)
	f.addLoad(cmd)
	return cmd
}

func newChaosSuiteCommand(w world) *cobra.Command {
	var f chaosFlags
	var only, ignore []string
	cmd := &cobra.Command{
		Use:   "suite",
		Short: "Run all built-in drills that fit the target",
		Long: `Runs the drills that are built in, one after the other, but for those that the
target cannot have: on somebody else's cluster, without the system account, or
on this operating system. It takes half an hour.

` + chaosSafety,
		Example: `  natsops chaos suite --junit chaos.xml
  natsops chaos suite --only 'partition-*,kill-*'
  natsops chaos suite -o markdown`,
		Args: between(0, 0),
		RunE: func(cmd *cobra.Command, _ []string) error {
			drills, err := chosen(drill.Builtins(), only, ignore)
			if err != nil {
				return err
			}
			fit, left := f.fitting(w, drills)
			for _, why := range left {
				fmt.Fprintf(w.stderr, "natsops: %s\n", why)
			}
			if len(fit) == 0 {
				return usagef("no drill fits the target")
			}
			return f.run(cmd, w, fit)
		},
	}
	f.addRun(cmd)
	f.addLoad(cmd)
	cmd.Flags().StringSliceVar(&only, "only", nil, "run the drills whose names match these `PATTERNS`")
	cmd.Flags().StringSliceVar(&ignore, "ignore", nil, "leave out the drills whose names match these `PATTERNS`")
	return cmd
}

// runEach reads all drills before it runs any.
func (f *chaosFlags) runEach(cmd *cobra.Command, w world, args []string, read func(string) (drill.Drill, error)) error {
	drills := make([]drill.Drill, len(args))
	for i, arg := range args {
		var err error
		if drills[i], err = read(arg); err != nil {
			return err
		}
	}
	return f.run(cmd, w, drills)
}

// run checks and adjusts the drills, and runs them or shows what they would do.
func (f *chaosFlags) run(cmd *cobra.Command, w world, drills []drill.Drill) error {
	if err := f.check(cmd); err != nil {
		return err
	}
	for i, d := range drills {
		adjusted, err := f.adjust(d)
		if err != nil {
			return err
		}
		drills[i] = adjusted
	}
	if f.dryRun {
		return previewDrills(cmd.Context(), w, f, drills)
	}
	return runDrills(cmd.Context(), w, f, drills)
}

// readDrill reads a file; "-" is stdin.
func readDrill(w world, file string) (drill.Drill, error) {
	var text []byte
	var err error
	if file == "-" {
		file = "stdin"
		text, err = io.ReadAll(w.stdin)
	} else {
		text, err = os.ReadFile(file)
	}
	if err != nil {
		return drill.Drill{}, usagef("cannot read the drill %s: %w", file, cause(err))
	}
	d, err := drill.Parse(file, text)
	if wrong, ok := errors.AsType[*drill.FileError](err); ok && len(wrong.Lines()) > 1 {
		for _, line := range wrong.Lines() {
			fmt.Fprintln(w.stderr, "natsops: "+line)
		}
		return d, usagef("%s has %d mistakes", file, len(wrong.Lines()))
	}
	return d, err
}

// fitting splits drills into those that the target can have, and why not the
// others.
func (f *chaosFlags) fitting(w world, drills []drill.Drill) (fit []drill.Drill, left []string) {
	_, err := natsconn.Resolve(f.conn, w.getenv, natsconn.OnlyExplicit)
	owned := errors.Is(err, natsconn.ErrNoTarget)
	for _, d := range drills {
		if why := f.unfit(d, owned); why != "" {
			left = append(left, fmt.Sprintf("drill %s is left out: %s", d.Name, why))
			continue
		}
		fit = append(fit, d)
	}
	return fit, left
}

// unfit says why the target cannot have a drill; "": it can.
func (f *chaosFlags) unfit(d drill.Drill, owned bool) string {
	for _, spec := range d.Faults {
		kind, err := fault.Lookup(spec.Kind)
		if err != nil {
			return err.Error()
		}
		if lack := f.lacking(kind.Needs, owned); lack != "" {
			return spec.Kind + " needs " + lack
		}
	}
	return ""
}

// lacking says what a target does not have of what a fault needs; "": nothing.
func (f *chaosFlags) lacking(n fault.Need, owned bool) string {
	switch {
	case n.Linux && runtime.GOOS != "linux":
		return "Linux"
	case n.Unix && runtime.GOOS == "windows":
		return "signals, which Windows does not have"
	case owned:
		return ""
	case n.Links:
		return "links that are ours"
	case n.Nodes && len(f.processes) == 0:
		return "processes that we may break (--process)"
	case n.System && !f.system.given():
		return "the system account (--system-context, --system-creds)"
	}
	return ""
}

// chosen picks drills by patterns; none: all.
func chosen(drills []drill.Drill, only, ignore []string) ([]drill.Drill, error) {
	matches := func(patterns []string, name string) bool {
		return slices.ContainsFunc(patterns, func(p string) bool { ok, _ := path.Match(p, name); return ok })
	}
	for _, p := range slices.Concat(only, ignore) {
		if _, err := path.Match(p, ""); err != nil {
			return nil, usagef("%q is no pattern: %w", p, err)
		}
		if !slices.ContainsFunc(drills, func(d drill.Drill) bool { return matches([]string{p}, d.Name) }) {
			return nil, usagef("no drill is called %q; they are %s", p, strings.Join(drillNames(), ", "))
		}
	}
	var some []drill.Drill
	for _, d := range drills {
		if (len(only) == 0 || matches(only, d.Name)) && !matches(ignore, d.Name) {
			some = append(some, d)
		}
	}
	if len(some) == 0 {
		return nil, usagef("--only and --ignore leave no drill")
	}
	return some, nil
}

func drillNames() []string {
	var names []string
	for _, d := range drill.Builtins() {
		names = append(names, d.Name)
	}
	return names
}

func completeDrills(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
	return drillNames(), cobra.ShellCompDirectiveNoFileComp
}
