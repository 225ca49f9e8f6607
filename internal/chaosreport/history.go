package chaosreport

import (
	"bufio"
	"encoding/json"
	"io"

	"github.com/natsops/natsops/internal/chaos"
	"github.com/natsops/natsops/internal/chaos/history"
)

// HistorySchema names the form of the lines of WriteHistory, which are described
// by docs/reference/schemas/natsops.chaos-history.v1.schema.json.
const HistorySchema = "natsops.chaos-history/v1"

// A Line is one of a history. Which fields it has depends on its record; times
// count from the beginning of the load.
type Line struct {
	Record string `json:"record"` // "run", "attempt", "delivery", "event", "stored" or "replica"

	// Of the run, which is the first line.
	Schema string `json:"schema,omitempty"`
	ID     string `json:"id,omitempty"`
	Drill  string `json:"drill,omitempty"`
	Unread string `json:"unread,omitempty"` // why "stored" is not complete; "" in a replica: it is known

	Publisher string `json:"publisher,omitempty"`
	Seq       uint64 `json:"seq,omitempty"`        // of the message, by its publisher
	StreamSeq uint64 `json:"stream_seq,omitempty"` // where it is stored; of an attempt by the acknowledgement

	Try       uint16 `json:"try,omitempty"`
	BeganNS   *int64 `json:"began_ns,omitempty"`
	EndedNS   *int64 `json:"ended_ns,omitempty"`
	Outcome   string `json:"outcome,omitempty"`
	Class     string `json:"class,omitempty"` // why an attempt was not acknowledged
	Duplicate bool   `json:"duplicate,omitempty"`

	Consumer     string `json:"consumer,omitempty"`
	NumDelivered uint64 `json:"num_delivered,omitempty"`
	AtNS         *int64 `json:"at_ns,omitempty"`

	Who  string `json:"who,omitempty"`
	Kind string `json:"kind,omitempty"`
	Text string `json:"text,omitempty"`

	Foreign bool `json:"foreign,omitempty"` // not of this drill, or damaged

	Server   string  `json:"server,omitempty"`
	Messages *uint64 `json:"messages,omitempty"`
	FirstSeq *uint64 `json:"first_seq,omitempty"`
	LastSeq  *uint64 `json:"last_seq,omitempty"`
}

// WriteHistory writes what happened to every message, a JSON object a line.
// Errors are those of w.
func WriteHistory(w io.Writer, r chaos.Result) error {
	b := bufio.NewWriter(w)
	e := json.NewEncoder(b)
	for line := range historyLines(r) {
		if err := e.Encode(line); err != nil {
			return err
		}
	}
	return b.Flush()
}

// historyLines yields the lines one by one: there can be millions.
func historyLines(r chaos.Result) func(yield func(Line) bool) {
	record := r.Record
	return func(yield func(Line) bool) {
		if !yield(Line{Record: "run", Schema: HistorySchema, ID: r.ID, Drill: r.Drill.Name, Unread: record.Unread}) {
			return
		}
		_ = all(record.Attempts, yield, func(a history.Attempt) Line {
			return Line{
				Record: "attempt", Publisher: publisher(record, a.Publisher), Seq: a.Seq, Try: a.Try,
				BeganNS: new(a.Began.Nanoseconds()), EndedNS: new(a.Ended.Nanoseconds()),
				Outcome: a.Outcome.String(), Class: string(a.Class), StreamSeq: a.StreamSeq, Duplicate: a.Duplicate,
			}
		}) && all(record.Deliveries, yield, func(d history.Delivery) Line {
			return Line{
				Record: "delivery", Consumer: consumer(record, d.Consumer), Publisher: publisher(record, d.Publisher),
				Seq: d.Seq, StreamSeq: d.StreamSeq, NumDelivered: d.NumDelivered, AtNS: new(d.At.Nanoseconds()),
			}
		}) && all(record.Events, yield, func(v history.Event) Line {
			return Line{Record: "event", AtNS: new(v.At.Nanoseconds()), Who: v.Who, Kind: string(v.Kind), Text: v.Text}
		}) && all(record.Stored, yield, func(s history.Stored) Line {
			if s.Foreign {
				return Line{Record: "stored", StreamSeq: s.StreamSeq, Foreign: true}
			}
			return Line{Record: "stored", Publisher: publisher(record, s.Publisher), Seq: s.Seq, StreamSeq: s.StreamSeq}
		}) && all(record.Replicas, yield, func(p history.Replica) Line {
			if p.Unread != "" {
				return Line{Record: "replica", Server: p.Server, Unread: p.Unread}
			}
			return Line{Record: "replica", Server: p.Server, Messages: new(p.Messages), FirstSeq: new(p.First), LastSeq: new(p.Last)}
		})
	}
}

// all yields a line for each of a list; false: no more are wanted.
func all[T any](list []T, yield func(Line) bool, line func(T) Line) bool {
	for _, each := range list {
		if !yield(line(each)) {
			return false
		}
	}
	return true
}

// publisher is the name of a publisher; "?" of one that the record does not have.
func publisher(r history.Record, number uint16) string {
	if int(number) >= len(r.Publishers) {
		return unknown
	}
	return r.Publishers[number].Name
}

// consumer is the name of a consumer; "?" of one that the record does not have.
func consumer(r history.Record, number uint16) string {
	if int(number) >= len(r.Consumers) {
		return unknown
	}
	return r.Consumers[number]
}
