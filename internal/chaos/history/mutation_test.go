package history

import "slices"

// A mutation breaks a promise in a healthy history: it changes the record, and
// the account to what the comments of [Account] say of that. False when the
// history has nothing to break in this way.
type mutation func(d dice, r *Record, a *Account) bool

func mutations() map[string]mutation {
	return map[string]mutation{
		"lose a stored message that was acknowledged": lose,
		"lose everything":                                 loseAll,
		"store a message twice":                           storeTwice,
		"swap two stored messages of a publisher":         swapStored,
		"change the place in an acknowledgement":          changeAck,
		"store what was never sent":                       storeUnsent,
		"store what was refused":                          storeRefused,
		"drop a delivery":                                 dropDelivery,
		"deliver again":                                   deliverAgain,
		"swap two deliveries to a worker":                 swapDeliveries,
		"deliver what is not in the stream":               deliverUnstored,
		"take a duplicate in process for acknowledgement": ackInProcess,
		"one replica has another last message":            changeReplica,
	}
}

// pick is a random index of an element for which ok holds; -1: none.
func pick[E any](d dice, list []E, ok func(E) bool) int {
	var all []int
	for i, e := range list {
		if ok(e) {
			all = append(all, i)
		}
	}
	if len(all) == 0 {
		return -1
	}
	return all[d.IntN(len(all))]
}

func ackOf(r *Record, publisher uint16, seq uint64) int {
	return slices.IndexFunc(r.Attempts, func(a Attempt) bool {
		return a.Publisher == publisher && a.Seq == seq && a.Outcome == Acked
	})
}

func wasAcked(r *Record) func(Stored) bool {
	return func(s Stored) bool { return ackOf(r, s.Publisher, s.Seq) >= 0 }
}

// place counts a loss where it is, by looking at what is left.
func place(r *Record, a *Account, gone Stored) {
	before, after := false, false
	for _, s := range r.Stored {
		before = before || s.Publisher == gone.Publisher && s.Seq < gone.Seq
		after = after || s.Publisher == gone.Publisher && s.Seq > gone.Seq
	}
	switch {
	case !before:
		a.LostFirst++
	case !after:
		a.LostLast++
	default:
		a.LostMiddle++
	}
}

func lose(d dice, r *Record, a *Account) bool {
	var gone []Stored
	for range between(d, 1, 3) {
		i := pick(d, r.Stored, wasAcked(r))
		if i < 0 {
			break
		}
		gone = append(gone, r.Stored[i])
		r.Stored = slices.Delete(r.Stored, i, i+1)
		a.Lost++
		a.Stored--
		a.DeliveredNotStored++
	}
	for _, s := range gone {
		place(r, a, s)
	}
	return len(gone) > 0
}

func loseAll(_ dice, r *Record, a *Account) bool {
	r.Stored, r.Deliveries = nil, nil
	a.Lost, a.LostFirst = a.Acked, a.Acked
	a.Stored, a.UnknownStored, a.Delivered = 0, 0, 0
	return a.Acked > 0
}

func storeTwice(d dice, r *Record, a *Account) bool {
	i := pick(d, r.Stored, func(Stored) bool { return true })
	if i < 0 {
		return false
	}
	last := r.Stored[len(r.Stored)-1].StreamSeq
	for n := range between(d, 1, 3) {
		s := r.Stored[i]
		s.StreamSeq = last + uint64(n) + 1
		r.Stored = append(r.Stored, s)
		a.DuplicatesStored++
	}
	return true
}

// behind counts what is stored behind a later one, each pair looked at.
func behind(r *Record) (n uint64) {
	first := slices.DeleteFunc(slices.Clone(r.Stored), func(s Stored) bool {
		i := ackOf(r, s.Publisher, s.Seq)
		return i < 0 || r.Attempts[i].Try != 1
	})
	for i, s := range first {
		if slices.ContainsFunc(first[:i], func(o Stored) bool { return o.Publisher == s.Publisher && o.Seq > s.Seq }) {
			n++
		}
	}
	return n
}

func swapStored(d dice, r *Record, a *Account) bool {
	i := pick(d, r.Stored, wasAcked(r))
	if i < 0 {
		return false
	}
	j := pick(d, r.Stored, func(s Stored) bool { return s.Publisher == r.Stored[i].Publisher && s != r.Stored[i] })
	if j < 0 {
		return false
	}
	r.Stored[i].Seq, r.Stored[j].Seq = r.Stored[j].Seq, r.Stored[i].Seq
	for _, s := range []Stored{r.Stored[i], r.Stored[j]} {
		if wasAcked(r)(s) {
			a.AckMismatches++
		}
	}
	a.Reordered = behind(r)
	return true
}

func changeAck(d dice, r *Record, a *Account) bool {
	i := pick(d, r.Attempts, func(a Attempt) bool { return a.Outcome == Acked })
	if i < 0 {
		return false
	}
	right := r.Attempts[i].StreamSeq
	for r.Attempts[i].StreamSeq == right {
		r.Attempts[i].StreamSeq = uint64(d.IntN(200))
	}
	a.AckMismatches++
	return true
}

func storeUnsent(d dice, r *Record, a *Account) bool {
	place := uint64(1)
	if len(r.Stored) > 0 {
		place += r.Stored[len(r.Stored)-1].StreamSeq
	}
	s := []Stored{
		{Seq: 26}, {Seq: 0}, {Seq: 1 << 60}, {Publisher: 4, Seq: 1}, {Publisher: 300, Seq: 1}, {Seq: 1, Foreign: true},
	}[d.IntN(6)]
	s.StreamSeq = place
	r.Stored = append(r.Stored, s)
	a.Unexpected++
	return true
}

func storeRefused(d dice, r *Record, a *Account) bool {
	i := pick(d, r.Attempts, func(a Attempt) bool {
		return !slices.ContainsFunc(r.Attempts, func(o Attempt) bool {
			return o.Publisher == a.Publisher && o.Seq == a.Seq && o.Outcome != Refused
		})
	})
	if i < 0 {
		return false
	}
	r.Stored = append(r.Stored, Stored{StreamSeq: 1 << 20, Publisher: r.Attempts[i].Publisher, Seq: r.Attempts[i].Seq})
	a.Stored++
	a.RefusedStored++
	a.Undelivered++
	return true
}

func dropDelivery(d dice, r *Record, a *Account) bool {
	i := pick(d, r.Deliveries, func(Delivery) bool { return true })
	if i < 0 {
		return false
	}
	r.Deliveries = slices.Delete(r.Deliveries, i, i+1)
	a.Delivered--
	a.Undelivered++
	return true
}

func deliverAgain(d dice, r *Record, a *Account) bool {
	i := pick(d, r.Deliveries, func(Delivery) bool { return true })
	if i < 0 {
		return false
	}
	for range between(d, 1, 3) {
		again := r.Deliveries[i]
		again.NumDelivered = uint64(between(d, 1, 2))
		again.Worker = uint16(d.IntN(3))
		r.Deliveries = slices.Insert(r.Deliveries, between(d, i+1, len(r.Deliveries)), again)
		a.DuplicatesDelivered++
		if again.NumDelivered == 1 {
			a.DuplicatesUnflagged++
		}
	}
	return true
}

func swapDeliveries(d dice, r *Record, a *Account) bool {
	i := pick(d, r.Deliveries, func(Delivery) bool { return true })
	if i < 0 {
		return false
	}
	j := pick(d, r.Deliveries, func(o Delivery) bool { return o.Worker == r.Deliveries[i].Worker && o != r.Deliveries[i] })
	if j < 0 {
		return false
	}
	r.Deliveries[i], r.Deliveries[j] = r.Deliveries[j], r.Deliveries[i]
	for i, s := range r.Deliveries {
		if slices.ContainsFunc(r.Deliveries[:i], func(o Delivery) bool { return o.Worker == s.Worker && o.StreamSeq > s.StreamSeq }) {
			a.DeliveredReordered++
		}
	}
	return true
}

func deliverUnstored(d dice, r *Record, a *Account) bool {
	r.Deliveries = append(r.Deliveries, Delivery{
		Worker: uint16(d.IntN(3)), Publisher: uint16(d.IntN(9)), Seq: 1 << 30, StreamSeq: 1 << 30, NumDelivered: 1,
	})
	a.DeliveredNotStored++
	return true
}

func ackInProcess(d dice, r *Record, a *Account) bool {
	i := pick(d, r.Attempts, func(a Attempt) bool { return a.Outcome == Acked })
	if i < 0 {
		return false
	}
	r.Attempts[i].Class = InProcess
	a.Acked--
	a.Unknown++
	a.UnknownStored++
	return true
}

func changeReplica(d dice, r *Record, a *Account) bool {
	r.Replicas[d.IntN(len(r.Replicas))].Last += 1000
	a.ReplicasDiffer = true
	return true
}
