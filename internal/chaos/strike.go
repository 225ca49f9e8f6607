package chaos

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/natsops/natsops/internal/chaos/fault"
	"github.com/natsops/natsops/internal/hint"
)

// A blow is a fault under way.
type blow struct {
	n      int // in the journal
	spec   fault.Spec
	strike *fault.Strike // nil: not aimed yet
	index  int           // in Result.Faults; -1: not injected

	healing sync.Mutex
	healed  bool
}

// breakAndHeal aims all faults, injects each at its time and heals each at its
// time, or all when ctx ends. An error says that nothing was injected.
func (r *run) breakAndHeal(ctx context.Context) error {
	if len(r.drill.Faults) == 0 {
		r.phase(PhaseFault)
		return nil
	}
	plan, blows, err := r.aim(ctx)
	if err != nil {
		return err
	}
	if err := within(r.drill.Limits, r.result.Target, r.replicas, plan.Strikes); err != nil {
		return err
	}
	r.phase(PhaseFault)
	defer r.healAll(ctx, blows) // after a panic, too
	r.strike(ctx, blows)
	return nil
}

// foresee tells what can be told before anything is made.
func (r *run) foresee(ctx context.Context) (Plan, error) {
	plan := Plan{Drill: r.drill, Target: r.result.Target}
	for i, spec := range r.drill.Faults {
		p, _, err := r.aimOne(ctx, spec)
		switch {
		case errors.Is(err, fault.ErrNoVictim) && r.arena != nil && ours(spec.Victim):
			p.Later = "the load is not there yet"
		case err != nil:
			return plan, fmt.Errorf("fault %d: %w", i+1, err)
		}
		plan.Strikes = append(plan.Strikes, p)
	}
	return plan, nil
}

// ours reports whether a victim is among what the drill makes, or a server.
func ours(v fault.Victim) bool {
	return v.Stream == "" && v.Client == "" && v.User == "" && v.Account == "" && v.Subject == "" && v.CID == 0
}

// aim finds the victims of all faults.
func (r *run) aim(ctx context.Context) (Plan, []*blow, error) {
	plan := Plan{Drill: r.drill, Target: r.result.Target}
	var blows []*blow
	for i, spec := range r.drill.Faults {
		p, strike, err := r.aimOne(ctx, spec)
		if err != nil {
			return plan, nil, fmt.Errorf("fault %d: %w", i+1, err)
		}
		plan.Strikes = append(plan.Strikes, p)
		blows = append(blows, &blow{n: arenaUndo + 1 + i, spec: p.Spec, strike: strike, index: -1})
	}
	return plan, blows, nil
}

// aimOne finds the victims of a fault, if it is allowed there.
func (r *run) aimOne(ctx context.Context, spec fault.Spec) (Planned, *fault.Strike, error) {
	kind, err := fault.Lookup(spec.Kind)
	if err != nil {
		return Planned{Spec: spec}, nil, err
	}
	if spec.For == 0 {
		spec.For = kind.Default
	}
	p := Planned{Spec: spec, Class: kind.Class}
	strike, err := spec.Aim(ctx, r.site())
	if err != nil {
		return p, nil, err
	}
	if kind.Class == fault.Remains && !r.env.Owned && !r.env.Destructive {
		return p, nil, hint.Wrap(fmt.Errorf("%w: %s leaves a state that nobody else can undo", ErrRefused, spec.Kind), "--destructive, on servers that are yours to break")
	}
	p.Victims, p.Down, p.Steps, p.Undo = strike.Victims, strike.Down, strike.Steps, strike.Undo
	if p.AtOnce = strike.AtOnce; p.AtOnce == 0 {
		p.AtOnce = len(p.Down)
	}
	return p, strike, nil
}

// A turn is a moment at which something is done.
type turn struct {
	at   time.Duration // after the first fault
	heal bool
	*blow
}

// turns lists what happens when. Of two at the same time the heal comes first.
func turns(blows []*blow) []turn {
	var all []turn
	for _, b := range blows {
		all = append(all, turn{b.spec.At, false, b}, turn{b.spec.At + b.spec.For, true, b})
	}
	slices.SortStableFunc(all, func(a, b turn) int {
		later := func(t turn) int { // its own heal never comes before a fault that is over at once
			if t.heal && t.spec.For > 0 {
				return 0
			}
			return 1
		}
		return cmp.Or(cmp.Compare(a.at, b.at), cmp.Compare(later(a), later(b)))
	})
	return all
}

// strike goes through the turns until one fails or ctx ends.
func (r *run) strike(ctx context.Context, blows []*blow) {
	first := time.Now()
	for _, t := range turns(blows) {
		if !r.pass(ctx, time.Until(first.Add(t.at)), "until the next step") {
			return
		}
		if t.heal {
			r.heal(ctx, t.blow)
			continue
		}
		if err := r.inject(ctx, t.blow); err != nil {
			if !r.interrupted(ctx) {
				r.end(Aborted, fmt.Sprintf("%s could not be injected: %v", t.spec.Kind, err))
			}
			return
		}
	}
}

// inject writes down how b is undone, and does it.
func (r *run) inject(ctx context.Context, b *blow) error {
	if b.spec.At > 0 { // roles may have changed
		strike, err := b.spec.Aim(ctx, r.site())
		if err != nil {
			return err
		}
		b.strike = strike
	}
	if err := r.env.Journal.Undo(b.n, b.strike.Undo); err != nil {
		return fmt.Errorf("%w: %w", ErrJournal, err)
	}
	r.mu.Lock()
	b.index = len(r.result.Faults)
	r.result.Faults = append(r.result.Faults, FaultResult{
		Kind: b.spec.Kind, Victims: b.strike.Victims, Down: b.strike.Down, Injected: r.since(),
	})
	r.mu.Unlock()
	r.note("inject", b.spec.Kind, strings.Join(b.strike.Victims, ", "))
	r.watch.broken(b.strike.Down)
	if err := b.strike.Inject(ctx); err != nil {
		r.result.Faults[b.index].Err = err.Error()
		return err
	}
	return r.env.Journal.Injected(b.n)
}

// heal undoes b, if it was injected, and settles the verdict when it cannot.
// Neither the end of ctx nor a second interrupt cuts it short.
func (r *run) heal(ctx context.Context, b *blow) {
	b.healing.Lock()
	defer b.healing.Unlock()
	if b.index < 0 || b.healed {
		return
	}
	r.tell("healing " + b.spec.Kind)
	err := mend(context.WithoutCancel(ctx), b.strike)
	r.mu.Lock()
	defer r.mu.Unlock()
	f := &r.result.Faults[b.index]
	if b.strike.Counts != nil {
		f.Counts = b.strike.Counts()
	}
	if err != nil {
		f.Err = err.Error()
		r.end(HealFailed, fmt.Sprintf("%s is not healed: %v", b.spec.Kind, err))
		r.timeline = append(r.timeline, Event{At: r.since(), Kind: "heal-failed", Who: b.spec.Kind, Text: err.Error()})
		return
	}
	b.healed, f.Healed = true, r.since()
	r.timeline = append(r.timeline, Event{At: f.Healed, Kind: "heal", Who: b.spec.Kind, Text: tally(f.Counts)})
	if err := r.env.Journal.Healed(b.n); err != nil {
		r.result.Warnings = append(r.result.Warnings, "the journal does not know that "+b.spec.Kind+" is healed: "+err.Error())
	}
}

// tally lists what a fault has counted: "(kicked 3, reconnected 3)"; "": nothing.
func tally(counts map[string]float64) string {
	var all []string
	for _, name := range slices.Sorted(maps.Keys(counts)) {
		all = append(all, fmt.Sprintf("%s %g", strings.ReplaceAll(name, "_", " "), counts[name]))
	}
	if len(all) == 0 {
		return ""
	}
	return "(" + strings.Join(all, ", ") + ")"
}

// healAll heals what is not healed, all at the same time, and ends the phase.
func (r *run) healAll(ctx context.Context, blows []*blow) {
	var healing sync.WaitGroup
	for _, b := range blows {
		healing.Go(func() { r.heal(ctx, b) })
	}
	healing.Wait()
	r.watch.mended()
}

// mend heals a strike again and again until nothing is left of it.
func mend(ctx context.Context, s *fault.Strike) error {
	ctx, cancel := context.WithTimeout(ctx, healLimit)
	defer cancel()
	for {
		err := s.Heal(ctx)
		if err == nil {
			err = s.Healed(ctx)
		}
		if err == nil {
			return nil
		}
		if !sleep(ctx, 5*tick) {
			return errors.Join(err, ctx.Err())
		}
	}
}

// pass lets time go by. It returns false when ctx ends first, with the verdict
// settled.
func (r *run) pass(ctx context.Context, d time.Duration, what string) bool {
	end := time.Now().Add(d)
	for {
		left := time.Until(end)
		if left <= 0 {
			return !r.interrupted(ctx)
		}
		r.tell(fmt.Sprintf("%s %s", left.Round(time.Second), what))
		if !sleep(ctx, min(left, 5*tick)) {
			return !r.interrupted(ctx)
		}
	}
}

// sleep returns false when ctx ends first.
func sleep(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-t.C:
		return true
	}
}
