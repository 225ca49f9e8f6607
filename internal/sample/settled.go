package sample

import (
	"context"
	"errors"
	"fmt"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/nats-io/nats.go/jetstream"
)

// A condition is a part of the state that makes a scenario what it is.
type condition struct {
	what  string
	holds func(state) bool
}

// A state is what the server says of a scenario.
type state struct {
	stream   *jetstream.StreamInfo
	consumer *jetstream.ConsumerInfo
	scale    float64
}

// poll is how often a state is looked at.
const poll = 100 * time.Millisecond

// Settled returns when the scenarios and habits of these names, or all that run,
// have reached the state in which they stay. It says which has not when ctx or
// the traffic ends before. Most need a second or two; head-blocked half a minute,
// since its message has to become old, and slow-reader a quarter of one.
func (t *Traffic) Settled(ctx context.Context, names ...string) error {
	if err := t.allRun(names); err != nil {
		return err
	}
	nc, js, err := t.admin(ctx)
	if err != nil {
		return err
	}
	defer nc.Close()
	wanted := func(name string) bool { return len(names) == 0 || slices.Contains(names, name) }
	for _, s := range t.scenarios {
		if !wanted(s.Name) {
			continue
		}
		if err := t.settle(ctx, js, s); err != nil {
			return err
		}
	}
	for _, h := range t.habits {
		if !wanted(h.Name) {
			continue
		}
		select {
		case <-t.shows[h.Name]:
		case <-t.done:
			return errEnded
		case <-ctx.Done():
			return t.unsettled(ctx, h.Name, "its clients")
		}
	}
	return nil
}

var errEnded = errors.New("the sample traffic has ended")

// allRun refuses a name that would be waited for in vain.
func (t *Traffic) allRun(names []string) error {
	for _, name := range names {
		if t.shows[name] == nil && !slices.ContainsFunc(t.scenarios, func(s Scenario) bool { return s.Name == name }) {
			return fmt.Errorf("sample %q does not run", name)
		}
	}
	return nil
}

// settle returns when s has settled.
func (t *Traffic) settle(ctx context.Context, js jetstream.JetStream, s Scenario) error {
	tick := time.NewTicker(poll)
	defer tick.Stop()
	missing := ""
	for {
		now := t.missing(ctx, js, s)
		if now == "" {
			return nil
		}
		if missing == "" || ctx.Err() == nil {
			missing = now
		}
		select {
		case <-tick.C:
		case <-t.done:
			return errEnded
		case <-ctx.Done():
			return t.unsettled(ctx, s.Name, missing)
		}
	}
}

// missing says what s has not reached; "": nothing.
func (t *Traffic) missing(ctx context.Context, js jetstream.JetStream, s Scenario) string {
	now, err := observe(ctx, js, s)
	if err != nil {
		return err.Error()
	}
	now.scale = t.options.Scale
	for _, c := range s.settled {
		if !c.holds(now) {
			n := now.consumer
			return fmt.Sprintf("%s (pending %d, unacknowledged %d, delivered %d, redelivered %d, acknowledged up to %d, waiting %d)",
				c.what, n.NumPending, n.NumAckPending, n.Delivered.Consumer, n.NumRedelivered, n.AckFloor.Stream, n.NumWaiting)
		}
	}
	return ""
}

// unsettled tells of name what it waits for, and of the troubles of all clients.
func (t *Traffic) unsettled(ctx context.Context, name, missing string) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	var troubles []string
	for client, err := range t.last {
		troubles = append(troubles, fmt.Sprintf("; %s: %v", client, err))
	}
	slices.Sort(troubles)
	return fmt.Errorf("sample %s has not settled: waiting for %s%s: %w", name, missing, strings.Join(troubles, ""), context.Cause(ctx))
}

// observe asks the server for the state of s.
func observe(ctx context.Context, js jetstream.JetStream, s Scenario) (state, error) {
	stream, err := js.Stream(ctx, s.Stream)
	if err != nil {
		return state{}, err
	}
	now := state{stream: stream.CachedInfo()}
	now.consumer, err = find(ctx, stream, s)
	return now, err
}

// find asks the consumer's leader, where its name is known: in a cluster, a
// list leaves out those that do not answer in time.
func find(ctx context.Context, stream jetstream.Stream, s Scenario) (*jetstream.ConsumerInfo, error) {
	switch {
	case s.named():
		return findNamed(ctx, stream, s.Consumer)
	case s.consumer.DeliverSubject != "":
		c, err := stream.PushConsumer(ctx, s.Consumer)
		if err != nil {
			return nil, err
		}
		return c.CachedInfo(), nil
	default:
		c, err := stream.Consumer(ctx, s.Consumer)
		if err != nil {
			return nil, err
		}
		return c.CachedInfo(), nil
	}
}

func findNamed(ctx context.Context, stream jetstream.Stream, pattern string) (*jetstream.ConsumerInfo, error) {
	var found *jetstream.ConsumerInfo
	list := stream.ListConsumers(ctx)
	for info := range list.Info() {
		if ok, _ := path.Match(pattern, info.Name); ok {
			found = info
		}
	}
	if found == nil {
		return nil, errors.Join(fmt.Errorf("no consumer %s", pattern), list.Err())
	}
	return found, nil
}
