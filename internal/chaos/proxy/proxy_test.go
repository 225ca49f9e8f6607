package proxy

import (
	"errors"
	"io"
	"net"
	"syscall"
	"testing"
)

func TestIdleProxyPassesBytesAndEnds(t *testing.T) {
	w := newWard(t)
	dialler, target := w.pair()
	say(t, dialler, "hello")
	mustHear(t, target, "hello")
	say(t, target, "INFO")
	mustHear(t, dialler, "INFO")
	if err := dialler.CloseWrite(); err != nil {
		t.Fatal(err)
	}
	mustEnd(t, target, false, "")
	say(t, target, "last words") // it is half closed only
	target.Close()
	mustEnd(t, dialler, false, "last words")
	eventually(t, "the connection is over", func() bool { return len(w.log.of(Closed)) == 1 })

	s := w.Status()
	if s.Opened != 1 || len(s.Conns) != 0 || !s.Listening {
		t.Errorf("got %+v", s)
	}
	if want := (Traffic{Read: 5, Written: 5}); s.Up != want {
		t.Errorf("up: got %+v, want %+v", s.Up, want)
	}
	if want := (Traffic{Read: 14, Written: 14}); s.Down != want {
		t.Errorf("down: got %+v, want %+v", s.Down, want)
	}
	over := w.log.of(Closed)[0]
	if !errors.Is(over.Err, io.EOF) || over.Conn.Via == "" || over.Conn.From != dialler.LocalAddr().String() || over.Proxy != "a→b" {
		t.Errorf("got %+v", over)
	}
}

func TestWritingToWhoIsGoneEndsInAReset(t *testing.T) {
	w := newWard(t)
	dialler, target := w.pair()
	target.Close()
	mustEnd(t, dialler, false, "")
	eventually(t, "the dialler may not write any more", func() bool {
		_, err := io.WriteString(dialler, "is anybody there?")
		return err != nil
	})
}

func TestResetReachesTheOtherSideAsOne(t *testing.T) {
	w := newWard(t)
	dialler, target := w.pair()
	if err := dialler.SetLinger(0); err != nil {
		t.Fatal(err)
	}
	dialler.Close()
	mustEnd(t, target, true, "")
}

func TestRefusedConnectionIsRefusedByTheSystem(t *testing.T) {
	w := newWard(t)
	dialler, target := w.pair()
	for range 3 {
		w.set(Toxics{Refuse: true})
		if c, err := net.Dial("tcp", w.Addr()); !errors.Is(err, syscall.ECONNREFUSED) {
			t.Errorf("got %v, %v; want %v", c, err, syscall.ECONNREFUSED)
		}
		if w.Status().Listening {
			t.Error("the proxy says that it listens")
		}
		if other, err := Listen(Config{Target: "127.0.0.1:1", Addr: w.Addr()}); err == nil {
			other.Close()
			t.Error("another proxy took the port")
		}
		say(t, dialler, "as ever")
		mustHear(t, target, "as ever")
		w.heal()
		w.pair()
	}
}

func TestHealThatCannotListenSaysSoAndCanBeRepeated(t *testing.T) {
	t.Parallel() // most of the time is a wait for the port
	w := newWard(t)
	dialler, target := w.pair()
	w.set(Toxics{Refuse: true, Up: Toxic{Flow: Freeze}})
	say(t, dialler, "held")
	thief, err := net.Listen("tcp4", w.Addr())
	if err != nil {
		t.Fatal(err)
	}
	if err := w.Heal(); err == nil || w.Status().Listening {
		t.Errorf("healed around a thief: %v", err)
	}
	mustHear(t, target, "held") // the rest is healed
	thief.Close()
	w.heal()
	w.dial().Close()
}

func TestResetStrikesAllOpenConnectionsAndNoNewOne(t *testing.T) {
	w := newWard(t)
	a, b := w.pair()
	w.set(Toxics{Up: Toxic{Flow: Freeze}})
	held := w.dial()
	eventually(t, "it is accepted", func() bool { return w.Status().Opened == 2 })
	if n := w.Reset(); n != 2 {
		t.Errorf("reset %d connections, want 2", n)
	}
	for _, c := range []net.Conn{a, b, held} {
		mustEnd(t, c, true, "")
	}
	w.heal()
	c, d := w.pair()
	say(t, c, "hello")
	mustHear(t, d, "hello")
}

func TestTargetThatIsDownResetsWhoDials(t *testing.T) {
	w := newWard(t)
	w.target.Close()
	if c, err := net.Dial("tcp", w.Addr()); err == nil { // or the reset came at once
		defer c.Close()
		mustEnd(t, c, true, "")
	}
	eventually(t, "the reason is known", func() bool { return len(w.log.of(Closed)) == 1 })
	if err := w.log.of(Closed)[0].Err; !errors.Is(err, syscall.ECONNREFUSED) {
		t.Errorf("got %v, want %v", err, syscall.ECONNREFUSED)
	}
}

func TestToxicsThatMakeNoSenseChangeNothing(t *testing.T) {
	w := newWard(t)
	for _, toxics := range []Toxics{
		{Up: Toxic{Flow: "thaw"}},
		{Down: Toxic{Latency: -1}},
		{Down: Toxic{Rate: -1}},
		{Up: Toxic{Limit: -1}},
	} {
		if err := w.Set(toxics); err == nil {
			t.Errorf("accepted %+v", toxics)
		}
	}
	if got := w.Status().Toxics; got != (Toxics{}) || len(w.log.of(Changed)) > 0 {
		t.Errorf("got %+v", got)
	}
}

func TestClosedProxyIsHealedButCannotBeSet(t *testing.T) {
	w := newWard(t)
	dialler, target := w.pair()
	for range 2 {
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
	}
	mustEnd(t, dialler, true, "")
	mustEnd(t, target, true, "")
	if err := w.Set(Toxics{}); !errors.Is(err, ErrClosed) {
		t.Errorf("Set: got %v, want %v", err, ErrClosed)
	}
	if err := w.Heal(); err != nil {
		t.Errorf("Heal: %v", err)
	}
	if _, err := net.Dial("tcp", w.Addr()); !errors.Is(err, syscall.ECONNREFUSED) {
		t.Errorf("got %v, want %v", err, syscall.ECONNREFUSED)
	}
}
