package fault

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math"
	"math/rand/v2"
	"path"
	"slices"
	"strings"

	"github.com/nats-io/nats.go"

	"github.com/natsops/natsops/internal/hint"
)

// connzPage is how many connections are asked for at once; what a server gives
// at most by default.
const connzPage = 1024

// A connection is a client of a server, as that describes it.
type connection struct {
	server peer

	CID     uint64   `json:"cid"` // of the server's
	Name    string   `json:"name"`
	User    string   `json:"authorized_user"`
	Account string   `json:"account"`
	Subs    []string `json:"subscriptions_list"`
}

// A seat is where a connection is: a new one of the same client has another.
type seat struct {
	server string // ID
	cid    uint64
}

func (c connection) seat() seat { return seat{c.server.ID, c.CID} }

// String names it, as a victim.
func (c connection) String() string {
	if c.Name == "" {
		return fmt.Sprintf("client %d of %s", c.CID, c.server.Name)
	}
	return fmt.Sprintf("client %d %q of %s", c.CID, c.Name, c.server.Name)
}

// who is the client behind a connection, as far as others can tell.
func (c connection) who() [3]string { return [3]string{c.Name, c.User, c.Account} }

// connections returns all connections of the servers called names, of all
// servers if there are no names, but for the site's own two. It asks the system
// account; servers that are down are missing.
func (s Site) connections(ctx context.Context, names []string) ([]connection, error) {
	there, err := s.roster(ctx)
	if err != nil {
		return nil, err
	}
	own := []seat{ownSeat(s.App), ownSeat(s.System)}
	var all []connection
	for _, p := range there {
		if len(names) > 0 && !slices.Contains(names, p.Name) {
			continue
		}
		some, err := s.connectionsOf(ctx, p)
		if err != nil {
			return nil, fmt.Errorf("list the connections of %s: %w", p.Name, err)
		}
		all = append(all, some...)
	}
	own = append(own, ownSeat(s.App), ownSeat(s.System)) // they may have moved meanwhile
	return slices.DeleteFunc(all, func(c connection) bool { return slices.Contains(own, c.seat()) }), nil
}

func ownSeat(nc *nats.Conn) seat {
	cid, err := nc.GetClientID()
	if err != nil {
		return seat{}
	}
	return seat{nc.ConnectedServerId(), cid}
}

// connectionsOf reads all pages of a server.
func (s Site) connectionsOf(ctx context.Context, p peer) ([]connection, error) {
	var all []connection
	for {
		var answer struct {
			Data struct {
				Total       int          `json:"total"`
				Connections []connection `json:"connections"`
			} `json:"data"`
			Error apiError `json:"error"`
		}
		body := map[string]any{"auth": true, "subscriptions": true, "limit": connzPage, "offset": len(all)}
		if err := ask(ctx, s.System, "$SYS.REQ.SERVER."+p.ID+".CONNZ", body, &answer); err != nil {
			return nil, err
		}
		if answer.Error.Description != "" {
			return nil, errors.New(answer.Error.Description)
		}
		page := answer.Data.Connections
		for i := range page {
			page[i].server = p
		}
		all = append(all, page...)
		if len(page) == 0 || len(all) >= answer.Data.Total {
			return all, nil
		}
	}
}

// An apiError is why a server did not do it.
type apiError struct {
	Code        int    `json:"code"`
	ErrCode     int    `json:"err_code"`
	Description string `json:"description"`
}

// wants tells whether a connection is selected. The zero victim selects the
// connections of the load, which are called by the mark, and none of a fault.
func (v Victim) wants(c connection, mark string) bool {
	if v.usual() {
		return marked(c.Name, mark) && !strings.HasPrefix(c.Name, ownPrefix(mark))
	}
	if named, _ := path.Match(v.Client, c.Name); v.Client != "" && !named {
		return false
	}
	return (v.User == "" || v.User == c.User) &&
		(v.Account == "" || v.Account == c.Account) &&
		(v.CID == 0 || v.CID == c.CID) &&
		(v.Subject == "" || slices.ContainsFunc(c.Subs, func(s string) bool { return overlap(v.Subject, s) }))
}

// usual tells whether nothing says which connections are meant, but for their
// servers and how many.
func (v Victim) usual() bool {
	return v.Client == "" && v.User == "" && v.Account == "" && v.Subject == "" && v.CID == 0
}

// choose returns the connections that are selected, in a random order if they
// are not all that could be.
func (v Victim) choose(all []connection, mark string, dice *rand.Rand) []connection {
	some := slices.DeleteFunc(slices.Clone(all), func(c connection) bool { return !v.wants(c, mark) })
	n := len(some)
	if v.Percent > 0 {
		n = int(math.Ceil(float64(n) * v.Percent / 100))
	}
	if v.Max > 0 {
		n = min(n, v.Max)
	}
	if n < len(some) {
		dice.Shuffle(len(some), func(i, j int) { some[i], some[j] = some[j], some[i] })
	}
	return some[:n]
}

// victims returns the connections that are selected now. None is [ErrNoVictim].
func (a aim) victims(ctx context.Context, dice *rand.Rand) ([]connection, error) {
	for _, name := range a.Victim.Servers {
		if !a.has(name) {
			return nil, hint.Wrap(refuse(ErrNoVictim, "there is no server %q", name), oneOf(name, a.serverNames()))
		}
	}
	if a.Victim.CID != 0 && len(a.Victim.Servers) != 1 && len(a.Servers) != 1 {
		return nil, hint.Wrap(refuse(ErrSpec, "the number %d of a client is its server's, and no server is named", a.Victim.CID), oneOf("", a.serverNames()))
	}
	all, err := a.connections(ctx, a.Victim.Servers)
	if err != nil {
		return nil, err
	}
	some := a.Victim.choose(all, a.Mark, dice)
	if len(some) == 0 {
		return nil, noConnection(all)
	}
	return some, nil
}

// noConnection tells what there is instead.
func noConnection(all []connection) error {
	const shown = 10
	names := map[string]bool{}
	for _, c := range all {
		names[fmt.Sprintf("%q", c.Name)] = true
	}
	some := slices.Sorted(maps.Keys(names))
	switch {
	case len(some) == 0:
		return refuse(ErrNoVictim, "there is no connection besides our own")
	case len(some) > shown:
		some = append(some[:shown], "…")
	}
	return refuse(ErrNoVictim, "no connection is selected; of those that there are, the clients are called %s", strings.Join(some, ", "))
}

// isSubject tells whether s can be subscribed to.
func isSubject(s string) bool {
	tokens := strings.Split(s, ".")
	for i, t := range tokens {
		if t == "" || strings.ContainsAny(t, " \t\r\n") || (t == ">" && i < len(tokens)-1) {
			return false
		}
	}
	return true
}

// overlap tells whether a message can match both subjects.
func overlap(a, b string) bool {
	x, y := strings.Split(a, "."), strings.Split(b, ".")
	for i := range min(len(x), len(y)) {
		switch {
		case x[i] == ">" || y[i] == ">":
			return true
		case x[i] != y[i] && x[i] != "*" && y[i] != "*":
			return false
		}
	}
	return len(x) == len(y)
}
