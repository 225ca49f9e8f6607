package fault

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/natsops/natsops/internal/lab"
)

// specsOfOneServer are one for each fault of this side that a single server can
// have, small enough for tests.
func specsOfOneServer() []Spec {
	return []Spec{
		{Kind: "kick", Victim: Victim{Client: "guest-*"}},
		{Kind: "kick", Victim: Victim{Client: "guest-*"}, Params: params("every", "1ms"), For: time.Minute},
		{Kind: "client-lame-duck", Victim: Victim{Client: "guest-*"}},
		{Kind: "consumer-pause", For: time.Minute},
		{Kind: "ack-hold"},
		{Kind: "nak-storm"},
		{Kind: "slow-subscriber"},
		{Kind: "connection-storm", Params: params("connections", "30")},
		{Kind: "reconnect-storm", Params: params("connections", "30", "wait", "5ms")},
		{Kind: "publish-flood"},
		{Kind: "publish-flood", Params: params("what", "core")},
		{Kind: "fill"},
	}
}

// newFullSite is one that all of them can be aimed at.
func newFullSite(t *testing.T) Site {
	t.Helper()
	s := newSite(t, lab.Config{})
	if err := s.JS.DeleteStream(patient(t), s.Stream); err != nil {
		t.Fatal(err)
	}
	mustLoad(t, s, 1, 8<<20)
	store(t, s, 3)
	for i := range 3 {
		newGuest(t, s, fmt.Sprintf("guest-%d", i))
	}
	return s
}

// mustBeUntouched tells what is left of a fault.
func mustBeUntouched(t *testing.T, s Site, kind string) {
	t.Helper()
	if n := messages(t, s); n != 3 {
		t.Errorf("%s: %d messages, want the load's 3", kind, n)
	}
	if consumerOf(t, s).Paused {
		t.Errorf("%s: the consumer is paused", kind)
	}
	eventually(t, kind+": only the guests are connected", func() bool {
		all, err := s.connections(patient(t), nil)
		return err == nil && !slices.ContainsFunc(all, func(c connection) bool { return strings.HasPrefix(c.Name, testMark) })
	})
}

// A wiretap hears everything that is sent in an account.
type wiretap struct {
	mu       sync.Mutex
	subjects []string
}

func (w *wiretap) on(t *testing.T, nc *nats.Conn) {
	t.Helper()
	_, err := nc.Subscribe(">", func(m *nats.Msg) {
		w.mu.Lock()
		defer w.mu.Unlock()
		w.subjects = append(w.subjects, m.Subject)
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := nc.Flush(); err != nil {
		t.Fatal(err)
	}
}

// changing are the subjects heard that are no mere questions.
func (w *wiretap) changing() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.DeleteFunc(slices.Clone(w.subjects), func(subject string) bool {
		for _, question := range []string{
			"$JS.API.STREAM.INFO.*", "$JS.API.STREAM.NAMES", "$JS.API.CONSUMER.INFO.*.*", "$JS.API.CONSUMER.NAMES.*",
			"$SYS.REQ.SERVER.PING", "$SYS.REQ.SERVER.*.CONNZ", "$SYS.REQ.SERVER.*.JSZ", "$SYS.REQ.SERVER.PING.JSZ", "_INBOX.>", "_R_.>",
			"$SYS.SERVER.>", "$SYS.ACCOUNT.>", "$JS.EVENT.ADVISORY.API", "$SYS.REQ.USER.INFO", "$SYS._INBOX.>", "$SYS.REQ.ACCOUNT.>", "$JSC.>", "$NRG.>", "_INBOX_.>",
		} {
			if matches(question, subject) {
				return true
			}
		}
		return strings.HasPrefix(subject, testLoad)
	})
}

func TestAimAsksAndChangesNothing(t *testing.T) {
	s := newFullSite(t)
	var w wiretap
	w.on(t, client(t, s, "guest-spy"))
	w.on(t, s.System)
	for _, spec := range specsOfOneServer() {
		strike := mustAim(t, s, spec)
		if len(strike.Victims) == 0 || len(strike.Steps) == 0 {
			t.Errorf("%s: %d victims, %d steps", spec.Kind, len(strike.Victims), len(strike.Steps))
		}
	}
	for _, nc := range []*nats.Conn{s.App, s.System} {
		if err := nc.Flush(); err != nil {
			t.Fatal(err)
		}
	}
	if got := w.changing(); len(got) > 0 {
		t.Errorf("sent to %q", got)
	}
	mustBeUntouched(t, s, "aim")

	// The wiretap would have heard.
	strike := mustAim(t, s, Spec{Kind: "consumer-pause"})
	mustInject(t, strike)
	eventually(t, "the wiretap hears a change", func() bool { return len(w.changing()) > 0 })
}

func TestStepsTellOfEveryVictim(t *testing.T) {
	s := newFullSite(t)
	for _, spec := range specsOfOneServer() {
		strike := mustAim(t, s, spec)
		told := fmt.Sprint(strike.Steps)
		for _, v := range strike.Victims {
			words := strings.FieldsFunc(v, func(r rune) bool { return strings.ContainsRune(" /,\"", r) })
			word := words[len(words)-1]
			switch words[0] {
			case "client": // "client 17 "billing" of n1", whose server is known by its ID
				word = fmt.Sprintf(`{"cid":%s}`, words[1])
			case "all": // servers
				word = testMark
			}
			if !strings.Contains(told, word) {
				t.Errorf("%s: no step tells of %s (%s): %s", spec.Kind, v, word, told)
			}
		}
	}
}

func TestHealWithoutInjectLeavesNothingToInject(t *testing.T) {
	s := newFullSite(t)
	for _, spec := range specsOfOneServer() {
		strike := mustAim(t, s, spec)
		for range 2 {
			if err := strike.Heal(patient(t)); err != nil {
				t.Errorf("%s: %v", spec.Kind, err)
			}
		}
		if err := strike.Healed(patient(t)); err != nil {
			t.Errorf("%s: %v", spec.Kind, err)
		}
		if err := strike.Inject(patient(t)); err == nil {
			t.Errorf("%s: injected after the heal", spec.Kind)
		}
		mustBeUntouched(t, s, spec.Kind)
	}
}

func TestHealEndsAnInjectionThatIsUnderWay(t *testing.T) {
	s := newFullSite(t)
	for _, spec := range specsOfOneServer() {
		strike := mustAim(t, s, spec)
		var wg sync.WaitGroup
		begun := make(chan struct{})
		wg.Go(func() {
			close(begun)
			_ = strike.Inject(patient(t)) // ended or not, what counts is what is left
		})
		<-begun
		for range 2 {
			wg.Go(func() {
				if err := strike.Heal(patient(t)); err != nil {
					t.Errorf("%s: %v", spec.Kind, err)
				}
			})
		}
		wg.Wait()
		mustHeal(t, strike)
		mustBeUntouched(t, s, spec.Kind)
	}
}

func TestHealUndoesWhatACancelledInjectionDid(t *testing.T) {
	s := newFullSite(t)
	for _, spec := range specsOfOneServer() {
		strike := mustAim(t, s, spec)
		ctx, cancel := context.WithCancel(patient(t))
		stop := time.AfterFunc(time.Millisecond, cancel)
		_ = strike.Inject(ctx)
		stop.Stop()
		cancel()
		mustHeal(t, strike)
		mustBeUntouched(t, s, spec.Kind)
	}
}

func TestCourseIsTakenOnce(t *testing.T) {
	var c course
	n := 0
	do := func(context.Context) error {
		n++
		return nil
	}
	if err := c.inject(t.Context(), do); err != nil {
		t.Fatal(err)
	}
	if err := c.inject(t.Context(), do); !errors.Is(err, errInjected) || n != 1 {
		t.Errorf("injected %d times: %v", n, err)
	}
	failed := errors.New("failed")
	for _, want := range []error{failed, nil, nil} {
		if err := c.heal(t.Context(), func(context.Context) error {
			n++
			return want
		}); !errors.Is(err, want) {
			t.Errorf("got %v, want %v", err, want)
		}
	}
	if n != 3 {
		t.Errorf("undone %d times, want once without an error and once with", n-1)
	}
	if err := c.inject(t.Context(), do); !errors.Is(err, errHealed) {
		t.Errorf("injected after the heal: %v", err)
	}
}

func TestHealWaitsForWhatGoesOnAndNoLongerThanItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var c course
		release, told := make(chan struct{}), false
		ctx, cancel := context.WithCancel(t.Context())
		err := c.inject(ctx, func(context.Context) error {
			c.keep(func(ctx context.Context) {
				<-ctx.Done()
				told = true
				<-release
			})
			return nil
		})
		cancel()
		synctest.Wait()
		if told {
			t.Error("what goes on ended with the context of the injection")
		}
		if err != nil {
			t.Fatal(err)
		}
		undone := false
		undo := func(context.Context) error {
			undone = true
			return nil
		}
		short, end := context.WithTimeout(t.Context(), time.Second)
		defer end()
		if err := c.heal(short, undo); !errors.Is(err, context.DeadlineExceeded) || undone {
			t.Errorf("got %v, undone %t", err, undone)
		}
		close(release)
		if err := c.heal(t.Context(), undo); err != nil || !undone {
			t.Errorf("got %v, undone %t", err, undone)
		}
	})
}

func TestServerThatIsTooOldIsNamed(t *testing.T) {
	s := newSite(t, lab.Config{})
	a := aim{Site: s}
	for range 2 {
		err := a.needVersion(patient(t), "99.1.0")
		if !errors.Is(err, ErrNeeds) || !strings.Contains(err.Error(), "it needs nats-server 99.1.0, natsops-lab is 2.") {
			t.Errorf("got %v", err)
		}
		a.System = nil // without it the server of App is known
	}
	if err := a.needVersion(patient(t), "2.11.0"); err != nil {
		t.Error(err)
	}
}
