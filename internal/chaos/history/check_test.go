package history

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// try is an attempt of publisher 0.
func try(seq uint64, n uint16, o Outcome, place uint64) Attempt {
	at := time.Duration(seq)*20*time.Millisecond + time.Duration(n-1)*time.Second
	a := Attempt{Try: n, Seq: seq, Began: at, Ended: at + time.Millisecond, Outcome: o, StreamSeq: place}
	if o != Acked {
		a.Class = Timeout
	}
	return a
}

func acks(seq, place uint64) Attempt { return try(seq, 1, Acked, place) }

// duplicate is an answer that says so.
func duplicate(a Attempt) Attempt {
	a.Duplicate = true
	return a
}

// by makes an attempt another publisher's.
func by(publisher uint16, a Attempt) Attempt {
	a.Publisher = publisher
	return a
}

func classed(c Class, a Attempt) Attempt {
	a.Class = c
	return a
}

// holds is a stream with messages of publisher 0 from sequence 1 on; 0 is a gap.
func holds(seqs ...uint64) []Stored {
	var out []Stored
	for i, seq := range seqs {
		if seq > 0 {
			out = append(out, Stored{StreamSeq: uint64(i + 1), Seq: seq})
		}
	}
	return out
}

// comes is a first delivery of publisher 0's message.
func comes(worker uint16, seq, place uint64) Delivery {
	return Delivery{Worker: worker, Seq: seq, StreamSeq: place, NumDelivered: 1}
}

// other makes a delivery the second consumer's.
func other(d Delivery) Delivery {
	d.Consumer = 1
	return d
}

func again(d Delivery, n uint64) Delivery {
	d.NumDelivered = n
	return d
}

// figures are the numbers of an account alone.
func figures(a Account) Account {
	a.LostExamples, a.Errors, a.Placements, a.Warnings = nil, nil, nil, nil
	return a
}

func TestEachFigureIsWhatItsCommentSays(t *testing.T) {
	two := []Publisher{{Name: "n1", Server: "n1"}, {Name: "any"}}
	workers := []string{"durable"}
	for name, c := range map[string]struct {
		record Record
		want   Account // StoredKnown is understood
	}{
		"nothing at all": {Record{}, Account{}},
		"acked and stored": {
			Record{Attempts: []Attempt{acks(1, 1)}, Stored: holds(1)},
			Account{Attempts: 1, Messages: 1, Acked: 1, Stored: 1},
		},
		"several attempts are one message, acked by any": {
			Record{Attempts: []Attempt{try(1, 1, Unknown, 0), try(1, 2, Refused, 0), try(1, 3, Acked, 1)}, Stored: holds(1)},
			Account{Attempts: 3, Messages: 1, Acked: 1, Stored: 1},
		},
		"a later refusal does not undo an acknowledgement": {
			Record{Attempts: []Attempt{acks(1, 1), try(1, 2, Refused, 0)}, Stored: holds(1)},
			Account{Attempts: 2, Messages: 1, Acked: 1, Stored: 1},
		},
		"the same number of two publishers is two messages": {
			Record{Attempts: []Attempt{acks(1, 1), by(1, acks(1, 2))}, Stored: holds(1)},
			Account{Attempts: 2, Messages: 2, Acked: 2, Stored: 1, Lost: 1, LostFirst: 1},
		},
		"every attempt refused": {
			Record{Attempts: []Attempt{try(1, 1, Refused, 0), try(1, 2, Refused, 0)}},
			Account{Attempts: 2, Messages: 1, Refused: 1},
		},
		"one attempt of several left open": {
			Record{Attempts: []Attempt{try(1, 1, Refused, 0), try(1, 2, Unknown, 0), try(1, 3, Refused, 0)}},
			Account{Attempts: 3, Messages: 1, Unknown: 1},
		},
		"unknown and stored": {
			Record{Attempts: []Attempt{try(1, 1, Unknown, 0)}, Stored: holds(1)},
			Account{Attempts: 1, Messages: 1, Unknown: 1, UnknownStored: 1, Stored: 1},
		},
		"refused and stored": {
			Record{Attempts: []Attempt{try(1, 1, Refused, 0)}, Stored: holds(1)},
			Account{Attempts: 1, Messages: 1, Refused: 1, RefusedStored: 1, Stored: 1},
		},
		"unknown and not stored is not lost": {
			Record{Attempts: []Attempt{try(1, 1, Unknown, 0), acks(2, 1)}, Stored: holds(2)},
			Account{Attempts: 2, Messages: 2, Unknown: 1, Acked: 1, Stored: 1},
		},
		"an outcome that does not exist claims nothing": {
			Record{Attempts: []Attempt{try(1, 1, 3, 0)}},
			Account{Attempts: 1, Messages: 1, Unknown: 1},
		},
		"in process is neither acked": {
			Record{Attempts: []Attempt{classed(InProcess, try(1, 2, Acked, 1))}},
			Account{Attempts: 1, Messages: 1, Unknown: 1},
		},
		"nor refused": {
			Record{Attempts: []Attempt{classed(InProcess, try(1, 1, Refused, 0)), try(1, 2, Refused, 0)}, Stored: holds(1)},
			Account{Attempts: 2, Messages: 1, Unknown: 1, UnknownStored: 1, Stored: 1},
		},
		"another code of JetStream is what the load says": {
			Record{Attempts: []Attempt{classed("api-10077", try(1, 1, Refused, 0))}},
			Account{Attempts: 1, Messages: 1, Refused: 1},
		},
		"lost at the beginning, in the middle, at the end": {
			Record{
				Attempts: []Attempt{acks(1, 9), acks(2, 1), acks(3, 9), acks(4, 9), acks(5, 2), acks(6, 9), acks(7, 9), acks(8, 9)},
				Stored:   holds(2, 5),
			},
			Account{Attempts: 8, Messages: 8, Acked: 8, Stored: 2, Lost: 6, LostFirst: 1, LostMiddle: 2, LostLast: 3},
		},
		"where a loss is goes by what is stored, acked or not": {
			Record{Attempts: []Attempt{try(1, 1, Unknown, 0), acks(2, 9), try(3, 1, Refused, 0)}, Stored: holds(1, 3)},
			Account{
				Attempts: 3, Messages: 3, Acked: 1, Unknown: 1, Refused: 1, Stored: 2, Lost: 1, LostMiddle: 1,
				UnknownStored: 1, RefusedStored: 1,
			},
		},
		"and not by what was never sent": {
			Record{Attempts: []Attempt{acks(2, 9)}, Stored: holds(1)},
			Account{Attempts: 1, Messages: 1, Acked: 1, Lost: 1, LostFirst: 1, Unexpected: 1},
		},
		"where a loss is goes by its publisher alone": {
			Record{Attempts: []Attempt{acks(2, 9), acks(3, 1), by(1, acks(1, 9)), by(1, acks(2, 2)), by(1, acks(3, 9))}, Stored: []Stored{
				{StreamSeq: 1, Seq: 3}, {StreamSeq: 2, Publisher: 1, Seq: 2},
			}},
			Account{Attempts: 5, Messages: 5, Acked: 5, Stored: 2, Lost: 3, LostFirst: 2, LostLast: 1},
		},
		"stored three times": {
			Record{Attempts: []Attempt{acks(1, 1)}, Stored: holds(1, 1, 1)},
			Account{Attempts: 1, Messages: 1, Acked: 1, Stored: 1, DuplicatesStored: 2},
		},
		"each acknowledgement of a message stored twice names a place of its own": {
			Record{Attempts: []Attempt{acks(1, 1), try(1, 2, Acked, 2)}, Stored: holds(1, 1)},
			Account{Attempts: 2, Messages: 1, Acked: 1, Stored: 1, DuplicatesStored: 1},
		},
		"a duplicate acknowledgement names the original's place": {
			Record{Attempts: []Attempt{try(1, 1, Unknown, 0), duplicate(try(1, 2, Acked, 1))}, Stored: holds(1)},
			Account{Attempts: 2, Messages: 1, Acked: 1, Stored: 1},
		},
		"and no other": {
			Record{Attempts: []Attempt{try(1, 1, Unknown, 0), duplicate(try(1, 2, Acked, 2))}, Stored: holds(1)},
			Account{Attempts: 2, Messages: 1, Acked: 1, Stored: 1, AckMismatches: 1},
		},
		"an acknowledgement names a place where another message is": {
			Record{Attempts: []Attempt{acks(1, 2), acks(2, 2)}, Stored: holds(1, 2)},
			Account{Attempts: 2, Messages: 2, Acked: 2, Stored: 2, AckMismatches: 1},
		},
		"an acknowledgement of what is lost can not be compared": {
			Record{Attempts: []Attempt{acks(1, 2), acks(2, 2)}, Stored: holds(0, 2)},
			Account{Attempts: 2, Messages: 2, Acked: 2, Stored: 1, Lost: 1, LostFirst: 1},
		},
		"what one says who was not acknowledged can not be compared": {
			Record{Attempts: []Attempt{try(1, 1, Unknown, 7), acks(2, 2)}, Stored: holds(1, 2)},
			Account{Attempts: 2, Messages: 2, Acked: 1, Unknown: 1, UnknownStored: 1, Stored: 2},
		},
		"two behind a later one": {
			Record{Attempts: []Attempt{acks(1, 2), acks(2, 3), acks(3, 1)}, Stored: holds(3, 1, 2)},
			Account{Attempts: 3, Messages: 3, Acked: 3, Stored: 3, Reordered: 2},
		},
		"a retried message may be late": {
			Record{Attempts: []Attempt{try(1, 1, Unknown, 0), acks(2, 1), try(1, 2, Acked, 2)}, Stored: holds(2, 1)},
			Account{Attempts: 3, Messages: 2, Acked: 2, Stored: 2},
		},
		"and one that overtook by a retry says nothing": {
			Record{Attempts: []Attempt{acks(1, 2), try(2, 1, Unknown, 0), try(2, 2, Acked, 1)}, Stored: holds(2, 1)},
			Account{Attempts: 3, Messages: 2, Acked: 2, Stored: 2},
		},
		"order of two publishers is no order": {
			Record{Attempts: []Attempt{acks(2, 2), by(1, acks(9, 1))}, Stored: []Stored{{StreamSeq: 1, Publisher: 1, Seq: 9}, {StreamSeq: 2, Seq: 2}}},
			Account{Attempts: 2, Messages: 2, Acked: 2, Stored: 2},
		},
		"a second copy has no order": {
			Record{Attempts: []Attempt{acks(1, 1), acks(2, 2)}, Stored: holds(1, 2, 1)},
			Account{Attempts: 2, Messages: 2, Acked: 2, Stored: 2, DuplicatesStored: 1},
		},
		"stored and never sent, or damaged": {
			Record{Attempts: []Attempt{acks(1, 1)}, Stored: []Stored{
				{StreamSeq: 1, Seq: 1},
				{StreamSeq: 2, Seq: 2},
				{StreamSeq: 3, Publisher: 7, Seq: 1},
				{StreamSeq: 4, Seq: 1, Foreign: true},
			}},
			Account{Attempts: 1, Messages: 1, Acked: 1, Stored: 1, Unexpected: 3},
		},
		"a place that was read twice is no duplicate": {
			Record{Attempts: []Attempt{acks(1, 1), acks(2, 2)}, Stored: append(holds(1, 2), holds(1)...)},
			Account{Attempts: 2, Messages: 2, Acked: 2, Stored: 2},
		},
		"delivered, each once": {
			Record{
				Attempts: []Attempt{acks(1, 1), acks(2, 2)}, Stored: holds(1, 2), Consumers: workers,
				Deliveries: []Delivery{comes(0, 1, 1), comes(0, 2, 2)},
			},
			Account{Attempts: 2, Messages: 2, Acked: 2, Stored: 2, DeliveriesKnown: true, Delivered: 2},
		},
		"nothing delivered": {
			Record{Attempts: []Attempt{acks(1, 1), acks(2, 2)}, Stored: holds(1, 0), Consumers: workers},
			Account{Attempts: 2, Messages: 2, Acked: 2, Stored: 1, Lost: 1, LostLast: 1, DeliveriesKnown: true, Undelivered: 1},
		},
		"delivered twice, to whichever worker": {
			Record{
				Attempts: []Attempt{acks(1, 1)}, Stored: holds(1), Consumers: workers,
				Deliveries: []Delivery{comes(0, 1, 1), again(comes(1, 1, 1), 2), again(comes(0, 1, 1), 3)},
			},
			Account{Attempts: 1, Messages: 1, Acked: 1, Stored: 1, DeliveriesKnown: true, Delivered: 1, DuplicatesDelivered: 2},
		},
		"and the server does not know": {
			Record{
				Attempts: []Attempt{acks(1, 1)}, Stored: holds(1), Consumers: workers,
				Deliveries: []Delivery{comes(0, 1, 1), comes(1, 1, 1)},
			},
			Account{
				Attempts: 1, Messages: 1, Acked: 1, Stored: 1, DeliveriesKnown: true, Delivered: 1,
				DuplicatesDelivered: 1, DuplicatesUnflagged: 1,
			},
		},
		"a first delivery that comes late is flagged all the same": {
			Record{
				Attempts: []Attempt{acks(1, 1)}, Stored: holds(1), Consumers: workers,
				Deliveries: []Delivery{again(comes(0, 1, 1), 2), comes(1, 1, 1)},
			},
			Account{Attempts: 1, Messages: 1, Acked: 1, Stored: 1, DeliveriesKnown: true, Delivered: 1, DuplicatesDelivered: 1},
		},
		"delivered out of order, to one worker": {
			Record{
				Attempts: []Attempt{acks(1, 1), acks(2, 2), acks(3, 3)}, Stored: holds(1, 2, 3), Consumers: workers,
				Deliveries: []Delivery{comes(0, 3, 3), comes(0, 1, 1), comes(0, 2, 2)},
			},
			Account{Attempts: 3, Messages: 3, Acked: 3, Stored: 3, DeliveriesKnown: true, Delivered: 3, DeliveredReordered: 2},
		},
		"two workers have no order, and second deliveries neither": {
			Record{
				Attempts: []Attempt{acks(1, 1), acks(2, 2)}, Stored: holds(1, 2), Consumers: workers,
				Deliveries: []Delivery{comes(0, 2, 2), comes(1, 1, 1), again(comes(0, 1, 1), 2)},
			},
			Account{Attempts: 2, Messages: 2, Acked: 2, Stored: 2, DeliveriesKnown: true, Delivered: 2, DuplicatesDelivered: 1},
		},
		"each consumer gets everything": {
			Record{
				Attempts: []Attempt{acks(1, 1), acks(2, 2), acks(3, 3)}, Stored: holds(1, 2, 3), Consumers: []string{"a", "b"},
				Deliveries: []Delivery{
					other(comes(0, 2, 2)), comes(0, 1, 1), comes(0, 2, 2), other(comes(1, 1, 1)),
					other(comes(0, 1, 1)), comes(0, 2, 2), again(other(comes(0, 2, 2)), 2), again(comes(0, 1, 1), 2),
				},
			},
			Account{
				Attempts: 3, Messages: 3, Acked: 3, Stored: 3, DeliveriesKnown: true, Delivered: 2, Undelivered: 1,
				DuplicatesDelivered: 4, DuplicatesUnflagged: 2,
			},
		},
		"delivered, and gone at the end": {
			Record{
				Attempts: []Attempt{acks(1, 1), try(2, 1, Unknown, 0)}, Consumers: workers,
				Deliveries: []Delivery{comes(0, 1, 1), comes(0, 2, 2), again(comes(0, 2, 2), 2), comes(0, 77, 3)},
			},
			Account{
				Attempts: 2, Messages: 2, Acked: 1, Unknown: 1, Lost: 1, LostFirst: 1,
				DeliveriesKnown: true, Delivered: 2, DuplicatesDelivered: 1, DeliveredNotStored: 3,
			},
		},
		"delivered, stored and never sent": {
			Record{Stored: holds(1), Consumers: workers, Deliveries: []Delivery{comes(0, 1, 1)}},
			Account{Unexpected: 1, DeliveriesKnown: true},
		},
	} {
		t.Run(name, func(t *testing.T) {
			c.record.Publishers = two
			c.want.StoredKnown = true
			if diff := cmp.Diff(c.want, figures(Check(c.record))); diff != "" {
				t.Errorf("want -, got +:\n%s\nof %+v", diff, c.record)
			}
		})
	}
}
