package chaos

import (
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/natsops/natsops/internal/chaos/drill"
	"github.com/natsops/natsops/internal/chaos/fault"
	"github.com/natsops/natsops/internal/chaos/load"
)

// Limits on what follows a drill, which happens also when it was interrupted.
const (
	healLimit    = 90 * time.Second // for one fault, until nothing is left of it
	finishLimit  = 30 * time.Second // until retries have ended
	drainLimit   = 60 * time.Second // until the consumer has all
	readLimit    = 2 * time.Minute
	equalLimit   = 60 * time.Second // until the replicas are the same
	hastyLimit   = 5 * time.Second  // for each of these after an interrupt
	cleanupLimit = 15 * time.Second
	tick         = 100 * time.Millisecond
)

// A run is a drill under way.
type run struct {
	drill  drill.Drill
	env    Env
	began  time.Time
	result Result

	servers  []fault.Server
	replicas []string // names of the servers that keep the stream
	arena    *arena   // nil: without a load
	load     *load.Load
	zero     time.Time // of the load's history
	random   *rand.Rand
	watch    *watch // nil: nothing has begun
	abort    context.CancelCauseFunc
	cut      bool // ctx has ended before the drill did

	mu       sync.Mutex
	timeline []Event
}

func newRun(d drill.Drill, env Env) *run {
	now := time.Now()
	return &run{
		drill: d, env: env, began: now, zero: now,
		random: rand.New(rand.NewPCG(env.Seed, 0)), //nolint:gosec // repeatable, not secret
		result: Result{Drill: d, ID: env.ID, Seed: env.Seed, Began: now, Metrics: map[string]float64{}},
	}
}

// since is the time on the drill's clock.
func (r *run) since() time.Duration { return time.Since(r.zero) }

// note adds a line to the timeline.
func (r *run) note(kind, who, text string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.timeline = append(r.timeline, Event{At: r.since(), Kind: kind, Who: who, Text: text})
}

// end settles the verdict, unless a worse one stands, and says why.
func (r *run) end(v Verdict, why string) {
	if worse(v, r.result.Verdict) {
		r.result.Verdict = v
		r.result.Why = append([]string{why}, r.result.Why...)
		return
	}
	r.result.Why = append(r.result.Why, why)
}

// worse reports whether a is worse than b.
func worse(a, b Verdict) bool {
	rank := map[Verdict]int{
		"": -1, Passed: 0, Failed: 1, Inconclusive: 2, NotSteady: 3, Aborted: 4, Interrupted: 5, NotRecovered: 6, HealFailed: 7,
	}
	return rank[a] > rank[b]
}

// phase closes the last phase and begins another.
func (r *run) phase(name PhaseName) {
	now := r.since()
	if n := len(r.result.Phases); n > 0 {
		r.result.Phases[n-1].To = now
	}
	r.result.Phases = append(r.result.Phases, Phase{Name: name, From: now})
}

// span returns a phase; false: there was none.
func (r *run) span(name PhaseName) (Phase, bool) {
	for _, p := range r.result.Phases {
		if p.Name == name {
			return p, true
		}
	}
	return Phase{}, false
}

// prepare looks whether the drill may run there, and tells what it will do.
func (r *run) prepare(ctx context.Context) (Plan, error) {
	if err := admit(ctx, r.env); err != nil {
		return Plan{}, err
	}
	var err error
	if r.servers, r.result.Target, err = discover(ctx, r.env); err != nil {
		return Plan{}, err
	}
	if err := r.install(); err != nil {
		return Plan{}, err
	}
	if r.drill.Load.Rate > 0 {
		if err := r.plot(ctx); err != nil {
			return Plan{}, err
		}
	}
	plan, err := r.foresee(ctx)
	if err != nil {
		return plan, err
	}
	return plan, within(r.drill.Limits, r.result.Target, nil, plan.Strikes)
}

// plot draws the arena.
func (r *run) plot(ctx context.Context) error {
	r.arena = newArena(r.drill, r.env, len(r.servers))
	if r.drill.Load.LikeStream != "" {
		if err := r.arena.imitate(ctx, r.drill.Load.LikeStream); err != nil {
			return err
		}
	}
	if n := r.arena.stream.Replicas; n > len(r.servers) {
		return fmt.Errorf("%w: a stream with %d replicas needs as many servers; %d can be reached", ErrTarget, n, len(r.servers))
	}
	r.result.Target.Stream, r.result.Target.Replicas = StreamName, r.arena.stream.Replicas
	return nil
}

// arenaUndo is the number, in the journal, of what removes the stream. Faults
// have the numbers after it.
const arenaUndo = 0

// start makes the arena and starts the load in it.
func (r *run) start(ctx context.Context) error {
	if r.arena == nil {
		r.watch = newWatch(ctx, r)
		return nil
	}
	if err := r.env.Journal.Undo(arenaUndo, r.arena.undo()); err != nil {
		return fmt.Errorf("%w: %w", ErrJournal, err)
	}
	if err := r.arena.make(ctx, r.drill.Load); err != nil {
		return err
	}
	if err := r.env.Journal.Injected(arenaUndo); err != nil {
		return fmt.Errorf("%w: %w", ErrJournal, err)
	}
	l := r.drill.Load
	var err error
	r.load, err = load.Start(ctx, load.Config{
		Run: r.number(), Mark: r.arena.mark,
		Stream: StreamName, Subject: r.arena.loadSubject(), Consumer: r.consumer(), Workers: l.Workers,
		Publishers: r.publishers(), Rate: l.Rate, Size: l.Size, AckWait: l.AckWait, Retry: l.Retry, Work: l.Work,
	}, r.env.Dial)
	if err != nil {
		return fmt.Errorf("%w: start the load: %w", ErrTarget, err)
	}
	r.zero = r.load.Zero()
	r.watch = newWatch(ctx, r)
	return nil
}

// consumer is that of the load; "": there is none.
func (r *run) consumer() string {
	if r.drill.Load.Workers == 0 {
		return ""
	}
	return consumerName
}

// number marks the messages of this run.
func (r *run) number() uint16 {
	hash := fnv.New32a()
	_, _ = hash.Write([]byte(r.env.ID)) // never fails
	return uint16(hash.Sum32())
}

// publishers are those on each server, then those on any.
func (r *run) publishers() []load.Publisher {
	var all []load.Publisher
	var urls []string
	name := func(base string, i, n int) string {
		if n == 1 {
			return base
		}
		return fmt.Sprintf("%s-%d", base, i+1)
	}
	for _, s := range r.servers {
		urls = append(urls, s.URL)
		for i := range r.drill.Load.PerServer {
			all = append(all, load.Publisher{Name: name(s.Name, i, r.drill.Load.PerServer), Server: s.Name, URLs: []string{s.URL}})
		}
	}
	for i := range r.drill.Load.Any {
		all = append(all, load.Publisher{Name: name("any", i, r.drill.Load.Any), URLs: urls})
	}
	return all
}

// install puts a door before each server.
func (r *run) install() error {
	if r.env.Door == nil {
		return nil
	}
	for i, s := range r.servers {
		url, err := r.env.Door(s.Name, s.URL)
		if err != nil {
			return fmt.Errorf("%w: put a proxy before server %s: %w", ErrTarget, s.Name, err)
		}
		r.servers[i].URL = url
	}
	return nil
}

// site is what faults may touch.
func (r *run) site() fault.Site {
	s := fault.Site{
		Dial: r.env.Dial, App: r.env.App, JS: r.env.JS, System: r.env.System,
		Servers: r.servers, Nodes: r.env.Nodes, Links: r.env.Links,
		Mark: "natsops-chaos-" + r.env.ID, Rand: r.random, Watch: r.env.Watch,
	}
	if r.arena != nil {
		s.Stream, s.Consumer, s.Scratch = StreamName, consumerName, r.arena.fillSubject()
	}
	return s
}

// tell tells whoever watches what goes on.
func (r *run) tell(text string) {
	if r.env.Progress == nil {
		return
	}
	p := Progress{Elapsed: time.Since(r.began), Text: text}
	if n := len(r.result.Phases); n > 0 {
		p.Phase = r.result.Phases[n-1].Name
	}
	if f, ok := r.span(PhaseFault); ok {
		p.ETA = max(0, f.From+r.drill.Span()+r.drill.Observe-r.since())
	}
	if r.load != nil {
		now := r.load.Look(time.Second)
		p.Rate, p.P99, p.Errors = now.Rate, now.P99, now.Errors
	}
	r.env.Progress(p)
}

// clean removes what the drill made, also when ctx has ended.
func (r *run) clean(ctx context.Context) {
	if r.watch != nil {
		r.watch.close()
	}
	if r.load != nil {
		r.load.Close()
	}
	if r.arena == nil || r.env.Keep {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), cleanupLimit)
	defer cancel()
	err := r.arena.remove(ctx)
	if err == nil {
		err = r.env.Journal.Healed(arenaUndo)
	}
	if err != nil {
		r.result.Warnings = append(r.result.Warnings, fmt.Sprintf("stream %s is left behind, see natsops chaos heal: %v", StreamName, err))
	}
}

// interrupted reports whether ctx ended, and settles the verdict then.
func (r *run) interrupted(ctx context.Context) bool {
	if ctx.Err() == nil {
		return false
	}
	if !r.cut {
		r.cut = true
		if cause := context.Cause(ctx); errors.As(cause, new(abortion)) {
			r.end(Aborted, cause.Error())
		} else {
			r.end(Interrupted, "the drill was interrupted")
		}
	}
	return true
}

// An abortion is why a drill ends itself.
type abortion struct{ error }

func (a abortion) Unwrap() error { return a.error }
