package fault

import (
	"cmp"
	"context"
	"errors"
	"os"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// A puppet is a node without a process.
type puppet struct {
	name  string
	store string

	mu     sync.Mutex
	down   bool
	exited chan struct{}
	did    []string
	fails  map[string]error // once each
	hangs  bool             // as a lame duck, for ever
	pid    int              // 0: that of the test
}

func newPuppet(name string) *puppet {
	return &puppet{name: name, exited: make(chan struct{}), fails: map[string]error{}}
}

// do does what, unless it is to fail.
func (p *puppet) do(what string, down bool) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.did = append(p.did, what)
	if err := p.fails[what]; err != nil {
		delete(p.fails, what)
		return err
	}
	if down && !p.down {
		close(p.exited)
	}
	if !down {
		p.exited = make(chan struct{})
	}
	p.down = down
	return nil
}

func (p *puppet) story() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return strings.Join(p.did, " ")
}

func (p *puppet) Name() string     { return p.name }
func (p *puppet) StoreDir() string { return p.store }
func (p *puppet) Pause() error     { return p.do("pause", false) }
func (p *puppet) Resume() error    { return p.do("resume", false) }
func (p *puppet) Kill() error      { return p.do("kill", true) }
func (p *puppet) Stop() error      { return p.do("stop", true) }
func (p *puppet) LameDuck() error  { return p.do("lame-duck", !p.hangs) }

func (p *puppet) Restart(context.Context) error { return p.do("restart", false) }

func (p *puppet) PID() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.down {
		return 0
	}
	return cmp.Or(p.pid, os.Getpid()) // which is not stopped
}

func (p *puppet) Exited() <-chan struct{} {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.exited
}

// stage is a site of puppets n1, n2, n3.
func stage(names ...string) (Site, []*puppet) {
	var s Site
	var all []*puppet
	for _, name := range names {
		p := newPuppet(name)
		all = append(all, p)
		s.Nodes = append(s.Nodes, p)
		s.Servers = append(s.Servers, Server{Name: name})
	}
	s.Watch = func(int, time.Duration) (func(), error) { return func() {}, nil }
	return s, all
}

// mustAimAt aims without asking any server, so that needVersion has no say.
func mustAimAt(t *testing.T, s Site, spec Spec) *Strike {
	t.Helper()
	k, err := Lookup(spec.Kind)
	if err != nil {
		t.Fatal(err)
	}
	a := aim{Spec: spec, Site: s}
	if a.settings, err = k.read(spec.Params); err != nil {
		t.Fatal(err)
	}
	strike, err := k.aim(t.Context(), a)
	if err != nil {
		t.Fatal(err)
	}
	return strike
}

func all() Victim { return Victim{Role: AllServers} }

func mustHealNow(t *testing.T, s *Strike) {
	t.Helper()
	for range 2 {
		if err := s.Heal(t.Context()); err != nil {
			t.Fatal(err)
		}
		if err := s.Healed(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
}

func skipWhereThereAreNoSignals(t *testing.T) {
	t.Helper()
	if runtime.GOOS == "windows" {
		t.Skip("windows has no signals")
	}
}

func TestEachKindDoesToServersWhatItSaysAndUndoesIt(t *testing.T) {
	skipWhereThereAreNoSignals(t)
	for kind, want := range map[string]string{
		"kill":      "kill restart",
		"stop":      "stop restart",
		"restart":   "stop restart",
		"lame-duck": "lame-duck restart",
		"freeze":    "pause resume",
	} {
		site, nodes := stage("n1", "n2")
		s := mustAimAt(t, site, Spec{Kind: kind, Victim: all()})
		if err := s.Inject(t.Context()); err != nil {
			t.Fatal(err)
		}
		mustHealNow(t, s)
		for _, n := range nodes {
			if got := n.story(); got != want {
				t.Errorf("%s: %s got %q, want %q", kind, n.name, got, want)
			}
		}
		if len(s.Victims) != 2 || len(s.Down) != 2 || len(s.Steps) < 4 {
			t.Errorf("%s: victims %q, down %q, steps %+v", kind, s.Victims, s.Down, s.Steps)
		}
	}
}

func TestHealAfterAFailedInjectUndoesWhatWasDone(t *testing.T) {
	skipWhereThereAreNoSignals(t)
	site, nodes := stage("n1", "n2")
	broken := errors.New("broken")
	nodes[1].fails["kill"] = broken
	s := mustAimAt(t, site, Spec{Kind: "kill", Victim: all()})
	if err := s.Inject(t.Context()); !errors.Is(err, broken) || !strings.Contains(err.Error(), "n2") {
		t.Errorf("inject: %v", err)
	}
	mustHealNow(t, s)
	if got := nodes[0].story() + ", " + nodes[1].story(); got != "kill restart, kill" {
		t.Errorf("got %q", got)
	}
}

func TestHealThatFailedIsRepeatedForWhatIsLeft(t *testing.T) {
	skipWhereThereAreNoSignals(t)
	site, nodes := stage("n1", "n2")
	s := mustAimAt(t, site, Spec{Kind: "freeze", Victim: all()})
	if err := s.Inject(t.Context()); err != nil {
		t.Fatal(err)
	}
	broken := errors.New("broken")
	nodes[1].fails["resume"] = broken
	if err := s.Heal(t.Context()); !errors.Is(err, broken) {
		t.Errorf("heal: %v", err)
	}
	if err := s.Healed(t.Context()); err == nil || !strings.Contains(err.Error(), "n2") || strings.Contains(err.Error(), "n1") {
		t.Errorf("healed: %v", err)
	}
	mustHealNow(t, s)
	if got := nodes[0].story() + ", " + nodes[1].story(); got != "pause resume, pause resume resume" {
		t.Errorf("got %q", got)
	}
}

func TestCrashIsCountedAndTheServerStarted(t *testing.T) {
	skipWhereThereAreNoSignals(t)
	site, nodes := stage("n1")
	s := mustAimAt(t, site, Spec{Kind: "kill", Victim: all()})
	if err := s.Inject(t.Context()); err != nil {
		t.Fatal(err)
	}
	nodes[0].fails["restart"] = errors.New("the lab server died")
	mustHealNow(t, s)
	if got := s.Counts(); got["crashed"] != 1 || got["restarted"] != 1 {
		t.Errorf("got %v", got)
	}
}

func TestHealEndsAnInjectThatWaits(t *testing.T) {
	skipWhereThereAreNoSignals(t)
	site, nodes := stage("n1")
	nodes[0].hangs = true
	s := mustAimAt(t, site, Spec{Kind: "lame-duck", Victim: all()})
	injected := make(chan error)
	go func() { injected <- s.Inject(t.Context()) }()
	for nodes[0].story() == "" {
		runtime.Gosched()
	}
	healed := make(chan error)
	go func() { healed <- s.Heal(t.Context()) }()
	if err := <-injected; !errors.Is(err, context.Canceled) {
		t.Errorf("inject: %v", err)
	}
	if err := <-healed; err != nil {
		t.Errorf("heal: %v", err)
	}
	mustHealNow(t, s)
	if got := nodes[0].story(); got != "lame-duck restart" {
		t.Errorf("got %q", got)
	}
}

func TestHealBeforeInjectLeavesNothingToInject(t *testing.T) {
	skipWhereThereAreNoSignals(t)
	site, nodes := stage("n1")
	s := mustAimAt(t, site, Spec{Kind: "kill", Victim: all()})
	mustHealNow(t, s)
	if err := s.Inject(t.Context()); err == nil {
		t.Error("injected after it was healed")
	}
	if got := nodes[0].story(); got != "" {
		t.Errorf("got %q", got)
	}
}

func TestProcessesOfOthersAndThoseThatAreDownAreNotHit(t *testing.T) {
	site, nodes := stage("n1", "n2")
	site.Nodes = site.Nodes[:1]
	a := aim{Site: site, Spec: Spec{Victim: Victim{Servers: []string{"n2"}}}}
	if _, err := a.raid(t.Context(), AnyServer); !errors.Is(err, ErrNeeds) {
		t.Errorf("a process of others: %v", err)
	}
	if err := nodes[0].Stop(); err != nil {
		t.Fatal(err)
	}
	a.Victim.Servers = []string{"n1"}
	if _, err := a.raid(t.Context(), AnyServer); !errors.Is(err, ErrNoVictim) {
		t.Errorf("a server that is down: %v", err)
	}
}

func TestNoProcessIsStoppedThatNobodyWouldContinue(t *testing.T) {
	skipWhereThereAreNoSignals(t)
	site, nodes := stage("n1")
	refused := errors.New("no watchdog")
	site.Watch = func(int, time.Duration) (func(), error) { return nil, refused }
	s := mustAimAt(t, site, Spec{Kind: "freeze", Victim: all()})
	if err := s.Inject(t.Context()); !errors.Is(err, refused) {
		t.Errorf("inject: %v", err)
	}
	mustHealNow(t, s)
	if got := nodes[0].story(); strings.Contains(got, "pause") {
		t.Errorf("got %q", got)
	}
	site.Watch = nil
	if _, err := aimFreeze(t.Context(), aim{Site: site, Spec: Spec{Victim: all()}}); !errors.Is(err, ErrNeeds) {
		t.Errorf("aim: %v", err)
	}
}

func TestOnlyTheProcessThatTheUndoIsAboutIsStopped(t *testing.T) {
	skipWhereThereAreNoSignals(t)
	site, nodes := stage("n1")
	s := mustAimAt(t, site, Spec{Kind: "freeze", Victim: all()})
	nodes[0].pid = os.Getppid() // it was restarted meanwhile
	if err := s.Inject(t.Context()); err == nil {
		t.Error("another process was stopped")
	}
	mustHealNow(t, s)
	if got := nodes[0].story(); got != "" {
		t.Errorf("got %q", got)
	}
	if u := s.Undo[0]; u.Kind != UndoStop || u.PID != os.Getpid() || u.Started == "" || u.Server != "n1" {
		t.Errorf("got %+v", u)
	}
}

func TestSeedRepeatsTheChoiceOfServers(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		names := rapid.SliceOfNDistinct(rapid.StringMatching("n[0-9]{1,2}"), 1, 9, rapid.ID[string]).Draw(t, "servers")
		site, _ := stage(names...)
		v := Victim{
			Role:    rapid.SampledFrom([]string{AnyServer, AllServers}).Draw(t, "role"),
			Percent: rapid.Float64Range(0, 100).Draw(t, "percent"),
			Max:     rapid.IntRange(0, 9).Draw(t, "max"),
		}
		seed := rapid.Uint64().Draw(t, "seed")
		var got [2][]string
		for i := range got {
			var err error
			a := aim{Site: site, Spec: Spec{Victim: v}}
			if got[i], err = a.servers(context.Background(), StreamLeader, seeded(seed)); err != nil {
				t.Fatal(err)
			}
		}
		if !slices.Equal(got[0], got[1]) || !slices.IsSorted(got[0]) {
			t.Errorf("got %q, then %q", got[0], got[1])
		}
		if n := len(got[0]); n == 0 || v.Max > 0 && n > v.Max || n > len(names) || v.Role == AnyServer && n != 1 {
			t.Errorf("%+v of %q: got %q", v, names, got[0])
		}
	})
}
