package history

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// oracle makes an account the slow way: it asks, of each message, each sentence
// of the comments of [Account], and looks through the whole record for the answer.
type oracle struct{ r Record }

func (o oracle) tries(m message, ok func(Attempt) bool) (n uint64) {
	for _, a := range o.r.Attempts {
		if (message{a.Publisher, a.Seq}) == m && ok(a) {
			n++
		}
	}
	return n
}

func anyTry(Attempt) bool     { return true }
func ackedTry(a Attempt) bool { return a.Outcome == Acked && a.Class != InProcess }
func firstTry(a Attempt) bool { return a.Try == 1 && ackedTry(a) }
func refusedTry(a Attempt) bool {
	return a.Outcome == Refused && a.Class != InProcess
}

// places are where a message is, in order.
func (o oracle) places(m message) []uint64 {
	var out []uint64
	for _, s := range o.r.Stored {
		if !s.Foreign && (message{s.Publisher, s.Seq}) == m {
			out = append(out, s.StreamSeq)
		}
	}
	slices.Sort(out)
	return out
}

func (o oracle) deliveries(m message) []Delivery {
	var out []Delivery
	for _, d := range o.r.Deliveries {
		if (message{d.Publisher, d.Seq}) == m {
			out = append(out, d)
		}
	}
	return out
}

func (o oracle) messages() []message {
	seen := map[message]bool{}
	var out []message
	add := func(m message) {
		if !seen[m] {
			out = append(out, m)
		}
		seen[m] = true
	}
	for _, a := range o.r.Attempts {
		add(message{a.Publisher, a.Seq})
	}
	for _, s := range o.r.Stored {
		add(message{s.Publisher, s.Seq})
	}
	for _, d := range o.r.Deliveries {
		add(message{d.Publisher, d.Seq})
	}
	return out
}

func (o oracle) account() Account {
	a := Account{StoredKnown: true, DeliveriesKnown: len(o.r.Consumers)+len(o.r.Deliveries) > 0, Attempts: uint64(len(o.r.Attempts))}
	for _, s := range o.r.Stored {
		if s.Foreign || o.tries(message{s.Publisher, s.Seq}, anyTry) == 0 {
			a.Unexpected++
		}
	}
	for _, m := range o.messages() {
		if o.tries(m, anyTry) > 0 {
			a.Messages++
			o.sent(m, &a)
		}
		o.delivered(m, &a)
	}
	return a
}

func (o oracle) sent(m message, a *Account) {
	places := o.places(m)
	one := uint64(min(1, len(places)))
	a.Stored += one
	a.DuplicatesStored += uint64(len(places)) - one
	a.AckMismatches += one * o.tries(m, func(t Attempt) bool { return ackedTry(t) && !slices.Contains(places, t.StreamSeq) })
	switch {
	case o.tries(m, ackedTry) > 0:
		a.Acked++
		if one == 0 {
			a.Lost++
			o.lost(m, a)
		}
	case o.tries(m, refusedTry) == o.tries(m, anyTry):
		a.Refused++
		a.RefusedStored += one
	default:
		a.Unknown++
		a.UnknownStored += one
	}
	if one == 1 && o.tries(m, firstTry) > 0 && slices.ContainsFunc(o.messages(), func(l message) bool {
		at := o.places(l)
		return l.publisher == m.publisher && l.seq > m.seq && o.tries(l, firstTry) > 0 && len(at) > 0 && at[0] < places[0]
	}) {
		a.Reordered++
	}
}

func (o oracle) lost(m message, a *Account) {
	kept := func(ok func(uint64) bool) bool {
		return slices.ContainsFunc(o.messages(), func(l message) bool {
			return l.publisher == m.publisher && ok(l.seq) && o.tries(l, anyTry) > 0 && len(o.places(l)) > 0
		})
	}
	switch {
	case !kept(func(seq uint64) bool { return seq < m.seq }):
		a.LostFirst++
	case !kept(func(seq uint64) bool { return seq > m.seq }):
		a.LostLast++
	default:
		a.LostMiddle++
	}
}

func (o oracle) delivered(m message, a *Account) {
	came, stored, sent := o.deliveries(m), len(o.places(m)) > 0, o.tries(m, anyTry) > 0
	if len(came) == 0 {
		if sent && stored && a.DeliveriesKnown {
			a.Undelivered++
		}
		return
	}
	if sent {
		a.Delivered++
	}
	if !stored {
		a.DeliveredNotStored++
	}
	type to struct {
		message
		consumer uint16
	}
	first := map[to]int{} // index of the first delivery to each consumer
	for i, d := range o.r.Deliveries {
		key := to{message{d.Publisher, d.Seq}, d.Consumer}
		if _, ok := first[key]; !ok {
			first[key] = i
		}
	}
	ones := map[uint16]uint64{}
	for i, d := range o.r.Deliveries {
		if (message{d.Publisher, d.Seq}) != m {
			continue
		}
		if d.NumDelivered == 1 {
			ones[d.Consumer]++
		}
		if first[to{m, d.Consumer}] != i {
			a.DuplicatesDelivered++
			continue
		}
		for j, e := range o.r.Deliveries[:i] {
			key := to{message{e.Publisher, e.Seq}, e.Consumer}
			if e.Consumer == d.Consumer && e.Worker == d.Worker && e.StreamSeq > d.StreamSeq && first[key] == j {
				a.DeliveredReordered++
				break
			}
		}
	}
	for _, n := range ones {
		a.DuplicatesUnflagged += n - 1
	}
}

func TestCheckAgreesWithTheSlowWay(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r := mutated(t)
		r.Unread, r.Replicas = "", nil
		for i := range r.Stored { // of a stream that was read well
			r.Stored[i].StreamSeq = uint64(i + 1)
		}
		got := Check(r)
		sound(t, got)
		if diff := cmp.Diff(oracle{r}.account(), figures(got)); diff != "" {
			t.Errorf("the slow way -, Check +:\n%s", diff)
		}
	})
}
