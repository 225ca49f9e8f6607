package fault

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"github.com/natsops/natsops/internal/hint"
)

// watchMargin is how much longer than the fault is to last the watchdog waits:
// it is there for when nobody heals.
const watchMargin = 15 * time.Second

// processKinds are the faults of who owns the processes.
func processKinds() []Kind {
	return []Kind{
		killKind(), stopKind(), restartKind(), rollingRestartKind(), freezeKind(), retireKind(), powerLossKind(), diskFullKind(),
	}
}

// election is how long a fault of a leader has to last for the others to have
// elected another one: they begin 4 to 9 s after its last word (nats-server,
// raft.go: minElectionTimeout), and the first may fail.
const election = 15 * time.Second

func killKind() Kind {
	return Kind{
		Name:    "kill",
		About:   "Server processes are killed without a warning (SIGKILL), and started again when it is healed.",
		Expect:  "The others elect leaders within 4 to 9 s, clients move to them, no acknowledged message is lost, and the servers catch up.",
		Class:   Remains,
		Needs:   Need{Nodes: true},
		Default: election,
		Selects: SelectServers | SelectStream | SelectConsumer,
		aim: func(ctx context.Context, a aim) (*Strike, error) {
			return a.end(ctx, "SIGKILL", func(_ context.Context, n Node) error { return n.Kill() })
		},
	}
}

func stopKind() Kind {
	return Kind{
		Name:    "stop",
		About:   "Server processes are stopped in good order (SIGTERM), and started again when it is healed.",
		Expect:  "They hand over what they lead before they end, so that writes go on within a client's first retry.",
		Class:   Remains,
		Needs:   Need{Nodes: true},
		Default: election,
		Selects: SelectServers | SelectStream | SelectConsumer,
		aim: func(ctx context.Context, a aim) (*Strike, error) {
			return a.end(ctx, "SIGTERM", func(_ context.Context, n Node) error { return n.Stop() })
		},
	}
}

func restartKind() Kind {
	return Kind{
		Name:    "restart",
		About:   "Server processes are stopped in good order and started again at once.",
		Expect:  "They hand over what they lead before they end, and catch up within seconds.",
		Class:   Remains,
		Needs:   Need{Nodes: true},
		Selects: SelectServers | SelectStream | SelectConsumer,
		aim: func(ctx context.Context, a aim) (*Strike, error) {
			r, err := a.raid(ctx, StreamLeader)
			if err != nil {
				return nil, err
			}
			s := r.strike(blow{
				hit: func(ctx context.Context, n Node) error {
					if err := n.Stop(); err != nil {
						return err
					}
					return r.restart(ctx, n)
				},
				back: r.start,
			})
			for _, n := range r.nodes {
				s.Steps = append(s.Steps, signalStep(n, "SIGTERM"), startStep(n, "at once"))
			}
			return s, nil
		},
	}
}

func retireKind() Kind {
	return Kind{
		Name:    "lame-duck",
		About:   "Servers are asked to leave (SIGUSR2): they hand over what they lead, ask their clients to go, and end; they are started again when it is healed.",
		Expect:  "Clients move to others before they are closed, and writes go on within a client's first retry.",
		Class:   Remains,
		Needs:   Need{Nodes: true, Unix: true},
		Default: election,
		Selects: SelectServers | SelectStream | SelectConsumer,
		aim:     aimRetire,
	}
}

// aimRetire brings servers back by a restart, also those that did not get to
// their end: nothing calls a lame duck back.
func aimRetire(ctx context.Context, a aim) (*Strike, error) {
	r, err := a.raid(ctx, StreamLeader)
	if err != nil {
		return nil, err
	}
	s := r.strike(blow{
		hit: func(ctx context.Context, n Node) error {
			exited := n.Exited()
			if err := n.LameDuck(); err != nil {
				return err
			}
			return ended(ctx, exited)
		},
		back: r.restart,
	})
	for _, n := range r.nodes {
		s.Steps = append(s.Steps, signalStep(n, "SIGUSR2"), Step{Do: "wait", Object: processOf(n), Payload: "until it has ended"}, startStep(n, whenHealed))
	}
	return s, nil
}

// end is a strike that ends processes, until it is healed.
func (a aim) end(ctx context.Context, signal string, hit func(context.Context, Node) error) (*Strike, error) {
	r, err := a.raid(ctx, StreamLeader)
	if err != nil {
		return nil, err
	}
	s := r.strike(blow{hit: hit, back: r.start})
	for _, n := range r.nodes {
		s.Steps = append(s.Steps, signalStep(n, signal), startStep(n, whenHealed))
	}
	return s, nil
}

const whenHealed = "when it is healed"

func signalStep(n Node, signal string) Step {
	return Step{Do: "signal", Object: processOf(n), Payload: signal}
}

func startStep(n Node, when string) Step {
	return Step{Do: "start", Object: n.Name(), Payload: when}
}

func processOf(n Node) string { return n.Name() + " (process " + strconv.Itoa(n.PID()) + ")" }

func freezeKind() Kind {
	return Kind{
		Name:    "freeze",
		About:   "Server processes are stopped in the middle of what they do (SIGSTOP) and go on later: their connections stay open, and silent.",
		Expect:  "The others elect leaders within 4 to 9 s; clients of the frozen server notice by their pings; nothing is lost when it goes on.",
		Class:   Expires,
		Needs:   Need{Nodes: true, Unix: true},
		Default: election,
		Selects: SelectServers | SelectStream | SelectConsumer,
		aim:     aimFreeze,
	}
}

// A frozen is a process as it was when it was aimed at.
type frozen struct {
	pid     int
	started string
	release func() // nil: not watched
}

func aimFreeze(ctx context.Context, a aim) (*Strike, error) {
	if a.Watch == nil {
		return nil, hint.Wrap(refuse(ErrNeeds, "nobody would continue the processes if this one died"), "another fault")
	}
	r, err := a.raid(ctx, StreamLeader)
	if err != nil {
		return nil, err
	}
	all := map[string]*frozen{}
	s := r.strike(blow{
		hit:  func(_ context.Context, n Node) error { return a.freeze(n, all[n.Name()]) },
		back: func(_ context.Context, n Node) error { return thaw(n, all[n.Name()]) },
	})
	for _, n := range r.nodes {
		f := &frozen{pid: n.PID()}
		if f.started, err = ProcessStarted(f.pid); err != nil {
			return nil, fmt.Errorf("%s: when process %d began: %w", n.Name(), f.pid, err)
		}
		all[n.Name()] = f
		s.Steps = append(s.Steps, signalStep(n, "SIGSTOP"), Step{Do: "signal", Object: processOf(n), Payload: "SIGCONT, " + whenHealed})
		s.Undo = append(s.Undo, Undo{Kind: UndoStop, Server: n.Name(), PID: f.pid, Started: f.started})
	}
	return s, nil
}

// freeze stops the process that the undo is about, and no other.
func (a aim) freeze(n Node, f *frozen) error {
	if pid := n.PID(); pid != f.pid {
		return fmt.Errorf("its process was %d and is %d now", f.pid, pid)
	}
	release, err := a.Watch(f.pid, a.For+watchMargin)
	if err != nil {
		return err
	}
	f.release = release
	return n.Pause()
}

// thaw lets a node go on. One that has ended, or another process by now, needs
// nothing.
func thaw(n Node, f *frozen) error {
	if n.PID() == f.pid {
		if err := n.Resume(); err != nil && n.PID() == f.pid {
			return err
		}
	}
	if f.release != nil {
		f.release()
	}
	return nil
}
