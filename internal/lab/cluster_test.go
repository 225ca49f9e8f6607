package lab

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"
	"go.uber.org/goleak"

	"github.com/natsops/natsops/internal/leaktest"
)

func TestClusterIsUsableAtOnceAndNothingIsLeftAfterStop(t *testing.T) {
	for _, cfg := range []ClusterConfig{{}, {Children: true}, {Nodes: 1}, {Nodes: 5}} {
		t.Run(fmt.Sprintf("nodes=%d,children=%t", cfg.Nodes, cfg.Children), func(t *testing.T) {
			tmp := isolate(t)
			before := goleak.IgnoreCurrent()
			c, err := StartCluster(t.Context(), cfg)
			if err != nil {
				t.Fatal(err)
			}
			js := join(t, c)
			insist(t, "the stream that was made as a proof", func(ctx context.Context) error {
				_, err := js.Stream(ctx, proof)
				switch {
				case err == nil:
					return errors.New("it is still there")
				case errors.Is(err, jetstream.ErrStreamNotFound):
					return nil
				}
				return err
			})
			spread(t, c, js, "hello")
			js.Conn().Close()
			for range 2 {
				if err := c.Stop(); err != nil {
					t.Fatal(err)
				}
			}
			mustBeEmpty(t, tmp)
			leaktest.None(t, before)
			for i, n := range c.Nodes() {
				if want := fmt.Sprintf("n%d", i+1); n.Name() != want {
					t.Errorf("got name %s, want %s", n.Name(), want)
				}
				if listens(n.URL()) || n.PID() != 0 {
					t.Errorf("%s lives, as process %d", n.Name(), n.PID())
				}
				if err := n.Restart(t.Context()); err == nil {
					t.Errorf("%s restarted after Stop", n.Name())
				}
			}
		})
	}
}

func TestEveryWayToIdentifyOpensAllNodesOfACluster(t *testing.T) {
	t.Parallel() // most of the time is a wait for elections
	for _, cfg := range []Config{
		{Auth: AuthNone, TLS: TLSServer},
		{Auth: AuthUser, TLS: TLSMutual, TLSFirst: true},
		{Auth: AuthNKey, TLS: TLSMutual},
		{Auth: AuthToken},
	} {
		t.Run(string(cfg.Auth), func(t *testing.T) {
			t.Parallel()
			c := mustCluster(t, ClusterConfig{Config: cfg})
			for i, n := range c.Nodes() {
				nc, err := dial(n.URL(), c.Credentials(), tlsOptions(cfg)...)
				if err != nil {
					t.Fatalf("%s: %v", n.Name(), err)
				}
				if got := nc.ConnectedServerName(); got != n.Name() {
					t.Errorf("%s answers at the address of %s", got, n.Name())
				}
				js, err := jetstream.New(nc)
				if err != nil {
					t.Fatal(err)
				}
				if i == 0 {
					spread(t, c, js, "hello")
				} else if got := stored(t, js); got != "hello" {
					t.Errorf("%s: got %q", n.Name(), got)
				}
				nc.Close()
			}
			as, ok := c.SystemCredentials()
			if ok != (cfg.Auth != AuthToken) {
				t.Errorf("system credentials: %t", ok)
			}
			if !ok {
				return
			}
			nc, err := dial(c.URL(), as, tlsOptions(cfg)...)
			if err != nil {
				t.Fatal(err)
			}
			servers(t, nc, 3)
			nc.Close()
		})
	}
}

func TestWholeClusterThatWasDownKeepsPortsAndReplicatedData(t *testing.T) {
	t.Parallel() // most of the time is a wait for elections
	c := mustCluster(t, ClusterConfig{})
	spread(t, c, join(t, c), "kept")
	url := c.URL()
	for _, n := range c.Nodes() {
		if err := n.Stop(); err != nil {
			t.Fatal(err)
		}
	}
	for _, n := range c.Nodes() {
		if err := n.Restart(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	mustBeReady(t, c)
	if c.URL() != url {
		t.Errorf("got %s, want %s", c.URL(), url)
	}
	if got := stored(t, join(t, c)); got != "kept" {
		t.Errorf("got %q", got)
	}
}

func TestClusterTakesTheStoreAndThePortsThatItIsGiven(t *testing.T) {
	isolate(t)
	own := t.TempDir()
	var free claims
	defer free.release()
	port := 0
	eventually(t, "there are three ports in a row", func() bool {
		var err error
		if port, err = free.claim(); err != nil {
			t.Fatal(err)
		}
		return free.take(port+1) == nil && free.take(port+2) == nil
	})
	c := mustCluster(t, ClusterConfig{Config: Config{Name: "mine", StoreDir: own, Port: port, MaxPayload: 4321}})
	for i, n := range c.Nodes() {
		if want := "nats://" + loopback(port+i); n.URL() != want {
			t.Errorf("got %s, want %s", n.URL(), want)
		}
	}
	js := join(t, c)
	if nc := js.Conn(); nc.ConnectedClusterName() != "mine" || nc.MaxPayload() != 4321 {
		t.Errorf("got cluster %s, max payload %d", nc.ConnectedClusterName(), nc.MaxPayload())
	}
	spread(t, c, js, "kept")
	js.Conn().Close()
	if err := c.Stop(); err != nil {
		t.Fatal(err)
	}
	for _, n := range c.Nodes() {
		if _, err := os.Stat(filepath.Join(own, n.Name(), "jetstream", AppAccount, "streams", "S")); err != nil {
			t.Error(err)
		}
	}
}

func TestClustersThatCannotRunAreRefused(t *testing.T) {
	tmp := isolate(t)
	for _, cfg := range []ClusterConfig{
		{Nodes: 2},
		{Nodes: -1},
		{Config: Config{Port: 65534}},
		{Config: Config{Auth: "password"}},
		{Link: func(string, string, string) (string, error) { return "", errors.New("no proxy") }},
		{Config: Config{StoreDir: os.Args[0]}, Children: true},
	} {
		if c, err := StartCluster(t.Context(), cfg); err == nil {
			c.Stop()
			t.Errorf("started %+v", cfg)
		}
	}
	mustBeEmpty(t, tmp)
}

func TestStartOfAClusterCanBeCancelled(t *testing.T) {
	tmp := isolate(t)
	before := goleak.IgnoreCurrent()
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond) // less than any election takes
	defer cancel()
	if _, err := StartCluster(ctx, ClusterConfig{}); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v, want %v", err, context.DeadlineExceeded)
	}
	mustBeEmpty(t, tmp)
	leaktest.None(t, before)
}

func BenchmarkClusterBoot(b *testing.B) {
	for _, children := range []bool{false, true} {
		b.Run(fmt.Sprintf("children=%t", children), func(b *testing.B) {
			for b.Loop() {
				c, err := StartCluster(b.Context(), ClusterConfig{Children: children})
				if err != nil {
					b.Fatal(err)
				}
				if err := c.Stop(); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
