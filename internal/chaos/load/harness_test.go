package load

import (
	"context"
	"encoding/json"
	"errors"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/natsops/natsops/internal/chaos/history"
	"github.com/natsops/natsops/internal/lab"
)

// The stream and the consumer of the tests.
const (
	streamName   = "DRILL"
	consumerName = "readers"
	run          = 7
)

// eventually polls until ok.
func eventually(t testing.TB, what string, ok func() bool) {
	t.Helper()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	limit := time.After(2 * time.Minute)
	for !ok() {
		select {
		case <-tick.C:
		case <-limit:
			t.Fatalf("not in 60 s: %s", what)
		}
	}
}

// patient is a context for what may take long on a machine in trouble.
func patient(t testing.TB) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	t.Cleanup(cancel)
	return ctx
}

// dialer connects to url, unless others are asked for.
func dialer(url string, c lab.Credentials) Dial {
	return func(_ context.Context, servers []string, name string, opts ...nats.Option) (*nats.Conn, error) {
		o := nats.GetDefaultOptions()
		o.Servers = servers
		if len(servers) == 0 {
			o.Servers = []string{url}
		}
		o.Name, o.User, o.Password = name, c.User, c.Password
		for _, opt := range opts {
			if err := opt(&o); err != nil {
				return nil, err
			}
		}
		return o.Connect()
	}
}

func startServer(t testing.TB) *lab.Server {
	t.Helper()
	s, err := lab.Start(lab.Config{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Stop(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// join connects for the test itself.
func join(t testing.TB, dial Dial, servers ...string) jetstream.JetStream {
	t.Helper()
	nc, err := dial(t.Context(), servers, "test", nats.MaxReconnects(-1), nats.ReconnectWait(50*time.Millisecond))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(nc.Close)
	js, err := jetstream.New(nc)
	if err != nil {
		t.Fatal(err)
	}
	return js
}

// prepare makes the stream and its consumer.
func prepare(t testing.TB, js jetstream.JetStream, replicas int) {
	t.Helper()
	cfg := jetstream.StreamConfig{Name: streamName, Subjects: []string{"drill.>"}, Replicas: replicas}
	if _, err := js.CreateStream(patient(t), cfg); err != nil {
		t.Fatal(err)
	}
	consumer(t, js)
}

func consumer(t testing.TB, js jetstream.JetStream) {
	t.Helper()
	cfg := jetstream.ConsumerConfig{Durable: consumerName, AckPolicy: jetstream.AckExplicitPolicy, AckWait: 2 * time.Second}
	if _, err := js.CreateConsumer(patient(t), streamName, cfg); err != nil {
		t.Fatal(err)
	}
}

// config is a small load of publishers that connect anywhere.
func config(publishers ...string) Config {
	c := Config{
		Run: run, Mark: "test", Stream: streamName, Subject: "drill.m", Consumer: consumerName,
		Rate: 100, Size: 64, AckWait: 2 * time.Second, Retry: SameID,
	}
	for _, p := range publishers {
		c.Publishers = append(c.Publishers, Publisher{Name: p})
	}
	return c
}

func mustStart(t testing.TB, cfg Config, dial Dial) *Load {
	t.Helper()
	l, err := Start(patient(t), cfg, dial)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(l.Close)
	return l
}

// acked waits until each publisher has n more acknowledgements.
func acked(t testing.TB, l *Load, n uint64) {
	t.Helper()
	before := l.Look(time.Hour)
	eventually(t, "every publisher is acknowledged", func() bool {
		now := l.Look(time.Hour)
		for i := range now.Publishers {
			if now.Publishers[i].Acks < before.Publishers[i].Acks+n {
				return false
			}
		}
		return true
	})
}

// settled ends the load in good order and returns its whole history.
func settled(t testing.TB, l *Load, js jetstream.JetStream) history.Record {
	t.Helper()
	if err := l.Finish(patient(t)); err != nil {
		t.Fatal(err)
	}
	if err := l.Drain(patient(t)); err != nil {
		t.Fatal(err)
	}
	l.Close()
	r := l.Record()
	var err error
	if r.Stored, err = ReadBack(patient(t), js, streamName, run); err != nil {
		t.Fatal(err)
	}
	return r
}

// A fake is a line without a server. It is told what to answer.
type fake struct {
	publisher *publisher
	sent      []sent
	err       error // of every publish
	answer    func(nth int, m *nats.Msg) *nats.Msg
}

// A sent is a message that was published.
type sent struct {
	at    time.Duration
	id    string
	reply string
}

func (f *fake) PublishMsg(m *nats.Msg) error {
	f.sent = append(f.sent, sent{f.publisher.now(), m.Header.Get(nats.MsgIdHdr), m.Reply})
	if f.err != nil {
		return f.err
	}
	if f.answer == nil {
		return nil
	}
	if a := f.answer(len(f.sent), m); a != nil {
		a.Subject = m.Reply
		f.publisher.hear(a)
	}
	return nil
}

// ack says where a message is stored.
func ack(seq uint64) *nats.Msg {
	data, err := json.Marshal(pubAck{Stream: streamName, Seq: seq})
	if err != nil {
		panic(err)
	}
	return &nats.Msg{Data: data}
}

func refusal() *nats.Msg {
	return &nats.Msg{Header: nats.Header{"Status": {noResponders}}}
}

var errLine = errors.New("the line broke")
