package main

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/natsops/natsops/internal/chaos/drill"
	"github.com/natsops/natsops/internal/chaos/watchdog"
	"github.com/natsops/natsops/internal/chaosreport"
	"github.com/natsops/natsops/internal/natsconn"
)

// chaosFlags is what the command lines of commands that break something have in
// common.
type chaosFlags struct {
	conn   natsconn.Config
	system systemFlags

	output, junit, save, history string

	seed                           uint64
	hold, observe                  time.Duration // 0: as the drill has it
	rate                           float64       // 0: as the drill has it
	replicas                       int           // 0: as the drill has it
	like                           string
	expect                         string
	maxVictims                     int
	dryRun, yes, destructive, keep bool
	confirm                        string

	processes, restarts map[string]string // by server
}

const chaosSafety = `Without --server, --context, NATS_URL or NATS_CONTEXT it runs on a cluster of
its own: three servers on this machine whose links and processes it may break,
which go with it. A selected context is never taken. On any other cluster it
shows what it will do and asks for the cluster's name (--yes or --confirm in
scripts), uses a stream of its own, heals what it broke even when it is
interrupted, and writes an audit log.`

func newChaosCommand(w world) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "chaos",
		Short: "Break NATS on purpose and prove what happened",
		Long: `Runs drills: each proves that a system is well, breaks something, heals it, and
proves from the history of every message what was lost, stored twice, delivered
twice or reordered, for how long writes were out and how fast they came back.

` + chaosSafety,
		Example: `  natsops chaos list
  natsops chaos drill kill-node
  natsops chaos drill partition-leader --hold 30s -o markdown
  natsops chaos suite --junit chaos.xml
  natsops chaos kill-connections --client 'billing-*' --context staging
  natsops chaos status`,
		Args: noCommand,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(
		newChaosListCommand(w),
		newChaosDescribeCommand(w),
		newChaosDrillCommand(w),
		newChaosRunCommand(w),
		newChaosSuiteCommand(w),
		newChaosKillCommand(w),
		newChaosStallCommand(w),
		newChaosSelftestCommand(w),
		newChaosStatusCommand(w),
		newChaosHealCommand(w),
		newChaosHaltCommand(w),
	)
	return cmd
}

// addTarget adds the flags that say what is broken.
func (f *chaosFlags) addTarget(cmd *cobra.Command) {
	addConnectionFlags(cmd, &f.conn)
	flags := cmd.Flags()
	flags.StringVar(&f.system.context, "system-context", "", "take the settings of the context `NAME` for the system account")
	flags.StringVar(&f.system.creds, "system-creds", "", "log in to the system account with the credentials in `FILE`")
	flags.StringVar(&f.system.user, "system-user", "", "log in to the system account as `NAME`")
	flags.StringVar(&f.system.password, "system-password", "", "log in to the system account with `PASSWORD`")
}

// addRun adds the flags of a drill.
func (f *chaosFlags) addRun(cmd *cobra.Command) {
	f.addTarget(cmd)
	flags := cmd.Flags()
	flags.Var(durationFlag(&f.observe, ""), "observe", "watch for `DURATION` after the last heal, since healing can hurt more than the fault (default 30s)")
	flags.Var(numberFlag(&f.seed, 0, 0, 1<<53), "seed", "choose victims as the run with seed `N` did (0: a new one)")
	flags.StringVar(&f.expect, "slo", "", "expect `OBJECTIVES` besides those of the drill, for example 'recover<5s,lost==0'")
	flags.Var(countFlag(&f.maxVictims, 0), "max-victims", "refuse to hit more than `N` servers, connections or consumers")
	flags.BoolVar(&f.dryRun, "dry-run", false, "show what would be done, to the subject and the payload, and do nothing")
	flags.BoolVar(&f.yes, "yes", false, "do not ask, on a cluster that is not our own")
	flags.StringVar(&f.confirm, "confirm", "", "the answer to the question, for scripts: the `NAME` of the cluster")
	flags.BoolVar(&f.destructive, "destructive", false, "allow faults that nobody else can undo, on a cluster that is not our own")
	flags.StringToStringVar(&f.processes, "process", nil, "the process of a server on this machine that may be broken, as `NAME=PIDFILE` (repeatable)")
	flags.StringToStringVar(&f.restarts, "restart", nil, "the shell command that starts it again, as `NAME=COMMAND`; without, its supervisor has to")
	for _, name := range []string{"process", "restart"} {
		flags.Lookup(name).DefValue = "" // or the help shows an empty list
	}
	flags.StringVar(&f.junit, "junit", "", "write a JUnit report to `FILE` as well")
	flags.StringVar(&f.save, "save", "", "write the result as JSON to `FILE` as well")
	f.addOutput(cmd, chaosreport.Formats()...)
}

// addLoad adds the flags of the load.
func (f *chaosFlags) addLoad(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.Var(durationFlag(&f.hold, ""), "hold", "leave each fault in place for `DURATION` (default: as the drill has it)")
	flags.Var(rateFlag(&f.rate), "rate", "publish at `RATE` with each publisher (default: as the drill has it)")
	flags.Var(numberFlag(&f.replicas, 0, 0, 5), "replicas", "keep the drill's stream in `N` replicas (0: as the drill has it)")
	flags.StringVar(&f.like, "like-stream", "", "make the drill's stream after stream `NAME`: replicas, storage, placement, compression")
	flags.StringVar(&f.history, "history", "", "write the history of every message to `FILE`, a JSON object a line")
	flags.BoolVar(&f.keep, "keep", false, "leave the drill's stream behind, to look at it; natsops chaos heal removes it")
}

func (f *chaosFlags) addOutput(cmd *cobra.Command, words ...string) {
	cmd.Flags().VarP(choice(&f.output, words...), "output", "o", "print the result as `FORMAT`: "+strings.Join(words, ", "))
	completeChoices(cmd, "output")
}

// check refuses what no drill could do with.
func (f *chaosFlags) check(cmd *cobra.Command) error {
	if err := refuseVoid(cmd); err != nil {
		return err
	}
	if f.dryRun && (f.yes || f.confirm != "") {
		return usagef("--dry-run does nothing that could be confirmed; leave --yes and --confirm out")
	}
	if f.dryRun && !slices.Contains(planFormats(), f.output) {
		return usagef("--dry-run prints %s, not %s", strings.Join(planFormats(), " or "), f.output)
	}
	for name := range f.restarts {
		if f.processes[name] == "" {
			return usagef("--restart %s needs --process %s=PIDFILE", name, name)
		}
	}
	for _, file := range []string{f.junit, f.save, f.history} {
		if err := checkSave(file); err != nil {
			return err
		}
	}
	return nil
}

func planFormats() []string { return []string{"table", "json"} }

// adjust returns d as the flags want it.
func (f *chaosFlags) adjust(d drill.Drill) (drill.Drill, error) {
	if f.hold > 0 {
		d = d.Holding(f.hold)
	}
	if f.observe > 0 {
		d.Observe = f.observe
	}
	if f.hold > 0 || f.observe > 0 || d.Unloaded() { // whoever says how long it takes means it
		d.Limits.MaxTime = max(d.Limits.MaxTime, d.Span()+d.Observe+d.Steady.Limit+time.Minute)
	}
	d.Load = f.adjustLoad(d.Load)
	if f.maxVictims > 0 {
		d.Limits.MaxVictims = f.maxVictims
	}
	if f.expect != "" {
		more, err := drill.ParseExpect(f.expect)
		if err != nil {
			return d, usagef("--slo: %w", err)
		}
		d.Expect = append(slices.Clone(d.Expect), more...)
	}
	return d, d.Check()
}

// adjustLoad returns l as the flags want it.
func (f *chaosFlags) adjustLoad(l drill.Load) drill.Load {
	if f.rate > 0 && l.Rate > 0 {
		l.Rate = f.rate
	}
	if f.replicas > 0 {
		l.Replicas = f.replicas
	}
	if f.like != "" {
		l.LikeStream = f.like
	}
	return l
}

// newWatchdogCommand returns the hidden command that continues processes which
// a drill has stopped, when the drill cannot.
func newWatchdogCommand(w world) *cobra.Command {
	return &cobra.Command{
		Use:    watchdog.Command,
		Hidden: true,
		Args:   between(0, 0),
		RunE: func(*cobra.Command, []string) error {
			return watchdog.Serve(context.Background(), w.stdin, w.stdout)
		},
	}
}
