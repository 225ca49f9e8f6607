package inspect

import (
	"cmp"
	"context"
	"errors"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/natsops/natsops/internal/inspect/wire"
)

// A round is the taking of one snapshot. Its parts run side by side and put
// what they learn here.
type round struct {
	c    *Collector
	need Need
	at   time.Time
	cost wire.Cost // before

	alive *wire.Tally // servers that answer, once all have

	mu        sync.Mutex
	learnt    bool // something, whatever it is
	gaps      []Gap
	among     map[Gap][]string   // names of what is missing for the same reason
	servers   map[string]*Server // that answered, by ID
	expected  map[string]string  // servers that are talked about, by name; and by whom
	missing   int                // servers that did not answer, as far as their number is known
	details   []detail           // on the system and monitor routes
	found     harvest
	open      map[string][]Connection // by server
	closed    map[string][]Connection
	accounts  map[string]*Account // by ID
	configs   bool                // configurations were asked for
	unheardOf map[string]string   // servers whose streams and consumers are not among the details, by name; and why
}

func newRound(c *Collector, need Need) *round {
	now := time.Now()
	return &round{
		c: c, need: need, at: now, cost: c.memory.cost, alive: wire.NewTally(),
		configs: need.Consumers && c.memory.wantsConfigs(now),
		found:   harvest{unheard: func(Key, string, string) string { return "nobody was asked" }},
		among:   map[Gap][]string{}, servers: map[string]*Server{}, expected: map[string]string{}, unheardOf: map[string]string{},
		open: map[string][]Connection{}, closed: map[string][]Connection{}, accounts: map[string]*Account{},
	}
}

// take asks all that is needed and returns when everybody has answered or ctx
// has ended.
func (r *round) take(ctx context.Context) {
	if r.need.Events {
		r.listen()
	}
	switch r.c.route {
	case RouteSystem:
		r.askSystem(ctx)
	case RouteAccount:
		r.askAccount(ctx)
	case RouteMonitor:
		r.askMonitors(ctx)
	}
}

// gap notes what is missing and why.
func (r *round) gap(what string, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.gaps = append(r.gaps, Gap{What: what, Why: err.Error(), Remedy: remedyFor(err)})
}

// gapAmong notes that one of many things of a kind is missing. Those with the
// same reason become one gap.
func (r *round) gapAmong(kind, name string, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	key := Gap{What: kind, Why: err.Error(), Remedy: remedyFor(err)}
	r.among[key] = append(r.among[key], name)
}

// gapsAmong turns them into gaps, which name some of them.
func (r *round) gapsAmong() {
	const some = 5
	for gap, names := range r.among {
		slices.Sort(names)
		if len(names) > 1 {
			noun := gap.What[strings.LastIndex(gap.What, " ")+1:]
			gap.What = strings.TrimSuffix(gap.What, noun) + count(len(names), noun)
		}
		gap.What += " " + strings.Join(names[:min(some, len(names))], ", ")
		if len(names) > some {
			gap.What += ", …"
		}
		r.gaps = append(r.gaps, gap)
	}
}

// remedyFor returns what may help.
func remedyFor(err error) string {
	switch {
	case errors.Is(err, wire.ErrNoPermission):
		_, subject, _ := strings.Cut(err.Error(), " for ")
		if strings.Contains(subject, "INBOX") {
			return "--inbox-prefix with the inbox that the user may subscribe to"
		}
		return "to let the user publish to " + subject
	case errors.Is(err, wire.ErrNobody) && strings.Contains(err.Error(), ".API."):
		return "credentials of an account with JetStream, or the right --js-domain"
	case isCode(err, errNotEnabled), isCode(err, errNotEnabledForAccount):
		return "credentials of an account with JetStream"
	case errors.Is(err, errSystemOnly):
		return "credentials of a user of the system account"
	case errors.Is(err, errTooMuch):
		return "a connection to that server's own cluster, or credentials of the account"
	case errors.Is(err, errNotAsked):
		return "a longer --timeout"
	}
	return ""
}

// meet makes the acquaintance of a server that answers, and returns false when
// it is known already.
func (r *round) meet(by serverInfo) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.learnt = true
	if r.servers[by.ID] != nil {
		return false
	}
	s := &Server{ID: by.ID, Name: cmp.Or(by.Name, by.ID), Cluster: by.Cluster, Domain: by.Domain, Version: by.Version}
	s.Reading = Reading{State: Fresh, At: r.at, By: s.Name}
	r.servers[by.ID] = s
	return true
}

// tell lets f put down what a server said.
func (r *round) tell(by serverInfo, f func(*Server)) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.learnt = true
	if s := r.servers[by.ID]; s != nil {
		f(s)
	}
}

// mention notes that by knows of other servers.
func (r *round) mention(by string, names ...string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, name := range names {
		if name != "" {
			r.expected[name] = by
		}
	}
}

// clock reads a server's clock off an answer; the most exact reading counts.
func (s *Server) clock(at, sent, got time.Time) {
	if at.IsZero() {
		return
	}
	half := got.Sub(sent) / 2
	if s.OffsetError == 0 || half < s.OffsetError {
		s.At, s.Offset, s.OffsetError = at, at.Sub(sent.Add(half)), half
	}
}

// snapshot puts everything together.
func (r *round) snapshot() *Snapshot {
	r.mu.Lock()
	defer r.mu.Unlock()
	s := &Snapshot{At: r.at, Route: r.c.route}
	claims := r.merge()
	s.Servers = r.everyServer()
	if r.need.Consumers {
		if r.c.route != RouteAccount {
			r.found = r.settle(claims)
		}
		s.Streams, s.Consumers = r.streamsAndConsumers()
	}
	s.Connections, s.Closed = connections(r.open), connections(r.closed)
	s.Accounts = r.sums(s.Streams)
	s.Events = r.happened()
	r.gapsAmong()
	slices.SortStableFunc(r.gaps, func(a, b Gap) int {
		return cmp.Or(cmp.Compare(a.What, b.What), cmp.Compare(a.Why, b.Why))
	})
	s.Gaps = slices.Compact(r.gaps)
	s.Took = time.Since(r.at)
	cost := r.c.cost()
	s.Cost = Cost{Requests: int(cost.Requests - r.cost.Requests), Replies: int(cost.Replies - r.cost.Replies), Bytes: cost.Bytes - r.cost.Bytes}
	if r.learnt {
		r.remember(s, cost)
	}
	return s
}

// everyServer returns the servers that answered, and those that did not but are
// talked about.
func (r *round) everyServer() []Server {
	if r.c.route == RouteAccount {
		return nil
	}
	var all []Server
	names := map[string]bool{}
	for _, s := range r.servers {
		all = append(all, *s)
		names[s.Name] = true
	}
	if r.missing > 0 { // else what the memory knows is gone for good
		for name := range r.c.memory.servers {
			if _, ok := r.expected[name]; !ok {
				r.expected[name] = ""
			}
		}
	}
	silent := 0
	for _, name := range slices.Sorted(maps.Keys(r.expected)) {
		if names[name] {
			continue
		}
		silent++
		why := r.absence(name)
		r.unheardOf[name] = "server " + name + " does not answer"
		s := r.c.memory.servers[name]
		s.Name, s.Why, s.State = name, why, Unknown
		if !s.At.IsZero() {
			s.State = Stale
		}
		all = append(all, s)
		r.gaps = append(r.gaps, Gap{What: "server " + name, Why: why, Remedy: "the host and its network"})
	}
	if silent < r.missing && r.c.route == RouteSystem {
		r.gaps = append(r.gaps, Gap{What: count(r.missing-silent, "more server"), Why: wire.Silence(r.waited()).Error(), Remedy: "nats server list"})
	}
	slices.SortFunc(all, func(a, b Server) int { return cmp.Or(cmp.Compare(a.Name, b.Name), cmp.Compare(a.ID, b.ID)) })
	return all
}

// absence says why a server is not here.
func (r *round) absence(name string) string {
	switch {
	case r.c.route == RouteMonitor:
		return "none of the monitoring endpoints that answered is its"
	case r.missing == 0:
		return "it has no connection to the others; " + r.expected[name] + " knows it"
	default:
		return wire.Silence(r.waited()).Error()
	}
}

// waited is how long silent servers have been waited for.
func (r *round) waited() time.Duration { return time.Since(r.at) }
