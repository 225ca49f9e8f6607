package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/natsops/natsops/internal/hint"
	"github.com/natsops/natsops/internal/inspect"
	"github.com/natsops/natsops/internal/inspect/lag"
	"github.com/natsops/natsops/internal/inspectreport"
)

// runLag looks once, or again and again.
func runLag(ctx context.Context, w world, cfg lagConfig) error {
	s, err := cfg.open(ctx, w, cfg.wantsStream)
	if err != nil {
		return err
	}
	defer s.close()
	need := inspect.Need{Consumers: true, Events: true}
	window, interrupted := s.window(ctx, need, cfg.window)
	if len(window) == 0 || interrupted != nil && cfg.output == "nagios" { // a plugin says one line
		return interrupted
	}
	memory := newAlarmMemory(w, cfg, s.target)
	if memory.lost != nil {
		fmt.Fprintf(w.stderr, "natsops: cannot tell since when alarms last: %v\n", memory.lost)
	}
	for {
		doc := cfg.judge(context.WithoutCancel(ctx), w, s, window, memory)
		if err := inspectreport.WriteLag(w.stdout, cfg.output, doc, w.style(w.stdout)); err != nil {
			return err
		}
		if interrupted != nil {
			return interrupted
		}
		err := cfg.outcome(doc, window)
		if cfg.watch == 0 || cfg.lasting > 0 && errors.Is(err, errProblem) {
			return errors.Join(err, memory.save())
		}
		if window, err = s.slide(ctx, need, window, cfg.watch); err != nil {
			if errors.Is(err, errInterrupted) {
				return memory.save() // Ctrl-C is how watching ends
			}
			return errors.Join(err, memory.save())
		}
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
			s.progress.line(err.Error())
			continue
		}
		window = append(window, next)
		return window[max(0, len(window)-mostSamples):], nil
	}
}

// judge makes the verdicts and puts them into the form that was asked for.
func (c *lagConfig) judge(ctx context.Context, w world, s *session, window []*inspect.Snapshot, memory *alarmMemory) inspectreport.Lag {
	last := window[len(window)-1]
	lookups := lag.Lookups(last, c.thresholds, c.lookups)
	if c.verify {
		lookups = lag.Verifications(last)
	}
	lookups = slices.DeleteFunc(lookups, func(l inspect.Lookup) bool { return !c.wants(l.Key) })
	verdicts := lag.Judge(window, s.oldest(ctx, lookups), c.thresholds)
	verdicts = slices.DeleteFunc(verdicts, func(v lag.Verdict) bool { return !c.wants(v.Key) })
	lag.Sort(verdicts, c.order)
	return inspectreport.NewLag(inspectreport.LagInput{
		Version: w.version, Target: s.target, Window: window, Verdicts: verdicts, Shown: c.shown(verdicts),
		Thresholds: c.thresholds, For: c.lasting, Lasted: memory.look(last.At, verdicts, c.lasting), Explain: c.explain,
	})
}

// shown returns the verdicts to print.
func (c *lagConfig) shown(verdicts []lag.Verdict) []lag.Verdict {
	var shown []lag.Verdict
	for _, v := range verdicts {
		switch {
		case len(c.only) > 0 && !matches(v, c.only):
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
	switch bad := doc.Alarms(c.failOn); {
	case c.output == "nagios":
		return pluginExit(doc.Plugin())
	case bad > 0:
		return fmt.Errorf("%w: %d of %d consumers: %s or worse", errProblem, bad, doc.Totals.Consumers, c.failOn)
	case !doc.Picture.Complete:
		return incomplete(doc.Picture)
	case doc.Totals.Unknown > 0:
		return fmt.Errorf("%w: nothing is known of %d consumers", errIncomplete, doc.Totals.Unknown)
	case doc.Totals.Consumers == 0 && len(c.patterns) > 0:
		return nobody(c.patterns, window[len(window)-1])
	default:
		return nil
	}
}

// nobody says that no consumer has the name, and which has nearly.
func nobody(patterns []string, s *inspect.Snapshot) error {
	err := usagef("no consumer matches %s", strings.Join(patterns, " "))
	var names []string
	for _, c := range s.Consumers {
		names = append(names, c.Key().String())
	}
	if near, found := hint.Nearest(patterns[0], names); found {
		return hint.Wrap(err, near)
	}
	return hint.Wrap(err, "natsops lag --all, which lists every consumer")
}
