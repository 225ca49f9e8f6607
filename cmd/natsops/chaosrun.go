package main

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	"github.com/natsops/natsops/internal/action"
	"github.com/natsops/natsops/internal/chaos"
	"github.com/natsops/natsops/internal/chaos/drill"
	"github.com/natsops/natsops/internal/chaos/fault"
	"github.com/natsops/natsops/internal/chaos/journal"
	"github.com/natsops/natsops/internal/chaosreport"
	"github.com/natsops/natsops/internal/quantity"
)

// What drills end with, besides success.
var (
	errUnrecovered = errors.New("not recovered")
	errUnhealed    = errors.New("not healed")
)

// runDrills runs drills one after the other, prints what came of them, and
// returns the worst. On clusters of our own each gets a new one. One that could
// not begin does not keep the others from it; one that could not be healed does.
func runDrills(ctx context.Context, w world, f *chaosFlags, drills []drill.Drill) error {
	var results []chaos.Result
	var failed error
	for i, d := range drills {
		result, err := runDrill(ctx, w, f, d, label(i, len(drills), d))
		if err == nil {
			results = append(results, result)
			err = f.keepHistory(result)
		}
		if err != nil && failed != nil {
			fmt.Fprintf(w.stderr, "natsops: drill %s: %v\n", d.Name, err)
		}
		if failed == nil {
			failed = err // told at the end
		}
		if ctx.Err() != nil || result.Verdict == chaos.HealFailed {
			break
		}
	}
	if len(results) == 0 {
		return failed
	}
	if err := f.print(w, results); err != nil {
		return err
	}
	if bad := worst(ctx, results); bad != nil {
		if failed != nil {
			fmt.Fprintf(w.stderr, "natsops: %v\n", failed)
		}
		return bad
	}
	return failed
}

func label(i, n int, d drill.Drill) string {
	if n == 1 {
		return d.Name
	}
	return fmt.Sprintf("[%d/%d] %s", i+1, n, d.Name)
}

// runDrill runs one drill at the target or on a cluster of its own.
func runDrill(ctx context.Context, w world, f *chaosFlags, d drill.Drill, label string) (result chaos.Result, err error) {
	a, err := openArena(ctx, w, f, d)
	if err != nil {
		return result, err
	}
	defer func() { err = errors.Join(err, a.close()) }()
	id := newRunID()
	env, shut, err := a.env(ctx, w, id, f.seedOr())
	defer shut()
	if err != nil {
		return result, err
	}
	defer a.doors(&env, d)()
	env.Destructive, env.Keep = f.destructive, f.keep
	env.Perform = f.door(w, a, d)
	dir, err := chaosDir(w)
	if err != nil {
		return result, err
	}
	release, err := journal.Lock(dir, lockName(a))
	if err != nil {
		return result, err
	}
	defer release()
	j, err := beginJournal(w, dir, a, env, d)
	if err != nil {
		return result, err
	}
	env.Journal = j
	p := newProgress(w, true)
	env.Progress = func(now chaos.Progress) { p.line(label + "  " + progressText(now)) }
	result, err = chaos.Run(ctx, d, env)
	p.clear()
	return result, errors.Join(err, endJournal(dir, j, id, result, err))
}

// progressText is a line about a moment of a drill.
func progressText(now chaos.Progress) string {
	parts := []string{string(now.Phase), now.Elapsed.Round(time.Second).String(), quantity.FormatRate(now.Rate)}
	if now.P99 > 0 {
		parts = append(parts, "p99 "+quantity.FormatDuration(now.P99))
	}
	parts = append(parts, fmt.Sprintf("%d errors", now.Errors))
	if now.ETA > 0 {
		parts = append(parts, "ETA "+now.ETA.Round(time.Second).String())
	}
	return strings.Join(append(parts, now.Text), "  ")
}

// seedOr is the seed that was given, or a new one.
func (f *chaosFlags) seedOr() uint64 {
	if f.seed != 0 {
		return f.seed
	}
	var b [8]byte
	_, _ = rand.Read(b[:])                       // never fails
	return binary.BigEndian.Uint64(b[:])>>11 | 1 // which JSON readers of all languages can hold
}

// newRunID returns letters and digits that nobody else has.
func newRunID() string { return strings.ToLower(rand.Text()[:8]) }

// lockName is what only one process of this machine may break at a time. Labs
// are each their own.
func lockName(a *arena) string {
	if a.cluster != nil {
		return a.cluster.URL()
	}
	return strings.Join(a.servers, ",")
}

// chaosDir is where journals are kept.
func chaosDir(w world) (string, error) {
	dir, err := action.StateDir(runtime.GOOS, w.getenv)
	if err != nil {
		return "", fmt.Errorf("%w: %w", journal.ErrJournal, err)
	}
	return filepath.Join(dir, "chaos"), nil
}

func beginJournal(w world, dir string, a *arena, env chaos.Env, d drill.Drill) (*journal.Journal, error) {
	started, err := fault.ProcessStarted(os.Getpid())
	if err != nil {
		return nil, err
	}
	return journal.Create(dir, journal.Begin{
		ID: env.ID, Drill: d.Name, PID: os.Getpid(), Started: started, Version: w.version, Seed: env.Seed,
		Time: time.Now().UTC(), Lab: env.Owned, Stream: chaos.StreamName,
		Target: journal.Target{Servers: a.app.Servers(), Context: a.app.Context(), Cluster: env.App.ConnectedClusterName()},
	})
}

// endJournal closes the journal, and forgets it when nothing is left to undo.
func endJournal(dir string, j *journal.Journal, id string, r chaos.Result, failed error) error {
	verdict := string(r.Verdict)
	if failed != nil {
		verdict = "refused"
	}
	err := errors.Join(j.End(verdict), j.Close())
	if err != nil {
		return err
	}
	runs, err := journal.Open(dir, journal.Alive)
	for _, run := range runs {
		if run.ID == id && len(run.Open) == 0 {
			return journal.Remove(dir, id)
		}
	}
	return err
}

// door is what a drill at somebody else's cluster has to go through. On our own
// there is none.
func (f *chaosFlags) door(w world, a *arena, d drill.Drill) func(context.Context, chaos.Plan, func(context.Context) error) error {
	if a.cluster != nil {
		return nil
	}
	return func(ctx context.Context, plan chaos.Plan, do func(context.Context) error) error {
		path, err := action.Path(runtime.GOOS, w.getenv)
		if err != nil {
			return err
		}
		door := action.Door{
			Audit: action.NewLog(path), Now: time.Now, Who: action.Who(), Version: w.version, Servers: a.servers,
			Confirm: func(ctx context.Context, deed action.Action) (bool, error) { return f.ask(ctx, w, plan, deed) },
		}
		_, err = door.Perform(ctx, action.Action{
			Name: "chaos.drill", Target: "drill " + d.Name + " on " + a.name, Object: clusterName(plan.Target),
			Impact: impact(plan), Risk: action.Disruptive,
			Check: func(context.Context) error { return nil }, // the drill itself looks whether the system is well, right before
			Do: func(ctx context.Context) (action.Outcome, error) {
				err := do(ctx)
				return action.Outcome{Summary: "drill " + d.Name + " has ended"}, err
			},
		})
		return err
	}
}

// ask shows the plan and asks for the name of the cluster.
func (f *chaosFlags) ask(ctx context.Context, w world, plan chaos.Plan, deed action.Action) (bool, error) {
	switch {
	case f.yes:
		return true, nil
	case f.confirm != "":
		return action.Accepts(deed, f.confirm), nil
	}
	if err := chaosreport.WritePlan(w.stderr, w.version, plan, w.style(w.stderr)); err != nil {
		return false, err
	}
	return askOnTerminal(ctx, w, deed)
}

// impact is what the audit log says of a plan.
func impact(plan chaos.Plan) []string {
	var all []string
	if l := plan.Drill.Load; l.Rate > 0 {
		all = append(all, fmt.Sprintf("stream %s is made, and each publisher sends %s of %s", chaos.StreamName, quantity.FormatRate(l.Rate), quantity.FormatSize(float64(l.Size))))
	}
	for _, s := range plan.Strikes {
		victims := strings.Join(s.Victims, ", ")
		if s.Later != "" {
			victims = "victims that are chosen later (" + s.Later + ")"
		}
		all = append(all, fmt.Sprintf("%s hits %s for %s", s.Spec.Kind, victims, quantity.FormatDuration(s.Spec.For)))
	}
	return all
}

// print writes the results, to stdout and to the files that were asked for.
func (f *chaosFlags) print(w world, results []chaos.Result) error {
	docs := make([]chaosreport.Document, len(results))
	for i, r := range results {
		docs[i] = chaosreport.New(w.version, r)
	}
	for file, format := range map[string]string{f.junit: "junit", f.save: "json"} {
		if file == "" {
			continue
		}
		err := save(file, 0o644, func(out io.Writer) error { return writeDocuments(out, format, w, docs) })
		if err != nil {
			return fmt.Errorf("cannot save the result: %w", cause(err))
		}
	}
	return writeDocuments(w.stdout, f.output, w, docs)
}

// writeDocuments writes one result as such, and several as a suite.
func writeDocuments(out io.Writer, format string, w world, docs []chaosreport.Document) error {
	if len(docs) == 1 {
		return chaosreport.WriteDrill(out, format, docs[0], w.style(out))
	}
	return chaosreport.WriteSuite(out, format, chaosreport.Suite{Version: w.version, Drills: docs}, w.style(out))
}

// keepHistory writes what happened to every message, a JSON object a line, to
// the file that was asked for. Of several drills the last one stays.
func (f *chaosFlags) keepHistory(r chaos.Result) error {
	if f.history == "" {
		return nil
	}
	err := save(f.history, 0o644, func(out io.Writer) error { return chaosreport.WriteHistory(out, r) })
	if err != nil {
		return fmt.Errorf("cannot save the history: %w", cause(err))
	}
	return nil
}

// worst is the error for the worst of the results; nil: all passed.
func worst(ctx context.Context, results []chaos.Result) error {
	var all []error
	for _, r := range results {
		if r.Verdict == chaos.Passed {
			continue
		}
		why := string(r.Verdict)
		if len(r.Why) > 0 {
			why = r.Why[0]
		}
		all = append(all, verdictError{r.Verdict, fmt.Errorf("drill %s: %s", r.Drill.Name, why), context.Cause(ctx)})
	}
	if len(all) == 0 {
		return nil
	}
	worst := all[0]
	for _, err := range all[1:] {
		if severity(err) > severity(worst) {
			worst = err
		}
	}
	return worst
}

// previewDrills shows what drills would do.
func previewDrills(ctx context.Context, w world, f *chaosFlags, drills []drill.Drill) error {
	for _, d := range drills {
		plan, err := previewDrill(ctx, w, f, d)
		if err != nil {
			return err
		}
		if err := chaosreport.WriteDryRun(w.stdout, f.output, w.version, plan, w.style(w.stdout)); err != nil {
			return err
		}
	}
	return nil
}

func previewDrill(ctx context.Context, w world, f *chaosFlags, d drill.Drill) (plan chaos.Plan, err error) {
	a, err := openArena(ctx, w, f, d)
	if err != nil {
		return plan, err
	}
	defer func() { err = errors.Join(err, a.close()) }()
	env, shut, err := a.env(ctx, w, newRunID(), f.seedOr())
	defer shut()
	if err != nil {
		return plan, err
	}
	defer a.doors(&env, d)()
	env.Destructive, env.Journal = f.destructive, unwritten{}
	return chaos.Preview(ctx, d, env)
}

// An unwritten journal is that of a dry run.
type unwritten struct{}

func (unwritten) Undo(int, []fault.Undo) error { return nil }
func (unwritten) Injected(int) error           { return nil }
func (unwritten) Healed(int) error             { return nil }

// severity orders what a command ends with when several drills failed.
func severity(err error) int {
	order := []chaos.Verdict{chaos.Inconclusive, chaos.NotSteady, chaos.Failed, chaos.Aborted, chaos.NotRecovered, chaos.Interrupted, chaos.HealFailed}
	v, _ := errors.AsType[verdictError](err)
	for i, verdict := range order {
		if v.verdict == verdict {
			return i
		}
	}
	return -1
}

// A verdictError is the end of a drill that did not pass.
type verdictError struct {
	verdict chaos.Verdict
	error
	cause error // of an interrupt
}

func (e verdictError) Is(target error) bool {
	switch e.verdict {
	case chaos.Failed, chaos.NotSteady, chaos.Aborted:
		return target == errObjectiveMissed
	case chaos.NotRecovered:
		return target == errUnrecovered
	case chaos.HealFailed:
		return target == errUnhealed
	case chaos.Inconclusive:
		return target == errIncomplete
	case chaos.Interrupted:
		return errors.Is(e.cause, target)
	case chaos.Passed:
	}
	return false
}

func (e verdictError) Unwrap() error { return e.error }
