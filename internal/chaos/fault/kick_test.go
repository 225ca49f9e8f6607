package fault

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/natsops/natsops/internal/lab"
)

// A guest is a client that notes what happens to it.
type guest struct {
	*nats.Conn
	lost, back, duck chan struct{}
}

func newGuest(t *testing.T, s Site, name string, opts ...nats.Option) *guest {
	t.Helper()
	g := &guest{lost: make(chan struct{}, 100), back: make(chan struct{}, 100), duck: make(chan struct{}, 100)}
	g.Conn = client(t, s, name, append(
		opts, nats.MaxReconnects(-1), nats.ReconnectWait(10*time.Millisecond),
		nats.DisconnectErrHandler(func(*nats.Conn, error) { g.lost <- struct{}{} }),
		nats.ReconnectHandler(func(*nats.Conn) { g.back <- struct{}{} }),
		nats.LameDuckModeHandler(func(*nats.Conn) { g.duck <- struct{}{} }),
	)...)
	return g
}

func await(t *testing.T, what string, c <-chan struct{}) {
	t.Helper()
	select {
	case <-c:
	case <-patient(t).Done():
		t.Fatalf("never: %s", what)
	}
}

func TestKickClosesTheConnectionsThatAreMeantAndCountsWhoIsBack(t *testing.T) {
	s := newSite(t, lab.Config{Users: []lab.User{
		{Name: "bill", Password: "b", Account: lab.AppAccount},
		{Name: "ann", Password: "a", Account: "OTHER"},
	}})
	guests := map[string]*guest{
		"billing-1": newGuest(t, s, "billing-1", nats.UserInfo("bill", "b")),
		"billing-2": newGuest(t, s, "billing-2"),
		"orders":    newGuest(t, s, "orders"),
		"ann":       newGuest(t, s, "ann", nats.UserInfo("ann", "a")),
		"publisher": newGuest(t, s, testMark+"-publisher"),
		"other-run": newGuest(t, s, testMark+"1-publisher"),
		"fault":     newGuest(t, s, testMark+"-fault-ack-hold"),
	}
	for name, subject := range map[string]string{"billing-2": "bills.>", "orders": "orders.*.new"} {
		if _, err := guests[name].SubscribeSync(subject); err != nil {
			t.Fatal(err)
		}
		if err := guests[name].Flush(); err != nil {
			t.Fatal(err)
		}
	}
	kicked, err := s.System.SubscribeSync("$SYS.ACCOUNT.*.DISCONNECT")
	if err != nil {
		t.Fatal(err)
	}
	n := s.Servers[0].Name
	for _, c := range []struct {
		name   string
		victim Victim
		want   []string
	}{
		{"the load's, by default", Victim{}, []string{"publisher"}},
		{"by name", Victim{Client: "billing-*"}, []string{"billing-1", "billing-2"}},
		{"by user", Victim{User: "bill"}, []string{"billing-1"}},
		{"by account", Victim{Account: "OTHER"}, []string{"ann"}},
		{"by subject", Victim{Subject: "orders.>"}, []string{"orders"}},
		{"by a subject of theirs", Victim{Subject: "bills.paid"}, []string{"billing-2"}},
		{"by two of them", Victim{Client: "billing-*", User: "bill"}, []string{"billing-1"}},
		{"by number", Victim{CID: must(guests["orders"].GetClientID()), Servers: []string{n}}, []string{"orders"}},
	} {
		if c.victim.CID != 0 {
			c.victim.CID = must(guests["orders"].GetClientID())
		}
		strike := mustAim(t, s, Spec{Kind: "kick", Victim: c.victim})
		if len(strike.Victims) != len(c.want) {
			t.Fatalf("%s: aimed at %q", c.name, strike.Victims)
		}
		mustInject(t, strike)
		for _, name := range c.want {
			await(t, c.name+": "+name+" is disconnected", guests[name].lost)
			await(t, c.name+": "+name+" is back", guests[name].back)
			msg, err := kicked.NextMsgWithContext(patient(t))
			if err != nil || !strings.Contains(string(msg.Data), `"reason":"Kicked"`) {
				t.Errorf("%s: %s left with %s, %v", c.name, name, msg.Data, err)
			}
		}
		mustHeal(t, strike)
		if got := strike.Counts(); got["kicked"] != float64(len(c.want)) || got["reconnected"] != float64(len(c.want)) || got["refused"] != 0 {
			t.Errorf("%s: counted %v", c.name, got)
		}
		for name, g := range guests {
			if len(g.lost) > 0 {
				t.Errorf("%s: %s was kicked", c.name, name)
			}
		}
	}
	if s.App.Stats().Reconnects+s.System.Stats().Reconnects > 0 {
		t.Error("our own connections were kicked")
	}
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

func TestOurOwnConnectionsAreNeverKicked(t *testing.T) {
	s := newSite(t, lab.Config{})
	g := newGuest(t, s, "guest")
	strike := mustAim(t, s, Spec{Kind: "kick", Victim: Victim{Client: "*"}})
	if len(strike.Victims) != 1 {
		t.Errorf("aimed at %q", strike.Victims)
	}
	mustInject(t, strike)
	await(t, "the guest is kicked", g.lost)
	if err := s.App.Flush(); err != nil || s.App.Stats().Reconnects > 0 || s.System.Stats().Reconnects > 0 {
		t.Errorf("our own connections were kicked: %v", err)
	}
}

func TestPartOfTheConnectionsIsChosenByTheSeed(t *testing.T) {
	s := newSite(t, lab.Config{})
	for i := range 10 {
		newGuest(t, s, fmt.Sprintf("g-%d", i))
	}
	first := ""
	for range 2 {
		again := s
		again.Rand = nil
		for _, c := range []struct {
			victim Victim
			want   int
		}{
			{Victim{Client: "g-*", Percent: 31}, 4},
			{Victim{Client: "g-*", Percent: 1}, 1},
			{Victim{Client: "g-*", Max: 3}, 3},
			{Victim{Client: "g-*", Percent: 50, Max: 2}, 2},
			{Victim{Client: "g-*", Percent: 100, Max: 20}, 10},
		} {
			strike := mustAim(t, again, Spec{Kind: "kick", Victim: c.victim})
			if len(strike.Victims) != c.want {
				t.Errorf("%+v: aimed at %q", c.victim, strike.Victims)
			}
			if c.victim.Max == 3 {
				if got := strings.Join(strike.Victims, " "); first == "" {
					first = got
				} else if got != first {
					t.Errorf("the same seed chose %s, and then %s", first, got)
				}
			}
		}
	}
}

func TestNoConnectionIsAnErrorThatSaysWhatThereIs(t *testing.T) {
	s := newSite(t, lab.Config{})
	newGuest(t, s, "billing")
	for _, c := range []struct {
		victim Victim
		want   string
	}{
		{Victim{Client: "orders"}, `the clients are called "billing"`},
		{Victim{}, `the clients are called "billing"`},
		{Victim{Servers: []string{"nowhere"}}, `no server "nowhere"`},
		{Victim{Client: "billing", User: "nobody"}, `"billing"`},
	} {
		_, err := Spec{Kind: "kick", Victim: c.victim}.Aim(patient(t), s)
		if !errors.Is(err, ErrNoVictim) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%+v: got %v, want %s", c.victim, err, c.want)
		}
	}
}

func TestKickIsRepeatedWithTheConnectionsThatMatchThen(t *testing.T) {
	s := newSite(t, lab.Config{})
	g := newGuest(t, s, "g-1")
	strike := mustAim(t, s, Spec{Kind: "kick", Victim: Victim{Client: "g-*"}, Params: params("every", "20ms"), For: time.Minute})
	mustInject(t, strike)
	late := newGuest(t, s, "g-2")
	for range 3 {
		await(t, "it is kicked again", g.lost)
	}
	await(t, "one that came later is kicked", late.lost)
	mustHeal(t, strike)
	got := strike.Counts()
	if got["kicked"]+got["unanswered"] < 4 || got["reconnected"] < 1 {
		t.Errorf("counted %v", got)
	}
	if again := strike.Counts(); again["kicked"] != got["kicked"] {
		t.Errorf("still kicking: %v and then %v", got, again)
	}
}

func TestConnectionThatIsGoneIsRefused(t *testing.T) {
	s := newSite(t, lab.Config{})
	g := newGuest(t, s, "guest")
	strike := mustAim(t, s, Spec{Kind: "kick", Victim: Victim{Client: "guest"}})
	g.Close()
	eventually(t, "the server knows", func() bool {
		all, err := s.connections(patient(t), nil)
		return err == nil && len(all) == 0
	})
	if err := strike.Inject(patient(t)); err == nil || !strings.Contains(err.Error(), "no such client") {
		t.Errorf("got %v", err)
	}
	mustHeal(t, strike)
	if got := strike.Counts(); got["refused"] != 1 || got["kicked"] != 0 {
		t.Errorf("counted %v", got)
	}
}

func TestLameDuckNoticeIsAllThatHappens(t *testing.T) {
	s := newSite(t, lab.Config{})
	g := newGuest(t, s, "guest")
	strike := mustAim(t, s, Spec{Kind: "client-lame-duck", Victim: Victim{Client: "guest"}})
	mustInject(t, strike)
	await(t, "the guest is told", g.duck)
	mustHeal(t, strike)
	if err := g.Flush(); err != nil || g.Stats().Reconnects > 0 {
		t.Errorf("the guest was disconnected: %v", err)
	}
	if got := strike.Counts(); got["told"] != 1 {
		t.Errorf("counted %v", got)
	}
}

func TestWithoutTheSystemAccountNothingIsTried(t *testing.T) {
	s := newSite(t, lab.Config{})
	s.System = nil
	for _, spec := range []Spec{
		{Kind: "kick"}, {Kind: "client-lame-duck"}, {Kind: "reconnect-storm"}, {Kind: "step-down", Params: params("what", "meta")},
	} {
		if _, err := spec.Aim(t.Context(), s); !errors.Is(err, ErrNeeds) || !strings.Contains(err.Error(), "system account") {
			t.Errorf("%s: %v", spec.Kind, err)
		}
	}
}

func TestCancelledKickStops(t *testing.T) {
	s := newSite(t, lab.Config{})
	for i := range 5 {
		newGuest(t, s, fmt.Sprintf("g-%d", i))
	}
	strike := mustAim(t, s, Spec{Kind: "kick", Victim: Victim{Client: "g-*"}, Params: params("rate", "0.1/s")})
	ctx, cancel := context.WithCancel(patient(t))
	cancel()
	if err := strike.Inject(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	mustHeal(t, strike)
}
