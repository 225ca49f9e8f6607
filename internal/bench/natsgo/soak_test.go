package natsgo_test

import (
	"os"
	"runtime"
	"testing"
	"time"

	"github.com/natsops/natsops/internal/bench"
)

// The memory of a run must not depend on its length. Between a quarter of the
// run and its end nothing may be added but noise, while a memory of 8 bytes a
// message would add hundreds of megabytes.
func TestMemoryStaysFlatInALongRun(t *testing.T) {
	length, err := time.ParseDuration(os.Getenv("NATSOPS_SOAK"))
	if err != nil {
		t.Skip("takes minutes; run it with make soak, or NATSOPS_SOAK=2m")
	}
	var (
		server = startLab(t)
		heaps  []uint64
		next   = length / 4
	)
	env := bench.Env{
		Driver: driver(server),
		Progress: func(p bench.Progress) {
			if p.Phase == "measuring" && time.Duration(p.Done) >= next {
				next += length / 8
				runtime.GC()
				var m runtime.MemStats
				runtime.ReadMemStats(&m)
				heaps = append(heaps, m.HeapAlloc)
			}
		},
	}
	res, err := bench.Run(t.Context(), bench.Config{
		Workload: bench.PubSub, Subject: "soak", Subjects: 1, Senders: 2, Receivers: 2,
		Duration: length, Rate: "max", Size: 64, Payload: bench.Payload{Kind: bench.ZeroPayload},
		Timeout: 5 * time.Second,
	}, env)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%d messages, heap in use %d", res.Received, heaps)
	const noise = 16 << 20 // of messages on their way
	if first, last := heaps[0], heaps[len(heaps)-1]; last > first+noise {
		t.Errorf("the heap grew from %d to %d bytes while %d messages passed", first, last, res.Received)
	}
	if res.Ledger.Lost != 0 || res.Ledger.Received != res.Ledger.Sent {
		t.Errorf("ledger %+v", res.Ledger.Tally)
	}
}
