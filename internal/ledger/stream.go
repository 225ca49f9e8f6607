package ledger

import "math"

// A stream is what arrived from one publisher. It stays as small as this while
// messages arrive in order; everything else is in history.
type stream struct {
	next    uint64 // highest sequence seen + 1; RFC 4737's NextExp
	missing uint64 // sequences below next that are unseen and may still come
	history *history
}

// A history holds what an orderly stream does not need.
type history struct {
	window     window // valid while the stream has missing sequences
	horizon    uint64 // no sequence below it is missing any more; some were given up
	lost       uint64 // given up, all below horizon
	duplicated uint64
	reordered  uint64
	stale      uint64
	unexpected uint64
}

// observe is Ledger.Observe for everything but the next sequence of a stream
// without gaps. A first arrival below next is reordered (RFC 4737 section 3.3);
// duplicates are not (RFC 5560 counts them).
func (s *stream) observe(seq, maxWords uint64) Outcome {
	if s.history == nil {
		s.history = &history{}
	}
	h := s.history
	switch {
	case seq == ProbeSeq || seq == math.MaxUint64:
		h.unexpected++
		return Unexpected
	case seq >= s.next:
		s.advance(seq, maxWords)
		return First
	case seq < h.horizon:
		h.stale++
		return Stale
	case s.missing == 0 || !h.window.mark(seq):
		h.duplicated++
		return Duplicate
	}
	h.reordered++
	s.missing--
	s.closeWindow()
	return Late
}

// advance makes seq, which is not below next, the highest sequence seen.
func (s *stream) advance(seq, maxWords uint64) {
	h := s.history
	if s.missing == 0 {
		h.window.open(s.next)
	}
	s.missing += seq - s.next
	s.next = seq + 1
	if lost := h.window.reach(seq, maxWords); lost > 0 {
		h.lost += lost
		s.missing -= lost
		h.horizon = h.window.start()
	}
	h.window.mark(seq)
	s.closeWindow()
}

// closeWindow leaves the window, once nothing is missing, as open expects it.
func (s *stream) closeWindow() {
	if s.missing == 0 {
		s.history.window.clear(s.next - 1)
	}
}

// tally is what became of the sequences 1..sent.
func (s *stream) tally(sent uint64) Tally {
	var (
		seen    = s.next - 1
		lost    = s.missing
		horizon uint64
		t       = Tally{Sent: sent}
	)
	if h := s.history; h != nil {
		lost += h.lost
		horizon = h.horizon
		t.Duplicated, t.Reordered, t.Stale, t.Unexpected = h.duplicated, h.reordered, h.stale, h.unexpected
	}
	distinct := seen - lost
	if seen <= sent {
		t.Lost = lost + sent - seen
	} else {
		t.Lost = lost - s.unseenAbove(sent, horizon)
	}
	t.Received = sent - t.Lost
	t.Unexpected += distinct - t.Received
	return t
}

// unseenAbove counts the sequences between sent, which is below the highest
// seen, and that one that did not arrive. Where a sequence was given up is not
// known below the horizon: as many as fit are taken to be above sent. That is
// exact when, as after a jump, nothing arrived between sent and the horizon.
func (s *stream) unseenAbove(sent, horizon uint64) uint64 {
	var unseen uint64
	if s.missing > 0 {
		unseen = s.history.window.unseen(sent+1, s.next)
	}
	if horizon > sent+1 {
		unseen += min(s.history.lost, horizon-1-sent)
	}
	return unseen
}
