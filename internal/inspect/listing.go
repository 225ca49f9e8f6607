package inspect

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/natsops/natsops/internal/inspect/wire"
)

// A listing learns all streams, or all consumers of a stream.
//
// In a cluster the leader of the meta group answers a request for a page, after
// it has asked all who lead something on it. One server that is frozen makes it
// wait 4 s (nats-server, jetstream_cluster.go: jsClusteredStreamListRequest). So
// when a page takes its time, names are asked for, which the meta leader knows by
// itself, and each is asked for on its own; if the meta leader is the one that is
// frozen, the names known from before are.
type listing[T refusable] struct {
	l     *lister
	what  string // STREAM, CONSUMER
	of    string // ".ORDERS"
	name  func(*T) string
	found func(*T)
	lost  func(name string, why error, as *T) // it exists, and no more is known, or only what as says besides numbers
	known func() []string
	named func(name string) // it exists; more will be said by found or lost
}

// page is an answer to STREAM.LIST, CONSUMER.LIST and the same with NAMES.
type page[T any] struct {
	apiAnswer
	Total    int               `json:"total"`
	Limit    int               `json:"limit"`
	Streams  []T               `json:"streams"`
	Consumer []T               `json:"consumers"`
	Missing  []string          `json:"missing"`
	Offline  map[string]string `json:"offline"` // why, by name
}

func (p *page[T]) items() []T {
	if p.Streams != nil {
		return p.Streams
	}
	return p.Consumer
}

// run returns why not everything is known at least by name.
func (g listing[T]) run(ctx context.Context) error {
	var both sync.WaitGroup
	defer both.Wait()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	late, listed, single := make(chan struct{}, 1), make(chan error, 1), make(chan error, 1)
	both.Go(func() { listed <- g.pages(ctx, late) })
	select {
	case err := <-listed:
		return err
	case <-late:
	}
	g.l.limp()
	both.Go(func() { single <- g.oneByOne(ctx) })
	select {
	case err := <-listed:
		if !errors.Is(err, wire.ErrSilent) {
			return err // the rest need not be asked for any more
		}
		return <-single
	case err := <-single:
		if err != nil {
			return <-listed
		}
		return nil
	}
}

// pages asks page by page, and says so when one takes its time. In a cluster a
// page may have less than its limit when servers are missing, so the limit is
// what counts.
func (g listing[T]) pages(ctx context.Context, late chan<- struct{}) error {
	for at := 0; ; {
		if !g.l.place(ctx, g.l.lists) {
			return errNotAsked
		}
		patience := time.AfterFunc(g.l.patience(), func() {
			select {
			case late <- struct{}{}:
			default:
			}
		})
		p, err := ask[page[*T]](ctx, g.l, wire.Question{Subject: g.what + ".LIST" + g.of, Body: offset(at)})
		patience.Stop()
		<-g.l.lists
		if err == nil {
			err = p.refusal()
		}
		if err != nil {
			return err
		}
		g.take(&p)
		at += max(p.Limit, len(p.items()))
		if at >= p.Total || len(p.items())+len(p.Missing) == 0 {
			return nil
		}
	}
}

// take sorts out what a page says. What is offline is among its items too,
// without numbers and, of consumers, with a name only in the configuration.
func (g listing[T]) take(p *page[*T]) {
	missing := map[string]*T{}
	for _, name := range p.Missing {
		missing[name] = nil
	}
	for _, item := range p.items() {
		if item == nil {
			continue // null is no consumer
		}
		if _, ok := missing[g.name(item)]; ok {
			missing[g.name(item)] = item
			continue
		}
		g.found(item)
	}
	for name, as := range missing {
		why := errors.New("the server that leads it does not answer")
		if said := p.Offline[name]; said != "" {
			why = errors.New("it is offline: " + said)
		}
		g.lost(name, why, as)
	}
}

// oneByOne asks for each on its own: for those known from before at once, in
// case that nobody tells the names.
func (g listing[T]) oneByOne(ctx context.Context) error {
	var each sync.WaitGroup
	defer each.Wait()
	begun := map[string]bool{}
	begin := func(names []string) {
		for _, name := range names {
			if begun[name] || !g.wanted(name) {
				continue
			}
			begun[name] = true
			if g.named != nil {
				g.named(name)
			}
			each.Go(func() { g.one(ctx, name) })
		}
	}
	begin(g.known())
	names, err := g.names(ctx)
	begin(names)
	return err
}

func (g listing[T]) wanted(name string) bool {
	return g.of != "" || g.l.r.c.o.Match(name)
}

func (g listing[T]) one(ctx context.Context, name string) {
	subject := g.what + ".INFO" + g.of + "." + name
	if !g.l.place(ctx, g.l.infos) {
		g.lost(name, errNotAsked, nil)
		return
	}
	item, err := ask[T](ctx, g.l, wire.Question{Subject: subject})
	<-g.l.infos
	if err == nil {
		err = item.refusal()
	}
	switch {
	case isCode(err, errStreamNotFound), isCode(err, errConsumerNotFound):
	case errors.Is(err, context.Canceled): // the list came after all
	case err != nil:
		g.lost(name, err, nil)
	default:
		g.found(&item)
	}
}

// names returns those that the meta leader knows.
func (g listing[T]) names(ctx context.Context) ([]string, error) {
	var all []string
	for at := 0; ; {
		p, err := ask[page[string]](ctx, g.l, wire.Question{Subject: g.what + ".NAMES" + g.of, Body: offset(at)})
		if err == nil {
			err = p.refusal()
		}
		if err != nil {
			return all, err
		}
		all = append(all, p.items()...)
		at += max(p.Limit, len(p.items()))
		if at >= p.Total || len(p.items()) == 0 {
			return all, nil
		}
	}
}
