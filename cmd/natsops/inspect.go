package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/natsops/natsops/internal/bench"
	"github.com/natsops/natsops/internal/hint"
	"github.com/natsops/natsops/internal/inspect"
	"github.com/natsops/natsops/internal/inspectreport"
	"github.com/natsops/natsops/internal/natsconn"
)

// inspectFlags is what commands that only read have in common: whom to ask, and
// for how long.
type inspectFlags struct {
	conn        natsconn.Config
	monitors    []string
	account     string
	allAccounts bool
	window      time.Duration
}

// questionTimeout bounds the wait for one answer, unless --timeout or NATS_TIMEOUT does. Questions
// are asked in parallel, so that a dead server costs this once.
const questionTimeout = 2 * time.Second

func (f *inspectFlags) add(cmd *cobra.Command, window string) {
	addConnectionFlags(cmd, &f.conn)
	flags := cmd.Flags()
	flags.StringSliceVar(&f.monitors, "monitor", nil, "ask the servers' monitoring endpoints at `URLS`; without --server nothing else")
	flags.StringVar(&f.account, "account", "", "look at account `NAME` only (needs the system account)")
	flags.BoolVar(&f.allAccounts, "all-accounts", false, "insist on seeing all accounts (needs the system account)")
	flags.Var(durationFlag(&f.window, window), "window", "watch for `DURATION` before judging; 0: one sample, which gives no rates")
}

func (f *inspectFlags) check() error {
	for _, m := range f.monitors {
		if err := checkMonitor(m); err != nil {
			return err
		}
	}
	if f.account != "" && f.allAccounts {
		return usagef("--account and --all-accounts exclude each other")
	}
	return nil
}

// refuseVoid returns an error for a flag that is given without a value, as
// --account "$UNSET" is: more would be looked at, or done, than was meant.
func refuseVoid(cmd *cobra.Command) (err error) {
	cmd.Flags().Visit(func(f *pflag.Flag) {
		kind, text := f.Value.Type(), f.Value.String()
		if kind == "string" && text == "" || kind == "stringSlice" && text == "[]" {
			err = usagef("--%s is given, but empty", f.Name)
		}
	})
	return err
}

// A session asks the servers of one place.
type session struct {
	collector *inspect.Collector
	conn      *nats.Conn // nil: only monitoring endpoints are asked
	target    string
	progress  *progress
	stderr    io.Writer
	trouble   string // why the last look failed, if it did
}

// open finds a way to ask. Only streams for which match is true are looked at.
func (f *inspectFlags) open(ctx context.Context, w world, match func(stream string) bool) (*session, error) {
	o := inspect.Options{
		Timeout: cmp.Or(f.conn.Timeout, questionTimeout), Account: f.account, Monitors: f.monitors, Match: match,
	}
	s := &session{progress: newProgress(w, true), stderr: w.stderr}
	if err := s.connect(ctx, w, f, &o); err != nil {
		return nil, err
	}
	var err error
	if s.collector, err = inspect.Open(ctx, s.conn, o); err != nil {
		s.close()
		return nil, err
	}
	if route := s.collector.Route(); route == inspect.RouteAccount && (f.account != "" || f.allAccounts) {
		s.close()
		return nil, hint.Wrap(usagef("--account and --all-accounts need the system account; these credentials see one account"),
			"--creds, --user or --context of a user in the system account")
	}
	return s, nil
}

func (s *session) connect(ctx context.Context, w world, f *inspectFlags, o *inspect.Options) error {
	if len(f.monitors) > 0 && f.conn == (natsconn.Config{Timeout: f.conn.Timeout}) {
		s.target = f.monitors[0]
		return nil
	}
	target, err := natsconn.Resolve(f.conn, w.getenv, natsconn.MayUseSelectedContext)
	if err != nil {
		return err
	}
	s.target = target.String()
	if w.getenv("NATS_TIMEOUT") != "" {
		o.Timeout = target.Timeout() // which a flag beats
	}
	if o.APIPrefix, err = apiPrefix(target); err != nil {
		return err
	}
	s.conn, err = target.Connect(ctx, "natsops "+w.version)
	return err
}

// apiPrefix is what subjects of the JetStream API begin with; "" for the usual.
func apiPrefix(target natsconn.Target) (string, error) {
	prefix := target.JSAPIPrefix()
	if domain := target.JSDomain(); domain != "" {
		prefix = "$JS." + domain + ".API"
	}
	if prefix == "" {
		return "", nil
	}
	if err := bench.CheckSubject(prefix, false); err != nil {
		return "", usagef("--js-domain or --js-api-prefix: %w", err)
	}
	return prefix, nil
}

func (s *session) close() {
	if s.collector != nil {
		s.collector.Close()
	}
	if s.conn != nil {
		s.conn.Close()
	}
}

// How samples are spread over the window.
const (
	sampleEvery = time.Second
	mostSamples = 10
)

// window takes samples over a time. When ctx ends it returns those that it has,
// with the cause. When the last ones cannot be taken, the others are not all that
// was asked for: that is a gap.
func (s *session) window(ctx context.Context, need inspect.Need, over time.Duration) ([]*inspect.Snapshot, error) {
	n := min(max(1, int(over/sampleEvery)), mostSamples)
	every := over / time.Duration(n)
	defer s.progress.clear()
	var taken []*inspect.Snapshot
	var lost error // why there was none after the last that was taken
	for begin, i := time.Now(), 0; i <= n; i++ {
		if i > 0 && over == 0 {
			break
		}
		if err := wait(ctx, time.Until(begin.Add(time.Duration(i)*every))); err != nil {
			return taken, err
		}
		s.progress.line(fmt.Sprintf("sample %d of %d", i+1, n+1))
		snapshot, err := s.collect(ctx, need)
		switch {
		case err != nil && ctx.Err() != nil:
			return taken, context.Cause(ctx)
		case err != nil && len(taken) == 0:
			return nil, unanswered{err}
		case err != nil:
			lost = err
			continue
		}
		taken, lost = append(taken, snapshot), nil
	}
	if lost != nil {
		last := *taken[len(taken)-1]
		last.Gaps = append(slices.Clone(last.Gaps), inspect.Gap{What: "the samples after " + last.At.Format(time.TimeOnly), Why: lost.Error()})
		taken[len(taken)-1] = &last
	}
	return taken, nil
}

// collect takes a snapshot of what can be had.
func (s *session) collect(ctx context.Context, need inspect.Need) (*inspect.Snapshot, error) {
	return s.collector.Collect(ctx, s.collector.Route().Can(need))
}

// complain says why a look failed, but not again and again.
func (s *session) complain(err error) {
	if text := err.Error(); text != s.trouble {
		s.trouble = text
		s.progress.clear()
		fmt.Fprintf(s.stderr, "natsops: %s; trying again\n", text)
	}
}

// oldest asks for the oldest messages of consumers.
func (s *session) oldest(ctx context.Context, lookups []inspect.Lookup) map[inspect.Key]inspect.Oldest {
	oldest := make(map[inspect.Key]inspect.Oldest, len(lookups))
	for i, found := range s.collector.Oldest(ctx, lookups) {
		oldest[lookups[i].Key] = found
	}
	return oldest
}

// wait returns early, with the cause, when ctx ends.
func wait(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-timer.C:
		return nil
	}
}

// The ends of an inspection that are no failure of ours.
var (
	errProblem    = errors.New("problem found")
	errIncomplete = errors.New("the answer is incomplete")
)

// An unanswered is the error of a look by which nothing was learnt.
type unanswered struct{ error }

func (unanswered) Is(target error) bool { return target == errIncomplete }

func (u unanswered) Unwrap() error { return u.error }

// incomplete is the error for a picture in which something is missing.
func incomplete(p inspectreport.Picture) error {
	if p.Complete {
		return nil
	}
	more := ""
	if n := len(p.Gaps) - 1; n > 0 {
		more = fmt.Sprintf(" (and %d more)", n)
	}
	return fmt.Errorf("%w: %s: %s%s", errIncomplete, p.Gaps[0].What, p.Gaps[0].Why, more)
}

// failOn is a severity from which on an inspection fails; more than Crit: never.
type failOn = inspect.Severity

const never failOn = inspect.Crit + 1

func parseFailOn(text string) (failOn, error) {
	if text == "never" {
		return never, nil
	}
	severity, err := inspect.ParseSeverity(text)
	if err != nil {
		err = usagef("--fail-on: %w", err)
	}
	return severity, err
}

func orWorse(from failOn) string {
	if from == inspect.Crit {
		return from.String()
	}
	return from.String() + " or worse"
}
