package deadletter
import ("testing";"fmt";"time";"github.com/nats-io/nats.go/jetstream")
func TestZZ(t *testing.T) {
	w := newWorld(t)
	w.capture()
	w.stream(jetstream.StreamConfig{Name: "S"})
	for i := range 20000 { w.js.PublishAsync("S.x", []byte("payload")); w.js.PublishAsync(maxDeliveriesPrefix+"S.w", []byte(fmt.Sprintf(`{"type":"io.nats.jetstream.advisory.v1.max_deliver","timestamp":"2036-01-02T03:04:05Z","stream":"S","consumer":"w","stream_seq":%d,"deliveries":1}`, i+1))) ; if i % 1000 == 0 { <-w.js.PublishAsyncComplete() } }
	<-w.js.PublishAsyncComplete()
	for _, q := range []Query{{}, {Limit: 100}, {Limit: 20000, Budget: 50000}} {
		b := time.Now(); r, err := Find(t.Context(), w.js, q); fmt.Println(q.Limit, len(r.Letters), r.More, r.Gaps, err, time.Since(b))
		if q.Limit == 0 { b = time.Now(); p := w.plan(r.Letters, Options{}); fmt.Println("plan", time.Since(b)); b = time.Now(); rep := w.redrive(p); fmt.Println("redrive", rep.Stored, time.Since(b)); fmt.Println(Redrive(p).Impact)
		b = time.Now(); p = w.plan(r.Letters, Options{}); fmt.Println("plan again", time.Since(b)); fmt.Println(Redrive(p).Impact) }
	}
}
