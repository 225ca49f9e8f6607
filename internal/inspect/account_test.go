package inspect_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/natsops/natsops/internal/hint"
	"github.com/natsops/natsops/internal/inspect"
	"github.com/natsops/natsops/internal/inspect/wire"
	"github.com/natsops/natsops/internal/lab"
)

// fakeAPI is a collector for a JetStream API that a fake plays.
func fakeAPI(t *testing.T, say map[string]func(body string) any) (*fake, *inspect.Collector) {
	t.Helper()
	return silentAPI(t, 0, say)
}

// silentAPI is one that does not answer everything; each snapshot takes so long.
func silentAPI(t *testing.T, timeout time.Duration, say map[string]func(body string) any) (*fake, *inspect.Collector) {
	t.Helper()
	f, nc := newFake(t, newWorld(t))
	for subject, answer := range say {
		f.on(t, "FAKE.API."+subject, answer)
	}
	return f, open(t, nc, inspect.Options{Timeout: timeout, Route: inspect.RouteAccount, APIPrefix: "FAKE.API"})
}

func says(answer any) func(string) any { return func(string) any { return answer } }

func apiStream(name string, consumers int) object {
	return object{"config": object{"name": name}, "created": created(), "state": object{"messages": 5, "consumer_count": consumers}, "ts": time.Now()}
}

// Servers that are known to be off show in two ways at once: in missing, and as
// entries without numbers, of consumers even without a name.
func TestWhatIsOfflineIsUnknownAndNotZero(t *testing.T) {
	_, c := fakeAPI(t, map[string]func(string) any{
		"STREAM.LIST": says(object{
			"total": 3, "limit": 256, "missing": []string{"GONE", "OLD"}, "offline": object{"OLD": "needs a newer server"},
			"streams": []object{apiStream("S", 4), {"config": object{"name": "GONE"}, "cluster": object{"replicas": []object{{"name": "n3", "offline": true}}}}},
		}),
		"CONSUMER.LIST.S": says(object{
			"total": 4, "limit": 256, "missing": []string{"b", "c"},
			"consumers": []object{
				cons("S", "a", "n1", 3),
				{"config": object{"name": "b", "durable_name": "b"}, "num_pending": 0},
				{"config": object{"durable_name": "d"}, "num_pending": 0},
			},
		}),
		"CONSUMER.LIST.GONE": says(object{"total": 1, "limit": 256, "missing": []string{"x"}}),
		"CONSUMER.LIST.OLD":  says(object{"total": 0, "limit": 256}),
	})
	s := collect(t, c, inspect.Need{Consumers: true})
	var got []string
	for _, s := range s.Streams {
		got = append(got, fmt.Sprintf("%s %v (%s)", s.Name, s.Reading.State, s.Why))
	}
	for _, c := range s.Consumers {
		got = append(got, fmt.Sprintf("%s/%s %v (%s)", c.Stream, c.Name, c.State, c.Why))
	}
	const silent = "the server that leads it does not answer"
	want := []string{
		"GONE unknown (" + silent + ")", "OLD unknown (it is offline: needs a newer server)", "S ok ()",
		"GONE/x unknown (" + silent + ")", "S/a ok ()", "S/b unknown (" + silent + ")", "S/c unknown (" + silent + ")", "S/d unknown (no server runs it)",
	}
	if !slices.Equal(got, want) {
		t.Errorf("got  %q\nwant %q", got, want)
	}
	if s.Streams[0].Cluster == nil || !s.Streams[0].Cluster.Replicas[0].Offline {
		t.Errorf("its group %+v", s.Streams[0].Cluster)
	}
	if len(s.Gaps) != 4 || s.Gaps[0].What != "2 consumers S/b, S/c" || s.Gaps[1].What != "consumer S/d" || s.Gaps[2].What != "stream GONE" {
		t.Errorf("gaps %+v", s.Gaps)
	}
}

// In a cluster, a page has less than its limit when servers are missing.
func TestPagesAdvanceByTheirLimit(t *testing.T) {
	f, c := fakeAPI(t, map[string]func(string) any{
		"STREAM.LIST": says(object{"total": 1, "limit": 256, "streams": []object{apiStream("S", 600)}}),
		"CONSUMER.LIST.S": func(body string) any {
			var at int
			if _, err := fmt.Sscanf(body, `{"offset":%d}`, &at); err != nil {
				t.Error(err)
			}
			var page []object
			for i := at; i < min(at+200, 600); i++ { // 56 of each page are missing
				page = append(page, cons("S", fmt.Sprintf("c%03d", i), "n1", 1))
			}
			return object{"total": 600, "limit": 256, "consumers": page}
		},
	})
	s := whole(t, collect(t, c, inspect.Need{Consumers: true}))
	if n := f.questions("CONSUMER.LIST.S"); n != 3 {
		t.Errorf("%d pages were asked for", n)
	}
	if len(s.Consumers) != 200+200+88 {
		t.Errorf("%d consumers", len(s.Consumers))
	}
}

// While a server is frozen, the meta leader makes everybody wait for lists.
func TestListsThatTakeTheirTimeAreDoneWithout(t *testing.T) {
	t.Parallel() // most of the time is a wait for answers that do not come
	f, c := silentAPI(t, 5*time.Second, map[string]func(string) any{
		"STREAM.LIST":      says(nil),
		"STREAM.NAMES":     says(object{"total": 2, "limit": 1024, "streams": []string{"S", "T"}}),
		"STREAM.INFO.S":    says(apiStream("S", 2)),
		"STREAM.INFO.T":    says(nil),
		"CONSUMER.LIST.S":  says(nil),
		"CONSUMER.NAMES.S": says(object{"total": 2, "limit": 1024, "consumers": []string{"a", "b"}}),
		"CONSUMER.INFO.S.a": says(func() object {
			a := cons("S", "a", "n1", 7)
			a["config"] = object{"name": "a"}
			return a
		}()),
		"CONSUMER.INFO.S.b": says(nil),
	})
	s := collect(t, c, inspect.Need{Consumers: true})
	if got := consumer(t, s, "a"); got.State != inspect.Fresh || got.NumPending != 7 {
		t.Errorf("consumer %+v", got)
	}
	if got := consumer(t, s, "b"); got.State != inspect.Unknown || got.Why == "" {
		t.Errorf("consumer %+v", got)
	}
	if len(s.Streams) != 2 || s.Streams[0].Reading.State != inspect.Fresh || s.Streams[1].Reading.State != inspect.Unknown {
		t.Errorf("streams %+v", s.Streams)
	}
	if len(s.Gaps) != 2 {
		t.Errorf("gaps %+v", s.Gaps)
	}
	if n := f.questions("STREAM.INFO.S"); n != 1 {
		t.Errorf("%d questions", n)
	}
}

func TestListsThatComeAreNotDoneWithout(t *testing.T) {
	f, c := fakeAPI(t, map[string]func(string) any{
		"STREAM.LIST":     says(object{"total": 1, "limit": 256, "streams": []object{apiStream("S", 1)}}),
		"CONSUMER.LIST.S": says(object{"total": 1, "limit": 256, "consumers": []object{cons("S", "a", "n1", 7)}}),
	})
	for range 3 {
		whole(t, collect(t, c, inspect.Need{Consumers: true}))
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if len(f.asked) != 6 {
		t.Errorf("asked %q", f.asked)
	}
}

func TestOneStreamThatMakesNoSenseDoesNotHideTheOthers(t *testing.T) {
	_, c := fakeAPI(t, map[string]func(string) any{
		"STREAM.LIST":     says(object{"total": 3, "limit": 256, "streams": []object{apiStream("A", 1), apiStream("B", 1), apiStream("C", 1)}}),
		"CONSUMER.LIST.A": says(object{"total": 1, "limit": 256, "consumers": []object{cons("A", "a", "n1", 7)}}),
		"CONSUMER.LIST.B": says("{{{"),
		"CONSUMER.LIST.C": says(object{"error": object{"code": 404, "err_code": 10059, "description": "stream not found"}}), // deleted meanwhile
	})
	s := collect(t, c, inspect.Need{Consumers: true})
	if len(s.Consumers) != 1 || s.Consumers[0].State != inspect.Fresh {
		t.Errorf("consumers %+v", s.Consumers)
	}
	if len(s.Gaps) != 1 || s.Gaps[0].What != "the consumers of stream B" || !strings.Contains(s.Gaps[0].Why, "makes no sense") {
		t.Errorf("gaps %+v", s.Gaps)
	}
}

func TestOnlyMatchingStreamsAreLookedInto(t *testing.T) {
	w := newWorld(t)
	stock(t, w)
	addConsumer(t, w.app, "EMPTY", jetstream.ConsumerConfig{Durable: "other"})
	only := inspect.Options{Match: func(stream string) bool { return stream == "ORDERS" }}
	for _, c := range []*inspect.Collector{open(t, w.sys, only), open(t, w.app, only)} {
		s := whole(t, collect(t, c, inspect.Need{Consumers: true}))
		if len(s.Streams) != 1 || len(s.Consumers) != 1 || s.Consumers[0].Name != "billing" {
			t.Errorf("%s route: streams %+v", c.Route(), s.Streams)
		}
	}
}

// The server refuses what is not permitted out of band, and answers nothing.
func TestWhatIsNotPermittedFailsAtOnceAndIsNamed(t *testing.T) {
	w := newWorld(t,
		lab.User{Name: "blind", DenyPublish: []string{"$JS.API.STREAM.LIST"}},
		lab.User{Name: "dim", DenyPublish: []string{"$JS.API.CONSUMER.LIST.ORDERS"}},
		lab.User{Name: "root", Account: lab.SystemAccount, DenyPublish: []string{"$SYS.REQ.SERVER.*.JSZ"}})
	stock(t, w)
	patient := inspect.Options{Timeout: time.Hour}

	_, err := open(t, as(t, w, "blind"), patient).Collect(t.Context(), inspect.Need{Consumers: true})
	if err == nil || err.Error() != "cannot inspect streams and consumers: no permission for $JS.API.STREAM.LIST" ||
		hint.Of(err) != "to let the user publish to $JS.API.STREAM.LIST" {
		t.Errorf("Collect = %v, hint %q", err, hint.Of(err))
	}
	s := collect(t, open(t, as(t, w, "dim"), patient), inspect.Need{Consumers: true})
	if len(s.Streams) != 2 || len(s.Gaps) != 1 || s.Gaps[0].Why != "no permission for $JS.API.CONSUMER.LIST.ORDERS" {
		t.Errorf("streams %+v, gaps %+v", s.Streams, s.Gaps)
	}
	s = collect(t, open(t, as(t, w, "root"), patient), inspect.Need{Consumers: true, Servers: true})
	if len(s.Servers) != 1 || s.Servers[0].Varz == nil || len(s.Gaps) != 1 || !strings.HasPrefix(s.Gaps[0].Why, "no permission for $SYS.REQ.SERVER.") {
		t.Errorf("servers %+v, gaps %+v", s.Servers, s.Gaps)
	}
}

func TestAccountWithoutJetStreamIsExplained(t *testing.T) {
	w := newWorld(t)
	_, err := open(t, w.sys, inspect.Options{Route: inspect.RouteAccount}).Collect(t.Context(), inspect.Need{Consumers: true})
	if err == nil || !strings.Contains(err.Error(), "JetStream is not enabled for this account") || hint.Of(err) == "" {
		t.Errorf("Collect = %v, hint %q", err, hint.Of(err))
	}
}

func TestRouteThatCredentialsDoNotAllowIsRefused(t *testing.T) {
	w := newWorld(t)
	_, err := inspect.Open(t.Context(), w.app, inspect.Options{Route: inspect.RouteSystem})
	if !errors.Is(err, wire.ErrNobody) || hint.Of(err) == "" {
		t.Errorf("Open = %v, hint %q", err, hint.Of(err))
	}
	if _, err := inspect.Open(t.Context(), nil, inspect.Options{}); err == nil || !strings.Contains(hint.Of(err), "--monitor") {
		t.Errorf("Open = %v, hint %q", err, hint.Of(err))
	}
	if _, err := inspect.Open(t.Context(), w.sys, inspect.Options{Account: "NONE"}); err == nil || !strings.Contains(err.Error(), "NONE") {
		t.Errorf("Open = %v", err)
	}
}

func TestMonitoringEndpointsAreTheLastResort(t *testing.T) {
	w := newWorld(t)
	monitors := []string{w.server.MonitorURL()}
	c := open(t, w.app, inspect.Options{Monitors: monitors})
	if c.Route() != inspect.RouteAccount {
		t.Errorf("route %s although JetStream answers", c.Route())
	}
	c = open(t, w.app, inspect.Options{Monitors: monitors, APIPrefix: "$JS.nowhere.API"})
	if c.Route() != inspect.RouteMonitor {
		t.Errorf("route %s although JetStream does not answer", c.Route())
	}
	whole(t, collect(t, c, inspect.Need{Consumers: true}))
}

func TestDeadMonitoringEndpointIsNamed(t *testing.T) {
	w := newWorld(t)
	stock(t, w)
	c := open(t, nil, inspect.Options{Monitors: []string{w.server.MonitorURL(), "http://user:hunter2@127.0.0.1:1"}})
	s := collect(t, c, inspect.Need{Consumers: true})
	if len(s.Consumers) != 1 || len(s.Gaps) != 1 || !strings.Contains(s.Gaps[0].What, "127.0.0.1:1") || strings.Contains(s.Gaps[0].What+s.Gaps[0].Why, "hunter2") {
		t.Errorf("gaps %+v", s.Gaps)
	}
}

func TestOneAccountOfManyIsAskedFor(t *testing.T) {
	w := newWorld(t, lab.User{Name: "other", Account: "OTHER"})
	stock(t, w)
	other := as(t, w, "other")
	addStream(t, other, jetstream.StreamConfig{Name: "ORDERS"})
	need := inspect.Need{Consumers: true, Connections: true, Accounts: true}
	s := whole(t, collect(t, open(t, w.sys, inspect.Options{Account: "OTHER"}), need))
	if len(s.Streams) != 1 || s.Streams[0].Account != "OTHER" || len(s.Connections) != 1 || len(s.Accounts) != 1 || s.Accounts[0].Name != "OTHER" {
		t.Errorf("streams %+v, connections %+v, accounts %+v", s.Streams, s.Connections, s.Accounts)
	}
	if s := whole(t, collect(t, open(t, w.sys, inspect.Options{}), need)); len(s.Streams) != 3 {
		t.Errorf("of all accounts: streams %+v", s.Streams)
	}
}

// Names may have any character that is no part of a subject.
func TestAnyLegalNameWorks(t *testing.T) {
	w := newWorld(t)
	for _, name := range []string{`"quoted"`, "ümläut", "$dollar", "a%20b", "{json}", "日本", "'"} {
		addStream(t, w.app, jetstream.StreamConfig{Name: name, Subjects: []string{fmt.Sprintf("x%x.>", name)}, Storage: jetstream.MemoryStorage})
		addConsumer(t, w.app, name, jetstream.ConsumerConfig{Durable: name})
	}
	for _, c := range []*inspect.Collector{open(t, w.sys, inspect.Options{}), open(t, w.app, inspect.Options{})} {
		s := whole(t, collect(t, c, inspect.Need{Consumers: true}))
		for _, c := range s.Consumers {
			if c.Name != c.Stream || c.State != inspect.Fresh {
				t.Errorf("%s route: consumer %+v", s.Route, c)
			}
		}
		if len(s.Consumers) != 7 {
			t.Errorf("%s route: %d consumers", s.Route, len(s.Consumers))
		}
	}
}

func TestWhatIsDeletedIsGone(t *testing.T) {
	w := newWorld(t)
	stock(t, w)
	collectors := []*inspect.Collector{open(t, w.sys, inspect.Options{}), open(t, w.app, inspect.Options{})}
	for _, c := range collectors {
		whole(t, collect(t, c, inspect.Need{Consumers: true}))
	}
	if err := js(t, w.app).DeleteStream(t.Context(), "ORDERS"); err != nil {
		t.Fatal(err)
	}
	for _, c := range collectors {
		if s := whole(t, collect(t, c, inspect.Need{Consumers: true})); len(s.Streams) != 1 || len(s.Consumers) != 0 {
			t.Errorf("%s route: streams %+v, consumers %+v", s.Route, s.Streams, s.Consumers)
		}
	}
}

func TestLostConnectionIsAnErrorUntilItIsBack(t *testing.T) {
	w := newWorld(t)
	stock(t, w)
	c := open(t, w.sys, inspect.Options{})
	whole(t, collect(t, c, inspect.Need{Servers: true}))
	if err := w.server.Stop(); err != nil {
		t.Fatal(err)
	}
	until(t, "the connection to break", func() bool { return !w.sys.IsConnected() })
	if _, err := c.Collect(t.Context(), inspect.Need{Servers: true}); err == nil || !strings.Contains(err.Error(), "connection lost") {
		t.Errorf("Collect = %v", err)
	}
}

func TestReconnectedCollectorGoesOn(t *testing.T) {
	w := newWorld(t)
	stock(t, w)
	c := open(t, w.sys, inspect.Options{})
	before := whole(t, collect(t, c, inspect.Need{Consumers: true}))
	if err := w.server.Restart(t.Context()); err != nil {
		t.Fatal(err)
	}
	until(t, "a snapshot of the new server", func() bool {
		s, err := c.Collect(t.Context(), inspect.Need{Servers: true})
		return err == nil && len(s.Gaps) == 0 && s.Servers[0].ID != before.Servers[0].ID
	})
}

func TestNothingIsAskedWhereNothingIsNeeded(t *testing.T) {
	w := newWorld(t)
	for _, nc := range []*nats.Conn{w.app, w.sys} {
		s := whole(t, collect(t, open(t, nc, inspect.Options{}), inspect.Need{Events: true}))
		if s.Cost.Requests > 4 { // what finding the route took included
			t.Errorf("%s route: %+v", s.Route, s.Cost)
		}
	}
}
