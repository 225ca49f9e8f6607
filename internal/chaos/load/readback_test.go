package load

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/natsops/natsops/internal/chaos/history"
	"github.com/natsops/natsops/internal/ledger"
)

// fill stores messages 1…n of publisher 3, of which nothing but the stamp is
// there.
func fill(t testing.TB, js jetstream.JetStream, from, n uint64) {
	t.Helper()
	stamper, err := ledger.NewStamper(run, 3, make([]byte, ledger.StampSize))
	if err != nil {
		t.Fatal(err)
	}
	for seq := from; seq < from+n; seq++ {
		if _, err := js.PublishAsync("drill.m.x", append([]byte(nil), stamper.Next(seq, 0)...)); err != nil {
			t.Fatal(err)
		}
		if seq%1000 == 0 || seq == from+n-1 {
			select {
			case <-js.PublishAsyncComplete():
			case <-patient(t).Done():
				t.Fatal("the messages are not stored in time")
			}
		}
	}
}

func newStream(t testing.TB) (jetstream.JetStream, jetstream.Stream) {
	t.Helper()
	s := startServer(t)
	js := join(t, dialer(s.URL(), s.Credentials()))
	stream, err := js.CreateStream(patient(t), jetstream.StreamConfig{Name: streamName, Subjects: []string{"drill.>"}, AllowDirect: true})
	if err != nil {
		t.Fatal(err)
	}
	return js, stream
}

// mustRead compares what is read back.
func mustRead(t *testing.T, js jetstream.JetStream, want []history.Stored) {
	t.Helper()
	got, err := ReadBack(patient(t), js, streamName, run)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("read back (-want +got):\n%s", diff)
	}
}

func TestGapsAndForeignMessagesAreReadBack(t *testing.T) {
	js, stream := newStream(t)
	mustRead(t, js, nil)
	fill(t, js, 1, 10)
	foreign, err := ledger.NewStamper(run+1, 3, make([]byte, 40))
	if err != nil {
		t.Fatal(err)
	}
	for _, data := range [][]byte{[]byte("hello"), foreign.Next(1, 0), nil} {
		if _, err := js.Publish(patient(t), "drill.y", data); err != nil {
			t.Fatal(err)
		}
	}
	fill(t, js, 11, 4)
	for _, gone := range []uint64{1, 2, 5, 6, 8, 17} { // the first, some, the last
		if err := stream.DeleteMsg(patient(t), gone); err != nil {
			t.Fatal(err)
		}
	}
	own := func(streamSeq, seq uint64) history.Stored {
		return history.Stored{StreamSeq: streamSeq, Publisher: 3, Seq: seq}
	}
	want := []history.Stored{
		own(3, 3), own(4, 4), own(7, 7), own(9, 9), own(10, 10),
		{StreamSeq: 11, Foreign: true},
		{StreamSeq: 12, Foreign: true},
		{StreamSeq: 13, Foreign: true},
		own(14, 11), own(15, 12), own(16, 13),
	}
	mustRead(t, js, want)

	// The same from the leader alone, as when the consumer has nothing.
	r := &reader{js: js, stream: streamName, run: run}
	if err := r.look(patient(t)); err != nil {
		t.Fatal(err)
	}
	r.begin = r.from.CachedInfo().State
	r.read = append(r.read, want[2], want[6]) // it had these
	if err := r.complete(patient(t)); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, r.read); diff != "" {
		t.Errorf("asked for one by one (-want +got):\n%s", diff)
	}
	r.begin.Msgs++
	if err := r.complete(patient(t)); err == nil || !strings.Contains(err.Error(), "it held 12 messages, and 11") {
		t.Errorf("one message cannot be read, and the error is %v", err)
	}

	// What came after the beginning is not of it.
	r.begin.LastSeq, r.read = 9, nil
	if _, err := r.consume(patient(t)); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want[:4], r.read); diff != "" {
		t.Errorf("up to the ninth message (-want +got):\n%s", diff)
	}

	if err := stream.Purge(patient(t)); err != nil {
		t.Fatal(err)
	}
	mustRead(t, js, nil)
}

func TestTensOfThousandsAreReadBack(t *testing.T) {
	const n = 30_000
	js, stream := newStream(t)
	fill(t, js, 1, n)
	got, err := ReadBack(patient(t), js, streamName, run)
	if err != nil || len(got) != n {
		t.Fatalf("%d of %d, %v", len(got), n, err)
	}
	for i, s := range got {
		if s.Seq != uint64(i+1) || s.StreamSeq != s.Seq {
			t.Fatalf("message %d is %+v", i, s)
		}
	}
	info, err := stream.Info(patient(t))
	if err != nil || info.State.Consumers != 0 {
		t.Errorf("%d consumers are left, %v", info.State.Consumers, err)
	}
}

func TestAStreamThatIsNotThereCannotBeReadBack(t *testing.T) {
	s := startServer(t)
	js := join(t, dialer(s.URL(), s.Credentials()))
	if _, err := ReadBack(patient(t), js, streamName, run); err == nil || !strings.Contains(err.Error(), "not found") {
		t.Errorf("got %v", err)
	}
}
