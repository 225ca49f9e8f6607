package fault

import (
	"context"
	"errors"
	"maps"
	"sync"
)

// A course is the way of a strike from Inject to Heal. It keeps the contract of
// [Strike]: Heal ends an Inject that is under way and what that left going on,
// may be called at any time and again, and leaves nothing for an Inject that
// comes too late. The zero value is ready.
type course struct {
	mu     sync.Mutex
	healed bool // asked to be, or already is
	run    *run // nil: not injected

	healing sync.Mutex
	undone  bool

	counts  sync.Mutex
	counted map[string]float64
}

// A run is one Inject, and what it left going on.
type run struct {
	ctx    context.Context // ends by Heal, or by the end of the context of Inject while that runs
	cancel context.CancelFunc
	over   sync.WaitGroup
}

var (
	errHealed   = errors.New("it was healed before")
	errInjected = errors.New("it was injected before")
)

// inject runs do.
func (c *course) inject(ctx context.Context, do func(context.Context) error) error {
	r, err := c.begin(ctx)
	if err != nil {
		return err
	}
	defer r.over.Done()
	inTime := context.AfterFunc(ctx, r.cancel)
	err = do(r.ctx)
	if !inTime() {
		return errors.Join(ctx.Err(), err)
	}
	return err
}

func (c *course) begin(ctx context.Context) (*run, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case c.healed:
		return nil, errHealed
	case c.run != nil:
		return nil, errInjected
	}
	// What goes on outlives the context of Inject, which may end with it.
	c.run = &run{}
	c.run.ctx, c.run.cancel = context.WithCancel(context.WithoutCancel(ctx))
	c.run.over.Add(1)
	return c.run, nil
}

// keep has do going on until Heal. Only what inject runs may call it.
func (c *course) keep(do func(context.Context)) {
	r := c.run
	r.over.Go(func() { do(r.ctx) })
}

// heal ends what was injected, and undoes it, until that was without an error.
// It waits for what was going on for as long as ctx lives.
func (c *course) heal(ctx context.Context, undo func(context.Context) error) error {
	c.mu.Lock()
	c.healed = true
	r := c.run
	c.mu.Unlock()
	if r == nil {
		return nil
	}
	r.cancel()
	over := make(chan struct{})
	go func() {
		r.over.Wait()
		close(over)
	}()
	select {
	case <-over:
	case <-ctx.Done():
		return ctx.Err()
	}
	c.healing.Lock()
	defer c.healing.Unlock()
	if c.undone {
		return nil
	}
	err := undo(ctx)
	c.undone = err == nil
	return err
}

// count adds to a number that is kept.
func (c *course) count(name string, n float64) {
	c.counts.Lock()
	defer c.counts.Unlock()
	if c.counted == nil {
		c.counted = make(map[string]float64)
	}
	c.counted[name] += n
}

// tally is what was counted so far.
func (c *course) tally() map[string]float64 {
	c.counts.Lock()
	defer c.counts.Unlock()
	return maps.Clone(c.counted)
}

// nothing is the undoing of what is over by itself, and the look at it.
func nothing(context.Context) error { return nil }
