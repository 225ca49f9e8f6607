package history

import (
	"testing"
	"time"
)

// long is a record of five publishers that send 100,000 messages each, with an
// outage that leaves every hundredth to a second attempt.
func long() Record {
	r := Record{Period: 20 * time.Millisecond, Consumers: []string{"durable"}}
	r.Publishers = []Publisher{{Name: "n1", Server: "n1"}, {Name: "n2", Server: "n2"}, {Name: "n3", Server: "n3"}, {Name: "any"}, {Name: "any-2"}}
	for seq := uint64(1); seq <= 100_000; seq++ {
		for p := range uint16(len(r.Publishers)) {
			place := uint64(len(r.Stored) + 1)
			began := time.Duration(seq) * r.Period
			a := Attempt{Publisher: p, Try: 1, Seq: seq, Began: began, Ended: began + time.Millisecond, Outcome: Acked, StreamSeq: place}
			if seq%100 == 0 {
				r.Attempts = append(r.Attempts, Attempt{Publisher: p, Try: 1, Seq: seq, Began: began, Ended: began + time.Second, Class: Timeout})
				a.Try, a.Duplicate = 2, true
			}
			r.Attempts = append(r.Attempts, a)
			r.Stored = append(r.Stored, Stored{StreamSeq: place, Publisher: p, Seq: seq})
			r.Deliveries = append(r.Deliveries, Delivery{Worker: p % 2, Publisher: p, Seq: seq, StreamSeq: place, NumDelivered: 1, At: a.Ended})
		}
	}
	r.Stopped = r.Attempts[len(r.Attempts)-1].Ended
	return r
}

func BenchmarkCheckHalfAMillion(b *testing.B) {
	r := long()
	if got := Check(r); got.Lost+got.AckMismatches+got.Undelivered > 0 || got.Messages != 500_000 {
		b.Fatalf("%+v", figures(got))
	}
	b.ReportAllocs()
	for b.Loop() {
		Check(r)
	}
}

func BenchmarkRecoverHalfAMillion(b *testing.B) {
	r := long()
	b.ReportAllocs()
	for b.Loop() {
		Recover(r, Span{From: time.Minute, To: 2 * time.Minute}, 3*time.Minute, []string{"n1"})
	}
}
