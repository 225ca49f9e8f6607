package main

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/natsops/natsops/internal/hint"
	"github.com/natsops/natsops/internal/inspect/doctor"
	"github.com/natsops/natsops/internal/inspect/lag"
	"github.com/natsops/natsops/internal/inspectreport"
	"github.com/natsops/natsops/internal/report"
)

// doctorFlags is what the command line of natsops doctor says.
type doctorFlags struct {
	inspectFlags

	only, ignore []string
	explain      string
	list         bool
	failOn       string
	output       string
}

func newDoctorCommand(w world) *cobra.Command {
	var f doctorFlags
	cmd := &cobra.Command{
		Use:   "doctor",
		Short: "Look for what is wrong with a NATS system, or will be",
		Long: fmt.Sprintf(`Runs %d checks: consumers in trouble, limits that are about to drop data,
messages given up that nobody hears of, slow consumers and who they are, missing
queue groups, reconnect churn, TLS, clocks, replicas, and more. Each finding
says what was measured, why it matters and what to do.

It only reads. With credentials of the system account it sees all servers and
accounts; with those of an application less, and it says which checks could not
look. A check that could not look has not passed.`, len(doctor.Checks())),
		Example: `  natsops doctor
  natsops doctor --context prod-system --fail-on warn
  natsops doctor --only 'conn.*' --window 30s
  natsops doctor --list
  natsops doctor --explain consumer.ack-wait`,
		Args:              between(0, 0),
		PersistentPreRunE: func(cmd *cobra.Command, _ []string) error { return refuseVoid(cmd) },
		RunE: func(cmd *cobra.Command, _ []string) error {
			if f.list || f.explain != "" {
				return f.describe(w)
			}
			return runDoctor(cmd.Context(), w, f)
		},
	}
	f.add(cmd, "5s")
	flags := cmd.Flags()
	flags.StringSliceVar(&f.only, "only", nil, "run only the checks with these `IDS`, which may have wildcards")
	flags.StringSliceVar(&f.ignore, "ignore", nil, "leave out the checks with these `IDS`, which may have wildcards")
	flags.StringVar(&f.explain, "explain", "", "say what the check with this `ID` looks for, why, and what to do; nothing is asked")
	flags.BoolVar(&f.list, "list", false, "list the checks; nothing is asked")
	flags.Var(choice(&f.failOn, "crit", "warn", "never"), "fail-on", "exit with 5 for findings that are `SEVERITY` or worse: crit, warn, never")
	flags.VarP(choice(&f.output, inspectreport.DoctorFormats()...), "output", "o", "print the result as `FORMAT`: "+strings.Join(inspectreport.DoctorFormats(), ", "))
	completeChoices(cmd, "fail-on", "output")
	for _, name := range []string{"only", "ignore", "explain"} {
		_ = cmd.RegisterFlagCompletionFunc(name, cobra.FixedCompletions(checkIDs(), cobra.ShellCompDirectiveNoFileComp))
	}
	return cmd
}

func checkIDs() []string {
	var ids []string
	for _, c := range doctor.Checks() {
		ids = append(ids, c.ID)
	}
	return ids
}

// selected returns the checks to run.
func (f *doctorFlags) selected() ([]doctor.Check, error) {
	for _, given := range []struct {
		flag string
		ids  []string
	}{{"only", f.only}, {"ignore", f.ignore}} {
		for _, id := range given.ids {
			if _, err := doctor.Select(doctor.Checks(), []string{id}, nil); err != nil {
				return nil, noCheck(given.flag, id)
			}
		}
	}
	checks, err := doctor.Select(doctor.Checks(), f.only, f.ignore)
	if err != nil {
		return nil, err
	}
	if len(checks) == 0 {
		return nil, usagef("--only and --ignore leave no check (see: natsops doctor --list)")
	}
	return checks, nil
}

func runDoctor(ctx context.Context, w world, f doctorFlags) error {
	limit, wrong := parseFailOn(f.failOn)
	checks, err := f.selected()
	if err := errors.Join(wrong, err, f.check()); err != nil {
		return err
	}
	s, err := f.open(ctx, w, nil)
	if err != nil {
		return err
	}
	defer s.close()
	window, interrupted := s.window(ctx, doctor.Needs(checks), f.window)
	if len(window) == 0 || interrupted != nil && f.output == "nagios" { // a plugin says one line
		return interrupted
	}
	thresholds := lag.DefaultThresholds()
	lookups := lag.Lookups(window[len(window)-1], thresholds, mostLookups)
	verdicts := lag.Judge(window, s.oldest(context.WithoutCancel(ctx), lookups), thresholds)
	result := doctor.Examine(doctor.Case{Window: window, Verdicts: verdicts}, checks)
	doc := inspectreport.NewDoctor(w.version, s.target, window, result)
	if err := inspectreport.WriteDoctor(w.stdout, f.output, doc, w.style(w.stdout)); err != nil {
		return err
	}
	switch bad := doc.From(limit); {
	case interrupted != nil:
		return interrupted
	case f.output == "nagios":
		return pluginExit(doc.Plugin())
	case bad > 0:
		return fmt.Errorf("%w: %s: %d", errProblem, orWorse(limit), bad)
	default:
		return incomplete(doc.Picture)
	}
}

// noCheck says that no check has the ID, and which has nearly.
func noCheck(flag, id string) error {
	if near, found := hint.Nearest(id, checkIDs()); found {
		return usagef("--%s: no check is called %q; did you mean %s?", flag, id, near)
	}
	return usagef("--%s: no check is called %q (see: natsops doctor --list)", flag, id)
}

// describe says what checks do, without asking anybody.
func (f *doctorFlags) describe(w world) error {
	switch {
	case f.list && f.explain != "":
		return usagef("--list and --explain exclude each other")
	case f.output != "table":
		return usagef("--list and --explain go with -o table only, not %s", f.output)
	}
	p := report.Page{Style: w.style(w.stdout)}
	if f.explain == "" {
		checks, err := f.selected()
		if err != nil {
			return err
		}
		t := report.Table{Columns: []report.Column{{Name: "check", Left: true}, {Name: "looks for", Left: true}}}
		for _, c := range checks {
			t.Rows = append(t.Rows, []string{c.ID, c.Title})
		}
		p.Lines(t.Text(p.Style, p.Style.Breadth())...)
		return p.Write(w.stdout)
	}
	for _, c := range doctor.Checks() {
		if c.ID != f.explain {
			continue
		}
		p.Title(c.ID)
		p.Item("looks for", c.Title)
		p.Item("why", c.Why)
		if c.Do != "" {
			p.Item("do", c.Do)
		}
		return p.Write(w.stdout)
	}
	return noCheck("explain", f.explain)
}
