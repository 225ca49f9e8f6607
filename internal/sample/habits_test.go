package sample

import (
	"encoding/json"
	"fmt"
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

	subscribed := func(name, subject string) func(shown) bool {
		return func(c shown) bool { return c.Name == name && len(c.Subjects) == 1 && c.Subjects[0] == subject }
	}
	for _, look := range []struct {
		what string
		want int
		is   func(shown) bool
	}{
		{"subscribers of no-queue-group", 3, subscribed("invoice-printer", "shop.invoice.created")},
		{"subscriber to > of everything", 1, subscribed("debug-tap", ">")},
		{"connection of no-name", 1, subscribed("", "shop.maintenance")},
		{"connection with 1500 subscriptions of inbox-leak", 1, func(c shown) bool { return c.Name == "search-gateway" && c.Subs == 1500 }},
	} {
		// One that is started again, because it was held up, is missing for a moment.
		eventually(t, fmt.Sprintf("%d %s", look.want, look.what), func() bool {
			return count(connections(t, s, "subs=1"), look.is) == look.want
		})
	}
	closed := connections(t, s, "state=closed")
	if n := count(closed, func(c shown) bool { return c.Name == "mobile-gateway" }); n == 0 {
		t.Error("reconnecting: no connection of it was closed")
	}
	// It comes back, and is dropped again if the others take long to settle.
	if n := count(closed, func(c shown) bool { return c.Name == slowReader && c.Reason == "Slow Consumer (Write Deadline)" }); n == 0 {
		t.Error("slow-reader: no connection was dropped as slow")
	}
	eventually(t, "ten closed connections of connection-per-request", func() bool {
		return count(connections(t, s, "state=closed"), func(c shown) bool { return c.Name == "price-lookup" }) >= 10
	})
}
