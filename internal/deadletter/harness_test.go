package deadletter

import (
	"fmt"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/natsops/natsops/internal/inspect"
	"github.com/natsops/natsops/internal/lab"
)

// testLimit bounds every wait; only what is broken needs it, or a machine that
// has very much else to do.
const testLimit = time.Minute

// A world is a lab server with a client.
type world struct {
	*testing.T
	js jetstream.JetStream
	nc *nats.Conn
}

func newWorld(t *testing.T) *world {
	t.Helper()
	s, err := lab.Start(lab.Config{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Stop() })
	nc, err := nats.Connect(s.URL(), nats.Timeout(testLimit))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(nc.Close)
	js, err := jetstream.New(nc, jetstream.WithDefaultTimeout(testLimit))
	if err != nil {
		t.Fatal(err)
	}
	return &world{t, js, nc}
}

func (w *world) stream(cfg jetstream.StreamConfig) jetstream.Stream {
	w.Helper()
	if cfg.Subjects == nil {
		cfg.Subjects = []string{cfg.Name + ".>"}
	}
	s, err := w.js.CreateStream(w.Context(), cfg)
	if err != nil {
		w.Fatal(err)
	}
	return s
}

// capture makes a stream that keeps the advisories.
func (w *world) capture() {
	w.Helper()
	w.stream(jetstream.StreamConfig{Name: "ADVISORIES", Subjects: []string{maxDeliveriesPrefix + ">", terminatedPrefix + ">"}})
}

// consumer makes one that gives up after so many deliveries of 30 ms.
func (w *world) consumer(stream, name string, maxDeliver int, filters ...string) jetstream.Consumer {
	w.Helper()
	c, err := w.js.CreateConsumer(w.Context(), stream, jetstream.ConsumerConfig{
		Durable: name, AckPolicy: jetstream.AckExplicitPolicy, AckWait: 30 * time.Millisecond, MaxDeliver: maxDeliver, FilterSubjects: filters,
	})
	if err != nil {
		w.Fatal(err)
	}
	return c
}

func (w *world) publish(subject string, header nats.Header, payload string) uint64 {
	w.Helper()
	ack, err := w.js.PublishMsg(w.Context(), &nats.Msg{Subject: subject, Header: header, Data: []byte(payload)})
	if err != nil {
		w.Fatal(err)
	}
	return ack.Sequence
}

// take fetches n messages, and fails when there are fewer. It asks once: what came
// after the end of a request would have been delivered, and to nobody.
func (w *world) take(c jetstream.Consumer, n int) []jetstream.Msg {
	w.Helper()
	batch, err := c.Fetch(n, jetstream.FetchMaxWait(testLimit))
	if err != nil {
		w.Fatal(err)
	}
	var got []jetstream.Msg
	for m := range batch.Messages() {
		got = append(got, m)
	}
	if len(got) != n {
		w.Fatalf("got %d messages, want %d: %v", len(got), n, batch.Error())
	}
	return got
}

// giveUp has n messages delivered until the consumer gives them up. With a
// max_deliver above 1 it does that only when it is asked for more.
func (w *world) giveUp(c jetstream.Consumer, n int) {
	w.Helper()
	maxDeliver := c.CachedInfo().Config.MaxDeliver
	for range maxDeliver {
		w.take(c, n)
	}
	w.eventually("the messages are given up", func() bool {
		if maxDeliver == 1 {
			return w.info(c).NumAckPending == 0
		}
		batch, err := c.FetchNoWait(n)
		if err != nil {
			w.Fatal(err)
		}
		for m := range batch.Messages() {
			w.Fatalf("got a message too many, of subject %s", m.Subject())
		}
		return w.info(c).NumAckPending == 0
	})
}

// settled waits until the consumer has no message in work. An acknowledgement that
// has not been seen yet would have the message delivered once more.
func (w *world) settled(c jetstream.Consumer) {
	w.Helper()
	w.eventually("nothing is in work", func() bool { return w.info(c).NumAckPending == 0 })
}

func (w *world) info(c jetstream.Consumer) *jetstream.ConsumerInfo {
	w.Helper()
	info, err := c.Info(w.Context())
	if err != nil {
		w.Fatal(err)
	}
	return info
}

func (w *world) state(stream string) jetstream.StreamState {
	w.Helper()
	s, err := w.js.Stream(w.Context(), stream)
	if err != nil {
		w.Fatal(err)
	}
	return s.CachedInfo().State
}

func (w *world) find(q Query) Result {
	w.Helper()
	r, err := Find(w.Context(), w.js, q)
	if err != nil {
		w.Fatal(err)
	}
	for _, g := range r.Gaps {
		w.Errorf("gap: %+v", g)
	}
	return r
}

// letters finds letters until there are n of them.
func (w *world) letters(q Query, n int) []Letter {
	w.Helper()
	var r Result
	w.eventually(fmt.Sprintf("%d letters", n), func() bool { r = w.find(q); return len(r.Letters) == n })
	return r.Letters
}

func (w *world) plan(letters []Letter, o Options) *Plan {
	w.Helper()
	p, err := NewPlan(w.Context(), w.js, letters, o)
	if err != nil {
		w.Fatal(err)
	}
	return p
}

// redrive does what the plan says.
func (w *world) redrive(p *Plan) Report {
	w.Helper()
	a := Redrive(p)
	if err := a.Check(w.Context()); err != nil {
		w.Fatal(err)
	}
	out, err := a.Do(w.Context())
	if err != nil {
		w.Fatal(err)
	}
	return out.Detail.(Report)
}

func (w *world) eventually(what string, ok func() bool) {
	w.Helper()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	limit := time.After(testLimit)
	for !ok() {
		select {
		case <-tick.C:
		case <-limit:
			w.Fatalf("not within %v: %s", testLimit, what)
		}
	}
}

func key(stream, consumer string) inspect.Key { return inspect.Key{Stream: stream, Consumer: consumer} }

// ids writes letters as "stream/consumer/sequence cause presence source".
func ids(letters []Letter) []string {
	var all []string
	for _, l := range letters {
		all = append(all, fmt.Sprintf("%s %s %s %s", l.ID(), l.Cause, l.Presence, l.Source))
	}
	return all
}
