package ledger

// A Tally says what became of the messages of one publisher, or of several.
// Received + Lost = Sent. All fields count messages.
type Tally struct {
	Sent     uint64 `json:"sent"`
	Received uint64 `json:"received"` // each message once, however often it came
	// Lost is exact unless Stale or Unexpected is above 0. Some stale arrivals may
	// have been late ones, so Lost can be too high by at most Stale.
	Lost       uint64 `json:"lost"`
	Duplicated uint64 `json:"duplicated"` // arrivals beyond the first; RFC 5560
	Reordered  uint64 `json:"reordered"`  // first arrivals after one sent later; RFC 4737
	Stale      uint64 `json:"stale"`      // arrivals too old to tell late from duplicate
	// Unexpected counts arrivals that were never sent: beyond Sent, with sequence
	// 0, or of an impossible publisher. Two publishers with the same number, or a
	// wrong Sent, are the likely causes; no other field is to be trusted then.
	Unexpected uint64 `json:"unexpected"`
}

func (t *Tally) add(o Tally) {
	t.Sent += o.Sent
	t.Received += o.Received
	t.Lost += o.Lost
	t.Duplicated += o.Duplicated
	t.Reordered += o.Reordered
	t.Stale += o.Stale
	t.Unexpected += o.Unexpected
}

// An Account is the balance of a run: its Tally is the total over Publishers.
type Account struct {
	Tally
	Corrupt    uint64  `json:"corrupt"` // stamp unreadable; lost ones too
	Foreign    uint64  `json:"foreign"` // of another run
	Publishers []Tally `json:"publishers"`
}

// Add adds the account of another receiving unit, publisher by publisher. With
// n units that each should get everything, Sent is n times what was published.
func (a *Account) Add(b Account) {
	a.add(b.Tally)
	a.Corrupt += b.Corrupt
	a.Foreign += b.Foreign
	publishers := make([]Tally, max(len(a.Publishers), len(b.Publishers)))
	copy(publishers, a.Publishers) // which another copy of a may share
	a.Publishers = publishers
	for i, t := range b.Publishers {
		a.Publishers[i].add(t)
	}
}
