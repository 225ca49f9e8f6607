package proxy

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"

	"github.com/natsops/natsops/internal/hint"
)

// A FabricConfig describes the proxies of a fabric.
type FabricConfig struct {
	Seed    uint64
	Observe func(Event) // as in [Config]; Event.Proxy is [Link.String]
}

// A Link names a proxy of a fabric: From dials To. Bytes flow both ways in
// each. Nodes dial each other, so that two links are between any two of them,
// and it is random which one carries their traffic.
type Link struct {
	From string // "" for the clients of To
	To   string
}

func (l Link) String() string { return cmp.Or(l.From, "clients") + "→" + l.To }

// A Fabric is the links of a cluster and of its clients, each through a proxy.
// Its methods may be called concurrently.
type Fabric struct {
	cfg FabricConfig

	mu    sync.Mutex
	links map[Link]*Proxy
}

// NewFabric returns a fabric without links.
func NewFabric(cfg FabricConfig) *Fabric {
	return &Fabric{cfg: cfg, links: make(map[Link]*Proxy)}
}

// Link makes a link, and returns where node from, or clients where that is "",
// reach node to, which listens on addr.
func (f *Fabric) Link(from, to, addr string) (string, error) {
	l := Link{from, to}
	f.mu.Lock()
	defer f.mu.Unlock()
	if _, twice := f.links[l]; twice {
		return "", fmt.Errorf("the link %s is there already", l)
	}
	p, err := Listen(Config{Name: l.String(), Target: addr, Seed: f.cfg.Seed + uint64(len(f.links)), Observe: f.cfg.Observe})
	if err != nil {
		return "", err
	}
	f.links[l] = p
	return p.Addr(), nil
}

// Proxy returns that of a link; from is "" for the clients of to.
func (f *Fabric) Proxy(from, to string) (*Proxy, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	p := f.links[Link{from, to}]
	if p == nil {
		return nil, hint.Wrap(fmt.Errorf("there is no link %s", Link{from, to}), "one between "+strings.Join(f.names(), ", "))
	}
	return p, nil
}

// Nodes are the names of those that are linked, in order.
func (f *Fabric) Nodes() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.names()
}

func (f *Fabric) names() []string {
	seen := make(map[string]bool)
	for l := range f.links {
		seen[l.To] = true
	}
	return slices.Sorted(maps.Keys(seen))
}

// Links reads all links back.
func (f *Fabric) Links() map[Link]Status {
	all := make(map[Link]Status)
	for l, p := range f.all() {
		all[l] = p.Status()
	}
	return all
}

// Heal heals all links, those of clients too. After an error, it may be called
// again.
func (f *Fabric) Heal() error {
	return heal(f.all())
}

// Close ends all links. Nodes cannot reach each other any more, so they are
// better stopped first.
func (f *Fabric) Close() error {
	return each(f.all(), func(_ Link, p *Proxy) error { return p.Close() })
}

func (f *Fabric) all() map[Link]*Proxy {
	f.mu.Lock()
	defer f.mu.Unlock()
	return maps.Clone(f.links)
}

// each calls do for all links at the same time, so that the first is not in
// another state for longer than it takes.
func each(links map[Link]*Proxy, do func(Link, *Proxy) error) error {
	errs := make(chan error, len(links))
	for l, p := range links {
		go func() { errs <- do(l, p) }()
	}
	var all []error
	for range links {
		all = append(all, <-errs)
	}
	return errors.Join(all...)
}

func heal(links map[Link]*Proxy) error {
	return each(links, func(_ Link, p *Proxy) error { return p.Heal() })
}
