package history

import (
	"cmp"
	"fmt"
	"slices"
)

// lostExamples is how many lost messages an [Account] names.
const lostExamples = 10

// Check tells what became of every message. It changes nothing of the record,
// which may be broken: attempts of publishers that it does not list count in the
// totals. The order of the attempts does not matter.
func Check(r Record) Account {
	c := check{
		record: r,
		book:   newBook(r.Attempts),
		Account: Account{
			StoredKnown:     r.Unread == "",
			DeliveriesKnown: len(r.Consumers) > 0 || len(r.Deliveries) > 0,
			Errors:          map[Class]uint64{},
			Placements:      make([]Placement, len(r.Publishers)),
		},
	}
	c.attempts()
	c.stored()
	c.acknowledgements()
	c.deliveries()
	c.messages()
	c.connections()
	c.replicas()
	if !c.StoredKnown {
		c.forgetStored()
	}
	return c.Account
}

// A check is an account in the making.
type check struct {
	Account
	record Record
	book   *book
	lost   []Message
}

func (c *check) warn(format string, args ...any) {
	c.Warnings = append(c.Warnings, fmt.Sprintf(format, args...))
}

// attempts notes what was tried, and the answers.
func (c *check) attempts() {
	var strangers uint64
	c.Attempts = uint64(len(c.record.Attempts))
	for i := range c.record.Attempts {
		a := &c.record.Attempts[i]
		if int(a.Publisher) >= len(c.record.Publishers) {
			strangers++
		}
		p := c.book.page(a.Publisher, a.Seq)
		p.attempts++
		switch a.answer() {
		case Acked:
			p.ack(a)
			continue
		case Refused:
			p.refusals++
		case Unknown:
		}
		c.Errors[cmp.Or(a.Class, Other)]++
	}
	if strangers > 0 {
		c.warn("%d attempts are of publishers that the record does not list", strangers)
	}
}

func (p *page) ack(a *Attempt) {
	earlier := cmp.Or(cmp.Compare(a.Ended, p.ackedAt), cmp.Compare(a.StreamSeq, p.ackedAs)) < 0
	if !p.is(acked) || earlier {
		p.ackedAt, p.ackedAs = a.Ended, a.StreamSeq
	}
	p.marks |= acked
	if a.Try == 1 {
		p.marks |= ackedFirst
	}
}

// stored notes what the stream held.
func (c *check) stored() {
	inOrder, doubtful := streamOrder(c.record.Stored)
	for _, s := range inOrder {
		if s.Foreign {
			c.Unexpected++
			continue
		}
		p := c.book.page(s.Publisher, s.Seq)
		again := p.is(stored)
		p.marks |= stored
		if !again {
			p.place = s.StreamSeq
		}
		switch {
		case !p.sent():
			c.Unexpected++
		case again:
			c.DuplicatesStored++
			m := message{s.Publisher, s.Seq}
			c.book.again[m] = append(c.book.again[m], s.StreamSeq)
		default:
			c.keep(s, p)
		}
	}
	if doubtful > 0 && c.StoredKnown {
		c.warn("%d entries of what the stream held are out of order or were read twice, so that reading it went wrong", doubtful)
	}
}

// keep notes the first place of a message that was sent.
func (c *check) keep(s Stored, p *page) {
	shelf := &c.book.shelves[s.Publisher]
	if !shelf.kept {
		shelf.first, shelf.last = s.Seq, s.Seq
	}
	shelf.kept = true
	shelf.first, shelf.last = min(shelf.first, s.Seq), max(shelf.last, s.Seq)
	if !p.is(ackedFirst) {
		return
	}
	if s.Seq < shelf.highest {
		c.Reordered++
	}
	shelf.highest = max(shelf.highest, s.Seq)
}

// streamOrder is what was stored in the order of the stream, each entry once,
// and how many entries were not as they should be.
func streamOrder(entries []Stored) (inOrder []Stored, doubtful int) {
	for i := 1; i < len(entries); i++ {
		if entries[i].StreamSeq <= entries[i-1].StreamSeq {
			doubtful++
		}
	}
	if doubtful == 0 {
		return entries, 0
	}
	inOrder = slices.Clone(entries)
	slices.SortStableFunc(inOrder, func(a, b Stored) int {
		return cmp.Or(
			cmp.Compare(a.StreamSeq, b.StreamSeq),
			cmp.Compare(a.Publisher, b.Publisher),
			cmp.Compare(a.Seq, b.Seq),
		)
	})
	return slices.Compact(inOrder), doubtful
}

// acknowledgements holds each against the place where the message is.
func (c *check) acknowledgements() {
	for i := range c.record.Attempts {
		a := &c.record.Attempts[i]
		if a.answer() != Acked {
			continue
		}
		p := c.book.page(a.Publisher, a.Seq)
		if !p.is(stored) || a.StreamSeq == p.place {
			continue
		}
		if !slices.Contains(c.book.again[message{a.Publisher, a.Seq}], a.StreamSeq) {
			c.AckMismatches++
		}
	}
}

// messages sums up what each page says.
func (c *check) messages() {
	for i := range c.Placements {
		at := c.record.Publishers[i]
		c.Placements[i] = Placement{Publisher: at.Name, Server: at.Server}
	}
	for i := range c.book.shelves {
		var total Placement
		shelf := &c.book.shelves[i]
		for seq, p := range shelf.pages() {
			c.message(message{uint16(i), seq}, p, &total)
		}
		c.Messages += total.Messages
		c.Acked += total.Acked
		c.Lost += total.Lost
		c.Unknown += total.Unknown
		if i < len(c.Placements) {
			at := &c.Placements[i]
			at.Messages, at.Acked, at.Lost, at.Unknown = total.Messages, total.Acked, total.Lost, total.Unknown
		}
	}
	slices.SortStableFunc(c.lost, func(a, b Message) int { return cmp.Compare(a.AckedAt, b.AckedAt) })
	c.LostExamples = slices.Clip(c.lost[:min(lostExamples, len(c.lost))])
}

func (c *check) message(m message, p *page, total *Placement) {
	if p.is(delivered) && !p.is(stored) {
		c.DeliveredNotStored++
	}
	if !p.sent() {
		return
	}
	total.Messages++
	kept := p.count(stored)
	c.Stored += kept
	c.Delivered += p.count(delivered)
	if c.DeliveriesKnown && !p.is(delivered) {
		c.Undelivered += kept
	}
	switch {
	case p.is(acked):
		total.Acked++
		if !p.is(stored) {
			total.Lost++
			c.lose(m, p)
		}
	case p.refused():
		c.Refused++
		c.RefusedStored += kept
	default:
		total.Unknown++
		c.UnknownStored += kept
	}
}

func (c *check) lose(m message, p *page) {
	switch shelf := &c.book.shelves[m.publisher]; {
	case !shelf.kept || m.seq < shelf.first:
		c.LostFirst++
	case m.seq > shelf.last:
		c.LostLast++
	default:
		c.LostMiddle++
	}
	c.lost = append(c.lost, Message{Publisher: c.name(m.publisher), Seq: m.seq, AckedAt: p.ackedAt, StreamSeq: p.ackedAs})
}

func (c *check) name(publisher uint16) string {
	if int(publisher) < len(c.record.Publishers) {
		return c.record.Publishers[publisher].Name
	}
	return fmt.Sprintf("publisher %d", publisher)
}

// forgetStored takes back what rests on a stream that was not read to its end,
// and says what was found in spite of that.
func (c *check) forgetStored() {
	c.warn("what is stored is not known: %s", c.record.Unread)
	for _, found := range []struct {
		n    uint64
		what string
	}{
		{c.DuplicatesStored, "stored twice"},
		{c.Unexpected, "stored and never sent, or damaged"},
		{c.RefusedStored, "refused and stored"},
	} {
		if found.n > 0 {
			c.warn("in the part that was read, %d messages are %s", found.n, found.what)
		}
	}
	c.Stored, c.Lost, c.LostFirst, c.LostMiddle, c.LostLast = 0, 0, 0, 0, 0
	c.LostExamples = nil
	c.UnknownStored, c.RefusedStored, c.DuplicatesStored = 0, 0, 0
	c.AckMismatches, c.Reordered, c.Unexpected = 0, 0, 0
	c.Undelivered, c.DeliveredNotStored = 0, 0
	for i := range c.Placements {
		c.Placements[i].Lost = 0
	}
}
