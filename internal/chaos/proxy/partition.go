package proxy

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/natsops/natsops/internal/hint"
)

// A Cut is a way to part nodes.
type Cut string

const (
	// CutFreeze is what a network does that loses packets until it is healed,
	// see [Freeze].
	CutFreeze Cut = "freeze"
	// CutDrop makes both ends wait for what never comes, see [Drop].
	CutDrop Cut = "drop"
	// CutReset resets connections and refuses new ones, as a firewall that
	// rejects. Both ends know at once. It has no one-way form.
	CutReset Cut = "reset"
)

// flow is how bytes of the cut flow; what resets does not hold any back.
func (c Cut) flow() (Flow, error) {
	switch c {
	case CutFreeze:
		return Freeze, nil
	case CutDrop:
		return Drop, nil
	case CutReset:
		return Pass, nil
	}
	return "", fmt.Errorf("there is no cut called %q", c)
}

// Partition parts the groups of nodes from each other. Links within a group, of
// nodes in no group, and of clients stay as they are, so two groups of one node
// part just these two. Other toxics stay, earlier partitions too. After an error
// nothing that could be healed is cut.
func (f *Fabric) Partition(by Cut, groups ...[]string) error {
	flow, err := by.flow()
	if err != nil {
		return err
	}
	side, err := f.sides(groups)
	if err != nil {
		return err
	}
	cut := f.which(func(l Link) bool {
		from, parted := side[l.From]
		to, too := side[l.To]
		return parted && too && from != to
	})
	return strike(cut, func(_ Link, p *Proxy) error {
		err := p.change(func(t *Toxics) {
			t.Refuse = t.Refuse || by == CutReset
			if by != CutReset {
				t.Up.Flow, t.Down.Flow = flow, flow
			}
		})
		if err == nil && by == CutReset {
			p.Reset()
		}
		return err
	})
}

// Isolate parts a node from all others.
func (f *Fabric) Isolate(by Cut, node string) error {
	rest := slices.DeleteFunc(f.Nodes(), func(name string) bool { return name == node })
	return f.Partition(by, []string{node}, rest)
}

// Silence parts the groups in one direction: nothing that a node of from says
// reaches one of to, which it still hears.
func (f *Fabric) Silence(by Cut, from, to []string) error {
	flow, err := by.flow()
	if err != nil {
		return err
	}
	if flow == Pass {
		return fmt.Errorf("%s has no one-way form", by)
	}
	return f.oneWay(from, to, func(t *Toxic) { t.Flow = flow })
}

// Degrade sets what happens to the bytes from one group to another, in place of
// what happened to them.
func (f *Fabric) Degrade(from, to []string, toxic Toxic) error {
	return f.oneWay(from, to, func(t *Toxic) { *t = toxic })
}

// oneWay changes the direction from one group to another, over the links that
// either dials.
func (f *Fabric) oneWay(from, to []string, change func(*Toxic)) error {
	side, err := f.sides([][]string{from, to})
	if err != nil {
		return err
	}
	on := func(l Link, a, b int) bool {
		x, from := side[l.From]
		y, to := side[l.To]
		return from && to && x == a && y == b
	}
	cut := f.which(func(l Link) bool { return on(l, 0, 1) || on(l, 1, 0) })
	return strike(cut, func(l Link, p *Proxy) error {
		return p.change(func(t *Toxics) {
			if on(l, 0, 1) {
				change(&t.Up)
			} else {
				change(&t.Down)
			}
		})
	})
}

// sides tells the group of each node in a group.
func (f *Fabric) sides(groups [][]string) (map[string]int, error) {
	known := f.Nodes()
	side := make(map[string]int)
	for i, group := range groups {
		if len(group) == 0 {
			return nil, fmt.Errorf("group %d has no nodes", i+1)
		}
		for _, name := range group {
			if !slices.Contains(known, name) {
				return nil, hint.Wrap(fmt.Errorf("there is no node %q", name), "one of "+strings.Join(known, ", "))
			}
			if _, twice := side[name]; twice {
				return nil, fmt.Errorf("node %s is named twice", name)
			}
			side[name] = i
		}
	}
	if len(groups) < 2 {
		return nil, errors.New("less than two groups have nothing between them")
	}
	return side, nil
}

// which returns the links that are wanted.
func (f *Fabric) which(want func(Link) bool) map[Link]*Proxy {
	some := f.all()
	for l := range some {
		if !want(l) {
			delete(some, l)
		}
	}
	return some
}

// strike does something to links, and heals them when it fails.
func strike(links map[Link]*Proxy, do func(Link, *Proxy) error) error {
	err := each(links, do)
	if err != nil {
		return errors.Join(err, heal(links))
	}
	return nil
}
