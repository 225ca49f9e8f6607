package history

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"pgregory.net/rapid"
)

// dice decide what a generated history is like: a seed's, rapid's, or a fuzzer's.
type dice interface {
	IntN(n int) int // 0 ≤ IntN(n) < n
}

type rapidDice struct{ *rapid.T }

func (d rapidDice) IntN(n int) int { return rapid.IntRange(0, n-1).Draw(d.T, "") }

func between(d dice, low, high int) int { return low + d.IntN(high-low+1) }

// A world makes histories of a system that keeps its promises.
type world struct {
	dice   dice
	record Record
	puts   []put
}

// A put is a message on its way into the stream.
type put struct {
	at        time.Duration
	publisher uint16
	seq       uint64
	ack       int // index of the attempt that learns of the place; -1: none
}

const (
	worldPeriod = 20 * time.Millisecond
	worldWait   = 2 * time.Second
)

// healthy makes a history without a fault, and its account.
func healthy(d dice) (Record, Account) {
	w := world{dice: d, record: Record{Period: worldPeriod}}
	for p := range between(d, 1, 4) {
		name := fmt.Sprintf("n%d", p+1)
		w.record.Publishers = append(w.record.Publishers, Publisher{Name: name, Server: name})
		for seq := range between(d, 2, 25) {
			w.send(uint16(p), uint64(seq+1))
		}
	}
	stored := w.store()
	w.deliver()
	r := w.record
	slices.SortStableFunc(r.Attempts, func(a, b Attempt) int { return cmp.Compare(a.Began, b.Began) })
	r.Stopped = time.Minute
	replica := Replica{Messages: uint64(len(r.Stored)), First: 1, Last: stored}
	r.Replicas = []Replica{replica, replica, replica}
	return r, w.account()
}

// ways are how a message can fare in a system that keeps its promises: outcomes
// of its attempts, and which of them stored it.
func ways() []way {
	return []way{
		{outcomes: []Outcome{Acked}, stores: 1},
		{outcomes: []Outcome{Unknown}},
		{outcomes: []Outcome{Unknown}, stores: 1},
		{outcomes: []Outcome{Refused}},
		{outcomes: []Outcome{Refused, Refused, Refused}},
		{outcomes: []Outcome{Refused, Acked}, stores: 2},
		{outcomes: []Outcome{Unknown, Acked}, stores: 2},
		{outcomes: []Outcome{Unknown, Acked}, stores: 1},
		{outcomes: []Outcome{Unknown, Refused, Unknown}, stores: 3},
		{outcomes: []Outcome{Unknown, Refused, Refused}, stores: 1},
		{outcomes: []Outcome{Refused, Unknown, Unknown, Acked}, stores: 2},
		{outcomes: []Outcome{Unknown, Unknown, Acked}, stores: 3, inProcess: true},
		{outcomes: []Outcome{Unknown, Unknown, Unknown}, inProcess: true},
	}
}

type way struct {
	outcomes  []Outcome
	stores    int  // number of the attempt; 0: none
	inProcess bool // the second attempt is told so
}

func (w *world) send(publisher uint16, seq uint64) {
	way := ways()[0]
	if w.dice.IntN(3) == 0 {
		way = ways()[w.dice.IntN(len(ways()))]
	}
	began := time.Duration(seq) * worldPeriod
	put := put{publisher: publisher, seq: seq, ack: -1}
	for i, outcome := range way.outcomes {
		a := Attempt{Publisher: publisher, Try: uint16(i + 1), Seq: seq, Began: began, Ended: began + worldWait, Outcome: outcome, Class: Timeout}
		if i+1 == way.stores {
			put.at = began + time.Millisecond
		}
		switch {
		case way.inProcess && i == 1:
			a.Class = InProcess
		case outcome == Refused:
			a.Class, a.Ended = NoResponders, began+time.Millisecond
		case outcome == Acked:
			a.Class, a.Ended = "", began+3*time.Millisecond
			a.Duplicate = way.stores != i+1
			put.ack = len(w.record.Attempts)
		}
		w.record.Attempts = append(w.record.Attempts, a)
		began = a.Ended + time.Duration(between(w.dice, 1, 500))*time.Millisecond
	}
	if way.stores > 0 {
		w.puts = append(w.puts, put)
	}
}

// store fills the stream, tells the publishers, and returns the last sequence.
func (w *world) store() uint64 {
	slices.SortStableFunc(w.puts, func(a, b put) int { return cmp.Compare(a.at, b.at) })
	var place uint64
	for _, p := range w.puts {
		place += 1 + uint64(w.dice.IntN(8)/7) // now and then one is skipped
		w.record.Stored = append(w.record.Stored, Stored{StreamSeq: place, Publisher: p.publisher, Seq: p.seq})
		if p.ack >= 0 {
			w.record.Attempts[p.ack].StreamSeq = place
		}
	}
	return place
}

func (w *world) deliver() {
	w.record.Consumers = []string{"durable"}
	workers := between(w.dice, 1, 3)
	for i, s := range w.record.Stored {
		w.record.Deliveries = append(w.record.Deliveries, Delivery{
			Worker: uint16(w.dice.IntN(workers)), Publisher: s.Publisher, Seq: s.Seq, StreamSeq: s.StreamSeq,
			NumDelivered: 1, At: w.puts[i].at + time.Millisecond,
		})
	}
}

// account is that of a system that keeps its promises: nothing is lost, twice,
// or in the wrong place.
func (w *world) account() Account {
	stored := uint64(len(w.record.Stored))
	want := Account{
		StoredKnown: true, DeliveriesKnown: true, ReplicasKnown: true,
		Attempts: uint64(len(w.record.Attempts)), Stored: stored, Delivered: stored,
	}
	type summary struct{ acked, open bool }
	sent := map[message]summary{}
	for _, a := range w.record.Attempts {
		m := message{a.Publisher, a.Seq}
		s := sent[m]
		sent[m] = summary{acked: s.acked || a.Outcome == Acked, open: s.open || a.Outcome == Unknown}
	}
	want.Messages = uint64(len(sent))
	for _, s := range sent {
		switch {
		case s.acked:
			want.Acked++
		case s.open:
			want.Unknown++
		default:
			want.Refused++
		}
	}
	want.UnknownStored = stored - want.Acked
	return want
}

// copied is a record that can be changed.
func copied(r Record) Record {
	r.Publishers, r.Consumers = slices.Clone(r.Publishers), slices.Clone(r.Consumers)
	r.Attempts, r.Deliveries, r.Events = slices.Clone(r.Attempts), slices.Clone(r.Deliveries), slices.Clone(r.Events)
	r.Stored, r.Replicas = slices.Clone(r.Stored), slices.Clone(r.Replicas)
	return r
}

// anything makes a record that no load would: numbers beyond all ranges, in any
// order.
func anything(d dice) Record {
	number := func() uint64 {
		if d.IntN(12) == 0 {
			return []uint64{0, 1 << 40, 1<<64 - 1}[d.IntN(3)]
		}
		return uint64(between(d, 1, 8))
	}
	short := func() uint16 {
		if d.IntN(200) == 0 {
			return 65535
		}
		return []uint16{0, 0, 1, 1, 2, 5}[d.IntN(6)]
	}
	moment := func() time.Duration {
		return []time.Duration{-1 << 63, -time.Second, 0, 1<<63 - 1, time.Duration(d.IntN(20_000)) * time.Millisecond}[min(4, d.IntN(40))]
	}
	r := Record{Period: time.Duration(d.IntN(3)) * 50 * time.Millisecond, Stopped: moment()}
	if d.IntN(40) == 0 {
		r.Period = moment()
	}
	if d.IntN(8) == 0 {
		r.Unread = "timeout"
	}
	for range d.IntN(4) {
		r.Publishers = append(r.Publishers, Publisher{Name: "p", Server: []string{"", "n1"}[d.IntN(2)]})
	}
	r.Consumers = make([]string, d.IntN(3))
	classes := []Class{"", Timeout, InProcess}
	for range d.IntN(30) {
		r.Attempts = append(r.Attempts, Attempt{
			Publisher: short(), Try: short(), Seq: number(), Began: moment(), Ended: moment(),
			Outcome: Outcome(d.IntN(4)), Class: classes[d.IntN(3)], StreamSeq: number(), Duplicate: d.IntN(2) == 0,
		})
	}
	for range d.IntN(15) {
		r.Stored = append(r.Stored, Stored{StreamSeq: number(), Publisher: short(), Seq: number(), Foreign: d.IntN(10) == 0})
	}
	for range d.IntN(15) {
		r.Deliveries = append(r.Deliveries, Delivery{
			Consumer: short(), Worker: short(), Publisher: short(), Seq: number(), StreamSeq: number(), NumDelivered: number(), At: moment(),
		})
	}
	kinds := []EventKind{EventDisconnected, EventReconnected, EventClosed, EventLameDuck, EventError, "other"}
	for range d.IntN(4) {
		r.Events = append(r.Events, Event{At: moment(), Who: "p", Kind: kinds[d.IntN(len(kinds))]})
	}
	for range d.IntN(4) {
		r.Replicas = append(r.Replicas, Replica{Messages: number(), First: number(), Last: number(), Unread: []string{"", "", "x"}[d.IntN(3)]})
	}
	return r
}
