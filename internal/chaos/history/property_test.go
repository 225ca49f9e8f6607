package history

import (
	"maps"
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// sound holds an account against what always holds.
func sound(t rapid.TB, got Account) {
	t.Helper()
	if got.Messages != got.Acked+got.Refused+got.Unknown {
		t.Errorf("messages do not add up: %+v", got)
	}
	if got.Lost != got.LostFirst+got.LostMiddle+got.LostLast || got.Lost > got.Acked || min(got.Lost, lostExamples) != uint64(len(got.LostExamples)) {
		t.Errorf("losses do not add up: %+v", got)
	}
	if got.StoredKnown && got.Stored != got.Acked-got.Lost+got.RefusedStored+got.UnknownStored {
		t.Errorf("what is stored does not add up: %+v", got)
	}
	if !got.StoredKnown && got.Lost+got.Stored+got.Undelivered+got.AckMismatches > 0 {
		t.Errorf("told of a stream that was not read: %+v", got)
	}
	var errors uint64
	for _, n := range got.Errors {
		errors += n
	}
	if errors > got.Attempts || got.Undelivered > got.Stored || got.DuplicatesUnflagged > got.DuplicatesDelivered {
		t.Errorf("a part is more than its whole: %+v", got)
	}
}

// The ledger mutation test: 1,000 random histories, zero misses. It has seeds of
// its own, and not rapid's, so that there are always as many.
func TestNoMutationOfAThousandHistoriesIsMissed(t *testing.T) {
	planted := map[string]int{}
	names := slices.Sorted(maps.Keys(mutations()))
	for seed := range uint64(1000) {
		d := rand.New(rand.NewPCG(seed, 1))
		record, clean := healthy(d)
		if got := figures(Check(record)); !reflect.DeepEqual(clean, got) {
			t.Fatalf("history %d is healthy: want -, got +:\n%s", seed, cmp.Diff(clean, got))
		}
		for _, name := range names {
			r, want := copied(record), clean
			if !mutations()[name](d, &r, &want) {
				continue
			}
			planted[name]++
			if got := figures(Check(r)); !reflect.DeepEqual(want, got) {
				t.Errorf("history %d: %s: want -, got +:\n%s", seed, name, cmp.Diff(want, got))
			}
		}
		if t.Failed() {
			return
		}
	}
	for _, name := range names {
		if planted[name] < 700 {
			t.Errorf("only %d histories had anything for %q", planted[name], name)
		}
	}
}

func TestWhatKeepsItsPromisesHasACleanAccount(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		record, want := healthy(rapidDice{t})
		got := Check(record)
		if diff := cmp.Diff(want, figures(got)); diff != "" {
			t.Errorf("want -, got +:\n%s", diff)
		}
		if len(got.Warnings) > 0 {
			t.Errorf("warnings: %q", got.Warnings)
		}
	})
}

func TestEveryMutationIsFoundWithItsExactCount(t *testing.T) {
	for name, mutate := range mutations() {
		t.Run(name, rapid.MakeCheck(func(t *rapid.T) {
			d := rapidDice{t}
			record, want := healthy(d)
			r := copied(record)
			if !mutate(d, &r, &want) {
				return
			}
			if diff := cmp.Diff(want, figures(Check(r))); diff != "" {
				t.Errorf("want -, got +:\n%s", diff)
			}
		}))
	}
}

// mutated is a history with a few mutations, or one that never was.
func mutated(t *rapid.T) Record {
	d := rapidDice{t}
	if d.IntN(3) == 0 {
		return anything(d)
	}
	r, _ := healthy(d)
	names := slices.Sorted(maps.Keys(mutations()))
	for range d.IntN(4) {
		mutations()[names[d.IntN(len(names))]](d, &r, &Account{})
	}
	return r
}

func TestTheOrderOfAttemptsDoesNotMatter(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r := mutated(t)
		shuffled := copied(r)
		shuffled.Attempts = rapid.Permutation(r.Attempts).Draw(t, "attempts")
		if diff := cmp.Diff(Check(r), Check(shuffled)); diff != "" {
			t.Errorf("in order -, shuffled +:\n%s", diff)
		}
		span, until := Span{From: time.Second, To: 3 * time.Second}, 20*time.Second
		if diff := cmp.Diff(Recover(r, span, until, []string{"n1"}), Recover(shuffled, span, until, []string{"n1"})); diff != "" {
			t.Errorf("recovery: in order -, shuffled +:\n%s", diff)
		}
	})
}

func TestCheckChangesNothing(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r := mutated(t)
		before := copied(r)
		got := Check(r)
		Recover(r, Span{To: time.Second}, time.Minute, nil)
		if diff := cmp.Diff(before, r); diff != "" {
			t.Errorf("before -, after +:\n%s", diff)
		}
		if diff := cmp.Diff(got, Check(r)); diff != "" {
			t.Errorf("the first time -, the second +:\n%s", diff)
		}
	})
}

// An account is the sum of those of each publisher.
func TestAccountsOfPublishersAddUp(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		d := rapidDice{t}
		r, _ := healthy(d)
		for _, mutate := range []mutation{lose, storeTwice, swapStored, changeAck, storeUnsent, dropDelivery} {
			if d.IntN(2) == 0 {
				mutate(d, &r, &Account{})
			}
		}
		var sum [12]uint64
		for p := range r.Publishers {
			for i, n := range counts(Check(of(r, p))) {
				sum[i] += n
			}
		}
		if whole := counts(Check(of(r, 0, 1, 2, 3))); sum != whole {
			t.Errorf("whole %v, sum %v", whole, sum)
		}
	})
}

func counts(a Account) [12]uint64 {
	return [12]uint64{
		a.Messages, a.Acked, a.Stored, a.LostFirst, a.LostMiddle, a.LostLast, a.DuplicatesStored, a.AckMismatches,
		a.Reordered, a.Unexpected, a.Delivered, a.Undelivered,
	}
}

// of is what a record has of some publishers.
func of(r Record, publishers ...int) Record {
	r = copied(r)
	others := func(p uint16) bool { return !slices.Contains(publishers, int(p)) }
	r.Attempts = slices.DeleteFunc(r.Attempts, func(a Attempt) bool { return others(a.Publisher) })
	r.Stored = slices.DeleteFunc(r.Stored, func(s Stored) bool { return others(s.Publisher) })
	r.Deliveries = slices.DeleteFunc(r.Deliveries, func(d Delivery) bool { return others(d.Publisher) })
	return r
}
