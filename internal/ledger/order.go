package ledger

// An Order tells which messages reached one member of a queue group out of
// order. Order is promised per publisher and member, so each member keeps its
// own; the zero value is ready. It is not safe for concurrent use.
type Order struct {
	streams []orderStream // by publisher
}

type orderStream struct {
	highest   uint64 // sequence seen
	reordered uint64
}

// Observe notes the arrival of message seq of a publisher, and reports whether
// one with a higher sequence came before it (RFC 4737 section 3.3). It must only
// be given arrivals that the group's Ledger found fresh, since a duplicate is
// not a reordered message. A publisher that no Stamp can name is ignored.
func (o *Order) Observe(publisher int, seq uint64) bool {
	if publisher < 0 || publisher >= maxPublishers {
		return false
	}
	for len(o.streams) <= publisher {
		o.streams = append(o.streams, orderStream{})
	}
	s := &o.streams[publisher]
	if seq < s.highest {
		s.reordered++
		return true
	}
	s.highest = seq
	return false
}

// Reordered returns how many messages of a publisher came out of order.
func (o *Order) Reordered(publisher int) uint64 {
	if publisher < 0 || publisher >= len(o.streams) {
		return 0
	}
	return o.streams[publisher].reordered
}
