package inspect_test

import (
	"strings"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/natsops/natsops/internal/inspect"
)

// threeServers plays a cluster in which each server leads one consumer, and
// says of the other two what followers say; n3 answers while up is true.
func threeServers(t *testing.T, up *atomic.Bool) *inspect.Collector {
	t.Helper()
	f, nc := newFake(t, newWorld(t))
	nodeCalled := func(name string) node {
		follower := 77 // what a follower remembers
		pending := func(leader string, n int) int {
			if leader == name {
				return n
			}
			return follower
		}
		return node{name: name, id: "ID-" + name, cluster: "C1", routes: []string{"n1", "n2", "n3"}, say: func(what, body string) any {
			if what != "JSZ" {
				return quiet(what, body)
			}
			streams := []object{stream("S", "n1", cons("S", "a", "n1", pending("n1", 1)), cons("S", "b", "n2", pending("n2", 2)), cons("S", "c", "n3", pending("n3", 3)))}
			if name == "n3" { // it alone has this one
				streams = append(streams, stream("SINGLE", "n3", cons("SINGLE", "d", "n3", 4)))
			}
			return jsz(streams...)
		}}
	}
	third := nodeCalled("n3")
	third.down = func() bool { return !up.Load() }
	f.cluster(t, nc, 3, nodeCalled("n1"), nodeCalled("n2"), third)
	return open(t, nc, inspect.Options{})
}

func TestOnlyLeadersAreBelieved(t *testing.T) {
	var up atomic.Bool
	up.Store(true)
	c := threeServers(t, &up)
	s := whole(t, collect(t, c, inspect.Need{Consumers: true}))
	if len(s.Consumers) != 4 || len(s.Streams) != 2 {
		t.Fatalf("%d streams and %d consumers", len(s.Streams), len(s.Consumers))
	}
	for i, by := range []string{"n1", "n2", "n3", "n3"} {
		if c := s.Consumers[i]; c.NumPending != uint64(i+1) || c.By != by || c.State != inspect.Fresh {
			t.Errorf("consumer %s: %d pending, told by %s, %v", c.Name, c.NumPending, c.By, c.State)
		}
	}
}

func TestConsumersOfASilentServerAreUnknownAndTheServerIsNamed(t *testing.T) {
	var up atomic.Bool
	c := threeServers(t, &up)
	s := collect(t, c, inspect.Need{Consumers: true})
	silent := consumer(t, s, "c")
	if silent.State != inspect.Unknown || silent.NumPending != 0 || silent.Why != "server n3 does not answer" || leader(silent) != "n3" {
		t.Errorf("consumer %+v", silent)
	}
	for _, name := range []string{"a", "b"} {
		if c := consumer(t, s, name); c.State != inspect.Fresh {
			t.Errorf("consumer %+v", c)
		}
	}
	if len(s.Gaps) != 1 || s.Gaps[0].What != "server n3" || !strings.HasPrefix(s.Gaps[0].Why, "no answer within ") {
		t.Errorf("gaps %+v", s.Gaps)
	}
	if len(s.Servers) != 3 || s.Servers[2].Name != "n3" || s.Servers[2].State != inspect.Unknown {
		t.Errorf("servers %+v", s.Servers)
	}
}

func TestWhatASilentServerSaidBeforeIsStale(t *testing.T) {
	var up atomic.Bool
	up.Store(true)
	c := threeServers(t, &up)
	before := whole(t, collect(t, c, inspect.Need{Consumers: true}))
	kept := append([]inspect.Consumer(nil), before.Consumers...)
	up.Store(false)
	for range 2 {
		s := collect(t, c, inspect.Need{Consumers: true})
		stale := consumer(t, s, "c")
		if stale.State != inspect.Stale || stale.NumPending != 3 || !stale.At.Equal(kept[2].At) || stale.By != "n3" || stale.Why != "server n3 does not answer" {
			t.Errorf("consumer %+v", stale)
		}
		if len(s.Streams) != 2 || s.Streams[1].Reading.State != inspect.Stale || s.Streams[1].State.Messages != 100 || s.Streams[1].Why == "" {
			t.Errorf("streams %+v", s.Streams)
		}
		if len(s.Consumers) != 4 || s.Consumers[3].State != inspect.Stale || s.Consumers[3].NumPending != 4 || s.Consumers[3].Why == "" {
			t.Errorf("consumers %+v", s.Consumers)
		}
		if n3 := s.Servers[2]; n3.State != inspect.Stale || n3.ID != "ID-n3" || n3.At.IsZero() || n3.Why == "" {
			t.Errorf("server %+v", n3)
		}
	}
	if diff := cmp.Diff(kept, before.Consumers); diff != "" {
		t.Errorf("a later snapshot changed an earlier one: %s", diff)
	}
	up.Store(true)
	if s := whole(t, collect(t, c, inspect.Need{Consumers: true})); consumer(t, s, "c").State != inspect.Fresh {
		t.Error("it is not believed again")
	}
}

func leader(c inspect.Consumer) string {
	if c.Cluster == nil {
		return ""
	}
	return c.Cluster.Leader
}
