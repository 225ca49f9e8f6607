package action_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/natsops/natsops/internal/action"
	"github.com/natsops/natsops/internal/hint"
)

// A script records the order in which a door does things, and fails on demand.
type script struct {
	steps   []string
	entries []action.Entry
	fail    map[string]error
	yes     bool
}

func (s *script) step(name string) error {
	s.steps = append(s.steps, name)
	return s.fail[name]
}

func (s *script) Append(e action.Entry) error {
	if err := s.step("audit " + string(e.Phase)); err != nil {
		return err
	}
	s.entries = append(s.entries, e)
	return nil
}

func (s *script) door() action.Door {
	return action.Door{
		Confirm: func(context.Context, action.Action) (bool, error) { return s.yes, s.step("confirm") },
		Audit:   s,
		Now:     func() time.Time { return time.Unix(1, 0).UTC() },
		Who:     "ann", Version: "1.2.3",
		Servers: []string{"nats://bob:secret@n1:4222", "nats://token@n2"},
	}
}

func (s *script) action() action.Action {
	return action.Action{
		Name: "test.poke", Target: "consumer ORDERS/worker", Object: "ORDERS/worker", Impact: []string{"pokes 3"},
		Check: func(context.Context) error { return s.step("check") },
		Do: func(context.Context) (action.Outcome, error) {
			return action.Outcome{Summary: "poked 3", Detail: map[string]int{"poked": 3}}, s.step("do")
		},
	}
}

func TestAnActionIsConfirmedCheckedAndOnRecordBeforeItIsDone(t *testing.T) {
	s := &script{yes: true}
	out, err := s.door().Perform(t.Context(), s.action())
	if err != nil || out.Summary != "poked 3" {
		t.Fatalf("got %+v, %v", out, err)
	}
	if diff := cmp.Diff([]string{"confirm", "check", "audit begin", "do", "audit end"}, s.steps); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	begin, end := s.entries[0], s.entries[1]
	want := action.Entry{
		Time: time.Unix(1, 0).UTC(), ID: begin.ID, Phase: action.PhaseBegin, Who: "ann", Version: "1.2.3",
		Action: "test.poke", Target: "consumer ORDERS/worker", Object: "ORDERS/worker", Impact: []string{"pokes 3"},
		Servers: []string{"nats://n1:4222", "nats://n2"},
	}
	if diff := cmp.Diff(want, begin); diff != "" {
		t.Errorf("begin (-want +got):\n%s", diff)
	}
	want.Phase, want.Outcome, want.Detail = action.PhaseEnd, "poked 3", map[string]int{"poked": 3}
	if diff := cmp.Diff(want, end); diff != "" {
		t.Errorf("end (-want +got):\n%s", diff)
	}
	if begin.ID == "" {
		t.Error("entries without an ID")
	}
}

func TestWhateverGoesWrongBeforehandStopsTheDeed(t *testing.T) {
	down := errors.New("down")
	changed := errors.Join(errors.New("2 messages are gone"), action.ErrChanged)
	for _, c := range []struct {
		name  string
		spoil func(*script, *action.Door, *action.Action)
		is    error
		steps []string
	}{
		{"declined", func(s *script, _ *action.Door, _ *action.Action) { s.yes = false }, action.ErrDeclined, []string{"confirm"}},
		{"nobody answers", func(s *script, _ *action.Door, _ *action.Action) { s.fail["confirm"] = down }, down, []string{"confirm"}},
		{"nobody to ask", func(_ *script, d *action.Door, _ *action.Action) { d.Confirm = nil }, action.ErrDeclined, nil},
		{"read-only", func(_ *script, d *action.Door, _ *action.Action) { d.ReadOnly = true }, action.ErrReadOnly, nil},
		{"read-only dry run", func(_ *script, d *action.Door, _ *action.Action) { d.ReadOnly, d.DryRun = true, true }, action.ErrReadOnly, nil},
		{"changed", func(s *script, _ *action.Door, _ *action.Action) { s.fail["check"] = changed }, action.ErrChanged, []string{"confirm", "check"}},
		{"cannot be read again", func(s *script, _ *action.Door, _ *action.Action) { s.fail["check"] = down }, down, []string{"confirm", "check"}},
		{"not on record", func(s *script, _ *action.Door, _ *action.Action) { s.fail["audit begin"] = down }, action.ErrAudit, []string{"confirm", "check", "audit begin"}},
		{"no log", func(_ *script, d *action.Door, _ *action.Action) { d.Audit = nil }, action.ErrAudit, nil},
		{"nobody does it", func(_ *script, d *action.Door, _ *action.Action) { d.Who = "" }, action.ErrAudit, nil},
		{"no check", func(_ *script, _ *action.Door, a *action.Action) { a.Check = nil }, nil, nil},
		{"nothing to type", func(_ *script, _ *action.Door, a *action.Action) { a.Object = "" }, nil, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := &script{yes: true, fail: map[string]error{}}
			d, a := s.door(), s.action()
			c.spoil(s, &d, &a)
			out, err := d.Perform(t.Context(), a)
			if err == nil || (c.is != nil && !errors.Is(err, c.is)) {
				t.Errorf("got error %v, want %v", err, c.is)
			}
			if out != (action.Outcome{}) {
				t.Errorf("got an outcome %+v", out)
			}
			if diff := cmp.Diff(c.steps, s.steps); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestWhoInterruptsTheQuestionStopsTheDeed(t *testing.T) {
	s := &script{yes: true}
	d := s.door()
	ctx, cancel := context.WithCancel(t.Context())
	d.Confirm = func(context.Context, action.Action) (bool, error) { cancel(); return true, nil }
	if _, err := d.Perform(ctx, s.action()); !errors.Is(err, context.Canceled) || s.steps != nil {
		t.Errorf("got %v after %v", err, s.steps)
	}
}

func TestAFailedDeedIsOnRecordWithWhatWasDone(t *testing.T) {
	s := &script{yes: true, fail: map[string]error{"do": errors.New("no ack")}}
	out, err := s.door().Perform(t.Context(), s.action())
	if err == nil || out.Summary != "poked 3" {
		t.Errorf("got %+v, %v", out, err)
	}
	if end := s.entries[1]; end.Error != "no ack" || end.Outcome != "poked 3" {
		t.Errorf("got %+v", end)
	}
}

func TestAnEndThatIsNotOnRecordDoesNotHideWhatWasDone(t *testing.T) {
	s := &script{yes: true, fail: map[string]error{"audit end": errors.New("disk full")}}
	out, err := s.door().Perform(t.Context(), s.action())
	if !errors.Is(err, action.ErrAudit) || out.Summary != "poked 3" {
		t.Errorf("got %+v, %v", out, err)
	}
	if hint.Of(err) == "" && !strings.Contains(err.Error(), "was done") {
		t.Errorf("%v says not that it was done", err)
	}
}

func TestADryRunDoesAllButAskAndDo(t *testing.T) {
	s := &script{}
	d := s.door()
	d.DryRun, d.Confirm = true, nil
	if out, err := d.Perform(t.Context(), s.action()); err != nil || !strings.Contains(out.Summary, "dry run") {
		t.Errorf("got %+v, %v", out, err)
	}
	if diff := cmp.Diff([]string{"check", "audit dry-run"}, s.steps); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if !s.entries[0].DryRun {
		t.Error("the entry does not say that it was a dry run")
	}
}

func TestOnlyTheNameConfirmsADisruptiveAction(t *testing.T) {
	disruptive := action.Action{Object: "ORDERS/worker"}
	safe := action.Action{Risk: action.Safe, Object: "ORDERS/worker"}
	for _, c := range []struct {
		a     action.Action
		typed string
		want  bool
	}{
		{disruptive, "ORDERS/worker", true},
		{disruptive, " ORDERS/worker\r\n", true},
		{disruptive, "orders/worker", false},
		{disruptive, "y", false},
		{disruptive, "", false},
		{action.Action{}, "", false},
		{safe, "y", true},
		{safe, "YES\n", true},
		{safe, "", false},
		{safe, "ORDERS/worker", false},
	} {
		if got := action.Accepts(c.a, c.typed); got != c.want {
			t.Errorf("%s action, typed %q: got %t", c.a.Risk, c.typed, got)
		}
		if got, err := action.Answered(c.typed)(t.Context(), c.a); got != c.want || err != nil {
			t.Errorf("%s action, answered %q: got %t, %v", c.a.Risk, c.typed, got, err)
		}
	}
	if got := action.Prompt(disruptive); !strings.Contains(got, "ORDERS/worker") {
		t.Errorf("the prompt %q says not what to type", got)
	}
	if got := action.Prompt(safe); !strings.Contains(got, "[y/N]") {
		t.Errorf("got prompt %q", got)
	}
}

func TestWhoIsNeverEmpty(t *testing.T) {
	if action.Who() == "" {
		t.Error("got nobody")
	}
}
