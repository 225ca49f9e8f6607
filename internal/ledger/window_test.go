package ledger

import (
	"math"
	"math/rand/v2"
	"reflect"
	"testing"
)

func TestWindowForgetsOnlyWhatIsTooOld(t *testing.T) {
	l := New(Config{Window: 128}) // two words: 0-63, 64-127
	observe(t, l, First, 2, 127)
	observe(t, l, Late, 1, 3, 64)
	observe(t, l, First, 128) // drops 4-63
	observe(t, l, Stale, 1, 4, 63)
	observe(t, l, Duplicate, 64, 127)
	observe(t, l, Late, 65)
	wantTotal(t, l.Account([]uint64{128}), Tally{
		Sent: 128, Received: 7, Lost: 121, Duplicated: 2, Reordered: 4, Stale: 3,
	})
}

func TestCompleteWordsLeaveTheWindowWithoutLoss(t *testing.T) {
	l := New(Config{Window: 128})
	observe(t, l, First, span(2, 200)...) // 1 is missing until it falls out
	observe(t, l, Stale, 1)
	observe(t, l, First, 202)
	observe(t, l, First, span(203, 1000)...)
	observe(t, l, Stale, 201)

	l = New(Config{Window: 128})
	observe(t, l, First, span(1, 99)...)
	observe(t, l, First, span(101, 127)...)
	observe(t, l, Late, 100) // nothing missing: all words complete
	observe(t, l, First, 129, 10_000)
	observe(t, l, Stale, 1, 128)
	wantTotal(t, l.OpenAccount(), Tally{Sent: 10_000, Received: 129, Lost: 9871, Reordered: 1, Stale: 2})
}

func TestDuplicatesAreKnownForeverWhileNothingWasGivenUp(t *testing.T) {
	l := New(Config{Window: 128})
	observe(t, l, First, span(1, 1_000)...)
	observe(t, l, Duplicate, 1, 500, 1_000)
	observe(t, l, First, 1_002)
	observe(t, l, Late, 1_001)
	observe(t, l, First, span(1_003, 5_000)...)
	observe(t, l, Duplicate, 1, 1_001, 5_000)
}

func TestClosedGapsReturnToTheFastPath(t *testing.T) {
	l := New(Config{Publishers: 1})
	for base := uint64(0); base < 100_000; base += 10 {
		observe(t, l, First, base+2, base+10)
		observe(t, l, Late, span(base+3, base+9)...)
		observe(t, l, Late, base+1)
		if s := &l.streams[0]; s.missing != 0 || s.next != base+11 {
			t.Fatalf("missing %d and next %d after %d in all", s.missing, s.next, base+10)
		}
		if words := len(l.streams[0].history.window.ring); words > minWords {
			t.Fatalf("the window has %d words after gaps of 10", words)
		}
	}
	wantTotal(t, l.Account([]uint64{100_000}), Tally{Sent: 100_000, Received: 100_000, Reordered: 80_000})
}

func TestAGapThatFellOutLeavesNoTraceInTheWindow(t *testing.T) {
	l := New(Config{Window: 128})
	for base := uint64(0); base < 10_000; base += 1000 { // base+1 never comes
		observe(t, l, First, span(base+2, base+500)...)
		for seq := base + 501; seq < base+1000; seq += 2 {
			observe(t, l, First, seq+1)
			observe(t, l, Late, seq)
		}
		observe(t, l, Duplicate, span(base+520, base+1000)...)
	}
	wantTotal(t, l.Account([]uint64{10_000}), Tally{
		Sent: 10_000, Received: 9_990, Lost: 10, Duplicated: 4_810, Reordered: 2_500,
	})
}

func TestSteadyReorderingNeedsNoLargeWindow(t *testing.T) {
	l := New(Config{})
	observe(t, l, First, 2, 4)
	for seq := uint64(6); seq < 100_000; seq += 2 { // 2 4 1 6 3 8 5 …: a gap at all times
		observe(t, l, First, seq)
		observe(t, l, Late, seq-5)
	}
	if words := len(l.streams[0].history.window.ring); words > minWords {
		t.Errorf("the window has %d words after gaps of 2", words)
	}
	observe(t, l, Duplicate, span(1, 99_994)...)
}

func TestHugeJumpsCostNoMoreThanTheWindow(t *testing.T) {
	l := New(Config{Publishers: 1})
	observe(t, l, First, 1, 1<<40, 1<<60, math.MaxUint64-1)
	observe(t, l, Stale, 2, 1<<40, 1<<60)
	wantTotal(t, l.Account([]uint64{math.MaxUint64}), Tally{
		Sent: math.MaxUint64, Received: 4, Lost: math.MaxUint64 - 4, Stale: 3,
	})
}

func TestAThousandOrderlyPublishersAreCheap(t *testing.T) {
	l := New(Config{Publishers: 1000})
	for seq := range uint64(100) {
		for publisher := range 1000 {
			l.Observe(publisher, seq+1)
		}
	}
	if got := l.bytes(); got > 25_000 { // 1000 such subscribers: 25 MB
		t.Errorf("%d bytes for 1000 publishers in order", got)
	}
}

func TestMemoryStaysFlat(t *testing.T) {
	l := New(Config{Publishers: 1})
	rng := rand.New(rand.NewPCG(1, 2))
	seq := uint64(0)
	for range 25_000_000 {
		seq++
		l.Observe(0, seq)
	}
	if got := l.bytes(); got > 1024 {
		t.Errorf("%d bytes after arrivals in order", got)
	}
	for range 25_000_000 {
		if seq++; rng.Uint32()%64 != 0 {
			l.Observe(0, seq)
		}
	}
	if got := l.bytes(); got > DefaultWindow/8+1024 {
		t.Errorf("%d bytes after arrivals with losses", got)
	}
	if n := testing.AllocsPerRun(100, func() {
		for range 1000 {
			seq += 2
			l.Observe(0, seq)
		}
	}); n != 0 {
		t.Errorf("%v allocations per 1000 arrivals in a full window, want 0", n)
	}
	if a := l.OpenAccount(); a.Lost < 300_000 || a.Stale > 0 {
		t.Errorf("got %+v", a.Tally)
	}
}

// bytes returns the memory that a Ledger holds.
func (l *Ledger) bytes() int {
	n := cap(l.streams) * int(reflect.TypeFor[stream]().Size())
	for _, s := range l.streams {
		if s.history != nil {
			n += int(reflect.TypeFor[history]().Size()) + 8*cap(s.history.window.ring)
		}
	}
	return n
}
