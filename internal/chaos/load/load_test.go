package load

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/natsops/natsops/internal/chaos/history"
	"github.com/natsops/natsops/internal/chaos/proxy"
)

// mustBeWhole tells whether the history has everything, and nothing twice.
func mustBeWhole(t *testing.T, r history.Record) history.Account {
	t.Helper()
	a := history.Check(r)
	if a.Lost+a.DuplicatesStored+a.AckMismatches+a.Unexpected+a.Undelivered+a.DeliveredNotStored+a.RefusedStored > 0 {
		t.Errorf("not whole: %+v", a)
	}
	if a.Acked == 0 || a.Stored < a.Acked {
		t.Errorf("%d acknowledged and %d stored", a.Acked, a.Stored)
	}
	for _, x := range r.Attempts {
		if x.Ended < x.Began || (x.Outcome == history.Acked) != (x.Class == "") {
			t.Fatalf("odd attempt %+v", x)
		}
	}
	return a
}

func TestASteadyRunLosesNothing(t *testing.T) {
	s := startServer(t)
	dial := dialer(s.URL(), s.Credentials())
	js := join(t, dial)
	prepare(t, js, 1)
	cfg := config("n1", "any")
	cfg.Publishers[0].URLs, cfg.Publishers[0].Server = []string{s.URL()}, s.Name()
	cfg.Workers, cfg.Work = 2, time.Millisecond
	l := mustStart(t, cfg, dial)
	acked(t, l, 50)
	eventually(t, "something is delivered", func() bool { return l.Look(time.Minute).Deliveries > 0 })
	look := l.Look(time.Minute)
	if look.P50 <= 0 || look.P99 < look.P50 || look.Max < look.P99 || look.Rate <= 0 || look.Window > time.Minute/2 {
		t.Errorf("a look sees %+v", look)
	}
	for _, p := range look.Publishers {
		if !p.Connected || p.LastAck == 0 || p.SinceAck > 30*time.Second || p.Acks < 50 {
			t.Errorf("a look at a publisher sees %+v", p)
		}
	}
	r := settled(t, l, js)
	a := mustBeWhole(t, r)
	if a.Acked != a.Messages || a.Delivered != a.Stored || r.Stopped == 0 || r.Period != 10*time.Millisecond {
		t.Errorf("account %+v, stopped %s, period %s", a, r.Stopped, r.Period)
	}
	want := []history.Publisher{{Name: "n1", Server: s.Name()}, {Name: "any"}}
	if !slices.Equal(r.Publishers, want) || !slices.Equal(r.Consumers, []string{consumerName}) || len(r.Events) > 0 {
		t.Errorf("publishers %v, consumers %v, events %v", r.Publishers, r.Consumers, r.Events)
	}
	if !slices.IsSortedFunc(r.Attempts, func(a, b history.Attempt) int { return int(a.Began - b.Began) }) {
		t.Error("the attempts are not in order")
	}
	if err := l.Finish(t.Context()); err != nil {
		t.Error(err)
	}
	l.Close()
}

func TestARestartLosesNothingAndStoresNothingTwice(t *testing.T) {
	s := startServer(t)
	dial := dialer(s.URL(), s.Credentials())
	js := join(t, dial)
	prepare(t, js, 1)
	l := mustStart(t, config("a", "b"), dial)
	acked(t, l, 20)
	if err := s.Node.Stop(); err != nil {
		t.Fatal(err)
	}
	eventually(t, "attempts fail", func() bool { return l.Look(time.Minute).Classes[history.Disconnected] > 20 })
	if err := s.Restart(patient(t)); err != nil {
		t.Fatal(err)
	}
	acked(t, l, 20)
	r := settled(t, l, js)
	if a := mustBeWhole(t, r); a.Acked != a.Messages {
		t.Errorf("%d of %d were acknowledged in the end", a.Acked, a.Messages)
	}
	for _, who := range []string{"a", "b", "consumer-1"} {
		for _, kind := range []history.EventKind{history.EventDisconnected, history.EventReconnected} {
			if !slices.ContainsFunc(r.Events, func(e history.Event) bool { return e.Who == who && e.Kind == kind }) {
				t.Errorf("no event tells that %s was %s", who, kind)
			}
		}
	}
	if slices.ContainsFunc(r.Events, func(e history.Event) bool { return e.Kind == history.EventClosed }) {
		t.Error("that we hang up is no event")
	}
}

// withheld has the answers to a publisher held back until messages have been
// tried again.
func withheld(t *testing.T, retry Retry) history.Account {
	t.Helper()
	s := startServer(t)
	p, err := proxy.Listen(proxy.Config{Name: "door", Target: strings.TrimPrefix(s.URL(), "nats://")})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { p.Close() })
	dial := dialer(s.URL(), s.Credentials())
	js := join(t, dial)
	prepare(t, js, 1)
	cfg := config("n1")
	cfg.Publishers[0].URLs = []string{"nats://" + p.Addr()}
	cfg.Retry, cfg.AckWait = retry, 200*time.Millisecond
	l := mustStart(t, cfg, dial)
	acked(t, l, 10)
	if err := p.Set(proxy.Toxics{Down: proxy.Toxic{Flow: proxy.Freeze}}); err != nil {
		t.Fatal(err)
	}
	eventually(t, "messages are tried again", func() bool {
		return slices.ContainsFunc(l.Record().Attempts, func(a history.Attempt) bool { return a.Try == 3 })
	})
	if err := p.Heal(); err != nil {
		t.Fatal(err)
	}
	acked(t, l, 10)
	r := settled(t, l, js)
	if slices.ContainsFunc(r.Attempts, func(a history.Attempt) bool {
		return a.Outcome == history.Acked && a.Ended-a.Began > cfg.AckWait
	}) {
		return history.Check(r)
	}
	t.Error("no acknowledgement that came late counts")
	return history.Check(r)
}

func TestWithoutIDsWithheldAnswersMakeDuplicates(t *testing.T) {
	if a := withheld(t, NoID); a.DuplicatesStored == 0 || a.Lost > 0 {
		t.Errorf("want duplicates, and nothing lost: %+v", a)
	}
}

func TestWithIDsWithheldAnswersMakeNoDuplicates(t *testing.T) {
	if a := withheld(t, SameID); a.DuplicatesStored > 0 || a.Lost > 0 || a.AckMismatches > 0 {
		t.Errorf("want neither duplicates nor loss: %+v", a)
	}
}

func TestAConsumerThatIsMadeAnewIsReadOn(t *testing.T) {
	s := startServer(t)
	dial := dialer(s.URL(), s.Credentials())
	js := join(t, dial)
	prepare(t, js, 1)
	l := mustStart(t, config("a"), dial)
	eventually(t, "something is delivered", func() bool { return l.Look(time.Minute).Deliveries > 10 })
	if err := js.DeleteConsumer(patient(t), streamName, consumerName); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the worker has noticed", func() bool {
		return slices.ContainsFunc(l.Record().Events, func(e history.Event) bool {
			return e.Who == "consumer-1" && e.Kind == history.EventError && strings.Contains(e.Text, "consumer not found")
		})
	})
	consumer(t, js)
	mustBeWhole(t, settled(t, l, js))
}

func TestDrainTellsWhatIsLeft(t *testing.T) {
	s := startServer(t)
	dial := dialer(s.URL(), s.Credentials())
	js := join(t, dial)
	prepare(t, js, 1)
	cfg := config("a")
	cfg.Work, cfg.Rate = time.Hour, 0.01 // one message
	l := mustStart(t, cfg, dial)
	eventually(t, "it is delivered", func() bool { return l.Look(time.Hour).Deliveries == 1 })
	ctx, cancel := context.WithTimeout(t.Context(), 500*time.Millisecond)
	defer cancel()
	if err := l.Drain(ctx); err == nil || !strings.Contains(err.Error(), "not acknowledged") {
		t.Errorf("got %v", err)
	}
}

func TestDrainTellsWhatWaits(t *testing.T) {
	s := startServer(t)
	dial := dialer(s.URL(), s.Credentials())
	js := join(t, dial)
	prepare(t, js, 1)
	cfg := config("a")
	cfg.Work = time.Hour
	l := mustStart(t, cfg, dial)
	eventually(t, "some wait", func() bool {
		err := l.left(t.Context())
		return err != nil && strings.HasSuffix(err.Error(), "messages wait and 1 are not acknowledged")
	})
}

func TestFinishTellsHowManyAreLeft(t *testing.T) {
	s := startServer(t)
	dial := dialer(s.URL(), s.Credentials())
	js := join(t, dial)
	prepare(t, js, 1)
	l := mustStart(t, config("a"), dial)
	acked(t, l, 5)
	if err := js.DeleteStream(patient(t), streamName); err != nil {
		t.Fatal(err)
	}
	eventually(t, "nobody responds", func() bool { return l.Look(time.Minute).Classes[history.NoResponders] > 0 })
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	if err := l.Finish(ctx); err == nil || !strings.Contains(err.Error(), "were not acknowledged") {
		t.Errorf("got %v", err)
	}
	if err := l.Finish(patient(t)); err != nil {
		t.Errorf("nothing is left to be waited for, and still: %v", err)
	}
	if n := l.Look(0).Open; n != 0 {
		t.Errorf("%d messages are open", n)
	}
}

func TestALoadThatCannotStartLeavesNothing(t *testing.T) {
	s := startServer(t)
	dial := dialer(s.URL(), s.Credentials())
	cfg := config("a", "b")
	cfg.Publishers[1].Server = "elsewhere"
	_, err := Start(patient(t), cfg, dial)
	if err == nil || !strings.Contains(err.Error(), `publisher b: connected to server`) {
		t.Errorf("a publisher on the wrong server: %v", err)
	}
	refused := func(ctx context.Context, _ []string, name string, opts ...nats.Option) (*nats.Conn, error) {
		return dial(ctx, []string{"nats://127.0.0.1:1"}, name, opts...)
	}
	if _, err = Start(patient(t), config("a"), refused); err == nil {
		t.Error("a load without a server has started")
	}
}

func TestImpossibleLoadsAreRefused(t *testing.T) {
	good := config("a")
	if err := good.Validate(); err != nil {
		t.Fatal(err)
	}
	for want, spoil := range map[string]func(*Config){
		"mark":           func(c *Config) { c.Mark = "" },
		"stream":         func(c *Config) { c.Stream = "" },
		"publishers":     func(c *Config) { c.Publishers = nil },
		"per second":     func(c *Config) { c.Rate = 0 },
		"bytes":          func(c *Config) { c.Size = 3 },
		"answers":        func(c *Config) { c.AckWait = 0 },
		"workers":        func(c *Config) { c.Work = -1 },
		"retry":          func(c *Config) { c.Retry = "" },
		"part of a":      func(c *Config) { c.Publishers = []Publisher{{Name: "a b"}} },
		"two publishers": func(c *Config) { c.Publishers = []Publisher{{Name: "a"}, {Name: "a"}} },
	} {
		c := good
		spoil(&c)
		if err := c.Validate(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("want an error about %s, got %v", want, err)
		}
	}
}
