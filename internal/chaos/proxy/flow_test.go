package proxy

import (
	"errors"
	"io"
	"net"
	"strings"
	"testing"
)

func TestFreezeHoldsBytesAndEndsUntilTheHeal(t *testing.T) {
	for _, flow := range []Toxics{{Up: Toxic{Flow: Freeze}}, {Up: Toxic{Flow: Freeze}, Down: Toxic{Flow: Freeze}}} {
		w := newWard(t)
		dialler, target := w.pair()
		say(t, dialler, "before ")
		mustHear(t, target, "before ")
		w.set(flow)
		say(t, dialler, "in the fault")
		dialler.Close()
		eventually(t, "all is held", func() bool { return w.up().Held() == uint64(len("in the fault")) })
		mustHearNothing(t, target)
		w.heal()
		mustEnd(t, target, false, "in the fault")
	}
}

func TestFreezeOfOneDirectionLetsTheOtherPass(t *testing.T) {
	w := newWard(t)
	dialler, target := w.pair()
	w.set(Toxics{Down: Toxic{Flow: Freeze}})
	say(t, dialler, "ping")
	mustHear(t, target, "ping")
	say(t, target, "pong")
	eventually(t, "the answer is held", func() bool { return w.Status().Down.Held() == 4 })
	mustHearNothing(t, dialler)
	w.heal()
	mustHear(t, dialler, "pong")
}

func TestFreezeHidesThatAPeerIsGone(t *testing.T) {
	w := newWard(t)
	dialler, target := w.pair()
	w.set(Toxics{Down: Toxic{Flow: Freeze}})
	target.Close() // the dialler's next words fail in the proxy
	eventually(t, "the proxy finds out", func() bool {
		say(t, dialler, "x")
		return w.up().Dropped > 0
	})
	mustHearNothing(t, dialler)
	w.heal()
	limit(t, dialler)
	if got, err := io.ReadAll(dialler); len(got) > 0 {
		t.Errorf("heard %q, %v", got, err)
	}
}

func TestFrozenSenderFeelsBackPressureAndMemoryIsBounded(t *testing.T) {
	w := newWard(t)
	dialler, target := w.pair()
	w.set(Toxics{Up: Toxic{Flow: Freeze}})
	const total = 32 << 20 // more than the buffers of the system take
	done := make(chan struct{})
	go func() {
		defer close(done)
		if _, err := dialler.Write(make([]byte, total)); err != nil {
			t.Error(err)
		}
		dialler.Close()
	}()
	// It comes to rest when the same is held for a while.
	last, same := uint64(0), 0
	eventually(t, "no more is taken", func() bool {
		now := w.up().Held()
		if same++; now != last {
			last, same = now, 0
		}
		return now > 0 && same > 200
	})
	if last > Window+chunkSize {
		t.Errorf("%d bytes are held, want %d at most", last, Window+chunkSize)
	}
	select {
	case <-done:
		t.Errorf("a frozen connection took %d bytes", total)
	default:
	}
	w.heal()
	limit(t, target)
	if n, err := io.Copy(io.Discard, target); err != nil || n != total {
		t.Errorf("got %d bytes, %v; want %d", n, err, total)
	}
	<-done
}

func TestConnectionMadeWhileFrozenReachesTheTargetAtTheHeal(t *testing.T) {
	w := newWard(t)
	w.set(Toxics{Down: Toxic{Flow: Freeze}})
	patient, hasty := w.dial(), w.dial()
	say(t, patient, "CONNECT")
	say(t, hasty, "CONNECT")
	hasty.Close()
	eventually(t, "who gave up is forgotten", func() bool { return len(w.log.of(Closed)) == 1 })
	if n := len(w.log.of(Connected)); n > 0 {
		t.Errorf("the target heard of %d connections", n)
	}
	w.heal()
	target := w.accept()
	mustHear(t, target, "CONNECT")
	say(t, target, "+OK")
	mustHear(t, patient, "+OK")
	if n := len(w.log.of(Connected)); n != 1 {
		t.Errorf("the target heard of %d connections", n)
	}
}

func TestDropLosesBytesAndTheHealResetsWhatIsTorn(t *testing.T) {
	w := newWard(t)
	torn, tornTarget := w.pair()
	whole, wholeTarget := w.pair()
	w.set(Toxics{Up: Toxic{Flow: Drop}})
	say(t, torn, "lost")
	eventually(t, "it is lost", func() bool { return w.up().Dropped == 4 })
	mustHearNothing(t, tornTarget)
	// Not even a flow that is kind again delivers what follows on a hole.
	w.set(Toxics{Up: Toxic{Latency: 1}, Down: Toxic{Flow: Freeze}})
	say(t, torn, "and more")
	eventually(t, "that is lost too", func() bool { return w.up().Dropped == 12 })
	w.heal()
	mustEnd(t, torn, true, "")
	mustEnd(t, tornTarget, true, "")
	say(t, whole, "nothing was lost here")
	mustHear(t, wholeTarget, "nothing was lost here")
	eventually(t, "the reason is known", func() bool { return len(w.log.of(Closed)) == 1 })
	if err := w.log.of(Closed)[0].Err; !errors.Is(err, ErrTorn) {
		t.Errorf("got %v, want %v", err, ErrTorn)
	}
}

func TestHalfOpenTargetIsGoneAndTheDiallerNeverHears(t *testing.T) {
	w := newWard(t)
	dialler, target := w.pair()
	w.set(Toxics{Down: Toxic{Flow: HalfOpen}})
	mustEnd(t, target, true, "")
	late := w.dial() // a new connection is accepted, and held
	for _, c := range []net.Conn{dialler, late} {
		for range 3 {
			say(t, c, strings.Repeat("x", 100_000)) // more than fits into buffers, in the end
		}
	}
	eventually(t, "all is read and lost", func() bool { return w.up().Dropped == 600_000 })
	mustHearNothing(t, dialler)
	mustHearNothing(t, late)
	if n := len(w.log.of(Connected)); n != 1 {
		t.Errorf("the target, which is gone, accepted %d connections", n)
	}
	w.heal()
	mustEnd(t, dialler, true, "")
	mustEnd(t, late, true, "")
	again, back := w.pair()
	say(t, again, "hello")
	mustHear(t, back, "hello")
}

func TestHalfOpenDiallerIsGoneAndComesBackOnANewConnection(t *testing.T) {
	w := newWard(t)
	dialler, target := w.pair()
	w.set(Toxics{Up: Toxic{Flow: HalfOpen}})
	mustEnd(t, dialler, true, "")
	say(t, target, "PING")
	eventually(t, "it is read and lost", func() bool { return w.Status().Down.Dropped == 4 })
	mustHearNothing(t, target)
	again, also := w.pair()
	say(t, again, "hello")
	mustHear(t, also, "hello")
	w.heal()
	mustEnd(t, target, true, "")
	say(t, again, "still here")
	mustHear(t, also, "still here")
}

func TestHalfOpenConnectionThatIsGivenUpIsForgotten(t *testing.T) {
	w := newWard(t)
	dialler, _ := w.pair()
	w.set(Toxics{Down: Toxic{Flow: HalfOpen}})
	dialler.Close()
	eventually(t, "it is forgotten", func() bool { return len(w.Status().Conns) == 0 })
}

func TestLimitDeliversSoManyBytesThenCloses(t *testing.T) {
	w := newWard(t)
	old, oldTarget := w.pair()
	say(t, old, "before")
	mustHear(t, oldTarget, "before")
	w.set(Toxics{Up: Toxic{Limit: 10}})
	dialler, target := w.pair()
	for _, c := range []*net.TCPConn{old, dialler} {
		say(t, c, "0123456789 and nothing more")
	}
	for _, c := range []*net.TCPConn{oldTarget, target} {
		mustHear(t, c, "0123456789")
		limit(t, c)
		if more, err := io.ReadAll(c); len(more) > 0 {
			t.Errorf("heard %q, %v", more, err)
		}
	}
	eventually(t, "the reason is known", func() bool { return len(w.log.of(Closed)) == 2 })
	for _, e := range w.log.of(Closed) {
		if !errors.Is(e.Err, ErrLimit) {
			t.Errorf("got %v, want %v", e.Err, ErrLimit)
		}
	}
}
