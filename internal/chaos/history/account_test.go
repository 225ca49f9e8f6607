package history

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestLossIsNotToldOfAStreamThatWasNotRead(t *testing.T) {
	r := Record{
		Publishers: []Publisher{{Name: "n1"}}, Consumers: []string{"consumer-1"}, Unread: "no leader",
		Attempts:   []Attempt{acks(1, 9), acks(2, 5), try(3, 1, Refused, 0), try(4, 1, Unknown, 0), acks(5, 6)},
		Stored:     []Stored{{StreamSeq: 1, Seq: 2}, {StreamSeq: 2, Seq: 2}, {StreamSeq: 3, Seq: 3}, {StreamSeq: 4, Foreign: true}, {StreamSeq: 5, Seq: 4}},
		Deliveries: []Delivery{comes(0, 1, 9), comes(0, 1, 9)},
	}
	got := Check(r)
	want := Account{
		Attempts: 5, Messages: 5, Acked: 3, Refused: 1, Unknown: 1,
		DeliveriesKnown: true, Delivered: 1, DuplicatesDelivered: 1, DuplicatesUnflagged: 1,
	}
	if diff := cmp.Diff(want, figures(got)); diff != "" {
		t.Errorf("want -, got +:\n%s", diff)
	}
	if got.Placements[0].Lost != 0 || len(got.LostExamples) > 0 {
		t.Errorf("lost: %+v %+v", got.Placements[0], got.LostExamples)
	}
	for _, part := range []string{"no leader", "1 messages are stored twice", "1 messages are stored and never sent", "1 messages are refused and stored"} {
		if !strings.Contains(strings.Join(got.Warnings, "\n"), part) {
			t.Errorf("no warning has %q: %q", part, got.Warnings)
		}
	}
	r.Unread = ""
	if got := Check(r); !got.StoredKnown || got.Lost != 2 || got.Placements[0].Lost != 2 {
		t.Errorf("the same, read: %+v", got)
	}
}

func TestReplicasAreEqualOnlyWhenEachOneSaysSo(t *testing.T) {
	full := Replica{Server: "n1", Messages: 3, First: 1, Last: 3}
	silent := Replica{Server: "n3", Unread: "timeout"}
	for name, c := range map[string]struct {
		replicas      []Replica
		known, differ bool
		warns         string
	}{
		"nobody asked":         {},
		"one":                  {replicas: []Replica{full}, known: true},
		"equal":                {replicas: []Replica{full, {Server: "n2", Messages: 3, First: 1, Last: 3}}, known: true},
		"messages":             {replicas: []Replica{full, {Messages: 2, First: 1, Last: 3}}, known: true, differ: true},
		"first":                {replicas: []Replica{full, {Messages: 3, First: 2, Last: 3}}, known: true, differ: true},
		"last, the third":      {replicas: []Replica{full, full, {Messages: 3, First: 1, Last: 4}}, known: true, differ: true},
		"empty":                {replicas: []Replica{{First: 1}, {First: 0}}, known: true, warns: "0 messages in the stream, of which 3"},
		"one is silent":        {replicas: []Replica{full, full, silent}, warns: "n3 has of the stream is not known: timeout"},
		"silent, and differ":   {replicas: []Replica{silent, full, {Messages: 2, First: 1, Last: 3}}, differ: true, warns: "timeout"},
		"all are silent":       {replicas: []Replica{silent, silent}, warns: "timeout"},
		"more than was read":   {replicas: []Replica{{Messages: 4, First: 1, Last: 4}}, known: true, warns: "4 messages in the stream, of which 3 were read"},
		"what is silent reads": {replicas: []Replica{{Unread: "timeout", Messages: 9}, full}, warns: "timeout"},
	} {
		got := Check(Record{Replicas: c.replicas, Attempts: []Attempt{acks(1, 1)}, Stored: holds(1, 2, 3), Publishers: []Publisher{{Name: "n1"}}})
		if got.ReplicasKnown != c.known || got.ReplicasDiffer != c.differ {
			t.Errorf("%s: known %t, differ %t", name, got.ReplicasKnown, got.ReplicasDiffer)
		}
		if all := strings.Join(got.Warnings, "\n"); (c.warns == "") != (all == "") || !strings.Contains(all, c.warns) {
			t.Errorf("%s: warnings %q, want %q", name, got.Warnings, c.warns)
		}
	}
}

func TestErrorsCountAttemptsByClass(t *testing.T) {
	got := Check(Record{Publishers: []Publisher{{}}, Attempts: []Attempt{
		try(1, 1, Unknown, 0), try(1, 2, Unknown, 0), classed(NoResponders, try(1, 3, Refused, 0)),
		classed(InProcess, try(1, 4, Acked, 1)), classed("", try(1, 5, Unknown, 0)), classed(Timeout, try(1, 6, Acked, 1)),
	}})
	want := map[Class]uint64{Timeout: 2, NoResponders: 1, InProcess: 1, Other: 1}
	if diff := cmp.Diff(want, got.Errors); diff != "" {
		t.Errorf("want -, got +:\n%s", diff)
	}
}

func TestExamplesOfLossAreTheFirstAcknowledged(t *testing.T) {
	r := Record{Publishers: []Publisher{{Name: "n1"}}}
	for seq := uint64(30); seq > 0; seq-- {
		r.Attempts = append(r.Attempts, acks(seq, 100+seq))
	}
	r.Attempts = append(r.Attempts, by(3, acks(2, 7)), try(1, 2, Acked, 99)) // the second answer to 1 came later
	got := Check(r)
	if len(got.LostExamples) != lostExamples || got.Lost != 31 {
		t.Fatalf("%d examples of %d", len(got.LostExamples), got.Lost)
	}
	want := []Message{
		{Publisher: "n1", Seq: 1, AckedAt: 21 * time.Millisecond, StreamSeq: 101},
		{Publisher: "n1", Seq: 2, AckedAt: 41 * time.Millisecond, StreamSeq: 102},
		{Publisher: "publisher 3", Seq: 2, AckedAt: 41 * time.Millisecond, StreamSeq: 7},
		{Publisher: "n1", Seq: 3, AckedAt: 61 * time.Millisecond, StreamSeq: 103},
	}
	if diff := cmp.Diff(want, got.LostExamples[:4]); diff != "" {
		t.Errorf("want -, got +:\n%s", diff)
	}
}

func TestPlacementsTellHowEachPublisherFared(t *testing.T) {
	r := Record{
		Publishers: []Publisher{{Name: "n1", Server: "n1"}, {Name: "any"}, {Name: "idle"}},
		Attempts:   []Attempt{acks(1, 1), acks(2, 9), try(3, 1, Unknown, 0), by(1, acks(1, 2)), by(9, acks(1, 3))},
		Stored:     holds(1), Stopped: time.Second, Period: 20 * time.Millisecond,
		Events: []Event{
			{Who: "n1", Kind: EventDisconnected},
			{Who: "n1", Kind: EventReconnected},
			{Who: "n1", Kind: EventDisconnected},
			{Who: "any", Kind: EventClosed},
			{Who: "any", Kind: EventError},
			{Who: "any", Kind: EventLameDuck},
			{Who: "consumer-1", Kind: EventDisconnected},
		},
	}
	got := Check(r)
	want := []Placement{
		{
			Publisher: "n1", Server: "n1", Messages: 3, Acked: 2, Lost: 1, Unknown: 1, Disconnects: 2, Reconnects: 1,
			Outages: []Outage{{From: 41 * time.Millisecond, To: time.Second, Open: true}},
		},
		{
			Publisher: "any", Messages: 1, Acked: 1, Lost: 1, Closed: true,
			Outages: []Outage{{From: 21 * time.Millisecond, To: time.Second, Open: true}},
		},
		{Publisher: "idle"},
	}
	if diff := cmp.Diff(want, got.Placements); diff != "" {
		t.Errorf("want -, got +:\n%s", diff)
	}
	warnings := []string{"1 attempts are of publishers that the record does not list", "publisher idle sent nothing"}
	if diff := cmp.Diff(warnings, got.Warnings); diff != "" {
		t.Errorf("warnings: want -, got +:\n%s", diff)
	}
	if got.Messages != 5 || got.Lost != 3 {
		t.Errorf("of an unlisted publisher nothing counts: %+v", figures(got))
	}
}
