package inspect_test

import (
	"slices"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/natsops/natsops/internal/inspect"
)

// stock makes a stream of which a consumer has four messages, of which two are
// not acknowledged.
func stock(t *testing.T, w world) {
	t.Helper()
	addStream(t, w.app, jetstream.StreamConfig{Name: "ORDERS", Storage: jetstream.MemoryStorage, MaxMsgs: 100})
	addStream(t, w.app, jetstream.StreamConfig{Name: "EMPTY", Storage: jetstream.MemoryStorage})
	publish(t, w.app, "ORDERS.new", 10)
	c := addConsumer(t, w.app, "ORDERS", jetstream.ConsumerConfig{Durable: "billing", AckPolicy: jetstream.AckExplicitPolicy, MaxAckPending: 5})
	batch, err := c.Fetch(4)
	if err != nil {
		t.Fatal(err)
	}
	for m := range batch.Messages() {
		if meta, err := m.Metadata(); err != nil || meta.Sequence.Stream <= 2 {
			if err := m.DoubleAck(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
	}
}

func TestAllRoutesTellTheSameOfStreamsAndConsumers(t *testing.T) {
	w := newWorld(t)
	stock(t, w)
	for _, c := range []struct {
		collector *inspect.Collector
		want      inspect.Route
	}{
		{open(t, w.sys, inspect.Options{}), inspect.RouteSystem},
		{open(t, w.app, inspect.Options{}), inspect.RouteAccount},
		{open(t, nil, inspect.Options{Monitors: []string{w.server.MonitorURL()}}), inspect.RouteMonitor},
	} {
		t.Run(string(c.want), func(t *testing.T) {
			if got := c.collector.Route(); got != c.want {
				t.Fatalf("route %s", got)
			}
			for range 2 { // the second time, configurations come out of the memory
				s := whole(t, collect(t, c.collector, inspect.Need{Consumers: true}))
				if len(s.Streams) != 2 || s.Streams[0].Name != "EMPTY" || s.Streams[1].Name != "ORDERS" {
					t.Fatalf("streams %+v", s.Streams)
				}
				orders := s.Streams[1]
				if orders.Account != "APP" || orders.State.Messages != 10 || orders.State.LastSeq != 10 || orders.State.Consumers != 1 ||
					orders.Reading.State != inspect.Fresh || orders.Config == nil || orders.Config.MaxMsgs != 100 || orders.Config.Storage != "memory" {
					t.Errorf("stream %+v, %+v", orders, orders.Config)
				}
				if len(s.Consumers) != 1 {
					t.Fatalf("consumers %+v", s.Consumers)
				}
				billing := s.Consumers[0]
				if billing.Key() != (inspect.Key{Account: "APP", Stream: "ORDERS", Consumer: "billing"}) || billing.State != inspect.Fresh ||
					billing.NumPending != 6 || billing.NumAckPending != 2 || billing.Delivered.Stream != 4 || billing.AckFloor.Stream != 2 ||
					billing.Config == nil || billing.Config.MaxAckPending != 5 || billing.Config.Durable != "billing" {
					t.Errorf("consumer %+v, %+v", billing, billing.Config)
				}
				if age := billing.Age(s, 0); age < 0 || age > time.Minute {
					t.Errorf("its age is %v", age)
				}
				if s.Took <= 0 || s.Cost.Requests == 0 || s.Cost.Bytes == 0 || s.Cost.Replies == 0 {
					t.Errorf("cost %+v in %v", s.Cost, s.Took)
				}
			}
		})
	}
}

func TestSystemRouteTellsEverything(t *testing.T) {
	w := newWorld(t)
	stock(t, w)
	if _, err := w.app.SubscribeSync("a.>"); err != nil {
		t.Fatal(err)
	}
	if err := w.app.Flush(); err != nil {
		t.Fatal(err)
	}
	for _, c := range []*inspect.Collector{
		open(t, w.sys, inspect.Options{}),
		open(t, nil, inspect.Options{Monitors: []string{w.server.MonitorURL()}}),
	} {
		t.Run(string(c.Route()), func(t *testing.T) {
			s := whole(t, collect(t, c, all()))
			if len(s.Servers) != 1 {
				t.Fatalf("servers %+v", s.Servers)
			}
			server := s.Servers[0]
			if server.Name != "n1" || server.State != inspect.Fresh || server.Varz == nil || server.Varz.ServerID != server.ID || server.JetStream == nil ||
				server.JetStream.Streams != 2 || server.Subs == nil || server.Routes == nil || server.Gateways == nil || server.Leafs == nil {
				t.Errorf("server %+v", server)
			}
			if server.Offset.Abs() > server.OffsetError+time.Second || server.OffsetError <= 0 {
				t.Errorf("its clock, which is ours, is %v off, give or take %v", server.Offset, server.OffsetError)
			}
			i := slices.IndexFunc(s.Connections, func(c inspect.Connection) bool { return c.Account == "APP" })
			if len(s.Connections) != 2 || i < 0 || s.Connections[i].Lang != "go" || s.Connections[i].Server != "n1" ||
				!slices.ContainsFunc(s.Connections[i].Subs, func(s inspect.Subscription) bool { return s.Subject == "a.>" }) {
				t.Errorf("connections %+v", s.Connections)
			}
			i = slices.IndexFunc(s.Accounts, func(a inspect.Account) bool { return a.Name == "APP" })
			if i < 0 || s.Accounts[i].Connections != 1 || s.Accounts[i].JetStream == nil || s.Accounts[i].JetStream.Streams != 2 || s.Accounts[i].JetStream.Consumers != 1 {
				t.Errorf("accounts %+v", s.Accounts)
			}
		})
	}
}

func TestAccountRouteTellsOfItsAccountAndWhatItMayNotAsk(t *testing.T) {
	w := newWorld(t)
	stock(t, w)
	s := collect(t, open(t, w.app, inspect.Options{}), all())
	if len(s.Connections) != 1 || s.Connections[0].Account != "APP" || len(s.Consumers) != 1 {
		t.Errorf("connections %+v", s.Connections)
	}
	if len(s.Accounts) != 1 || s.Accounts[0].Name != "APP" || s.Accounts[0].Connections != 1 ||
		s.Accounts[0].JetStream == nil || s.Accounts[0].JetStream.MaxStreams != -1 || s.Accounts[0].JetStream.Streams != 2 {
		t.Errorf("accounts %+v", s.Accounts)
	}
	if len(s.Gaps) != 3 {
		t.Errorf("gaps %+v", s.Gaps)
	}
	for _, g := range s.Gaps {
		if g.Why != "only users of the system account may ask for it" || g.Remedy == "" {
			t.Errorf("gap %+v", g)
		}
	}
}
