package natsgo_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"syscall"
	"testing"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/natsops/natsops/internal/bench"
	"github.com/natsops/natsops/internal/bench/natsgo"
	"github.com/natsops/natsops/internal/lab"
	"github.com/natsops/natsops/internal/leaktest"
)

// patience bounds every wait; only what is broken needs it, or a machine that
// has very much else to do.
const patience = time.Minute

func TestMain(m *testing.M) { leaktest.Main(m) }

func startLab(tb testing.TB) *lab.Server {
	tb.Helper()
	server, err := lab.Start(lab.Config{})
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if err := server.Stop(); err != nil {
			tb.Error(err)
		}
	})
	return server
}

func driver(server *lab.Server) natsgo.Driver {
	return natsgo.Driver{Dial: func(_ context.Context, name string, opts ...nats.Option) (*nats.Conn, error) {
		return nats.Connect(server.URL(), append(opts, nats.Name(name), nats.Timeout(patience))...)
	}}
}

func connect(tb testing.TB, d natsgo.Driver, events func(bench.Event)) bench.Conn {
	tb.Helper()
	if events == nil {
		events = func(bench.Event) {}
	}
	c, err := d.Connect(tb.Context(), "test", events)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(c.Close)
	return c
}

func flush(tb testing.TB, c bench.Conn) {
	tb.Helper()
	ctx, cancel := context.WithTimeout(tb.Context(), patience)
	defer cancel()
	if err := c.Flush(ctx); err != nil {
		tb.Fatal(err)
	}
}

func subscribe(tb testing.TB, c bench.Conn, subject string, buffer int) bench.Subscription {
	tb.Helper()
	sub, err := c.Subscribe(subject, "", buffer)
	if err != nil {
		tb.Fatal(err)
	}
	flush(tb, c)
	return sub
}

func TestReceiveReturnsWhatHasArrivedAndWaitsForNoMore(t *testing.T) {
	server := startLab(t)
	c := connect(t, driver(server), nil)
	sub := subscribe(t, c, "a.*", 100)
	for i := range 10 {
		if err := c.Publish("a.b", "reply.here", fmt.Appendf(nil, "%d", i)); err != nil {
			t.Fatal(err)
		}
	}
	flush(t, c)
	var got []string
	for batch := make([]bench.Message, 4); len(got) < 10; {
		n := sub.Receive(batch, patience)
		if n == 0 {
			t.Fatalf("nothing more arrived after %v", got)
		}
		for _, m := range batch[:n] {
			got = append(got, string(m.Data))
			if m.Subject != "a.b" || m.Reply != "reply.here" || m.Failed != bench.ClassNone {
				t.Errorf("message %+v", m)
			}
		}
	}
	for i, s := range got {
		if s != fmt.Sprint(i) {
			t.Fatalf("received %v", got)
		}
	}
	if n := sub.Receive(make([]bench.Message, 4), time.Millisecond); n != 0 {
		t.Errorf("Receive returned %d messages that nobody sent", n)
	}
}

func TestClosingTheConnectionWakesReceive(t *testing.T) {
	c := connect(t, driver(startLab(t)), nil)
	sub := subscribe(t, c, "a", 1)
	done := make(chan int)
	go func() { done <- sub.Receive(make([]bench.Message, 1), time.Hour) }()
	c.Close()
	select {
	case n := <-done:
		if n != 0 {
			t.Errorf("Receive = %d", n)
		}
	case <-time.After(patience):
		t.Fatal("Receive still waits")
	}
}

func TestMessagesBeyondTheBufferAreCounted(t *testing.T) {
	server := startLab(t)
	slow := make(chan bench.Event, 100)
	c := connect(t, driver(server), func(e bench.Event) {
		select {
		case slow <- e:
		default:
		}
	})
	sub := subscribe(t, c, "a", 10)
	for range 30 {
		if err := c.Publish("a", "", nil); err != nil {
			t.Fatal(err)
		}
	}
	flush(t, c)
	// The answer to the flush is behind the messages, so all have been handled.
	if n := sub.Dropped(); n != 20 {
		t.Errorf("%d were dropped, want 20", n)
	}
	e := <-slow
	if e.Kind != bench.AsyncError || (natsgo.Driver{}).Classify(e.Err) != bench.ClassSlowConsumer {
		t.Errorf("event %+v", e)
	}
}

func TestAnswersThatAreFailuresAreTold(t *testing.T) {
	server := startLab(t)
	c := connect(t, driver(server), nil)
	inbox := c.Inbox()
	sub := subscribe(t, c, inbox, 10)
	service, err := nats.Connect(server.URL(), nats.Timeout(patience))
	if err != nil {
		t.Fatal(err)
	}
	defer service.Close()
	broken, err := service.Subscribe("broken", func(m *nats.Msg) {
		_ = m.RespondMsg(&nats.Msg{Header: nats.Header{"Nats-Service-Error-Code": {"500"}, "Nats-Service-Error": {"no"}}})
	})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = broken.Unsubscribe() }()
	if err := service.FlushTimeout(patience); err != nil {
		t.Fatal(err)
	}
	for subject, want := range map[string]bench.ErrorClass{
		"nobody.there": bench.ClassNoResponders,
		"broken":       bench.ClassService,
	} {
		if err := c.Publish(subject, inbox, nil); err != nil {
			t.Fatal(err)
		}
		batch := make([]bench.Message, 1)
		if n := sub.Receive(batch, patience); n != 1 || batch[0].Failed != want {
			t.Errorf("request to %s: %d replies, %+v, want %s", subject, n, batch[0], want)
		}
	}
}

func TestHeadersTravelWithEveryMessage(t *testing.T) {
	server := startLab(t)
	d := driver(server)
	d.Header = nats.Header{"X-Test": {"yes"}}
	c := connect(t, d, nil)
	other, err := nats.Connect(server.URL(), nats.Timeout(patience))
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	sub, err := other.SubscribeSync("a")
	if err != nil {
		t.Fatal(err)
	}
	if err := other.FlushTimeout(patience); err != nil {
		t.Fatal(err)
	}
	if err := c.Publish("a", "r", []byte("body")); err != nil {
		t.Fatal(err)
	}
	m, err := sub.NextMsg(patience)
	if err != nil {
		t.Fatal(err)
	}
	if m.Header.Get("X-Test") != "yes" || string(m.Data) != "body" || m.Reply != "r" {
		t.Errorf("received %+v", m)
	}
}

func TestRestartIsReportedAsDisconnectAndReconnect(t *testing.T) {
	server := startLab(t)
	events := make(chan bench.Event, 100)
	connect(t, driver(server), func(e bench.Event) { events <- e })
	if err := server.Restart(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, want := range []bench.EventKind{bench.Disconnected, bench.Reconnected} {
		select {
		case e := <-events:
			if e.Kind != want {
				t.Errorf("event %+v, want kind %v", e, want)
			}
		case <-time.After(patience):
			t.Fatalf("no event of kind %v", want)
		}
	}
}

func TestErrorsHaveClasses(t *testing.T) {
	for _, c := range []struct {
		err  error
		want bench.ErrorClass
	}{
		{nats.ErrTimeout, bench.ClassTimeout},
		{fmt.Errorf("flush: %w", context.DeadlineExceeded), bench.ClassTimeout},
		{nats.ErrNoResponders, bench.ClassNoResponders},
		{nats.ErrReconnectBufExceeded, bench.ClassBufferFull},
		{nats.ErrConnectionClosed, bench.ClassDisconnected},
		{&net.OpError{Op: "write", Err: syscall.ECONNRESET}, bench.ClassDisconnected},
		{fmt.Errorf("%w: to publish", nats.ErrPermissionViolation), bench.ClassPermission},
		{nats.ErrSlowConsumer, bench.ClassSlowConsumer},
		{nats.ErrMaxPayload, bench.ClassTooLarge},
		{errors.New("something else"), bench.ClassOther},
	} {
		if got := (natsgo.Driver{}).Classify(c.err); got != c.want {
			t.Errorf("Classify(%v) = %q, want %q", c.err, got, c.want)
		}
	}
}
