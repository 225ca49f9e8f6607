package fault

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"
	"pgregory.net/rapid"

	"github.com/natsops/natsops/internal/lab"
)

func TestPausedConsumerDeliversNothingUntilItIsHealed(t *testing.T) {
	s := newSite(t, lab.Config{})
	strike := mustAim(t, s, Spec{Kind: "consumer-pause", For: time.Minute})
	store(t, s, 5)
	mustInject(t, strike)
	if n := fetch(t, s, 5); n != 0 || !consumerOf(t, s).Paused {
		t.Errorf("%d messages of a paused consumer", n)
	}
	if err := strike.Healed(patient(t)); err == nil {
		t.Error("healed while it is paused")
	}
	mustHeal(t, strike)
	if n := fetch(t, s, 5); n != 5 {
		t.Errorf("%d messages after the heal", n)
	}
}

func TestPauseEndsByItself(t *testing.T) {
	s := newSite(t, lab.Config{})
	strike := mustAim(t, s, Spec{Kind: "consumer-pause", For: 2 * time.Second})
	mustInject(t, strike)
	eventually(t, "it goes on", func() bool { return !consumerOf(t, s).Paused })
	mustHeal(t, strike)
}

func TestPauseOfSomebodyElseIsLeftAlone(t *testing.T) {
	s := newSite(t, lab.Config{})
	spec := Spec{Kind: "consumer-pause", For: time.Minute}
	strike := mustAim(t, s, spec)
	mustInject(t, strike)
	theirs := time.Now().Add(time.Hour)
	if _, err := s.JS.PauseConsumer(patient(t), s.Stream, s.Consumer, theirs); err != nil {
		t.Fatal(err)
	}
	mustHeal(t, strike)
	done, err := Revert(patient(t), strike.Undo[0], s)
	if err != nil || !strings.Contains(done, "by somebody else") {
		t.Errorf("revert: %q, %v", done, err)
	}
	if info := consumerOf(t, s); !info.Paused || !info.Config.PauseUntil.Equal(theirs) {
		t.Errorf("their pause is gone: %+v", info)
	}
	if _, err := spec.Aim(patient(t), s); !errors.Is(err, ErrNeeds) || !strings.Contains(err.Error(), "already paused") {
		t.Errorf("aimed at a paused consumer: %v", err)
	}
}

func TestConsumerThatWasPausedSinceTheAimIsRefused(t *testing.T) {
	s := newSite(t, lab.Config{})
	strike := mustAim(t, s, Spec{Kind: "consumer-pause"})
	theirs := time.Now().Add(time.Hour)
	if _, err := s.JS.PauseConsumer(patient(t), s.Stream, s.Consumer, theirs); err != nil {
		t.Fatal(err)
	}
	if err := strike.Inject(patient(t)); !errors.Is(err, ErrNeeds) {
		t.Errorf("injected: %v", err)
	}
	mustHeal(t, strike)
	if info := consumerOf(t, s); !info.Paused || !info.Config.PauseUntil.Equal(theirs) {
		t.Errorf("their pause is gone: %+v", info)
	}
}

func TestPushConsumerCanBePausedToo(t *testing.T) {
	s := newSite(t, lab.Config{})
	if _, err := s.JS.CreatePushConsumer(patient(t), s.Stream, jetstream.ConsumerConfig{Durable: "pushed", DeliverSubject: "push"}); err != nil {
		t.Fatal(err)
	}
	strike := mustAim(t, s, Spec{Kind: "consumer-pause", Victim: Victim{Consumer: "pushed"}, For: time.Minute})
	mustInject(t, strike)
	if err := strike.Healed(patient(t)); err == nil {
		t.Error("it is not paused")
	}
	mustHeal(t, strike)
}

func TestSignMarksATimeAndMovesItByLessThanAMillisecond(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		at := time.Unix(0, rapid.Int64Range(0, 1<<62).Draw(t, "at"))
		later := at.Add(time.Duration(rapid.Int64Range(0, int64(time.Hour)).Draw(t, "later")))
		mark := rapid.String().Draw(t, "mark")
		x, y := signed(at, mark), signed(later, mark)
		if d := x.Sub(at); d > time.Millisecond || d < -time.Millisecond {
			t.Errorf("moved by %s", d)
		}
		sign := x.Nanosecond() % int(time.Millisecond)
		if sign == 0 || sign != y.Nanosecond()%int(time.Millisecond) {
			t.Errorf("%s and %s bear different signs, or none", x, y)
		}
	})
}

// messages is how many the stream has.
func messages(t *testing.T, s Site) uint64 {
	t.Helper()
	stream, err := s.JS.Stream(patient(t), s.Stream)
	if err != nil {
		t.Fatal(err)
	}
	return stream.CachedInfo().State.Msgs
}

func TestFloodIsStoredAndPurgedAndNothingElseIs(t *testing.T) {
	s := newSite(t, lab.Config{})
	store(t, s, 3)
	strike := mustAim(t, s, Spec{Kind: "publish-flood", Params: params("bytes", "256KiB")})
	mustInject(t, strike)
	eventually(t, "all is stored", func() bool { return messages(t, s) == 3+2048 })
	if err := strike.Healed(patient(t)); err == nil {
		t.Error("healed with its messages in the stream")
	}
	mustHeal(t, strike)
	if n := messages(t, s); n != 3 {
		t.Errorf("%d messages after the heal, want the load's 3", n)
	}
	if got := strike.Counts(); got["sent"] != 2048 || got["failed"] != 0 {
		t.Errorf("counted %v", got)
	}
	mustBeAlone(t, s)
}

func TestFloodThatIsHealedEarlyStopsAndIsPurged(t *testing.T) {
	s := newSite(t, lab.Config{})
	strike := mustAim(t, s, Spec{Kind: "publish-flood", Params: params("rate", "1k")})
	mustInject(t, strike)
	eventually(t, "something is stored", func() bool { return messages(t, s) > 0 })
	mustHeal(t, strike)
	if n := messages(t, s); n != 0 {
		t.Errorf("%d messages after the heal", n)
	}
}

func TestFloodOfTheCoreReachesSubscribers(t *testing.T) {
	s := newSite(t, lab.Config{})
	sub, err := s.App.SubscribeSync(testMark + ".flood")
	if err != nil {
		t.Fatal(err)
	}
	strike := mustAim(t, s, Spec{Kind: "publish-flood", Params: params("what", "core", "bytes", "10KiB", "size", "1KiB")})
	mustInject(t, strike)
	for range 10 {
		if m, err := sub.NextMsgWithContext(patient(t)); err != nil || len(m.Data) != 1024 {
			t.Fatalf("got %v, %v", m, err)
		}
	}
	mustHeal(t, strike)
	if n := messages(t, s); n != 0 || len(strike.Undo) > 0 {
		t.Errorf("%d messages stored, undo %v", n, strike.Undo)
	}
}

func TestFullStreamRefusesAndTakesAgainAfterTheHeal(t *testing.T) {
	s := newSite(t, lab.Config{})
	if err := s.JS.DeleteStream(patient(t), s.Stream); err != nil {
		t.Fatal(err)
	}
	mustLoad(t, s, 1, 1<<20)
	store(t, s, 3)
	strike := mustAim(t, s, Spec{Kind: "fill"})
	mustInject(t, strike)
	_, err := s.JS.Publish(patient(t), testLoad+".a", make([]byte, 64))
	refused, ok := errors.AsType[*jetstream.APIError](err)
	if !ok || refused.ErrorCode != codeFull {
		t.Errorf("a full stream answers %v", err)
	}
	if err := strike.Healed(patient(t)); err == nil {
		t.Error("healed while it is full")
	}
	mustHeal(t, strike)
	store(t, s, 1)
	if n := messages(t, s); n != 4 {
		t.Errorf("%d messages after the heal, want the load's 4", n)
	}
	if got := strike.Counts(); got["stored_bytes"] < 1<<19 || got["refused"] == 0 {
		t.Errorf("counted %v", got)
	}
}

func TestStreamsThatMustNotBeFilledAreRefused(t *testing.T) {
	s := newSite(t, lab.Config{})
	aim := func(kind, want string) {
		t.Helper()
		if _, err := (Spec{Kind: kind}).Aim(patient(t), s); !errors.Is(err, ErrNeeds) || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want %s", kind, err, want)
		}
	}
	change := func(cfg jetstream.StreamConfig) {
		t.Helper()
		cfg.Name = s.Stream
		if _, err := s.JS.UpdateStream(patient(t), cfg); err != nil {
			t.Fatal(err)
		}
	}
	subjects := []string{testScratch + ".>"}
	aim("fill", "no max_bytes")
	change(jetstream.StreamConfig{Subjects: subjects, MaxBytes: 1 << 30, Discard: jetstream.DiscardNew})
	aim("fill", "room for 1 GiB, which is more than 256 MiB")
	change(jetstream.StreamConfig{Subjects: subjects, MaxBytes: 1 << 20})
	aim("fill", "throw old messages away")
	aim("publish-flood", "throw old messages away")
	change(jetstream.StreamConfig{Subjects: []string{"elsewhere"}})
	aim("fill", "does not take")
	change(jetstream.StreamConfig{Subjects: []string{testMark + ".>"}})
	if _, err := (Spec{Kind: "publish-flood", Params: params("what", "core")}).Aim(patient(t), s); !errors.Is(err, ErrNeeds) {
		t.Errorf("a flood of the core that is stored: %v", err)
	}
	aim("slow-subscriber", "would store")
}
