package fault

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/natsops/natsops/internal/chaos/process"
	"github.com/natsops/natsops/internal/hint"
)

// A raid is a strike against processes: against all at the same time, so that
// none has time to learn of another's end.
type raid struct {
	aim
	course
	nodes []Node // in order of their names

	mu     sync.Mutex
	struck []Node // that are still to be brought back, as far as is known
}

// A blow is what a raid does to a node.
type blow struct {
	hit  func(context.Context, Node) error
	back func(context.Context, Node) error // of a node that was hit, as it may be now
}

// raid finds the victims.
func (a aim) raid(ctx context.Context, usual string) (*raid, error) {
	names, err := a.servers(ctx, usual, a.dice())
	if err != nil {
		return nil, err
	}
	r := &raid{aim: a}
	for _, name := range names {
		n, err := a.node(name)
		if err != nil {
			return nil, err
		}
		r.nodes = append(r.nodes, n)
	}
	return r, nil
}

// node returns one that can be hit.
func (s Site) node(name string) (Node, error) {
	var ours []string
	for _, n := range s.Nodes {
		if n.Name() != name {
			ours = append(ours, n.Name())
			continue
		}
		if n.PID() == 0 {
			return nil, refuse(ErrNoVictim, "%s is down", name)
		}
		return n, nil
	}
	return nil, hint.Wrap(refuse(ErrNeeds, "the process of %s is not ours", name), oneOf(name, ours))
}

func (r *raid) names() []string {
	var names []string
	for _, n := range r.nodes {
		names = append(names, n.Name())
	}
	return names
}

// strike is the raid with one blow for each node.
func (r *raid) strike(b blow) *Strike {
	return &Strike{
		Victims: r.names(),
		Down:    r.names(),
		Inject: func(ctx context.Context) error {
			return r.inject(ctx, func(ctx context.Context) error { return r.hitAll(ctx, b.hit) })
		},
		Heal: func(ctx context.Context) error {
			return r.heal(ctx, func(ctx context.Context) error { return r.bring(ctx, b.back) })
		},
		Healed: r.healed,
		Counts: r.tally,
	}
}

// hitAll hits all nodes. Each counts as struck from before it is.
func (r *raid) hitAll(ctx context.Context, hit func(context.Context, Node) error) error {
	r.mu.Lock()
	r.struck = slices.Clone(r.nodes)
	r.mu.Unlock()
	return each(r.nodes, func(n Node) error { return hit(ctx, n) })
}

// bring brings back all nodes that were struck; those that it could not are left
// for the next time.
func (r *raid) bring(ctx context.Context, back func(context.Context, Node) error) error {
	r.mu.Lock()
	struck := slices.Clone(r.struck)
	r.mu.Unlock()
	return each(struck, func(n Node) error {
		if err := back(ctx, n); err != nil {
			return err
		}
		r.mu.Lock()
		defer r.mu.Unlock()
		r.struck = slices.DeleteFunc(r.struck, func(s Node) bool { return s == n })
		return nil
	})
}

// healed tells which nodes do not run.
func (r *raid) healed(context.Context) error {
	r.mu.Lock()
	struck := slices.Clone(r.struck)
	r.mu.Unlock()
	return errors.Join(
		each(struck, func(Node) error { return errors.New("it was not brought back") }),
		each(r.nodes, func(n Node) error {
			pid := n.PID()
			if pid == 0 {
				return errors.New("it is down")
			}
			if stopped, err := process.Stopped(pid); err == nil && stopped { // or what cannot be known
				return fmt.Errorf("process %d is stopped", pid)
			}
			return nil
		}))
}

// start starts a node that is down.
func (r *raid) start(ctx context.Context, n Node) error {
	if n.PID() != 0 {
		return nil
	}
	return r.restart(ctx, n)
}

// restart starts a node anew. That a process ended by its own fault is told by
// the next start, which then is not one; it is what was done to it, so it is
// counted, and the node started.
func (r *raid) restart(ctx context.Context, n Node) error {
	err := n.Restart(ctx)
	if err != nil && n.PID() == 0 && ctx.Err() == nil {
		r.count("crashed", 1)
		if again := n.Restart(ctx); again != nil {
			return errors.Join(err, again)
		}
		err = nil
	}
	if err == nil {
		r.count("restarted", 1)
	}
	return err
}

// ended waits for the end of a node, as it runs when it is called.
func ended(ctx context.Context, exited <-chan struct{}) error {
	select {
	case <-exited:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("wait for its end: %w", ctx.Err())
	}
}

// each does something to nodes, to all at the same time.
func each(nodes []Node, do func(Node) error) error {
	errs := make([]error, len(nodes))
	var wg sync.WaitGroup
	for i, n := range nodes {
		wg.Go(func() {
			if err := do(n); err != nil {
				errs[i] = fmt.Errorf("%s: %w", n.Name(), err)
			}
		})
	}
	wg.Wait()
	return errors.Join(errs...)
}

func list(names []string) string { return strings.Join(names, ", ") }

// ProcessStarted is when a process began, as its system tells it: what an [Undo]
// keeps of it.
func ProcessStarted(pid int) (string, error) { return process.Started(pid) }

// continueProcess undoes [UndoStop]. A process that began at another time is
// another one, and not touched.
func continueProcess(pid int, started string) (done string, err error) {
	there, err := process.Continue(pid, started)
	switch {
	case err != nil:
		return "", err
	case !there:
		return fmt.Sprintf("process %d is gone", pid), nil
	}
	return fmt.Sprintf("continued process %d", pid), nil
}
