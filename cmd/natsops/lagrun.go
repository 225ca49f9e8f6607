package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/natsops/natsops/internal/hint"
	"github.com/natsops/natsops/internal/inspect"
	"github.com/natsops/natsops/internal/inspect/lag"
	"github.com/natsops/natsops/internal/inspectreport"
)

// A lagRun is one natsops lag under way.
type lagRun struct {
	lagConfig
	w       world
	session *session
	memory  *alarmMemory
}

// runLag looks once, or again and again.
func runLag(ctx context.Context, w world, cfg lagConfig) error {
	s, err := cfg.open(ctx, w, cfg.wantsStream)
	if err != nil {
		return err
	}
	defer s.close()
	window, interrupted := cfg.samples(ctx, s)
	if len(window) == 0 || interrupted != nil && cfg.output == "nagios" { // a plugin says one line
		return interrupted
	}
	r := lagRun{cfg, w, s, newAlarmMemory(w, cfg, s.target)}
	if r.memory.lost != nil {
		fmt.Fprintf(w.stderr, "natsops: cannot tell since when alarms last: %v\n", r.memory.lost)
	}
	err = r.look(ctx, window)
	switch {
	case interrupted != nil:
		return interrupted
	case cfg.watch > 0:
		err = r.watchOn(ctx, window, err)
	}
	return errors.Join(err, r.memory.save())
}

// samples takes the window, or only its first sample where a name that was asked
// for is not there, so that it can be said at once that it is misspelt.
func (c *lagConfig) samples(ctx context.Context, s *session) ([]*inspect.Snapshot, error) {
	if len(c.patterns) > 0 && c.window > 0 {
		first, err := s.window(ctx, lagNeed(), 0)
		if err != nil || len(first[0].Gaps) == 0 && c.absent(first) != nil {
			return first, err
		}
	}
	return s.window(ctx, lagNeed(), c.window)
}

func lagNeed() inspect.Need { return inspect.Need{Consumers: true, Events: true} }

// look judges a window and prints what came of it, which is also the error.
func (r *lagRun) look(ctx context.Context, window []*inspect.Snapshot) error {
	doc := r.judge(context.WithoutCancel(ctx), window)
	outcome := r.outcome(doc, window)
	if r.output == "nagios" && errors.Is(outcome, errAbsent) {
		return outcome // a plugin says one line
	}
	if err := r.write(doc); err != nil {
		return err
	}
	return outcome
}

func (r *lagRun) write(doc inspectreport.Lag) error {
	if r.watch > 0 && r.output == "json" {
		return inspectreport.WriteLagLine(r.w.stdout, doc)
	}
	return inspectreport.WriteLag(r.w.stdout, r.output, doc, r.w.style(r.w.stdout))
}

// watchOn looks again and again after a first look that ended with err: until
// Ctrl-C, which is how watching ends, until an alarm if one is waited for, or
// until nobody reads what is printed.
func (r *lagRun) watchOn(ctx context.Context, window []*inspect.Snapshot, err error) error {
	for {
		alarm, found := errors.Is(err, errProblem), errors.Is(err, errIncomplete) || errors.Is(err, errAbsent)
		if alarm && r.lasting > 0 || err != nil && !alarm && !found {
			return err
		}
		if window, err = r.session.slide(ctx, lagNeed(), window, r.watch); err != nil {
			if errors.Is(err, errInterrupted) {
				return nil
			}
			return err
		}
		if r.output == "table" {
			fmt.Fprintf(r.w.stdout, "\n%s\n", window[len(window)-1].At.Format(time.DateTime))
		}
		err = r.look(ctx, window)
	}
}

// slide waits, takes one more sample and forgets the oldest. A sample that
// cannot be taken is said and tried again.
func (s *session) slide(ctx context.Context, need inspect.Need, window []*inspect.Snapshot, every time.Duration) ([]*inspect.Snapshot, error) {
	for {
		if err := wait(ctx, every); err != nil {
			return window, err
		}
		next, err := s.collect(ctx, need)
		if ctx.Err() != nil {
			return window, context.Cause(ctx)
		}
		if err != nil {
			s.complain(err)
			continue
		}
		s.trouble = ""
		window = append(window, next)
		return window[max(0, len(window)-mostSamples):], nil
	}
}

// judge makes the verdicts and puts them into the form that was asked for.
func (r *lagRun) judge(ctx context.Context, window []*inspect.Snapshot) inspectreport.Lag {
	last := window[len(window)-1]
	lookups := lag.Lookups(last, r.thresholds, r.lookups)
	if r.verify {
		lookups = lag.Verifications(last)
	}
	lookups = slices.DeleteFunc(lookups, func(l inspect.Lookup) bool { return !r.wants(l.Key) })
	verdicts := lag.Judge(window, r.session.oldest(ctx, lookups), r.thresholds)
	verdicts = slices.DeleteFunc(verdicts, func(v lag.Verdict) bool {
		return !r.wants(v.Key) || len(r.only) > 0 && !matches(v, r.only)
	})
	lag.Sort(verdicts, r.order)
	return inspectreport.NewLag(inspectreport.LagInput{
		Version: r.w.version, Target: r.session.target, Window: window, Verdicts: verdicts, Shown: r.shown(verdicts),
		Thresholds: r.thresholds, For: r.lasting, Lasted: r.memory.look(last.At, verdicts, r.lasting), Explain: r.explain,
	})
}

// shown returns the verdicts to print.
func (c *lagConfig) shown(verdicts []lag.Verdict) []lag.Verdict {
	var shown []lag.Verdict
	for _, v := range verdicts {
		switch {
		case len(c.only) == 0 && !c.showAll && !c.names(v.Key) && !v.Notable():
		case c.top > 0 && len(shown) == c.top:
		default:
			shown = append(shown, v)
		}
	}
	return shown
}

func matches(v lag.Verdict, words []string) bool {
	return slices.Contains(words, string(v.Status)) ||
		slices.ContainsFunc(v.Tags, func(t lag.Tag) bool { return slices.Contains(words, string(t.Name)) })
}

// outcome is the error that a look ends with: a problem, what is missing, or
// that nothing fits what was asked for.
func (c *lagConfig) outcome(doc inspectreport.Lag, window []*inspect.Snapshot) error {
	absent := c.absent(window)
	switch bad := doc.Alarms(c.failOn); {
	case c.output == "nagios" && (absent == nil || doc.Plugin() != inspectreport.PluginOK):
		return pluginExit(doc.Plugin())
	case bad > 0:
		return fmt.Errorf("%w: %d of %d consumers: %s", errProblem, bad, doc.Totals.Consumers, orWorse(c.failOn))
	case !doc.Picture.Complete:
		return incomplete(doc.Picture)
	case doc.Totals.Unknown > 0:
		return fmt.Errorf("%w: nothing is known of %d consumers", errIncomplete, doc.Totals.Unknown)
	default:
		return absent
	}
}

// errAbsent is the lack of a consumer that was asked for.
var errAbsent = errors.New("no consumer matches")

// absent says for which pattern there is no consumer, and which has nearly the
// name, or had it at the beginning.
func (c *lagConfig) absent(window []*inspect.Snapshot) error {
	last := window[len(window)-1]
	for _, pattern := range c.patterns {
		if len(matching(pattern, last)) > 0 {
			continue
		}
		for _, s := range window {
			if gone := matching(pattern, s); len(gone) > 0 {
				return fmt.Errorf("%w %s any more: %s was deleted meanwhile", errAbsent, pattern, gone[0])
			}
		}
		err := usagef("%w %s", errAbsent, pattern)
		if near, found := hint.Nearest(pattern, matching("*/*", last)); found {
			return hint.Wrap(err, near)
		}
		return hint.Wrap(err, "natsops lag --all, which lists every consumer")
	}
	return nil
}

// matching returns the names of the consumers that a pattern stands for.
func matching(pattern string, s *inspect.Snapshot) []string {
	var names []string
	for _, c := range s.Consumers {
		if name := c.Stream + "/" + c.Name; fits(pattern, name) {
			names = append(names, name)
		}
	}
	return names
}
