package deadletter

import (
	"maps"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

func TestTheServerIsNotToldAgainWhatItWasTold(t *testing.T) {
	harmless := nats.Header{
		"Name": {"a", "b"}, "traceparent": {"00-1-2-01"}, "natsort": {"x"},
		"Nats-Stream": {"S"}, "Nats-Sequence": {"7"}, "Nats-Service-Error-Code": {"400"},
	}
	original := nats.Header{HeaderRedriveOf: {"S/w/1"}}
	commands := []string{
		"NATS-ROLLUP", "Nats-Batch-Commit", "Nats-Batch-Id", "Nats-Expected-Last-Msg-Id", "Nats-Expected-Last-Sequence", "Nats-Expected-Last-Subject-Sequence",
		"Nats-Expected-Stream", "Nats-Incr", "Nats-Msg-Id", "Nats-Schedule-Target", "Nats-Stream-Source",
		"Nats-Trace-Only", "Nats-Whatever-Comes-Next", "nats-rollup",
	}
	maps.Copy(original, harmless)
	for _, name := range commands {
		original[name] = []string{"1"}
	}
	kept, leftOut := copied(original, &jetstream.StreamInfo{})
	if diff := cmp.Diff(harmless, kept); diff != "" {
		t.Errorf("kept (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(commands, leftOut); diff != "" {
		t.Errorf("left out (-want +got):\n%s", diff)
	}
}

func TestALifetimeStaysWhereTheStreamAllowsIt(t *testing.T) {
	original := nats.Header{"Nats-TTL": {"1m"}}
	if kept, _ := copied(original, &jetstream.StreamInfo{Config: jetstream.StreamConfig{AllowMsgTTL: true}}); kept.Get("Nats-TTL") != "1m" {
		t.Errorf("allowed: got %v", kept)
	}
	if kept, leftOut := copied(original, &jetstream.StreamInfo{}); len(kept) != 0 || len(leftOut) != 1 {
		t.Errorf("not allowed: got %v without %v", kept, leftOut)
	}
}

func TestARollupIsNotRepeated(t *testing.T) {
	w := newWorld(t)
	w.stream(jetstream.StreamConfig{Name: "S", AllowRollup: true})
	w.publish("S.x", nats.Header{"Nats-Rollup": {"all"}}, "first")
	w.publish("S.x", nil, "second")
	w.redrive(w.plan([]Letter{{Key: key("S", "w"), Seq: 1, Cause: MaxDeliver}}, Options{}))
	if got := w.state("S").Msgs; got != 3 {
		t.Errorf("got %d messages, want 3", got)
	}
}
