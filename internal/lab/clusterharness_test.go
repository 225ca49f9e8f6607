package lab

import (
	"context"
	"slices"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"
)

func mustCluster(t *testing.T, cfg ClusterConfig) *Cluster {
	t.Helper()
	c, err := StartCluster(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := c.Stop(); err != nil {
			t.Error(err)
		}
	})
	return c
}

// join connects to any node, and to another one when that is gone.
func join(t *testing.T, c *Cluster) jetstream.JetStream {
	t.Helper()
	nc, err := dial(c.URL(), c.Credentials())
	if err != nil {
		t.Fatalf("connect to %s: %v", c.URL(), err)
	}
	t.Cleanup(nc.Close)
	js, err := jetstream.New(nc)
	if err != nil {
		t.Fatal(err)
	}
	return js
}

// spread makes stream "S" with a replica on every node of c and stores text.
func spread(t *testing.T, c *Cluster, js jetstream.JetStream, text string) jetstream.Stream {
	t.Helper()
	cfg := jetstream.StreamConfig{Name: "S", Subjects: []string{"s"}, Replicas: len(c.Nodes())}
	var stream jetstream.Stream
	insist(t, "make stream S", func(ctx context.Context) (err error) {
		stream, err = js.CreateStream(ctx, cfg)
		return err
	})
	write(t, js, text)
	return stream
}

// write publishes to stream "S" until it is stored: one that is new, or has a
// new leader, may not hear the first time.
func write(t *testing.T, js jetstream.JetStream, text string) {
	t.Helper()
	eventually(t, text+" is stored", func() bool {
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		_, err := js.Publish(ctx, "s", []byte(text), jetstream.WithMsgID(text))
		return err == nil
	})
}

// bystander returns a node that leads neither the cluster nor the stream, so
// that nobody waits 4 to 9 s for an election when it goes.
func bystander(t *testing.T, c *Cluster, stream jetstream.Stream) *Node {
	t.Helper()
	var jsz jsz
	insist(t, "who leads the cluster", func(ctx context.Context) error { return c.Nodes()[0].ask(ctx, "/jsz", &jsz) })
	leaders := []string{jsz.Meta.Leader, stream.CachedInfo().Cluster.Leader}
	i := slices.IndexFunc(c.Nodes(), func(n *Node) bool { return !slices.Contains(leaders, n.Name()) })
	return c.Nodes()[i]
}

// mustBeReady waits for the cluster to be whole.
func mustBeReady(t *testing.T, c *Cluster) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), readyLimit)
	defer cancel()
	if err := c.Ready(ctx); err != nil {
		t.Fatal(err)
	}
}
