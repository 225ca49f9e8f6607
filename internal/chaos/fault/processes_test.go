package fault

import (
	"context"
	"errors"
	"maps"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/natsops/natsops/internal/chaos/process"
	"github.com/natsops/natsops/internal/lab"
)

// The parts of this test follow each other on one cluster, which is whole
// between them.
func TestServersAreHitAndBroughtBack(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("windows has no signals")
	}
	w := startWired(t)
	w.publish(20)
	for _, part := range []struct {
		name string
		test func(*wired)
	}{
		{"roles are those of the moment", testRoles},
		{"kill", testKill},
		{"freeze", testFreeze},
		{"lame duck", testLameDuck},
		{"power loss", testPowerLoss},
		{"power loss that is healed before", testPowerLossHealedBefore},
		{"power loss of a server that others are behind", testPowerLossInParts},
		{"disk full", testDiskFull},
		{"rolling restart", testRolling},
		{"partition", testPartition},
		{"client link", testClientLink},
	} {
		t.Run(part.name, func(t *testing.T) {
			w := w.on(t)
			part.test(w)
			w.mustBeWhole()
		})
	}
}

func testRoles(w *wired) {
	leader := w.leader()
	for _, c := range []struct {
		victim Victim
		ok     func([]string) bool
	}{
		{Victim{Role: StreamLeader}, func(v []string) bool { return slices.Equal(v, []string{leader}) }},
		{Victim{Role: StreamFollower}, func(v []string) bool { return len(v) == 1 && v[0] != leader }},
		{Victim{Role: MetaLeader}, func(v []string) bool { return slices.Equal(v, []string{w.metaLeader()}) }},
		{Victim{Role: ConsumerLeader}, func(v []string) bool { return slices.Equal(v, []string{w.consumerLeader()}) }},
		{Victim{Role: Minority}, func(v []string) bool { return len(v) == 1 && v[0] != leader }},
		{Victim{Role: AllServers}, func(v []string) bool { return slices.Equal(v, []string{"n1", "n2", "n3"}) }},
		{Victim{Role: AllServers, Max: 2}, func(v []string) bool { return len(v) == 2 }},
		{Victim{Percent: 50}, func(v []string) bool { return len(v) == 2 }},
		{Victim{Role: AnyServer, Tag: "az:n2"}, func(v []string) bool { return slices.Equal(v, []string{"n2"}) }},
		{Victim{Servers: []string{"n3", "n1"}}, func(v []string) bool { return slices.Equal(v, []string{"n1", "n3"}) }},
	} {
		if got := w.aim(Spec{Kind: "kill", Victim: c.victim}); !c.ok(got.Victims) || !slices.Equal(got.Victims, got.Down) {
			w.Errorf("%+v: got %q, down %q; the stream's leader is %s", c.victim, got.Victims, got.Down, leader)
		}
	}
	for _, v := range []Victim{{Servers: []string{"n4"}}, {Tag: "az:n4"}, {Role: StreamLeader, Tag: "az:" + w.follower()}} {
		if _, err := (Spec{Kind: "kill", Victim: v}).Aim(w.patient(), w.site); !errors.Is(err, ErrNoVictim) {
			w.Errorf("%+v: got %v", v, err)
		}
	}
	site := w.site
	site.System = nil
	if _, err := (Spec{Kind: "kill", Victim: Victim{Role: MetaLeader}}).Aim(w.patient(), site); !errors.Is(err, ErrNeeds) {
		w.Errorf("meta leader without the system account: got %v", err)
	}
}

func testKill(w *wired) {
	s := w.aim(Spec{Kind: "kill"})
	victim := w.node(s.Victims[0])
	pid := victim.PID()
	w.inject(s)
	if victim.PID() != 0 {
		w.Errorf("%s lives", victim.Name())
	}
	if err := s.Healed(w.patient()); err == nil {
		w.Error("a server that is down counts as healed")
	}
	if err := s.Inject(w.patient()); err == nil {
		w.Error("injected twice")
	}
	w.mustHeal(s)
	if now := victim.PID(); now == 0 || now == pid {
		w.Errorf("it is process %d after %d", now, pid)
	}
	if err := s.Inject(w.patient()); err == nil {
		w.Error("injected after it was healed")
	}
}

func testFreeze(w *wired) {
	s := w.aim(Spec{Kind: "freeze", Victim: Victim{Role: StreamFollower}})
	victim := w.node(s.Victims[0])
	w.inject(s)
	mustBeStopped(w, victim, true)
	if err := s.Healed(w.patient()); err == nil {
		w.Error("a server that is stopped counts as healed")
	}
	// Another process could undo it.
	done, err := Revert(w.patient(), s.Undo[0], Site{})
	w.must(err)
	mustBeStopped(w, victim, false)
	w.must(victim.Pause())
	w.mustHeal(s)
	mustBeStopped(w, victim, false)
	if want := "continued process"; !strings.HasPrefix(done, want) {
		w.Errorf("got %q, want %q", done, want)
	}
}

func mustBeStopped(w *wired, n *lab.Node, want bool) {
	w.Helper()
	w.eventually("its process is stopped, or not", func() bool {
		got, err := process.Stopped(n.PID())
		w.must(err)
		return got == want
	})
}

func testLameDuck(w *wired) {
	s := w.aim(Spec{Kind: "lame-duck"})
	w.inject(s)
	if w.node(s.Victims[0]).PID() != 0 {
		w.Error("it did not end")
	}
	w.mustHeal(s)
}

func testPowerLoss(w *wired) {
	s := w.aim(Spec{Kind: "power-loss", Victim: Victim{Role: StreamFollower}, Params: map[string]string{"unsynced": "2s"}})
	victim := w.node(s.Victims[0])
	injected := make(chan error, 1)
	go func() { injected <- s.Inject(w.patient()) }()
	for done := false; !done; {
		select {
		case err := <-injected:
			w.must(err)
			done = true
		default:
			_ = w.store(4096) // whether it is stored does not matter
		}
	}
	if victim.PID() != 0 {
		w.Error("it lives")
	}
	saved := copies(w)
	if len(saved) != 1 {
		w.Fatalf("got copies %q", saved)
	}
	now, was := readAll(w.T, victim.StoreDir()), readAll(w.T, saved[0])
	for _, files := range []map[string]string{now, was} {
		maps.DeleteFunc(files, func(name, _ string) bool { return isSynced(name) })
	}
	if !maps.Equal(now, was) {
		w.Errorf("what is not synced is not what it was")
	}
	if lost := s.Counts()["bytes_lost"]; lost <= 0 || len(now) == 0 {
		w.Errorf("%v bytes lost of %d files", lost, len(now))
	}
	w.mustHeal(s)
	if left := copies(w); len(left) > 0 {
		w.Errorf("%q are left", left)
	}
}

func copies(w *wired) []string {
	w.Helper()
	found, err := filepath.Glob(filepath.Join(filepath.Dir(w.cluster.Nodes()[0].StoreDir()), "*-unsynced-*"))
	w.must(err)
	return found
}

func testPowerLossHealedBefore(w *wired) {
	s := w.aim(Spec{Kind: "power-loss", Params: map[string]string{"unsynced": "1h"}})
	victim := w.node(s.Victims[0])
	pid := victim.PID()
	injected := make(chan error, 1)
	go func() { injected <- s.Inject(w.patient()) }()
	w.eventually("it waits", func() bool { return len(copies(w)) == 1 })
	w.mustHeal(s)
	if err := <-injected; !errors.Is(err, context.Canceled) {
		w.Errorf("inject: %v", err)
	}
	if left := copies(w); len(left) > 0 || victim.PID() != pid {
		w.Errorf("%q are left; it is process %d after %d", left, victim.PID(), pid)
	}
}

func testPowerLossInParts(w *wired) {
	s := w.aim(Spec{Kind: "power-loss", Params: map[string]string{"unsynced": "0", "how": "part"}})
	victim := w.node(s.Victims[0])
	w.inject(s)
	if victim.PID() == 0 || len(s.Down) != 3 {
		w.Errorf("it is process %d, down are %q", victim.PID(), s.Down)
	}
	refused := map[string]int{}
	for l, now := range w.site.Links.Links() {
		if now.Toxics.Refuse {
			refused[l.From]++
			refused[l.To]++
		}
	}
	// It is parted from the rest, which is parted from those behind.
	if len(refused) != 3 || refused[victim.Name()] != 2 {
		w.Errorf("links are cut at %v, the victim is %s", refused, victim.Name())
	}
	if err := s.Healed(w.patient()); err == nil {
		w.Error("links that are cut count as healed")
	}
	w.mustHeal(s)
}

func testDiskFull(w *wired) {
	if runtime.GOOS != "linux" {
		w.Skip("prlimit(2) is of Linux")
	}
	s := w.aim(Spec{Kind: "disk-full"})
	victim := w.node(s.Victims[0])
	w.inject(s)
	var health struct{ Error string }
	w.eventually("a write of the victim has failed", func() bool {
		_ = w.store(256)
		return w.ask(victim, "/healthz", &health) && strings.Contains(health.Error, "write error")
	})
	w.mustHeal(s)
}

func testRolling(w *wired) {
	s := w.aim(Spec{Kind: "rolling-restart"})
	before := w.pids()
	w.inject(s)
	after := w.pids()
	for i, pid := range after {
		if pid == 0 || pid == before[i] {
			w.Errorf("the processes were %v and are %v", before, after)
		}
	}
	if len(s.Down) != 3 || s.AtOnce != 1 {
		w.Errorf("down are %q, %d at once", s.Down, s.AtOnce)
	}
	w.mustHeal(s)
	if got := w.pids(); !slices.Equal(got, after) {
		w.Errorf("the processes were %v, and are %v once it is healed", after, got)
	}
}

func testPartition(w *wired) {
	s := w.aim(Spec{Kind: "partition", Victim: Victim{Role: StreamFollower}, Params: map[string]string{"cut": "reset"}})
	victim := w.node(s.Victims[0])
	w.inject(s)
	w.eventually("its routes are gone", func() bool { return len(w.routes(victim)) == 0 })
	others := w.dial(w.node(w.leader()).URL())
	w.eventually("the others write on", func() bool {
		_, err := others.Request("s.x", nil, 2*time.Second)
		return err == nil
	})
	w.mustHeal(s)
	w.eventually("its routes are back", func() bool { return len(w.routes(victim)) == 2 })
}

func testClientLink(w *wired) {
	pinned := w.dial(w.node(w.leader()).URL())
	s := w.aim(Spec{Kind: "client-link", Params: map[string]string{"flow": "freeze"}})
	w.inject(s)
	answer := make(chan error, 1)
	go func() { answer <- pinned.FlushWithContext(w.patient()) }()
	link := w.site.Links.Links
	w.eventually("the connection is held", func() bool {
		for l, now := range link() {
			if l.From == "" && l.To == s.Victims[0] && now.Up.Held() > 0 {
				return true
			}
		}
		return false
	})
	w.mustHeal(s)
	w.must(<-answer)
}
