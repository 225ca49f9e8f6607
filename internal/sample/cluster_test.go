package sample

import (
	"context"
	"slices"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/natsops/natsops/internal/lab"
)

func TestTrafficSurvivesTheLossOfANode(t *testing.T) {
	t.Parallel()
	cluster, err := lab.StartCluster(t.Context(), lab.ClusterConfig{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := cluster.Stop(); err != nil {
			t.Error(err)
		}
	})
	dial := func(_ context.Context, name string) (*nats.Conn, error) {
		c := cluster.Credentials()
		return nats.Connect(cluster.URL(), nats.Name(name), nats.UserInfo(c.User, c.Password), nats.Timeout(patient),
			nats.MaxReconnects(-1), nats.ReconnectWait(50*time.Millisecond),
			nats.ErrorHandler(func(*nats.Conn, *nats.Subscription, error) {}))
	}
	traffic, err := Start(t.Context(), dial, Options{Replicas: 3, Names: []string{"ok", "work-queue", "ack-stalled", "paused"}})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := traffic.Stop(); err != nil {
			t.Error(err)
		}
	}()
	mustSettle(t, traffic)
	nc, err := dial(t.Context(), "test")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(nc.Close)
	js, err := jetstream.New(nc)
	if err != nil {
		t.Fatal(err)
	}

	led := func() string {
		stream, err := js.Stream(t.Context(), "ORDERS")
		if err != nil {
			return "" // there is none while one is elected
		}
		return stream.CachedInfo().Cluster.Leader
	}
	leader := ""
	eventually(t, "a leader", func() bool { leader = led(); return leader != "" })
	i := slices.IndexFunc(cluster.Nodes(), func(n *lab.Node) bool { return n.Name() == leader })
	if i < 0 {
		t.Fatalf("stream ORDERS is led by %q, which is no node", leader)
	}
	node := cluster.Nodes()[i]
	if err := node.Stop(); err != nil {
		t.Fatal(err)
	}
	eventually(t, "another leader", func() bool { now := led(); return now != "" && now != leader })
	if err := node.Restart(t.Context()); err != nil {
		t.Fatal(err)
	}
	mustSettle(t, traffic)
	mustGoOn(t, js, traffic.scenarios)
}
