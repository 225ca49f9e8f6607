package inspect

import (
	"cmp"
	"slices"
	"strings"
	"time"
)

// A claim is what the servers say of one stream and its consumers.
type claim struct {
	key       Key
	stream    *Stream     // as its leader describes it; nil: no leader did
	copy      *Stream     // as another member of the group does
	consumers []*Consumer // as their leaders describe them
	copies    []*Consumer // as others do
}

// believed reports whether a member of a group may be believed: all others
// than the leader tell numbers that are wrong (nats-server#8140).
func believed(g *Group, by string) bool { return g == nil || g.Leader == by }

// later returns a if its leader was elected later than b's: for a while after
// an election, two may take themselves for the leader.
func later[T any](a, b *T, group func(*T) *Group) *T {
	if a == nil {
		return b
	}
	if b == nil {
		return a
	}
	if ga, gb := group(a), group(b); ga != nil && gb != nil && gb.LeaderSince.After(ga.LeaderSince) {
		return b
	}
	return a
}

func streamGroup(s *Stream) *Group     { return s.Cluster }
func consumerGroup(c *Consumer) *Group { return c.Cluster }

// merge sorts out who says what of which stream, in order.
func (r *round) merge() []*claim {
	claims := map[Key]*claim{}
	for d := range r.details {
		for a := range r.details[d].accounts {
			account := &r.details[d].accounts[a]
			name := r.c.memory.accountName(account.ID, account.Name)
			for i := range account.Streams {
				s := &account.Streams[i]
				if !r.c.o.Match(s.Name) {
					continue
				}
				key := Key{Account: name, Stream: s.Name}
				if claims[key] == nil {
					claims[key] = &claim{key: key}
				}
				claims[key].hear(s, &r.details[d])
				if g := s.Cluster; g != nil {
					r.expect(r.details[d].by, g)
				}
			}
		}
	}
	sorted := make([]*claim, 0, len(claims))
	for _, c := range claims {
		sorted = append(sorted, c)
	}
	slices.SortFunc(sorted, func(a, b *claim) int { return a.key.Compare(b.key) })
	return sorted
}

// expect notes the members of a group. The lock is held.
func (r *round) expect(by string, g *Group) {
	if g.Leader != "" {
		r.expected[g.Leader] = by
	}
	for i := range g.Replicas {
		if name := g.Replicas[i].Name; name != "" {
			r.expected[name] = by
		}
	}
}

// hear adds what one server says.
func (c *claim) hear(s *jszStream, d *detail) {
	s.Account = c.key.Account
	if believed(s.Cluster, d.by) {
		s.Reading = Reading{State: Fresh, At: d.at, By: d.by}
		c.stream = later(c.stream, &s.Stream, streamGroup)
	} else {
		c.copy = &s.Stream
	}
	for i := range s.Consumers {
		consumer := &s.Consumers[i]
		consumer.Account, consumer.Stream = c.key.Account, c.key.Stream
		if believed(consumer.Cluster, d.by) {
			consumer.Reading = Reading{State: Fresh, At: timeOr(consumer.Timestamp, d.at), By: d.by}
			c.consumers = append(c.consumers, consumer)
		} else {
			c.copies = append(c.copies, consumer)
		}
	}
}

func timeOr(a, b time.Time) time.Time {
	if a.IsZero() {
		return b
	}
	return a
}

// leaderless says why nobody who could be believed described something.
func (r *round) leaderless(g *Group) string {
	if g == nil || g.Leader == "" {
		return "it has no leader"
	}
	if why, ok := r.unheardOf[g.Leader]; ok {
		return why
	}
	return "its leader " + g.Leader + " did not describe it"
}

// settle turns claims into streams and consumers. Of those whose leaders did
// not speak, only the names are known.
func (r *round) settle(claims []*claim) harvest {
	n := 0
	for _, c := range claims {
		n += max(len(c.consumers), len(c.copies))
	}
	streams, consumers := make([]Stream, 0, len(claims)), make([]Consumer, 0, n)
	for _, c := range claims {
		if c.stream == nil {
			s := c.copy
			c.stream = &Stream{
				Reading: Reading{Why: r.leaderless(s.Cluster)},
				Account: s.Account, Name: s.Name, Created: s.Created, Config: s.Config, Cluster: s.Cluster,
			}
		}
		streams = append(streams, *c.stream)
		for _, told := range c.settled() {
			if told.State == Unknown {
				consumers = append(consumers, Consumer{
					Reading: Reading{Why: r.leaderless(told.Cluster)},
					Account: told.Account, Stream: told.Stream, Name: told.Name, Created: told.Created, Config: told.Config, Cluster: told.Cluster,
				})
				continue
			}
			consumers = append(consumers, *told)
		}
	}
	return harvest{streams, consumers, func(_ Key, by, leader string) string {
		return cmp.Or(r.unheardOf[by], r.unheardOf[leader])
	}}
}

// settled returns each consumer once, by name.
func (c *claim) settled() []*Consumer {
	all := append(c.consumers, c.copies...)
	slices.SortStableFunc(all, func(a, b *Consumer) int {
		return cmp.Or(strings.Compare(a.Name, b.Name), cmp.Compare(b.State, a.State))
	})
	out := all[:0]
	for _, next := range all {
		if n := len(out); n > 0 && out[n-1].Name == next.Name {
			if next.State == Fresh {
				out[n-1] = later(out[n-1], next, consumerGroup)
			}
			continue
		}
		out = append(out, next)
	}
	return out
}
