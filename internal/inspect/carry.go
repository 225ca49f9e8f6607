package inspect

import (
	"cmp"
	"slices"
)

// A harvest is what a round learnt of streams and consumers.
type harvest struct {
	streams   []Stream   // in order
	consumers []Consumer // in order
	// unheard says why something that is not among these may be there all the
	// same; "": it is gone. It is given who told of it, and its leader.
	unheard func(key Key, by, leader string) string
}

// streamsAndConsumers returns what was learnt in this round; what was not, but
// had been learnt before, is there as it was then.
func (r *round) streamsAndConsumers() ([]Stream, []Consumer) {
	now, before := r.found, &r.c.memory
	streams := carry(before.streams, now.streams, kind[Stream]{
		key: (*Stream).Key,
		join: func(old, now *Stream) {
			if now.Config == nil && old.Created.Equal(now.Created) {
				now.Config = old.Config
			}
			if now.Reading.State == Unknown && old.Reading.State != Unknown {
				why, group := now.Why, now.Cluster
				*now = *old
				now.Reading.State, now.Why, now.Cluster = Stale, why, cmp.Or(group, old.Cluster)
			}
		},
		keep: func(old *Stream) (Stream, bool) {
			s := *old
			s.Why = now.unheard(old.Key(), old.By, leaderOf(old.Cluster))
			s.Reading.State = min(s.Reading.State, Stale)
			return s, s.Why != ""
		},
	})
	consumers := carry(before.consumers, now.consumers, kind[Consumer]{
		key: (*Consumer).Key,
		join: func(old, now *Consumer) {
			if now.Config == nil && old.Created.Equal(now.Created) {
				now.Config = old.Config
			}
			if now.State == Unknown && old.State != Unknown {
				why, group := now.Why, now.Cluster
				*now = *old
				now.State, now.Why, now.Cluster = Stale, why, cmp.Or(group, old.Cluster)
			}
		},
		keep: func(old *Consumer) (Consumer, bool) {
			c := *old
			c.Why = now.unheard(old.Key(), old.By, leaderOf(old.Cluster))
			c.State = min(c.State, Stale)
			return c, c.Why != ""
		},
	})
	return streams, consumers
}

func leaderOf(g *Group) string {
	if g == nil {
		return ""
	}
	return g.Leader
}

// A kind of thing that is carried from one snapshot to the next.
type kind[T any] struct {
	key  func(*T) Key
	join func(old, now *T)      // gives now what only old knows
	keep func(old *T) (T, bool) // returns what to show of something that is not there now, if anything
}

// carry joins two lists in order. It may change now, and never before.
func carry[T any](before, now []T, of kind[T]) []T {
	var kept []T
	i := 0
	for o := range before {
		old := &before[o]
		key := of.key(old)
		for i < len(now) && of.key(&now[i]).Compare(key) < 0 {
			i++
		}
		if i < len(now) && of.key(&now[i]) == key {
			of.join(old, &now[i])
			continue
		}
		if still, ok := of.keep(old); ok {
			kept = append(kept, still)
		}
	}
	if len(kept) == 0 {
		return now
	}
	now = append(now, kept...)
	slices.SortStableFunc(now, func(a, b T) int { return of.key(&a).Compare(of.key(&b)) })
	return now
}
