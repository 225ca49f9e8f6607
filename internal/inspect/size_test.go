package inspect_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/natsops/natsops/internal/inspect"
)

// A leaf node connection over which more than max_payload, here 1 MiB, comes is
// closed for everybody. Servers elsewhere are asked for what fits, or not at all.
func TestServersElsewhereAreNotAskedForMoreThanFits(t *testing.T) {
	for _, c := range []struct {
		name      string
		cluster   string // of the other server
		consumers int
		whole     bool // it may be asked for all at once
		accounts  bool // or account by account
	}{
		{"little", "C2", 1000, true, false},
		{"much", "C2", 7000, false, true},
		{"too much", "C2", 1_000_000, false, false},
		{"much in the own cluster", "C1", 12_000, true, false},
		{"much behind a gateway", "C3", 12_000, true, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t)
			f, nc := newFake(t, w)
			var mu sync.Mutex
			var asked []string
			far := node{name: "far", id: "FAR", cluster: c.cluster, say: func(what, body string) any {
				if what != "JSZ" {
					return quiet(what, body)
				}
				mu.Lock()
				defer mu.Unlock()
				asked = append(asked, body)
				return farAnswer(body, c.consumers)
			}}
			near := node{name: "near", cluster: "C1", say: quiet}
			f.cluster(t, nc, 2, near, far)
			snap := collect(t, open(t, nc, inspect.Options{}), inspect.Need{Consumers: true})
			mu.Lock()
			defer mu.Unlock()
			atOnce := strings.Contains(strings.Join(asked, " "), `"accounts":true,"streams":true,"consumer":true`)
			single := strings.Contains(strings.Join(asked, " "), `"account":"B","streams":true,"consumer":true`)
			if atOnce != c.whole || single != c.accounts {
				t.Errorf("all at once %v, account by account %v: %q", atOnce, single, asked)
			}
			if complete := len(snap.Gaps) == 0; complete != (c.whole || c.accounts) {
				t.Errorf("gaps %+v", snap.Gaps)
			}
		})
	}
}

// farAnswer is that of a server with so many consumers in two accounts.
func farAnswer(body string, consumers int) any {
	var o struct {
		Account                     string
		Accounts, Streams, Consumer bool
	}
	if body != "" {
		if err := json.Unmarshal([]byte(body), &o); err != nil {
			return fmt.Sprint(err)
		}
	}
	answer := object{"streams": 2, "consumers": consumers, "total": 2}
	var accounts []object
	for _, id := range []string{"A", "B"} {
		if o.Account != id && !o.Accounts {
			continue
		}
		account := object{"name": id, "id": id}
		if o.Streams {
			account["stream_detail"] = []object{{"name": "S", "state": object{"consumer_count": consumers / 2}}}
		}
		accounts = append(accounts, account)
	}
	answer["account_details"] = accounts
	return answer
}

func TestAccountsArePaged(t *testing.T) {
	f, nc := newFake(t, newWorld(t))
	const accounts = 2500
	f.cluster(t, nc, 1, node{name: "n1", say: func(what, body string) any {
		if what != "JSZ" {
			return quiet(what, body)
		}
		var o struct{ Offset, Limit int }
		if body != "" {
			if err := json.Unmarshal([]byte(body), &o); err != nil {
				t.Error(err)
			}
		}
		var page []object
		for i := o.Offset; i < min(o.Offset+o.Limit, accounts); i++ {
			id := fmt.Sprintf("A%04d", i)
			page = append(page, object{"name": id, "id": id, "stream_detail": []object{{"name": "S", "created": created()}}})
		}
		return object{"streams": accounts, "total": accounts, "account_details": page}
	}})
	s := whole(t, collect(t, open(t, nc, inspect.Options{}), inspect.Need{Consumers: true}))
	if len(s.Streams) != accounts || s.Streams[0].Account != "A0000" || s.Streams[accounts-1].Account != "A2499" {
		t.Errorf("%d streams", len(s.Streams))
	}
}

// Configurations double an answer.
func TestConfigurationsAreAskedForOnce(t *testing.T) {
	w := newWorld(t)
	f, nc := newFake(t, w)
	f.cluster(t, nc, 1, node{name: "n1", say: func(what, body string) any {
		if what != "JSZ" {
			return quiet(what, body)
		}
		c := cons("S", "a", "n1", 1)
		s := stream("S", "n1", c)
		delete(c, "cluster")
		delete(s, "cluster")
		if strings.Contains(body, `"config":true`) {
			c["config"], s["config"] = object{"max_ack_pending": 7}, object{"max_msgs": 8}
		}
		return jsz(s)
	}})
	c := open(t, nc, inspect.Options{})
	for i := range 3 {
		s := whole(t, collect(t, c, inspect.Need{Consumers: true}))
		if got := s.Consumers[0].Config; got == nil || got.MaxAckPending != 7 {
			t.Errorf("sample %d: consumer's configuration %+v", i, got)
		}
		if got := s.Streams[0].Config; got == nil || got.MaxMsgs != 8 {
			t.Errorf("sample %d: stream's configuration %+v", i, got)
		}
		asked := strings.Contains(f.body("$SYS.REQ.SERVER."+nc.ConnectedServerId()+".JSZ"), `"config":true`)
		if asked != (i == 0) {
			t.Errorf("sample %d: asked for configurations: %v", i, asked)
		}
	}
}

func TestNonsenseOfOneServerDoesNotSpoilTheRest(t *testing.T) {
	for name, nonsense := range map[string]any{
		"no JSON":       "{{{",
		"empty":         "",
		"wrong types":   object{"account_details": "many"},
		"no data":       `{"server":{"name":"n2","id":"ID-n2"}}`,
		"refusal":       `{"server":{"name":"n2","id":"ID-n2"},"error":{"code":500,"description":"no luck"}}`,
		"endless pages": object{"streams": 1, "total": 1 << 40, "account_details": []object{}},
	} {
		t.Run(name, func(t *testing.T) {
			f, nc := newFake(t, newWorld(t))
			sane := func(what, body string) any {
				if what != "JSZ" {
					return quiet(what, body)
				}
				return jsz(stream("S", "n1", cons("S", "a", "n1", 1)))
			}
			f.cluster(t, nc, 2, node{name: "n1", say: sane}, node{name: "n2", id: "ID-n2", say: func(what, body string) any {
				if what != "JSZ" {
					return quiet(what, body)
				}
				return nonsense
			}})
			s := collect(t, open(t, nc, inspect.Options{}), inspect.Need{Consumers: true})
			if consumer(t, s, "a").State != inspect.Fresh {
				t.Errorf("consumers %+v", s.Consumers)
			}
			var about []string
			for _, g := range s.Gaps {
				about = append(about, g.What)
			}
			if name != "endless pages" && !strings.Contains(strings.Join(about, " "), "n2") {
				t.Errorf("gaps %+v", s.Gaps)
			}
		})
	}
}
