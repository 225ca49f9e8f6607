package inspect_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/natsops/natsops/internal/inspect"
)

// manyConnections plays a server with so many connections.
func manyConnections(t *testing.T, n int) (*fake, *inspect.Collector) {
	t.Helper()
	f, nc := newFake(t, newWorld(t))
	f.cluster(t, nc, 1, node{name: "n1", say: func(what, body string) any {
		if what != "CONNZ" {
			return quiet(what, body)
		}
		var o struct{ Offset, Limit, State int }
		if err := json.Unmarshal([]byte(body), &o); err != nil {
			t.Error(err)
		}
		if o.State == 1 {
			return object{"total": 1, "connections": []object{{"cid": 9, "reason": "Slow Consumer (Pending Bytes)", "stop": created(), "idle": "1d2h3m4s", "rtt": "1.5ms"}}}
		}
		page := []object{}
		for i := max(0, o.Offset-1); i < min(o.Offset+o.Limit, n); i++ { // one has moved on to the next page
			page = append(page, object{"cid": i + 1, "account": "APP"})
		}
		return object{"total": n, "connections": page}
	}})
	return f, open(t, nc, inspect.Options{})
}

func TestConnectionsArePagedAndCountedOnce(t *testing.T) {
	f, c := manyConnections(t, 2500)
	s := whole(t, collect(t, c, inspect.Need{Connections: true, Closed: true}))
	if len(s.Connections) != 2500 || s.Connections[0].CID != 1 || s.Connections[2499].CID != 2500 {
		t.Errorf("%d connections", len(s.Connections))
	}
	if n := f.questions(".CONNZ"); n != 3+1 {
		t.Errorf("%d questions", n)
	}
	if len(s.Closed) != 1 || s.Closed[0].Idle.Hours() < 26 || s.Closed[0].RTT.Microseconds() != 1500 || s.Closed[0].Reason == "" {
		t.Errorf("closed %+v", s.Closed)
	}
}

func TestTooManyConnectionsAreAGap(t *testing.T) {
	_, c := manyConnections(t, 50_000)
	s := collect(t, c, inspect.Need{Connections: true})
	if n := len(s.Connections); n < 20_000 || n > 22_000 {
		t.Errorf("%d connections", n)
	}
	if len(s.Gaps) != 1 || s.Gaps[0].What != "connections of server n1" || !strings.Contains(s.Gaps[0].Why, "of 50000") {
		t.Errorf("gaps %+v", s.Gaps)
	}
}

func TestEventsSinceTheSnapshotBefore(t *testing.T) {
	w := newWorld(t)
	_, nc := newFake(t, w)
	c := open(t, nc, inspect.Options{})
	need := inspect.Need{Events: true, Accounts: true}
	if s := collect(t, c, need); len(s.Events) != 0 {
		t.Errorf("events %+v", s.Events)
	}
	for _, e := range []struct{ subject, body string }{
		{"$JS.EVENT.ADVISORY.CONSUMER.MAX_DELIVERIES.S.c", `{"type":"io.nats.jetstream.advisory.v1.max_deliver","timestamp":"2026-01-02T03:04:07Z","stream":"S","consumer":"c","stream_seq":7,"deliveries":3}`},
		{"$JS.EVENT.METRIC.CONSUMER.ACK.S.c", `{"type":"io.nats.jetstream.metric.v1.consumer_ack","timestamp":"2026-01-02T03:04:05Z","stream":"S","consumer":"c","ack_time":1500000}`},
		{"$JS.EVENT.ADVISORY.CONSUMER.PAUSE.S.c", `{"type":"io.nats.jetstream.advisory.v1.consumer_pause","timestamp":"2026-01-02T03:04:06Z","stream":"S","consumer":"c","paused":true}`},
		{"$JS.EVENT.ADVISORY.CONSUMER.PAUSE.S.c", `{{{`},
		{"$JS.EVENT.ADVISORY.API", `{"type":"io.nats.jetstream.advisory.v1.max_deliver"}`}, // not listened to
	} {
		if err := w.app.Publish(e.subject, []byte(e.body)); err != nil {
			t.Fatal(err)
		}
	}
	var got []inspect.Event
	until(t, "three events", func() bool {
		got = append(got, collect(t, c, need).Events...)
		return len(got) >= 3
	})
	key := inspect.Key{Account: "APP", Stream: "S", Consumer: "c"}
	want := map[inspect.EventKind]bool{inspect.EventAck: true, inspect.EventPaused: true, inspect.EventMaxDeliver: true}
	for _, e := range got {
		if !want[e.Kind] || e.Key != key {
			t.Errorf("event %+v", e)
		}
		if e.Kind == inspect.EventMaxDeliver && (e.StreamSeq != 7 || e.Delivery != 3) || e.Kind == inspect.EventAck && e.AckTime.Microseconds() != 1500 {
			t.Errorf("event %+v", e)
		}
	}
	if s := collect(t, c, need); len(s.Events) != 0 {
		t.Errorf("again: %+v", s.Events)
	}
}

func TestClientThatIsTooSlowIsAnEvent(t *testing.T) {
	w := newWorld(t)
	c := open(t, w.sys, inspect.Options{})
	need := inspect.Need{Events: true}
	collect(t, c, need)
	// A server publishes this, and only for the system account to hear.
	err := w.sys.Publish("$SYS.ACCOUNT.APP.DISCONNECT", []byte(`{"type":"io.nats.server.advisory.v1.client_disconnect","timestamp":"2026-01-02T03:04:05Z",`+
		`"client":{"acc":"APP","name":"billing","user":"bob","host":"10.0.0.7"},"reason":"Slow Consumer (Pending Bytes)"}`))
	if err != nil {
		t.Fatal(err)
	}
	var got []inspect.Event
	until(t, "the event", func() bool {
		got = append(got, collect(t, c, need).Events...)
		return len(got) > 0
	})
	if e := got[0]; e.Kind != inspect.EventSlowConsumer || e.Key.Account != "APP" || e.Reason != "Slow Consumer (Pending Bytes): billing, bob, 10.0.0.7" {
		t.Errorf("event %+v", e)
	}
}
