package ledger

import (
	"testing"

	"pgregory.net/rapid"
)

// A model is a ledger of one stream that remembers everything.
type model struct {
	seen    map[uint64]bool
	highest uint64
	Tally
}

func (m *model) observe(seq uint64) Outcome {
	late := seq < m.highest
	m.highest = max(m.highest, seq)
	switch {
	case m.seen[seq]:
		m.Duplicated++
		return Duplicate
	case late:
		m.Reordered++
		m.seen[seq] = true
		return Late
	default:
		m.seen[seq] = true
		return First
	}
}

// account is the truth about 1..sent.
func (m *model) account(sent uint64) Tally {
	t := m.Tally
	t.Sent = sent
	for seq := range m.seen {
		if seq <= sent {
			t.Received++
		} else {
			t.Unexpected++
		}
	}
	t.Lost = sent - t.Received
	return t
}

// nextSeqs draws arrivals: in order, after a gap or a jump, or older than the
// highest.
func nextSeqs(t *rapid.T, highest uint64) []uint64 {
	draw := func(most uint64, what string) uint64 { return rapid.Uint64Range(1, most).Draw(t, what) }
	kind := rapid.IntRange(0, 19).Draw(t, "kind")
	switch {
	case highest == 0 || kind < 5:
		return span(highest+1, highest+draw(3, "run"))
	case kind < 8:
		return span(highest+1, highest+draw(200, "run"))
	case kind < 11:
		return []uint64{highest + draw(4, "gap")}
	case kind < 16:
		return []uint64{max(highest, 8) - draw(8, "back") + 1}
	case kind < 18:
		return []uint64{max(highest, 300) - draw(300, "back") + 1}
	case kind < 19:
		return []uint64{highest + draw(300, "jump")}
	default:
		return []uint64{highest + draw(100_000, "leap")}
	}
}

func TestLedgerAgreesWithAModelThatRemembersEverything(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		window := rapid.SampledFrom([]uint64{128, 256, 1024, DefaultWindow}).Draw(t, "window")
		l, m := New(Config{Window: window}), model{seen: map[uint64]bool{}}
		var stale, staleDuplicates uint64
		for range rapid.IntRange(0, 300).Draw(t, "steps") {
			for _, seq := range nextSeqs(t, m.highest) {
				highest := m.highest
				got, want := l.Observe(0, seq), m.observe(seq)
				switch {
				case got == Stale:
					if highest < seq+window-63 {
						t.Fatalf("%d is stale %d behind the highest, with a window of %d", seq, highest-seq, window)
					}
					stale++
					if want == Duplicate {
						staleDuplicates++
					}
				case got != want:
					t.Fatalf("%d is %v, want %v (highest before: %d)", seq, got, want, highest)
				}
			}
		}
		checkAgainst(t, l, m, m.highest+rapid.Uint64Range(0, 200).Draw(t, "tail"), stale, staleDuplicates)
		short := m.highest - min(m.highest, rapid.Uint64Range(1, 500).Draw(t, "short"))
		checkShort(t, l, m, short, window == DefaultWindow)
	})
}

// checkAgainst compares when no arrival is above sent: what is not stale is
// exact, what is stale is late in truth or a duplicate.
func checkAgainst(t *rapid.T, l *Ledger, m model, sent, stale, staleDuplicates uint64) {
	got, want := l.Account([]uint64{sent}).Tally, m.account(sent)
	staleLate := stale - staleDuplicates
	want.Stale = stale
	want.Duplicated -= staleDuplicates
	want.Reordered -= staleLate
	want.Received -= staleLate
	want.Lost += staleLate
	if got != want {
		t.Fatalf("sent %d:\n got %+v\nwant %+v", sent, got, want)
	}
}

// checkShort compares when arrivals may be above sent.
func checkShort(t *rapid.T, l *Ledger, m model, sent uint64, exact bool) {
	got, want := l.Account([]uint64{sent}).Tally, m.account(sent)
	if exact && got != want {
		t.Fatalf("sent %d:\n got %+v\nwant %+v", sent, got, want)
	}
	if got.Received+got.Lost != got.Sent {
		t.Fatalf("sent %d: balance broken: %+v", sent, got)
	}
	if m.highest > sent && got.Unexpected == 0 {
		t.Fatalf("highest %d is above sent %d, yet nothing is unexpected: %+v", m.highest, sent, got)
	}
}
