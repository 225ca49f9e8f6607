// Package ledger accounts for every message of a run: which of those sent were
// received, lost, duplicated, reordered or damaged.
//
// Each publisher numbers its messages 1, 2, 3, … in a [Stamp] at their end,
// made by a [Stamper] and read back with [Read]. Each receiving unit (one
// subscriber, or a whole queue group) keeps a [Ledger] of the numbers that
// arrived. After the run, what arrived and what was sent give an [Account], in
// which Received + Lost = Sent always holds.
//
// Memory stays flat at any run length: a publisher whose messages arrive in
// order costs 24 bytes, one with gaps at most Window/8 bytes more.
package ledger
