package inspect_test

import (
	"crypto/rand"
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/natsops/natsops/internal/inspect"
	"github.com/natsops/natsops/internal/lab"
)

// An answer above max_payload closes a leaf node connection for everybody.
func TestLeafNodeConnectionsSurvive(t *testing.T) {
	const maxPayload = 32 << 10
	hub, err := lab.Start(lab.Config{Name: "hub", Leafs: true, MaxPayload: maxPayload})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { stop(t, hub) })
	system, _ := hub.SystemCredentials()
	leaf, err := lab.Start(lab.Config{Name: "leaf", MaxPayload: maxPayload, Remotes: []lab.Remote{{URL: hub.LeafURL(), As: system, Account: lab.SystemAccount}}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { stop(t, leaf) })
	app := dial(t, hub.URL(), hub.Credentials())
	addStream(t, app, jetstream.StreamConfig{Name: "S", Storage: jetstream.MemoryStorage})
	// Names that cannot be compressed, which is the worst case.
	fill := func(n int) {
		for range n {
			name := rand.Text() + rand.Text() + rand.Text() + rand.Text()
			addConsumer(t, app, "S", jetstream.ConsumerConfig{Durable: name, MemoryStorage: true})
		}
	}
	fill(40)
	system, _ = leaf.SystemCredentials()
	c := open(t, dial(t, leaf.URL(), system), inspect.Options{})
	need := inspect.Need{Consumers: true}
	until(t, "the leaf node to connect", func() bool { return len(collect(t, c, need).Servers) == 2 })
	if s := whole(t, collect(t, c, need)); len(s.Consumers) != 40 {
		t.Errorf("%d consumers", len(s.Consumers))
	}
	fill(360)
	connection := leafConnection(t, leaf)
	var s *inspect.Snapshot
	for range 3 {
		until(t, "both servers to answer", func() bool {
			s = collect(t, c, need)
			return len(s.Servers) == 2 && s.Servers[0].State == inspect.Fresh
		})
		if now := leafConnection(t, leaf); now != connection {
			t.Fatalf("the connection to the hub was closed: %v is %v now", connection, now)
		}
	}
	if len(s.Gaps) != 1 || s.Gaps[0].What != "account APP on server hub" || !strings.Contains(s.Gaps[0].Why, "400 consumers") || s.Gaps[0].Remedy == "" {
		t.Errorf("gaps %+v", s.Gaps)
	}
}

// leafConnection is the number of the connection that a leaf has to its hub.
func leafConnection(t *testing.T, leaf *lab.Server) uint64 {
	t.Helper()
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	res, err := client.Get(leaf.MonitorURL() + "/leafz")
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	var page struct{ Leafs []struct{ ID uint64 } }
	if err := json.NewDecoder(res.Body).Decode(&page); err != nil || len(page.Leafs) != 1 {
		t.Fatalf("the leaf has connections %+v, %v", page.Leafs, err)
	}
	return page.Leafs[0].ID
}

func stop(t *testing.T, s *lab.Server) {
	t.Helper()
	if err := s.Stop(); err != nil {
		t.Error(err)
	}
}
