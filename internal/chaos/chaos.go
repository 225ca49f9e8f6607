// Package chaos runs drills: it proves that a system is well, breaks it on
// purpose, heals it, and tells from the history of every message what was lost,
// stored twice or reordered, for how long the service was out, and how fast it
// came back.
//
// A drill that began is healed, whatever happens to it: after an error, an abort
// and an interrupt before anything is reported, and when this process dies by
// whoever reads its journal.
package chaos

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/natsops/natsops/internal/chaos/drill"
	"github.com/natsops/natsops/internal/chaos/fault"
	"github.com/natsops/natsops/internal/chaos/load"
	"github.com/natsops/natsops/internal/chaos/proxy"
	"github.com/natsops/natsops/internal/inspect"
)

// The errors of [Run]. Nothing was injected then.
var (
	ErrRefused = errors.New("the drill is refused")          // a guard rail
	ErrBusy    = errors.New("a drill is running there")      // or left something behind
	ErrTarget  = errors.New("the target cannot be used")     // no JetStream, no permission, gone
	ErrJournal = errors.New("the journal cannot be written") // so nothing could be healed after a crash
)

// An Env is what a drill may use of the world.
type Env struct {
	ID      string // of the run: letters and digits
	Seed    uint64
	Version string // of natsops
	Name    string // of the target, without secrets
	Owned   bool   // the cluster is ours and ends with the drill

	Dial   load.Dial
	App    *nats.Conn          // in the account of the load; reconnects for ever
	JS     jetstream.JetStream // over App
	System *nats.Conn          // in the system account; nil: there is none
	Eye    *inspect.Collector  // over the best of the two; nil: nobody looks at what is not the drill's
	Nodes  []fault.Node        // servers whose processes are ours
	Links  *proxy.Fabric       // see [fault.Site]
	// Door puts a proxy of Links before a server, and returns the URL for clients
	// there. nil: the URLs of servers are such doors, or none is needed.
	Door    func(server, url string) (string, error)
	Watch   func(pid int, after time.Duration) (release func(), err error)
	Journal Journal
	// Perform is given the plan, and what carries it out, before anything is made
	// or sent. When it does not carry it out it says why. nil: nobody needs to be
	// asked.
	Perform func(ctx context.Context, plan Plan, do func(context.Context) error) error
	// Progress is told what goes on, a few times a second; nil: nobody is.
	Progress func(Progress)
	Keep     bool // leave the stream of the load behind
	// Destructive allows faults that nobody but us can undo, on a cluster that is
	// not ours.
	Destructive bool
}

// A Journal keeps what another process needs to heal. When a method returns
// without an error, what it was told survives a crash of the machine.
type Journal interface {
	Undo(n int, undos []fault.Undo) error // before fault n is injected
	Injected(n int) error
	Healed(n int) error
}

// A Plan is what will be done.
type Plan struct {
	Drill   drill.Drill
	Target  Target
	Strikes []Planned
}

// A Planned is a fault and what it will do.
type Planned struct {
	Spec    fault.Spec
	Class   fault.Class
	Victims []string
	Down    []string
	AtOnce  int // how many of Down at the same time
	Steps   []fault.Step
	Undo    []fault.Undo
	Later   string // why victims are chosen later; "": they are known
}

// A Progress is what goes on at a moment.
type Progress struct {
	Phase   PhaseName
	Elapsed time.Duration
	ETA     time.Duration // until nothing new is sent; 0: not known
	Rate    float64       // acknowledgements in the last second
	P99     time.Duration // of these; 0: there was none
	Errors  uint64        // in the last second
	Text    string        // what is waited for, or what has been seen
}

// Run runs a drill and returns what came of it. The end of ctx ends it early:
// what was broken is healed first, then it reports what it has. An error says
// that it could not begin, and nothing was injected.
func Run(ctx context.Context, d drill.Drill, env Env) (Result, error) {
	ctx, abort := context.WithCancelCause(ctx)
	defer abort(nil)
	r := newRun(d, env)
	r.abort = abort
	plan, err := r.prepare(ctx)
	if err != nil {
		return Result{}, err
	}
	perform := env.Perform
	if perform == nil {
		perform = func(ctx context.Context, _ Plan, do func(context.Context) error) error { return do(ctx) }
	}
	if err := perform(ctx, plan, r.do); err != nil {
		return Result{}, err
	}
	return r.result, nil
}

// do carries the drill out, from the first thing that it makes to the last that
// it removes.
func (r *run) do(ctx context.Context) (err error) {
	defer func() { r.clean(ctx) }()
	if err := r.start(ctx); err != nil {
		return err
	}
	r.steady(ctx)
	if err := r.trial(ctx); err != nil {
		return err
	}
	r.settle(ctx)
	r.judge()
	return nil
}

// trial breaks and heals, and watches what comes of it, for no longer than the
// drill may. What follows sends nothing new and has limits of its own.
func (r *run) trial(ctx context.Context) error {
	if limit := r.drill.Limits.MaxTime; limit > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeoutCause(ctx, limit, abortion{fmt.Errorf("it took longer than %s (limits.max_time)", limit)})
		defer cancel()
	}
	if r.result.Verdict == "" {
		if err := r.breakAndHeal(ctx); err != nil {
			return err
		}
	}
	r.observe(ctx)
	return nil
}

// Preview returns what [Run] would do, as far as it can be told. On a cluster of
// our own it makes the stream of the load, so that its leader can be named; on
// another it makes nothing.
func Preview(ctx context.Context, d drill.Drill, env Env) (Plan, error) {
	r := newRun(d, env)
	plan, err := r.prepare(ctx)
	if err != nil || !env.Owned || r.arena == nil {
		return plan, err
	}
	defer r.clean(ctx)
	if err := r.arena.make(ctx, d.Load); err != nil {
		return plan, err
	}
	plan, _, err = r.aim(ctx)
	return plan, err
}
