package fault

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/natsops/natsops/internal/lab"
)

func consumerOf(t *testing.T, s Site) *jetstream.ConsumerInfo {
	t.Helper()
	info, err := consumerInfo(patient(t), s, Undo{Stream: s.Stream, Consumer: s.Consumer})
	if err != nil {
		t.Fatal(err)
	}
	return info
}

func TestHeldMessagesStarveOthersAndAreGivenBack(t *testing.T) {
	s := newSite(t, lab.Config{})
	store(t, s, 50)
	strike := mustAim(t, s, Spec{Kind: "ack-hold"})
	mustInject(t, strike)
	eventually(t, "all that may be unacknowledged is held", func() bool { return strike.Counts()["taken"] == 20 })
	if n := fetch(t, s, 50); n != 0 {
		t.Errorf("another worker got %d messages", n)
	}
	mustHeal(t, strike)
	if got := strike.Counts(); got["returned"] != 20 {
		t.Errorf("counted %v", got)
	}
	got := 0
	eventually(t, "another worker gets all messages", func() bool {
		got += fetch(t, s, 50)
		return got == 50
	})
	eventually(t, "all are acknowledged", func() bool {
		info := consumerOf(t, s)
		return info.NumAckPending == 0 && info.NumPending == 0
	})
}

func TestNakStormStaysBelowItsCapAndLosesNothing(t *testing.T) {
	s := newSite(t, lab.Config{})
	store(t, s, 10)
	strike := mustAim(t, s, Spec{Kind: "nak-storm", Params: params("rate", "500/s")})
	began := time.Now()
	mustInject(t, strike)
	eventually(t, "messages are delivered again and again", func() bool { return strike.Counts()["naked"] > 100 })
	mustHeal(t, strike)
	// What is behind the clock of this test can only make the cap higher.
	if most, got := 500*time.Since(began).Seconds(), strike.Counts()["naked"]; got > most {
		t.Errorf("%v messages, of %v at most", got, most)
	}
	if got := consumerOf(t, s).Delivered.Consumer; got < 100 {
		t.Errorf("the server delivered %d times", got)
	}
	left := 0
	eventually(t, "another worker gets all messages", func() bool {
		left += fetch(t, s, 10)
		return left == 10
	})
}

func TestConsumersThatABadWorkerWouldHarmAreRefused(t *testing.T) {
	s := newSite(t, lab.Config{})
	for name, c := range map[string]struct {
		cfg  jetstream.ConsumerConfig
		want string
	}{
		"none":    {jetstream.ConsumerConfig{AckPolicy: jetstream.AckNonePolicy}, "wants no acknowledgements"},
		"endless": {jetstream.ConsumerConfig{AckPolicy: jetstream.AckExplicitPolicy, MaxAckPending: -1}, "no max_ack_pending"},
		"limited": {jetstream.ConsumerConfig{AckPolicy: jetstream.AckExplicitPolicy, MaxDeliver: 3}, "gives up on a message after 3 deliveries"},
		"pushed":  {jetstream.ConsumerConfig{AckPolicy: jetstream.AckExplicitPolicy, DeliverSubject: "push"}, "the server pushes"},
	} {
		c.cfg.Durable = name
		var err error
		if c.cfg.DeliverSubject != "" {
			_, err = s.JS.CreatePushConsumer(patient(t), s.Stream, c.cfg)
		} else {
			_, err = s.JS.CreateConsumer(patient(t), s.Stream, c.cfg)
		}
		if err != nil {
			t.Fatal(err)
		}
		for _, kind := range []string{"ack-hold", "nak-storm"} {
			_, err := Spec{Kind: kind, Victim: Victim{Consumer: name}}.Aim(patient(t), s)
			if !errors.Is(err, ErrNeeds) || !strings.Contains(err.Error(), c.want) {
				t.Errorf("%s: got %v, want %s", name, err, c.want)
			}
		}
	}
	for victim, want := range map[[2]string]string{
		{"LOAD", "worj"}: `stream LOAD has no consumer "worj"`,
		{"LAOD", ""}:     `no stream "LAOD"`,
	} {
		_, err := Spec{Kind: "ack-hold", Victim: Victim{Stream: victim[0], Consumer: victim[1]}}.Aim(patient(t), s)
		if !errors.Is(err, ErrNoVictim) || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %s", err, want)
		}
	}
}

func TestServerClosesTheSlowSubscriber(t *testing.T) {
	t.Parallel() // the server waits for the deadline of a write, 10 s
	s := newSite(t, lab.Config{MaxPending: 1 << 20})
	strike := mustAim(t, s, Spec{Kind: "slow-subscriber", Params: params("bytes", "16MiB")})
	mustInject(t, strike)
	eventually(t, "it is closed", func() bool { return strike.Counts()["closed_by_server"] == 1 })
	var varz struct {
		Data struct {
			Slow struct {
				Clients int `json:"clients"`
			} `json:"slow_consumer_stats"`
		} `json:"data"`
	}
	there, err := s.roster(patient(t))
	if err != nil {
		t.Fatal(err)
	}
	if err := ask(patient(t), s.System, "$SYS.REQ.SERVER."+there[0].ID+".VARZ", nil, &varz); err != nil || varz.Data.Slow.Clients == 0 {
		t.Errorf("the server counts %d slow consumers, %v", varz.Data.Slow.Clients, err)
	}
	mustHeal(t, strike)
	mustBeAlone(t, s)
}

func TestFloodThatTheServerCanHoldIsBounded(t *testing.T) {
	s := newSite(t, lab.Config{})
	strike := mustAim(t, s, Spec{Kind: "slow-subscriber", Params: params("bytes", "1MiB")})
	mustInject(t, strike)
	eventually(t, "all is sent", func() bool { return strike.Counts()["sent_bytes"] == 1<<20 })
	mustHeal(t, strike)
	if got := strike.Counts(); got["closed_by_server"] != 0 || got["sent_bytes"] != 1<<20 {
		t.Errorf("counted %v", got)
	}
	mustBeAlone(t, s)
}

// mustBeAlone waits until a server has no connection but the site's own.
func mustBeAlone(t *testing.T, s Site) {
	t.Helper()
	eventually(t, "the fault's connections are closed", func() bool {
		all, err := s.connections(patient(t), nil)
		return err == nil && len(all) == 0
	})
}

func TestStormConnectsAllAndLeavesNone(t *testing.T) {
	s := newSite(t, lab.Config{})
	strike := mustAim(t, s, Spec{Kind: "connection-storm", Params: params("connections", "50")})
	mustBeAlone(t, s)
	mustInject(t, strike)
	if all, err := s.connections(patient(t), nil); err != nil || len(all) != 50 || !strings.HasPrefix(all[0].Name, testMark+"-fault-") {
		t.Errorf("got %v, %v", all, err)
	}
	if err := strike.Healed(t.Context()); err == nil {
		t.Error("healed with 50 open connections")
	}
	mustHeal(t, strike)
	mustBeAlone(t, s)
	if got := strike.Counts(); got["connections_opened"] != 50 || got["connections_lost"] != 0 {
		t.Errorf("counted %v", got)
	}
}

func TestReconnectStormKicksItsOwnOnlyAndSeesThemBack(t *testing.T) {
	s := newSite(t, lab.Config{})
	g := newGuest(t, s, "guest")
	strike := mustAim(t, s, Spec{Kind: "reconnect-storm", Params: params("connections", "50", "wait", "5ms")})
	mustInject(t, strike)
	eventually(t, "all are back", func() bool { return strike.Counts()["reconnected"] == 50 })
	mustHeal(t, strike)
	got := strike.Counts()
	if got["kicked"] != 50 || got["refused"] != 0 || got["reconnect_max_ns"] < got["reconnect_p50_ns"] || got["reconnect_p50_ns"] <= 0 {
		t.Errorf("counted %v", got)
	}
	if len(g.lost) > 0 {
		t.Error("somebody else was kicked")
	}
	g.Close()
	mustBeAlone(t, s)
}

func TestBucketLetsNoMorePassThanItsRate(t *testing.T) {
	for _, rate := range []float64{0.5, 1, 7, 200, 5000, 100_000} {
		synctest.Test(t, func(t *testing.T) {
			began := time.Now()
			b := newBucket(rate)
			passed := 0
			for time.Since(began) < 10*time.Second {
				n, err := b.take(t.Context(), 1<<30)
				if err != nil {
					t.Fatal(err)
				}
				passed += n
				if most := rate * time.Since(began).Seconds(); float64(passed) > most+1e-6*most {
					t.Fatalf("%v/s: %d passed in %s", rate, passed, time.Since(began))
				}
			}
			if float64(passed) < 0.9*rate*10 {
				t.Errorf("%v/s: only %d passed in 10 s", rate, passed)
			}
			// A stall is not made up for.
			if err := wait(t.Context(), time.Minute); err != nil {
				t.Fatal(err)
			}
			if n, _ := b.take(t.Context(), 1<<30); float64(n) > max(1, rate/20) {
				t.Errorf("%v/s: %d at once after a stall", rate, n)
			}
			ctx, cancel := context.WithCancel(t.Context())
			cancel()
			if _, err := b.take(ctx, 1); !errors.Is(err, context.Canceled) {
				t.Errorf("got %v", err)
			}
		})
	}
}
