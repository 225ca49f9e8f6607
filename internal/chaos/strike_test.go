package chaos

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/natsops/natsops/internal/chaos/drill"
	"github.com/natsops/natsops/internal/chaos/fault"
)

// A tape is a journal, and all else that happens, in order.
type tape struct {
	mu    sync.Mutex
	lines []string
	full  bool // nothing can be written
}

func (t *tape) add(line string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.lines = append(t.lines, line)
}

func (t *tape) write(line string) error {
	if t.full {
		return errors.New("no space left on device")
	}
	t.add(line)
	return nil
}

func (t *tape) Undo(n int, _ []fault.Undo) error { return t.write(line("undo", n)) }
func (t *tape) Injected(n int) error             { return t.write(line("injected", n)) }
func (t *tape) Healed(n int) error               { return t.write(line("healed", n)) }

func line(what string, n int) string { return what + " " + string(rune('0'+n)) }

// A fake is a fault whose every step can fail.
type fake struct {
	n      int
	lasts  time.Duration
	inject error
	heals  int // Heal fails so many times first
	left   int // Healed tells of something so many times first
	panics bool
}

func (f *fake) blow(t *tape) *blow {
	return &blow{n: f.n, index: -1, spec: fault.Spec{Kind: "fake", For: f.lasts}, strike: &fault.Strike{
		Victims: []string{"v"},
		Inject: func(context.Context) error {
			t.add(line("inject", f.n))
			if f.panics {
				panic("boom")
			}
			return f.inject
		},
		Heal: func(context.Context) error {
			t.add(line("heal", f.n))
			if f.heals--; f.heals >= 0 {
				return errors.New("not yet")
			}
			return nil
		},
		Healed: func(context.Context) error {
			if f.left--; f.left >= 0 {
				return errors.New("something is left")
			}
			return nil
		},
	}}
}

// A faked run has blows and no system.
func faked(t *tape) *run {
	r := newRun(drill.Drill{}, Env{Journal: t})
	r.watch = &watch{r: r}
	return r
}

// play goes through the blows as a drill does.
func play(ctx context.Context, r *run, blows []*blow) {
	r.phase(PhaseFault)
	defer r.healAll(ctx, blows)
	r.strike(ctx, blows)
}

func TestUndoIsOnDiskBeforeAFaultIsInjected(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var tape tape
		r := faked(&tape)
		play(t.Context(), r, []*blow{(&fake{n: 1, lasts: 5 * time.Second}).blow(&tape), (&fake{n: 2}).blow(&tape)})
		want := []string{
			"undo 1", "inject 1", "injected 1", "undo 2", "inject 2", "injected 2", "heal 2", "healed 2", "heal 1", "healed 1",
		}
		if diff := cmp.Diff(want, tape.lines); diff != "" {
			t.Error(diff)
		}
		if r.result.Verdict != "" {
			t.Errorf("verdict %s: %v", r.result.Verdict, r.result.Why)
		}
		if held := r.result.Faults[0].Healed - r.result.Faults[0].Injected; held != 5*time.Second {
			t.Errorf("held for %s, want 5s", held)
		}
	})
}

func TestNothingIsInjectedWithoutAJournal(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tape := tape{full: true}
		r := faked(&tape)
		play(t.Context(), r, []*blow{(&fake{n: 1}).blow(&tape)})
		if len(tape.lines) > 0 {
			t.Errorf("it went on: %v", tape.lines)
		}
		if r.result.Verdict != Aborted || !strings.Contains(r.result.Why[0], "no space left") {
			t.Errorf("verdict %s: %v", r.result.Verdict, r.result.Why)
		}
	})
}

func TestAFailedInjectionHealsItAndAllBefore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var tape tape
		r := faked(&tape)
		play(t.Context(), r, []*blow{
			(&fake{n: 1, lasts: time.Minute}).blow(&tape),
			(&fake{n: 2, lasts: time.Minute, inject: errors.New("refused")}).blow(&tape),
			(&fake{n: 3, lasts: time.Minute}).blow(&tape),
		})
		for line, want := range map[string]bool{"healed 1": true, "healed 2": true, "inject 3": false, "heal 3": false} {
			if slices.Contains(tape.lines, line) != want {
				t.Errorf("%q: want %t in %v", line, want, tape.lines)
			}
		}
		if r.result.Verdict != Aborted {
			t.Errorf("verdict %s: %v", r.result.Verdict, r.result.Why)
		}
	})
}

func TestAPanicIsHealed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var tape tape
		r := faked(&tape)
		func() {
			defer func() { _ = recover() }()
			play(t.Context(), r, []*blow{(&fake{n: 1, panics: true}).blow(&tape)})
		}()
		if !slices.Contains(tape.lines, "healed 1") {
			t.Errorf("it was left broken: %v", tape.lines)
		}
	})
}

func TestAnInterruptHealsAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var tape tape
		r := faked(&tape)
		ctx, interrupt := context.WithCancel(t.Context())
		time.AfterFunc(3*time.Second, interrupt)
		play(ctx, r, []*blow{(&fake{n: 1, lasts: time.Hour, heals: 2, left: 2}).blow(&tape)})
		if r.result.Verdict != Interrupted || !slices.Contains(tape.lines, "healed 1") {
			t.Errorf("verdict %s: %v", r.result.Verdict, tape.lines)
		}
		if at := r.result.Faults[0].Healed; at < 3*time.Second || at > 10*time.Second {
			t.Errorf("healed at %s", at)
		}
	})
}

func TestAHealIsRepeatedUntilNothingIsLeft(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var tape tape
		r := faked(&tape)
		play(t.Context(), r, []*blow{(&fake{n: 1, heals: 3, left: 3}).blow(&tape)})
		if n := len(slices.DeleteFunc(slices.Clone(tape.lines), func(s string) bool { return s != "heal 1" })); n != 7 {
			t.Errorf("healed %d times, want 3 that fail, 3 that leave something and one that does not: %v", n, tape.lines)
		}
		if r.result.Verdict != "" {
			t.Errorf("verdict %s", r.result.Verdict)
		}
	})
}

func TestAFaultThatCannotBeHealedIsTheWorst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var tape tape
		r := faked(&tape)
		play(t.Context(), r, []*blow{(&fake{n: 1, heals: 1 << 20}).blow(&tape), (&fake{n: 2, lasts: time.Second}).blow(&tape)})
		if r.result.Verdict != HealFailed || slices.Contains(tape.lines, "healed 1") || !slices.Contains(tape.lines, "healed 2") {
			t.Errorf("verdict %s: %v", r.result.Verdict, r.result.Why)
		}
		if r.result.Faults[0].Healed != 0 || r.result.Faults[0].Err == "" {
			t.Errorf("fault 1 is shown as healed: %+v", r.result.Faults[0])
		}
		r.end(Failed, "an expectation")
		if r.result.Verdict != HealFailed {
			t.Errorf("a milder verdict replaced it: %s", r.result.Verdict)
		}
	})
}

func TestTheLimitOfADrillsTimeIsThatOfWhatItSends(t *testing.T) {
	for observe, want := range map[time.Duration]Verdict{time.Second: "", time.Minute: Aborted} {
		synctest.Test(t, func(t *testing.T) {
			r := faked(&tape{})
			r.drill.Observe, r.drill.Limits.MaxTime = observe, 10*time.Second
			ctx := t.Context()
			if err := r.trial(ctx); err != nil {
				t.Fatal(err)
			}
			time.Sleep(time.Hour) // consumers drain, replicas catch up, all is read back
			r.patiently(ctx, time.Minute, func(ctx context.Context) {
				if ctx.Err() != nil {
					t.Error("there is no time left to settle")
				}
			})
			if r.result.Verdict != want {
				t.Errorf("watched for %s: verdict %q, want %q: %v", observe, r.result.Verdict, want, r.result.Why)
			}
		})
	}
}
