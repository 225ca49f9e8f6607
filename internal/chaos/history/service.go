package history

import (
	"cmp"
	"slices"
)

// deliveries notes what came to the consumers, one after the other.
func (c *check) deliveries() {
	consumer := -1
	var highest map[uint16]uint64 // stream sequence, by worker
	for _, d := range byConsumer(c.record.Deliveries) {
		if int(d.Consumer) != consumer {
			consumer, highest = int(d.Consumer), map[uint16]uint64{}
		}
		if !c.deliver(d) {
			continue
		}
		if d.StreamSeq < highest[d.Worker] {
			c.DeliveredReordered++
		}
		highest[d.Worker] = max(highest[d.Worker], d.StreamSeq)
	}
}

// deliver notes a delivery, and returns whether it is its consumer's first of the message.
func (c *check) deliver(d Delivery) bool {
	p := c.book.page(d.Publisher, d.Seq)
	if p.consumer != d.Consumer {
		p.consumer = d.Consumer
		p.marks &^= deliveredHere | deliveredOne
	}
	again := p.is(deliveredHere)
	if again {
		c.DuplicatesDelivered++
	}
	if d.NumDelivered == 1 {
		if p.is(deliveredOne) {
			c.DuplicatesUnflagged++
		}
		p.marks |= deliveredOne
	}
	p.marks |= delivered | deliveredHere
	return !again
}

// byConsumer groups deliveries, each consumer's in the order in which they came.
func byConsumer(all []Delivery) []Delivery {
	compare := func(a, b Delivery) int { return cmp.Compare(a.Consumer, b.Consumer) }
	if slices.IsSortedFunc(all, compare) {
		return all
	}
	grouped := slices.Clone(all)
	slices.SortStableFunc(grouped, compare)
	return grouped
}

// connections tells how each publisher was connected and served.
func (c *check) connections() {
	byName := make(map[string]*Placement, len(c.Placements))
	end, limit := c.record.end(), Threshold(c.record.Period)
	for i, pulse := range acknowledgements(c.record) {
		at := &c.Placements[i]
		at.Outages = pulse.gaps(limit, end)
		byName[at.Publisher] = at
		if !pulse.tried {
			c.warn("publisher %s sent nothing", at.Publisher)
		}
	}
	for _, e := range c.record.Events {
		at := byName[e.Who]
		if at == nil {
			continue
		}
		switch e.Kind {
		case EventDisconnected:
			at.Disconnects++
		case EventReconnected:
			at.Reconnects++
		case EventClosed:
			at.Closed = true
		case EventLameDuck, EventError: // counted nowhere; the timeline shows them
		}
	}
}

// replicas compares what the servers say that they have of the stream.
func (c *check) replicas() {
	var first *Replica
	c.ReplicasKnown = len(c.record.Replicas) > 0
	for i := range c.record.Replicas {
		r := &c.record.Replicas[i]
		if r.Unread != "" {
			c.ReplicasKnown = false
			c.warn("what %s has of the stream is not known: %s", r.Server, r.Unread)
			continue
		}
		if first == nil {
			first = r
		}
		if !r.same(*first) {
			c.ReplicasDiffer = true
		}
	}
	agreed := c.StoredKnown && c.ReplicasKnown && !c.ReplicasDiffer
	if read := uint64(len(c.record.Stored)); agreed && first.Messages != read {
		c.warn("the servers have %d messages in the stream, of which %d were read, so that some of those lost may not be", first.Messages, read)
	}
}

// same is whether two servers have the same. The first sequence of an empty
// stream says nothing.
func (r Replica) same(o Replica) bool {
	return r.Messages == o.Messages && r.Last == o.Last && (r.First == o.First || r.Messages == 0)
}
