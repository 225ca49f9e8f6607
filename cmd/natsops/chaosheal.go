package main

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/natsops/natsops/internal/action"
	"github.com/natsops/natsops/internal/chaos"
	"github.com/natsops/natsops/internal/chaos/fault"
	"github.com/natsops/natsops/internal/chaos/journal"
	"github.com/natsops/natsops/internal/chaosreport"
	"github.com/natsops/natsops/internal/hint"
	"github.com/natsops/natsops/internal/natsconn"
)

func newChaosStatusCommand(w world) *cobra.Command {
	var f chaosFlags
	cmd := &cobra.Command{
		Use:   "status",
		Short: "Show which drills run, and what dead ones left behind",
		Long: `Shows the drills of this machine that are running, and those whose process died
before they had healed what they broke, with what is left to undo. Drills that
ended in good order leave nothing to show. It reads journals on disk, and asks
no server.

Exit code 5: something is left to undo.`,
		Example: `  natsops chaos status
  natsops chaos status -o json`,
		Args: between(0, 0),
		RunE: func(*cobra.Command, []string) error {
			dir, err := chaosDir(w)
			if err != nil {
				return err
			}
			runs, unread := journal.Open(dir, journal.Alive)
			if err := chaosreport.WriteStatus(w.stdout, f.output, w.version, runs, w.style(w.stdout)); err != nil {
				return err
			}
			for _, r := range runs {
				if r.State != journal.Running && len(r.Open) > 0 {
					return errors.Join(unread, hint.Wrap(fmt.Errorf("%w: drill %s left something behind", errProblem, r.Drill), "natsops chaos heal"))
				}
			}
			return unread
		},
	}
	f.addOutput(cmd, "table", "json")
	return cmd
}

func newChaosHealCommand(w world) *cobra.Command {
	var f chaosFlags
	cmd := &cobra.Command{
		Use:   "heal",
		Short: "Undo what drills left behind whose process died",
		Long: `Undoes what drills left behind whose process was killed before they could: it
resumes consumers, continues processes, removes streams and consumers that bear
the mark of the drill. What somebody else has changed since is left alone. It
may be run again, and while other drills are running.

Drills on somebody else's cluster need the way to it: give the same --server or
--context as the drill had. What was left of a cluster of our own has died with
it.`,
		Example: `  natsops chaos heal
  natsops chaos heal --context staging`,
		Args: between(0, 0),
		RunE: func(cmd *cobra.Command, _ []string) error {
			return healAll(cmd.Context(), w, &f)
		},
	}
	f.addTarget(cmd)
	return cmd
}

// healAll undoes what dead drills left behind.
func healAll(ctx context.Context, w world, f *chaosFlags) error {
	dir, err := chaosDir(w)
	if err != nil {
		return err
	}
	runs, unread := journal.Open(dir, journal.Alive)
	var failed []error
	healed := 0
	for _, run := range runs {
		if run.State == journal.Running {
			continue
		}
		if err := healRun(ctx, w, f, run); err != nil {
			failed = append(failed, fmt.Errorf("drill %s of %s: %w", run.Drill, run.Time.Local().Format("2006-01-02 15:04"), err))
			continue
		}
		if err := journal.Remove(dir, run.ID); err != nil {
			return err
		}
		healed++
	}
	if len(failed) > 0 {
		return verdictError{chaos.HealFailed, hint.Wrap(errors.Join(failed...), "the same --server or --context as the drill had"), nil}
	}
	if healed == 0 {
		fmt.Fprintln(w.stdout, "Nothing is left to heal.")
	}
	return unread
}

// healRun undoes what a run left behind, and says so.
func healRun(ctx context.Context, w world, f *chaosFlags, run journal.Run) error {
	site := fault.Site{Mark: "natsops-chaos-" + run.ID}
	if needsServer(run) {
		target, err := healTarget(w, f, run)
		if err != nil {
			return err
		}
		a := &arena{app: target}
		if site.App, err = target.Connect(ctx, site.Mark+" heal"); err != nil {
			return err
		}
		defer site.App.Close()
		if site.JS, err = a.jetStream(site.App); err != nil {
			return err
		}
		return onRecord(ctx, w, target.Servers(), action.Action{
			Name: "chaos.heal", Target: "what drill " + run.Drill + ", run " + run.ID + ", left behind", Impact: undoTexts(run.Open),
			Do: func(ctx context.Context) (action.Outcome, error) {
				return action.Outcome{Summary: "healed"}, revertAll(ctx, w, run, site)
			},
		})
	}
	return revertAll(ctx, w, run, site)
}

func undoTexts(undos []fault.Undo) []string {
	var texts []string
	for _, u := range undos {
		texts = append(texts, u.String())
	}
	return texts
}

// onRecord does what the command line has asked for already, and nothing else:
// nobody has to be asked again, but it goes into the audit log.
func onRecord(ctx context.Context, w world, servers []string, deed action.Action) error {
	path, err := action.Path(runtime.GOOS, w.getenv)
	if err != nil {
		return err
	}
	deed.Risk = action.Safe
	deed.Check = func(context.Context) error { return nil } // each undo looks for itself
	_, err = action.Door{
		Confirm: action.Answered("yes"), Audit: action.NewLog(path), Now: time.Now, Who: action.Who(), Version: w.version, Servers: servers,
	}.Perform(ctx, deed)
	return err
}

// revertAll undoes what a run left behind, the last first.
func revertAll(ctx context.Context, w world, run journal.Run, site fault.Site) error {
	var failed []error
	for _, u := range slices.Backward(run.Open) {
		if run.Lab && u.Kind != fault.UndoStop {
			continue // it died with the cluster
		}
		done, err := fault.Revert(ctx, u, site)
		if err != nil {
			failed = append(failed, err)
			continue
		}
		fmt.Fprintf(w.stdout, "%s: %s\n", run.Drill, done)
	}
	if len(failed) == 0 && len(run.Open) > 0 {
		fmt.Fprintf(w.stdout, "%s: healed\n", run.Drill)
	}
	return errors.Join(failed...)
}

// needsServer reports whether a server has to be asked.
func needsServer(run journal.Run) bool {
	if run.Lab {
		return false
	}
	for _, u := range run.Open {
		if u.Kind != fault.UndoStop {
			return true
		}
	}
	return false
}

// healTarget is where the run was: as the flags say, or else as its journal does.
func healTarget(w world, f *chaosFlags, run journal.Run) (natsconn.Target, error) {
	target, err := natsconn.Resolve(f.conn, w.getenv, natsconn.OnlyExplicit)
	if !errors.Is(err, natsconn.ErrNoTarget) {
		return target, err
	}
	c := f.conn
	if run.Target.Context != "" {
		c.Context = run.Target.Context
	} else {
		c.Servers = strings.Join(run.Target.Servers, ",")
	}
	return natsconn.Resolve(c, w.getenv, natsconn.OnlyExplicit)
}

func newChaosHaltCommand(w world) *cobra.Command {
	var f chaosFlags
	var release bool
	cmd := &cobra.Command{
		Use:   "halt",
		Short: "Pull the safety lever: every drill stops, and none begins",
		Long: `Pulls the safety lever of a cluster: drills that are running there, on whatever
machine, heal what they broke and stop within seconds, and none begins until
the lever is released. The lever is key "halt" of the key-value bucket
"natsops_chaos" in the account of the drill; nats kv put does the same.`,
		Example: `  natsops chaos halt --context staging
  natsops chaos halt --context staging --release`,
		Args: between(0, 0),
		RunE: func(cmd *cobra.Command, _ []string) error {
			return pullLever(cmd.Context(), w, &f, !release)
		},
	}
	f.addTarget(cmd)
	cmd.Flags().BoolVar(&release, "release", false, "let drills run again")
	return cmd
}

func pullLever(ctx context.Context, w world, f *chaosFlags, pull bool) error {
	target, err := natsconn.Resolve(f.conn, w.getenv, natsconn.OnlyExplicit)
	if err != nil {
		return err
	}
	nc, err := target.Connect(ctx, "natsops "+w.version)
	if err != nil {
		return err
	}
	defer nc.Close()
	js, err := (&arena{app: target}).jetStream(nc)
	if err != nil {
		return err
	}
	err = onRecord(ctx, w, target.Servers(), action.Action{
		Name: "chaos.halt", Target: fmt.Sprintf("the safety lever of %s, pulled: %t", target, pull),
		Do: func(ctx context.Context) (action.Outcome, error) {
			return action.Outcome{Summary: "moved"}, chaos.PullLever(ctx, js, pull)
		},
	})
	if err != nil {
		return fmt.Errorf("cannot move the safety lever: %w", err)
	}
	if pull {
		fmt.Fprintln(w.stdout, "The safety lever is pulled: drills stop, and none begins.")
	} else {
		fmt.Fprintln(w.stdout, "The safety lever is released: drills may run.")
	}
	return nil
}
