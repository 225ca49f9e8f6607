package inspect_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
)

// A fake answers questions in the place of servers. It is of the same account
// as who asks, so that no server hears what is asked.
type fake struct {
	nc *nats.Conn

	mu     sync.Mutex
	asked  []string          // subjects
	bodies map[string][]byte // of the last question, by subject
}

// newFake returns a fake and a connection to ask it over.
func newFake(t testing.TB, w world) (*fake, *nats.Conn) {
	t.Helper()
	f := &fake{nc: dial(t, w.server.URL(), w.server.Credentials()), bodies: map[string][]byte{}}
	return f, dial(t, w.server.URL(), w.server.Credentials())
}

// on answers a question; what say returns is sent as JSON, or, if it is a
// string, as it is. Nothing is said for nil.
func (f *fake) on(t testing.TB, subject string, say func(body string) any) {
	t.Helper()
	_, err := f.nc.Subscribe(subject, func(m *nats.Msg) {
		f.mu.Lock()
		f.asked = append(f.asked, m.Subject)
		f.bodies[m.Subject] = m.Data
		f.mu.Unlock()
		answer := say(string(m.Data))
		if answer == nil {
			return
		}
		if text, ok := answer.(string); ok {
			_ = m.Respond([]byte(text))
			return
		}
		data, err := json.Marshal(answer)
		if err != nil {
			t.Error(err)
		}
		_ = m.Respond(data)
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := f.nc.Flush(); err != nil {
		t.Fatal(err)
	}
}

// questions returns how many questions had a subject with that end.
func (f *fake) questions(end string) int {
	f.mu.Lock()
	defer f.mu.Unlock()
	n := 0
	for _, subject := range f.asked {
		if strings.HasSuffix(subject, end) {
			n++
		}
	}
	return n
}

func (f *fake) body(subject string) string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return string(f.bodies[subject])
}

type object = map[string]any

// A node is a server that a fake plays.
type node struct {
	name, id, cluster string
	routes            []string
	say               func(what, body string) any // the data of an answer, as to JSZ; nil: none
	down              func() bool
}

func (n node) info() object {
	return object{"name": n.name, "id": n.id, "cluster": n.cluster, "ver": "2.15.2", "time": time.Now()}
}

// cluster makes the fake play servers, the first of which is the one that nc is
// connected to. They believe to be so many.
func (f *fake) cluster(t testing.TB, nc *nats.Conn, active int, nodes ...node) {
	t.Helper()
	nodes[0].id = nc.ConnectedServerId()
	for _, n := range nodes {
		routes := []object{}
		for _, name := range n.routes {
			routes = append(routes, object{"name": name})
		}
		for _, whom := range []string{"PING", n.id} {
			f.on(t, "$SYS.REQ.SERVER."+whom+".STATSZ", func(string) any {
				if n.down != nil && n.down() {
					return nil
				}
				return object{"server": n.info(), "statsz": object{"active_servers": active, "routes": routes, "gateways": []object{{"name": "C3"}}}}
			})
		}
		for _, what := range []string{"VARZ", "JSZ", "CONNZ", "SUBSZ", "ROUTEZ", "GATEWAYZ", "LEAFZ"} {
			f.on(t, "$SYS.REQ.SERVER."+n.id+"."+what, func(body string) any {
				if n.down != nil && n.down() {
					return nil
				}
				data := n.say(what, body)
				if text, ok := data.(string); ok {
					return text
				}
				if data == nil {
					return nil
				}
				return object{"server": n.info(), "data": data}
			})
		}
	}
}

// quiet says only what a server cannot help saying.
func quiet(what, _ string) any {
	if what == "VARZ" {
		return object{"server_id": "x", "max_pending": 64 << 20}
	}
	return object{}
}

// group is a raft group on the servers n1, n2 and n3.
func group(leader string) object {
	var replicas []object
	for i := range 3 {
		if name := fmt.Sprintf("n%d", i+1); name != leader {
			replicas = append(replicas, object{"name": name, "current": true})
		}
	}
	return object{"name": "C1", "leader": leader, "replicas": replicas}
}

// jsz is an answer to JSZ with one account APP.
func jsz(streams ...object) object {
	consumers := 0
	for _, s := range streams {
		if of, ok := s["consumer_detail"].([]object); ok {
			consumers += len(of)
		}
	}
	return object{
		"now": time.Now(), "streams": len(streams), "consumers": consumers, "total": 1,
		"account_details": []object{{"name": "APP", "id": "APP", "stream_detail": streams}},
	}
}

func stream(name, leader string, consumers ...object) object {
	return object{"name": name, "created": created(), "state": object{"messages": 100, "consumer_count": len(consumers)}, "cluster": group(leader), "consumer_detail": consumers}
}

func cons(stream, name, leader string, pending int) object {
	return object{"stream_name": stream, "name": name, "created": created(), "num_pending": pending, "cluster": group(leader), "ts": time.Now()}
}

func created() time.Time { return time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC) }
