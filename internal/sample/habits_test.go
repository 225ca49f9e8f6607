package sample

import (
	"encoding/json"
	"net/http"
	"testing"

	"github.com/natsops/natsops/internal/lab"
)

// A client connection as the server shows it.
type shown struct {
	Name     string   `json:"name"`
	Reason   string   `json:"reason"`
	InMsgs   int      `json:"in_msgs"`
	Subs     int      `json:"subscriptions"`
	Subjects []string `json:"subscriptions_list"`
}

// connections asks the server for its clients.
func connections(t *testing.T, s *lab.Server, query string) []shown {
	t.Helper()
	r, err := http.Get(s.MonitorURL() + "/connz?limit=4096&" + query)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Body.Close()
	var answer struct {
		Connections []shown `json:"connections"`
	}
	if err := json.NewDecoder(r.Body).Decode(&answer); err != nil {
		t.Fatal(err)
	}
	http.DefaultClient.CloseIdleConnections()
	return answer.Connections
}

func count(all []shown, is func(shown) bool) int {
	n := 0
	for _, c := range all {
		if is(c) {
			n++
		}
	}
	return n
}

func TestEveryHabitShowsInTheConnections(t *testing.T) {
	t.Parallel()
	s := startLab(t)
	var names []string
	for _, h := range Habits() {
		names = append(names, h.Name)
	}
	traffic := mustStart(t, s, Options{Names: names})
	mustSettle(t, traffic)

	open := connections(t, s, "subs=1")
	closed := connections(t, s, "state=closed")
	subscribed := func(name, subject string) int {
		return count(open, func(c shown) bool { return c.Name == name && len(c.Subjects) == 1 && c.Subjects[0] == subject })
	}
	if n := subscribed("invoice-printer", "shop.invoice.created"); n != 3 {
		t.Errorf("no-queue-group: %d subscribers, want 3", n)
	}
	if n := subscribed("debug-tap", ">"); n != 1 {
		t.Errorf("everything: %d subscribers to >, want 1", n)
	}
	if n := subscribed("", "shop.maintenance"); n != 1 {
		t.Errorf("no-name: %d connections, want 1", n)
	}
	if n := count(open, func(c shown) bool { return c.Name == "search-gateway" && c.Subs == 1500 }); n != 1 {
		t.Errorf("inbox-leak: %d connections with 1500 subscriptions, want 1", n)
	}
	if n := count(closed, func(c shown) bool { return c.Name == "mobile-gateway" }); n == 0 {
		t.Error("reconnecting: no connection of it was closed")
	}
	if n := count(closed, func(c shown) bool { return c.Name == slowReader && c.Reason == "Slow Consumer (Write Deadline)" }); n != 1 {
		t.Errorf("slow-reader: %d connections dropped as slow, want 1", n)
	}
	eventually(t, "ten closed connections of connection-per-request", func() bool {
		return count(connections(t, s, "state=closed"), func(c shown) bool { return c.Name == "price-lookup" }) >= 10
	})
}
