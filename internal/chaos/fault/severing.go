package fault

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/natsops/natsops/internal/chaos/proxy"
	"github.com/natsops/natsops/internal/quantity"
)

// A severing is what a strike does to links. Only that is healed, and what others
// do to the same links stays; but what two do alike to the same link is over when
// the first of them is healed.
type severing struct {
	fabric *proxy.Fabric
	links  map[proxy.Link]proxy.Toxics // what is set; zero values are left as they are
	reset  bool                        // open connections, once it is set
}

// ordered are the links, in the order of their names.
func (s *severing) ordered() []proxy.Link {
	var all []proxy.Link
	for l := range s.links {
		all = append(all, l)
	}
	slices.SortFunc(all, func(a, b proxy.Link) int { return strings.Compare(a.String(), b.String()) })
	return all
}

// cut does it, to all links at the same time.
func (s *severing) cut() error {
	return s.each(func(p *proxy.Proxy, set proxy.Toxics) error {
		if err := p.Edit(func(t *proxy.Toxics) { merge(t, set, put) }); err != nil {
			return err
		}
		if s.reset {
			p.Reset()
		}
		return nil
	})
}

// heal undoes it, as far as it is as it was set.
func (s *severing) heal() error {
	return s.each(func(p *proxy.Proxy, set proxy.Toxics) error {
		return p.Edit(func(t *proxy.Toxics) { merge(t, set, take) })
	})
}

// left reads the links back, and tells what is still set.
func (s *severing) left() error {
	all := s.fabric.Links()
	var found []error
	for _, l := range s.ordered() {
		now, set := all[l].Toxics, s.links[l]
		if healed := now; merge(&healed, set, take) {
			found = append(found, fmt.Errorf("the link %s is not healed: %s", l, describe(now)))
		}
	}
	return errors.Join(found...)
}

func (s *severing) each(do func(*proxy.Proxy, proxy.Toxics) error) error {
	all := s.ordered()
	errs := make([]error, len(all))
	var wg sync.WaitGroup
	for i, l := range all {
		wg.Go(func() {
			p, err := s.fabric.Proxy(l.From, l.To)
			if err == nil {
				err = do(p, s.links[l])
			}
			errs[i] = err
		})
	}
	wg.Wait()
	return errors.Join(errs...)
}

// steps are what is done.
func (s *severing) steps() []Step {
	var all []Step
	for _, l := range s.ordered() {
		how := describe(s.links[l])
		if s.reset {
			how = strings.TrimPrefix(how+", reset", ", ")
		}
		all = append(all, Step{Do: "link", Object: l.String(), Payload: how})
	}
	return all
}

// strike is the severing as a strike.
func (s *severing) strike(victims, down []string) *Strike {
	var c course
	return &Strike{
		Victims: victims,
		Down:    down,
		Steps:   s.steps(),
		Inject: func(ctx context.Context) error {
			return c.inject(ctx, func(context.Context) error { return s.cut() })
		},
		Heal: func(ctx context.Context) error {
			return c.heal(ctx, func(context.Context) error { return errors.Join(s.heal(), s.left()) })
		},
		Healed: func(context.Context) error { return s.left() },
		Counts: c.tally,
	}
}

// between severs two groups of nodes, by a cut in both directions.
func between(f *proxy.Fabric, by proxy.Cut, a, b []string) *severing {
	set := proxy.Toxics{Refuse: by == proxy.CutReset}
	if by != proxy.CutReset {
		set.Up.Flow, set.Down.Flow = proxy.Flow(by), proxy.Flow(by)
	}
	s := &severing{fabric: f, links: map[proxy.Link]proxy.Toxics{}, reset: by == proxy.CutReset}
	for l := range f.Links() {
		if slices.Contains(a, l.From) && slices.Contains(b, l.To) || slices.Contains(b, l.From) && slices.Contains(a, l.To) {
			s.links[l] = set
		}
	}
	return s
}

// oneWay does something to what one group of nodes says to another, whoever of
// them dialled.
func oneWay(f *proxy.Fabric, toxic proxy.Toxic, from, to []string) *severing {
	s := &severing{fabric: f, links: map[proxy.Link]proxy.Toxics{}}
	for l := range f.Links() {
		switch {
		case slices.Contains(from, l.From) && slices.Contains(to, l.To):
			s.links[l] = proxy.Toxics{Up: toxic}
		case slices.Contains(to, l.From) && slices.Contains(from, l.To):
			s.links[l] = proxy.Toxics{Down: toxic}
		}
	}
	return s
}

// A hand does something with a field of a link that a severing sets to a value:
// it tells whether the field has that value, or would have it now.
type hand int

const (
	put  hand = iota // sets it
	take             // makes it zero if it has that value
)

// merge lets a hand go over all fields that are set. It tells whether any of them
// had its value.
func merge(t *proxy.Toxics, set proxy.Toxics, by hand) bool {
	had := field(&t.Refuse, set.Refuse, by)
	had = mergeToxic(&t.Up, set.Up, by) || had
	return mergeToxic(&t.Down, set.Down, by) || had
}

func mergeToxic(t *proxy.Toxic, set proxy.Toxic, by hand) bool {
	had := field(&t.Flow, set.Flow, by)
	had = field(&t.Latency, set.Latency, by) || had
	had = field(&t.Jitter, set.Jitter, by) || had
	had = field(&t.Rate, set.Rate, by) || had
	had = field(&t.Slice, set.Slice, by) || had
	had = field(&t.SliceDelay, set.SliceDelay, by) || had
	return field(&t.Limit, set.Limit, by) || had
}

func field[T comparable](now *T, set T, by hand) bool {
	var zero T
	if set == zero {
		return false
	}
	had := *now == set
	switch {
	case by == put:
		*now = set
	case had:
		*now = zero
	}
	return had
}

// describe tells what is set, in words.
func describe(t proxy.Toxics) string {
	var all []string
	up, down := describeToxic(t.Up), describeToxic(t.Down)
	switch {
	case up == down && up != "":
		all = append(all, up)
	case up != "" || down != "":
		if up != "" {
			all = append(all, "to whom was dialled: "+up)
		}
		if down != "" {
			all = append(all, "to who dialled: "+down)
		}
	}
	if t.Refuse {
		all = append(all, "refuse")
	}
	return strings.Join(all, "; ")
}

func describeToxic(t proxy.Toxic) string {
	var all []string
	if t.Flow != proxy.Pass {
		all = append(all, string(t.Flow))
	}
	if t.Latency > 0 || t.Jitter > 0 {
		all = append(all, "latency "+quantity.FormatDuration(t.Latency)+" ± "+quantity.FormatDuration(t.Jitter))
	}
	if t.Rate > 0 {
		all = append(all, "at most "+quantity.FormatByteRate(float64(t.Rate)))
	}
	if t.Slice > 0 {
		all = append(all, "pieces of "+quantity.FormatSize(float64(t.Slice)))
	}
	return strings.Join(all, ", ")
}
