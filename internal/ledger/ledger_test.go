package ledger

import (
	"encoding/json"
	"math"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// observe feeds sequences of publisher 0 and compares the outcomes.
func observe(t *testing.T, l *Ledger, want Outcome, seqs ...uint64) {
	t.Helper()
	for _, seq := range seqs {
		if got := l.Observe(0, seq); got != want {
			t.Errorf("sequence %d is %v, want %v", seq, got, want)
		}
	}
}

func wantTotal(t *testing.T, got Account, want Tally) {
	t.Helper()
	if diff := cmp.Diff(want, got.Tally); diff != "" {
		t.Errorf("total (-want +got):\n%s", diff)
	}
}

// span returns from, from+1, …, to.
func span(from, to uint64) (seqs []uint64) {
	for ; from <= to; from++ {
		seqs = append(seqs, from)
	}
	return seqs
}

func TestEveryArrivalIsToldApart(t *testing.T) {
	l := New(Config{Publishers: 1})
	observe(t, l, First, 1, 2, 3, 6, 9)
	observe(t, l, Late, 4, 7)
	observe(t, l, Duplicate, 1, 4, 6, 9)
	observe(t, l, First, 10)
	observe(t, l, Unexpected, ProbeSeq, math.MaxUint64)
	wantTotal(t, l.Account([]uint64{12}), Tally{
		Sent: 12, Received: 8, Lost: 4, Duplicated: 4, Reordered: 2, Unexpected: 2,
	})
}

func TestWithoutTheSentTotalLossEndsAtTheHighestSeen(t *testing.T) {
	l := New(Config{})
	observe(t, l, First, 1, 4)
	wantTotal(t, l.OpenAccount(), Tally{Sent: 4, Received: 2, Lost: 2})
	wantTotal(t, New(Config{}).OpenAccount(), Tally{})
}

func TestPublisherOfWhichNothingArrivedIsAllLost(t *testing.T) {
	l := New(Config{})
	l.Observe(1, 1)
	want := Account{
		Tally:      Tally{Sent: 12, Received: 1, Lost: 11},
		Publishers: []Tally{{Sent: 5, Lost: 5}, {Sent: 1, Received: 1}, {Sent: 6, Lost: 6}},
	}
	if diff := cmp.Diff(want, l.Account([]uint64{5, 1, 6})); diff != "" {
		t.Errorf("account (-want +got):\n%s", diff)
	}
}

func TestSequencesThatWereNeverSentAreFlagged(t *testing.T) {
	tests := []struct {
		name string
		seqs []uint64
		sent uint64
		want Tally
	}{
		{"unknown publisher", []uint64{1, 2}, 0, Tally{Unexpected: 2}},
		{"one more", []uint64{1, 2, 3}, 2, Tally{Sent: 2, Received: 2, Unexpected: 1}},
		{"gap on both sides", []uint64{1, 3, 6, 8}, 4, Tally{Sent: 4, Received: 2, Lost: 2, Unexpected: 2}},
		{"gap between", []uint64{1, 2, 8}, 4, Tally{Sent: 4, Received: 2, Lost: 2, Unexpected: 1}},
		{"far jump", []uint64{1, 2, 4, 1 << 40}, 5, Tally{Sent: 5, Received: 3, Lost: 2, Unexpected: 1}},
		{"given up just above", slices.Concat(span(1, 62), span(64, 1024)), 62, Tally{Sent: 62, Received: 62, Unexpected: 961}},
		{"two far jumps", []uint64{1, 1 << 40, 1 << 50}, 1, Tally{Sent: 1, Received: 1, Unexpected: 2}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			l := New(Config{Window: 1024})
			for _, seq := range tt.seqs {
				l.Observe(0, seq)
			}
			wantTotal(t, l.Account([]uint64{tt.sent}), tt.want)
		})
	}
}

func TestPublishersThatCannotExistAreFlagged(t *testing.T) {
	l := New(Config{})
	for _, publisher := range []int{-1, math.MinInt, math.MaxUint16 + 1, math.MaxInt} {
		if got := l.Observe(publisher, 1); got != Unexpected {
			t.Errorf("publisher %d is %v, want %v", publisher, got, Unexpected)
		}
	}
	wantTotal(t, l.Account(nil), Tally{Unexpected: 4})
}

func TestArrivalsInOrderDoNotAllocate(t *testing.T) {
	l := New(Config{Publishers: 1})
	seq := uint64(0)
	inOrder := func() {
		seq++
		l.Observe(0, seq)
	}
	if n := testing.AllocsPerRun(10_000, inOrder); n != 0 {
		t.Errorf("%v allocations per arrival, want 0", n)
	}
	if l.streams[0].history != nil {
		t.Error("arrivals in order have made a history")
	}
	if l = New(Config{}); l.Observe(3, 1) != First || l.streams[3].history != nil {
		t.Error("the first arrival of a new publisher has made a history")
	}
	if l = New(Config{Publishers: 5}); len(l.OpenAccount().Publishers) != 5 {
		t.Error("the announced publishers are not in the account")
	}
}

func TestGroupOrderIsJudgedPerMember(t *testing.T) {
	l := New(Config{})
	members := []*Order{{}, {}}
	arrivals := []struct {
		member    int
		seq       uint64
		reordered bool
	}{{0, 1, false}, {1, 3, false}, {0, 2, false}, {0, 5, false}, {1, 4, false}, {0, 6, false}, {1, 9, false}, {1, 8, true}, {0, 7, false}}
	for _, a := range arrivals {
		if !l.Observe(0, a.seq).Fresh() {
			t.Errorf("%+v is not fresh", a)
		}
		if got := members[a.member].Observe(0, a.seq); got != a.reordered {
			t.Errorf("%+v: reordered is %v", a, got)
		}
	}
	wantTotal(t, l.Account([]uint64{9}, members...), Tally{Sent: 9, Received: 9, Reordered: 1})
	wantTotal(t, l.Account([]uint64{9}), Tally{Sent: 9, Received: 9, Reordered: 4})
	if members[0].Observe(-1, 1) || members[0].Observe(math.MaxInt, 1) || members[0].Reordered(-1) != 0 {
		t.Error("an impossible publisher is not ignored")
	}
}

func TestAccountsOfSeveralReceiversAddUp(t *testing.T) {
	small := Account{Tally: Tally{Sent: 1, Received: 1}, Corrupt: 1, Publishers: []Tally{{Sent: 1, Received: 1}}}
	l := New(Config{})
	l.Observe(1, 2)
	l.AddCorrupt(2)
	l.AddForeign(3)
	sum := small
	sum.Add(l.Account([]uint64{3, 2}))
	want := Account{
		Tally: Tally{Sent: 6, Received: 2, Lost: 4}, Corrupt: 3, Foreign: 3,
		Publishers: []Tally{{Sent: 4, Received: 1, Lost: 3}, {Sent: 2, Received: 1, Lost: 1}},
	}
	if diff := cmp.Diff(want, sum); diff != "" {
		t.Errorf("sum (-want +got):\n%s", diff)
	}
	other := sum
	other.Add(small)
	if diff := cmp.Diff(want, sum); diff != "" {
		t.Errorf("adding to a copy has changed the sum (-want +got):\n%s", diff)
	}
}

func TestAccountJSONIsFlat(t *testing.T) {
	got, err := json.Marshal(Account{Tally: Tally{Sent: 1, Lost: 1}, Publishers: []Tally{}})
	want := `{"sent":1,"received":0,"lost":1,"duplicated":0,"reordered":0,"stale":0,"unexpected":0,"corrupt":0,"foreign":0,"publishers":[]}`
	if err != nil || string(got) != want {
		t.Errorf("got %s, %v, want %s", got, err, want)
	}
}
