package load

import (
	"context"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/nats-io/nats.go"
	"pgregory.net/rapid"

	"github.com/natsops/natsops/internal/chaos/history"
)

// simulate runs a publisher over a fake for a time, then asks it to finish.
func simulate(t *testing.T, cfg Config, f *fake, d time.Duration, then func(p *publisher)) []history.Attempt {
	t.Helper()
	var all []history.Attempt
	synctest.Test(t, func(t *testing.T) {
		begin := time.Now()
		p, err := newPublisher(&cfg, 0, f, func() time.Duration { return time.Since(begin) })
		if err != nil {
			t.Fatal(err)
		}
		p.inbox = "inbox."
		f.publisher = p
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan struct{})
		go func() {
			defer close(ended)
			p.run(ctx)
		}()
		time.Sleep(d)
		synctest.Wait()
		if then != nil {
			then(p)
		}
		cancel()
		<-ended
		all = p.appendTo(nil)
	})
	return all
}

func TestNobodyWaitsForAnswers(t *testing.T) {
	f := new(fake)
	all := simulate(t, config("a"), f, 995*time.Millisecond, nil)
	if len(all) != 100 || len(f.sent) != 100 {
		t.Fatalf("%d attempts and %d messages in 1 s, want 100", len(all), len(f.sent))
	}
	for i, a := range all {
		if a.Seq != uint64(i+1) || a.Began != time.Duration(i)*10*time.Millisecond || a.Ended != 0 {
			t.Fatalf("attempt %d is %+v", i, a)
		}
	}
}

func TestAMessageIsTriedAgainWithItsIDUntilItIsAcknowledged(t *testing.T) {
	cfg := config("a")
	cfg.Rate = 0.01
	f := &fake{answer: func(nth int, _ *nats.Msg) *nats.Msg {
		switch nth {
		case 1:
			return nil // a timeout
		case 8:
			return ack(12)
		default:
			return refusal()
		}
	}}
	all := simulate(t, cfg, f, 90*time.Second, nil)
	if len(all) != 8 {
		t.Fatalf("%d attempts, want 8: %+v", len(all), all)
	}
	if a := all[0]; a.Outcome != history.Unknown || a.Class != history.Timeout || a.Ended-a.Began != cfg.AckWait {
		t.Errorf("the first is %+v", a)
	}
	if a := all[7]; a.Outcome != history.Acked || a.StreamSeq != 12 || a.Class != "" {
		t.Errorf("the last is %+v", a)
	}
	waits := []time.Duration{250 * time.Millisecond, 500 * time.Millisecond, time.Second, 2 * time.Second, 4 * time.Second, 5 * time.Second, 5 * time.Second}
	for i, a := range all {
		if a.Try != uint16(i+1) || a.Seq != 1 || f.sent[i].id != "test-a-1" {
			t.Errorf("attempt %d is %+v, sent as %q", i, a, f.sent[i].id)
		}
		if i == 0 {
			continue
		}
		if pause := a.Began - all[i-1].Ended; pause > waits[i-1] || pause < waits[i-1]*3/4 {
			t.Errorf("attempt %d came %s after the end of the one before, want %s", i, pause, waits[i-1])
		}
	}
}

func TestAnAcknowledgementCountsHoweverLateItComes(t *testing.T) {
	cfg := config("a")
	cfg.Rate, cfg.AckWait = 0.01, 100*time.Millisecond
	f := &fake{}
	var late string
	f.answer = func(nth int, m *nats.Msg) *nats.Msg {
		switch nth {
		case 1:
			late = m.Reply
		case 2: // of the first, while the second is under way
			a := ack(3)
			a.Subject = late
			f.publisher.hear(a)
		}
		return nil
	}
	all := simulate(t, cfg, f, 60*time.Second, func(p *publisher) {
		r := refusal()
		r.Subject = late
		p.hear(r) // takes nothing back
		p.stop()
		<-p.quiet
	})
	if len(all) != 2 {
		t.Fatalf("%d attempts, want 2, since the first is acknowledged: %+v", len(all), all)
	}
	if a := all[0]; a.Outcome != history.Acked || a.StreamSeq != 3 || a.Ended != all[1].Began || a.Class != "" {
		t.Errorf("the first is %+v", a)
	}
	if a := all[1]; a.Outcome != history.Unknown || a.Class != history.Timeout {
		t.Errorf("the second is %+v", a)
	}
}

func TestWhatWasAcknowledgedLateIsNotTriedAgain(t *testing.T) {
	cfg := config("a")
	cfg.Rate, cfg.AckWait = 0.01, 100*time.Millisecond
	f := new(fake)
	all := simulate(t, cfg, f, 150*time.Millisecond, func(p *publisher) { // timed out, not yet tried again
		a := ack(3)
		a.Subject = f.sent[0].reply
		p.hear(a)
		time.Sleep(time.Minute)
	})
	if len(all) != 1 || all[0].Outcome != history.Acked || all[0].Ended != 150*time.Millisecond {
		t.Errorf("got %+v", all)
	}
}

func TestARefusalIsNotLeftLyingUntilTheAckWaitIsOver(t *testing.T) {
	cfg := config("a")
	cfg.Rate = 0.01
	f := new(fake)
	all := simulate(t, cfg, f, 100*time.Millisecond, func(p *publisher) {
		r := refusal()
		r.Subject = f.sent[0].reply
		p.hear(r)
		time.Sleep(time.Second)
	})
	if len(all) != 2 || all[1].Began > 350*time.Millisecond {
		t.Errorf("got %+v", all)
	}
}

func TestALookSeesItsWindowOnly(t *testing.T) {
	f := &fake{answer: func(nth int, _ *nats.Msg) *nats.Msg {
		if nth%2 == 0 {
			return refusal()
		}
		return ack(uint64(nth))
	}}
	cfg := config("a")
	cfg.Retry = NoRetry
	simulate(t, cfg, f, 995*time.Millisecond, func(p *publisher) {
		s, ps := Sample{At: p.now(), Window: 100 * time.Millisecond, Classes: map[history.Class]uint64{}}, PublisherSample{}
		took := p.look(&s, &ps, nil)
		if ps.Acks != 5 || ps.Errors != 5 || s.Classes[history.NoResponders] != 5 || len(took) != 5 || ps.LastAck != 980*time.Millisecond {
			t.Errorf("got %+v and %+v", s, ps)
		}
	})
}

func TestTriesAreCountedAsFarAsTheirNumberGoes(t *testing.T) {
	p := &publisher{cfg: new(Config), wake: make(chan struct{}, 1)}
	p.judged(p.log.add(history.Attempt{Try: 65535}), verdict{}, time.Second)
	if got := p.retries[0].try; got != 65535 {
		t.Errorf("the next is try %d", got)
	}
}

func TestALateRefusalIsKnownToo(t *testing.T) {
	cfg := config("a")
	cfg.Rate, cfg.AckWait, cfg.Retry = 0.01, 100*time.Millisecond, NoRetry
	f := &fake{}
	all := simulate(t, cfg, f, time.Second, func(p *publisher) {
		r := refusal()
		r.Subject = f.sent[0].reply
		p.hear(r)
	})
	if len(all) != 1 || all[0].Outcome != history.Refused || all[0].Class != history.NoResponders {
		t.Errorf("got %+v", all)
	}
}

func TestWithoutRetryThereIsOneAttempt(t *testing.T) {
	cfg := config("a")
	cfg.Rate, cfg.Retry = 1, NoRetry
	f := new(fake)
	all := simulate(t, cfg, f, 10500*time.Millisecond, func(p *publisher) {
		p.stop()
		<-p.quiet // as soon as the last has timed out
	})
	if len(all) != 11 {
		t.Fatalf("%d attempts, want 11", len(all))
	}
	for i, a := range all {
		if a.Try != 1 || a.Class != history.Timeout || f.sent[i].id == "" {
			t.Errorf("attempt %d is %+v, sent as %q", i, a, f.sent[i].id)
		}
	}
}

func TestWithoutAnIDTheServerCannotTell(t *testing.T) {
	cfg := config("a")
	cfg.Rate, cfg.Retry = 0.01, NoID
	f := new(fake)
	simulate(t, cfg, f, 30*time.Second, nil)
	if len(f.sent) < 4 || slices.ContainsFunc(f.sent, func(s sent) bool { return s.id != "" }) {
		t.Errorf("sent %+v", f.sent)
	}
}

func TestWhatCouldNotBeSentIsRefusedAtOnce(t *testing.T) {
	cfg := config("a")
	cfg.Rate = 0.01
	f := &fake{err: nats.ErrReconnectBufExceeded}
	all := simulate(t, cfg, f, 300*time.Millisecond, nil)
	if len(all) != 2 || all[0].Outcome != history.Refused || all[0].Class != history.Disconnected || all[0].Ended > time.Millisecond {
		t.Errorf("got %+v", all)
	}
	f = &fake{err: errLine}
	if all = simulate(t, cfg, f, time.Second, nil); all[0].Outcome != history.Unknown {
		t.Errorf("a write that broke is %+v", all[0])
	}
}

func TestWhatIsLeftAtTheEndStaysUnknown(t *testing.T) {
	cfg := config("a")
	cfg.AckWait = 10 * time.Second
	f := &fake{answer: func(nth int, _ *nats.Msg) *nats.Msg {
		if nth > 60 {
			return nil
		}
		if nth > 50 {
			return refusal()
		}
		return ack(uint64(nth))
	}}
	all := simulate(t, cfg, f, 645*time.Millisecond, func(p *publisher) {
		p.stop()
		if left := p.giveUp(); left != 15 {
			t.Errorf("%d messages are left, want 15", left)
		}
		<-p.quiet
		time.Sleep(time.Minute)
	})
	if len(all) > 75 {
		t.Errorf("%d attempts: some were made after the end", len(all))
	}
	for _, a := range all {
		if a.Ended == 0 || a.Outcome == history.Unknown && a.Class != history.Timeout {
			t.Errorf("%+v has not ended", a)
		}
	}
}

func TestAStalledProcessCatchesUpALittle(t *testing.T) {
	stalled := false
	f := &fake{}
	f.answer = func(nth int, _ *nats.Msg) *nats.Msg {
		if nth == 50 && !stalled {
			stalled = true
			time.Sleep(2 * time.Second)
		}
		return ack(uint64(nth))
	}
	var missed uint64
	all := simulate(t, config("a"), f, 4995*time.Millisecond, func(p *publisher) { missed = p.missed })
	if uint64(len(all))+missed != 500 || missed < 185 || missed > 195 {
		t.Errorf("%d begun, %d missed", len(all), missed)
	}
	for i, a := range all {
		if a.Seq != uint64(i+1) {
			t.Fatalf("message %d has number %d: a number that is left out looks like a loss", i+1, a.Seq)
		}
	}
}

func TestScheduleSkipsExactlyWhatIsTooLate(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := schedule{
			offset: time.Duration(rapid.Int64Range(0, int64(time.Second)).Draw(t, "offset")),
			rate:   rapid.Float64Range(0.01, 100_000).Draw(t, "rate"),
		}
		n := rapid.Uint64Range(0, 1_000_000).Draw(t, "n")
		now := s.due(n) + time.Duration(rapid.Int64Range(-int64(time.Minute), int64(time.Hour)).Draw(t, "late"))
		patience := max(catchUp, time.Duration(float64(time.Second)/s.rate))
		k := s.skip(n, now)
		if s.due(n+k) < now-patience {
			t.Errorf("slot %d of %d is begun, though too late", k, n)
		}
		if k > 0 && s.due(n+k-1) >= now-patience+time.Microsecond {
			t.Errorf("slot %d of %d is skipped, though in time", k-1, n)
		}
	})
}

func TestSettledMessagesAreRemembered(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var a attempts
		model := make(map[uint64]bool)
		for _, seq := range rapid.SliceOf(rapid.Uint64Range(1, 300)).Draw(t, "seqs") {
			if got := a.settle(seq); got != model[seq] {
				t.Errorf("message %d was settled before: %t", seq, got)
			}
			model[seq] = true
		}
		for seq := range uint64(400) {
			if a.isSettled(seq) != model[seq] {
				t.Errorf("message %d is settled: %t", seq, a.isSettled(seq))
			}
		}
	})
}
