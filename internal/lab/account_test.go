package lab

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// connectAs connects with c, which must exist.
func connectAs(t *testing.T, url string, c Credentials, exists bool) *nats.Conn {
	t.Helper()
	if !exists {
		t.Fatal("there are no such credentials")
	}
	nc, err := dial(url, c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(nc.Close)
	return nc
}

// servers are the names of the servers that answer a ping of the system
// account, once there are n.
func servers(t *testing.T, nc *nats.Conn, n int) string {
	t.Helper()
	var names []string
	eventually(t, fmt.Sprintf("%d servers answer", n), func() bool {
		sub, err := nc.SubscribeSync(nc.NewInbox())
		if err != nil {
			t.Fatal(err)
		}
		defer sub.Unsubscribe()
		if err := nc.PublishRequest("$SYS.REQ.SERVER.PING.IDZ", sub.Subject, nil); err != nil {
			t.Fatal(err)
		}
		names = nil
		for len(names) < n {
			msg, err := sub.NextMsg(time.Second)
			if err != nil {
				return false
			}
			_, name, _ := strings.Cut(string(msg.Data), `"name":"`)
			name, _, _ = strings.Cut(name, `"`)
			names = append(names, name)
		}
		return true
	})
	return strings.Join(names, " ")
}

func TestSystemAccountSeesTheServerAndTheAppDoesNot(t *testing.T) {
	isolate(t)
	for _, cfg := range variants() {
		s := mustStart(t, kinds["in process"], cfg)
		c, ok := s.SystemCredentials()
		if cfg.Auth == AuthToken {
			if ok {
				t.Errorf("%+v: system credentials %+v", cfg, c)
			}
			continue
		}
		const ping = "$SYS.REQ.SERVER.PING"
		if _, err := connect(t, s, tlsOptions(cfg)...).Conn().Request(ping, nil, patience); !errors.Is(err, nats.ErrNoResponders) {
			t.Errorf("%+v: %s in the app account: %v", cfg, ping, err)
		}
		nc, err := dial(s.URL(), c, tlsOptions(cfg)...)
		if err != nil {
			t.Fatalf("%+v: %v", cfg, err)
		}
		if _, err := nc.Request(ping, nil, patience); err != nil {
			t.Errorf("%+v: %s in the system account: %v", cfg, ping, err)
		}
		nc.Close()
	}
}

func TestEveryAppAccountHasStreamsOfItsOwn(t *testing.T) {
	for kind, start := range kinds {
		t.Run(kind, func(t *testing.T) {
			isolate(t)
			s := mustStart(t, start, Config{Users: []User{{Name: "o", Account: "ORDERS"}, {Name: "p", Account: "PAYMENTS"}, {Name: "a"}}})
			store(t, connect(t, s), jetstream.MemoryStorage, "natsops")
			for _, name := range []string{"o", "p"} {
				c, ok := s.UserCredentials(name)
				js, err := jetstream.New(connectAs(t, s.URL(), c, ok))
				if err != nil {
					t.Fatal(err)
				}
				store(t, js, jetstream.MemoryStorage, name)
			}
			c, ok := s.UserCredentials("a")
			js, err := jetstream.New(connectAs(t, s.URL(), c, ok))
			if err != nil {
				t.Fatal(err)
			}
			if got := stored(t, js); got != "natsops" {
				t.Errorf("a user without an account sees %q, want the app's", got)
			}
			if c, ok := s.UserCredentials("nobody"); ok {
				t.Errorf("got %+v for nobody", c)
			}
		})
	}
}

func TestUserPublishesOnlyWhatItMay(t *testing.T) {
	isolate(t)
	s := mustStart(t, kinds["in process"], Config{Users: []User{
		{Name: "barred", Password: "known", Account: SystemAccount, DenyPublish: []string{"$SYS.REQ.SERVER.PING.JSZ"}},
		{Name: "narrow", AllowPublish: []string{"$JS.API.INFO"}},
	}})
	for _, test := range []struct{ user, may, mayNot string }{
		{"barred", "$SYS.REQ.SERVER.PING.IDZ", "$SYS.REQ.SERVER.PING.JSZ"},
		{"narrow", "$JS.API.INFO", "$JS.API.STREAM.NAMES"},
	} {
		c, ok := s.UserCredentials(test.user)
		if test.user == "barred" && c.Password != "known" {
			t.Errorf("got password %q", c.Password)
		}
		nc := connectAs(t, s.URL(), c, ok)
		if _, err := nc.Request(test.may, nil, patience); err != nil {
			t.Errorf("%s: %s: %v", test.user, test.may, err)
		}
		if err := nc.Publish(test.mayNot, nil); err != nil {
			t.Fatal(err)
		}
		if err := nc.FlushTimeout(patience); err != nil {
			t.Fatal(err)
		}
		if err := nc.LastError(); !errors.Is(err, nats.ErrPermissionViolation) {
			t.Errorf("%s: %s: got %v", test.user, test.mayNot, err)
		}
	}
}

func TestLeafNodeSharesTheSystemAccountAndKeepsItsStreams(t *testing.T) {
	isolate(t)
	hub := mustStart(t, kinds["in process"], Config{Name: "hub", Leafs: true})
	as, _ := hub.SystemCredentials()
	leaf := mustStart(t, kinds["child"], Config{
		Name:    "leaf",
		Remotes: []Remote{{URL: hub.LeafURL(), As: as, Account: SystemAccount}},
	})
	if got := leaf.LeafURL(); got != "" {
		t.Errorf("a leaf at %s that nobody asked for", got)
	}
	c, ok := leaf.SystemCredentials()
	got := servers(t, connectAs(t, leaf.URL(), c, ok), 2)
	if !strings.Contains(got, "hub") || !strings.Contains(got, "leaf") {
		t.Errorf("got %s", got)
	}
	store(t, connect(t, hub), jetstream.MemoryStorage, "hub")
	store(t, connect(t, leaf), jetstream.MemoryStorage, "leaf")
}
