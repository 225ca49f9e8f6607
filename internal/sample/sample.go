// Package sample runs NATS applications that behave well and badly in known
// ways, for a server that has nothing else to show: a small shop whose
// consumers keep up, fall behind, stall, lose messages or are forgotten.
//
// It is for throwaway servers. It makes streams with plain names ("ORDERS"),
// never touches one that it did not make, and removes its own in the end. They
// carry natsops.owner and natsops.kind=sample in their metadata.
package sample

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/nats-io/nuid"

	"github.com/natsops/natsops/internal/hint"
)

// A Dial opens a connection whose client calls itself name. It should reconnect
// for ever; one that gives up is replaced.
type Dial func(ctx context.Context, name string) (*nats.Conn, error)

// Options choose what runs. The zero value is the curated set on one replica.
type Options struct {
	Names    []string // of scenarios and habits; none: [Curated]
	Replicas int      // of each stream; 0: 1
	Storage  jetstream.StorageType
	Scale    float64 // 0.5 to 20, multiplies rates, backlogs and limits, not what takes its time; 0: 1
}

// Below, too little happens in a few seconds to judge by it.
const smallestScale, largestScale = 0.5, 20.0

// Traffic is a set of applications that run. Its methods may be called
// concurrently.
type Traffic struct {
	dial      Dial
	options   Options
	owner     string
	scenarios []Scenario
	habits    []Habit
	streams   []string // that were asked for

	cancel  context.CancelFunc
	clients sync.WaitGroup
	shows   map[string]chan struct{} // by habit: closed when all its clients show it
	done    chan struct{}
	err     error // once done is closed

	mu   sync.Mutex
	last map[string]error // by client: why it was started again
}

// Start makes the streams and consumers and starts their clients. It fails,
// and leaves nothing behind, when a stream of theirs exists. The traffic ends
// with ctx or [Traffic.Stop]; until then it survives whatever happens to the
// server, but the loss of its streams.
func Start(ctx context.Context, dial Dial, o Options) (*Traffic, error) {
	t := &Traffic{
		dial:    dial,
		options: o,
		owner:   "sample-" + nuid.Next(),
		shows:   map[string]chan struct{}{},
		done:    make(chan struct{}),
		last:    map[string]error{},
	}
	if err := t.choose(); err != nil {
		return nil, err
	}
	if err := t.prepare(ctx); err != nil {
		_ = t.remove(ctx) // the first error matters
		return nil, err
	}
	ctx, t.cancel = context.WithCancel(ctx)
	t.launch(ctx)
	go func() {
		<-ctx.Done()
		t.clients.Wait()
		t.err = t.remove(ctx)
		close(t.done)
	}()
	return t, nil
}

// Stop ends all clients and removes the streams. It says if it could not.
func (t *Traffic) Stop() error {
	t.cancel()
	return t.Wait()
}

// Wait returns when the traffic has ended, and says if it left streams behind.
func (t *Traffic) Wait() error {
	<-t.done
	return t.err
}

// choose fills in the defaults and looks the names up, with what belongs to
// them.
func (t *Traffic) choose() error {
	o := &t.options
	if o.Replicas == 0 {
		o.Replicas = 1
	}
	if o.Scale == 0 {
		o.Scale = 1
	}
	if o.Scale < smallestScale || o.Scale > largestScale {
		return fmt.Errorf("scale %g is not between %g and %g", o.Scale, smallestScale, largestScale)
	}
	if len(o.Names) == 0 {
		o.Names = Curated()
	}
	scenarios, habits := Scenarios(), Habits()
	wanted := map[string]bool{}
	for _, name := range o.Names {
		i := slices.IndexFunc(scenarios, func(s Scenario) bool { return s.Name == name })
		if i < 0 && !slices.ContainsFunc(habits, func(h Habit) bool { return h.Name == name }) {
			return hint.Wrap(fmt.Errorf("there is no sample %q", name), "one of "+strings.Join(All(), ", "))
		}
		wanted[name] = true
		if i >= 0 {
			for _, also := range scenarios[i].with {
				wanted[also] = true
			}
		}
	}
	t.scenarios = slices.DeleteFunc(scenarios, func(s Scenario) bool { return !wanted[s.Name] })
	t.habits = slices.DeleteFunc(habits, func(h Habit) bool { return !wanted[h.Name] })
	return nil
}

// feeds returns the streams that the scenarios need.
func (t *Traffic) feeds() []feed {
	return slices.DeleteFunc(feeds(), func(f feed) bool {
		return !slices.ContainsFunc(t.scenarios, func(s Scenario) bool { return s.Stream == f.Name })
	})
}
