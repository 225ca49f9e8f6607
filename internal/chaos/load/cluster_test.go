package load

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/natsops/natsops/internal/chaos/history"
	"github.com/natsops/natsops/internal/lab"
)

func TestAPinnedPublisherNeverLeavesItsServer(t *testing.T) {
	c, err := lab.StartCluster(t.Context(), lab.ClusterConfig{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := c.Stop(); err != nil {
			t.Error(err)
		}
	})
	nodes := c.Nodes()
	urls := []string{nodes[1].URL(), nodes[2].URL()}
	dial := dialer(nodes[1].URL(), c.Credentials())
	js := join(t, dial, urls...)
	prepare(t, js, 3)
	cfg := config("n1", "any")
	cfg.Publishers[0] = Publisher{Name: "n1", Server: "n1", URLs: []string{nodes[0].URL()}}
	cfg.Publishers[1].URLs = urls
	l := mustStart(t, cfg, dial)
	acked(t, l, 20)
	system := system(t, c, urls)
	mustBeEqual(t, system)

	if err := nodes[0].Stop(); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the pinned publisher cannot send, and the other can", func() bool {
		now := l.Look(time.Second)
		return !now.Publishers[0].Connected && now.Publishers[0].Errors > 0 && now.Publishers[1].Acks > 0
	})
	replicas, err := CompareReplicas(patient(t), system, lab.AppAccount, streamName, []string{"n1", "n2"})
	if err != nil || replicas[0].Unread == "" || replicas[1].Unread != "" {
		t.Errorf("replicas %+v, %v", replicas, err)
	}
	if _, known := Equal(replicas); known {
		t.Error("a server that is down is known")
	}
	if err := nodes[0].Restart(patient(t)); err != nil {
		t.Fatal(err)
	}
	acked(t, l, 20)
	r := settled(t, l, js)
	mustBeEqual(t, system)
	if a := mustBeWhole(t, r); a.Acked != a.Messages {
		t.Errorf("%d of %d were acknowledged in the end", a.Acked, a.Messages)
	}
	back := slices.DeleteFunc(r.Events, func(e history.Event) bool { return e.Who != "n1" || e.Kind != history.EventReconnected })
	if len(back) == 0 || slices.ContainsFunc(back, func(e history.Event) bool { return !strings.HasPrefix(e.Text, "n1 ") }) {
		t.Errorf("it came back as %v", back)
	}
}

func system(t *testing.T, c *lab.Cluster, urls []string) *nats.Conn {
	t.Helper()
	credentials, ok := c.SystemCredentials()
	if !ok {
		t.Fatal("no system account")
	}
	return join(t, dialer("", credentials), urls...).Conn()
}

// mustBeEqual waits for all servers to have the same of the stream.
func mustBeEqual(t *testing.T, system *nats.Conn) {
	t.Helper()
	servers := []string{"n3", "n1", "n2"}
	eventually(t, "the replicas are equal", func() bool {
		replicas, err := CompareReplicas(patient(t), system, lab.AppAccount, streamName, servers)
		if err != nil {
			t.Fatal(err)
		}
		for i, r := range replicas {
			if r.Server != servers[i] {
				t.Fatalf("replica %d is of %s", i, r.Server)
			}
			if r.Unread == "" && r.Messages == 0 && r.Last == 0 {
				return false // it is just beginning
			}
		}
		equal, known := Equal(replicas)
		return equal && known
	})
}

func TestReplicasAreComparedAsFarAsTheyAreRead(t *testing.T) {
	a, b := history.Replica{Messages: 5, First: 1, Last: 5}, history.Replica{Messages: 4, First: 1, Last: 5}
	unread := history.Replica{Unread: "no answer"}
	tests := []struct {
		name         string
		replicas     []history.Replica
		equal, known bool
	}{
		{"none", nil, false, false},
		{"one", []history.Replica{a}, true, true},
		{"equal", []history.Replica{a, a, a}, true, true},
		{"different", []history.Replica{a, a, b}, false, true},
		{"gone", []history.Replica{a, a, {}}, false, true},
		{"unread", []history.Replica{a, unread, a}, false, false},
		{"unread and different", []history.Replica{a, unread, b}, false, true},
	}
	for _, tt := range tests {
		if equal, known := Equal(tt.replicas); equal != tt.equal || known != tt.known {
			t.Errorf("%s: equal %t, known %t", tt.name, equal, known)
		}
	}
}
