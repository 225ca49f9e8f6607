package fault

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/natsops/natsops/internal/lab"
)

func TestLeaderThatStepsDownIsFollowedByAnother(t *testing.T) {
	t.Parallel() // an election that fails takes seconds
	c, err := lab.StartCluster(t.Context(), lab.ClusterConfig{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := c.Stop(); err != nil {
			t.Error(err)
		}
	})
	s := siteOf(t, c, c.Nodes()...)
	stream := mustLoad(t, s, 3, 0)
	var w wiretap
	w.on(t, s.App)
	w.on(t, s.System)
	asked := 0 // to step down, so far
	leader := func(what string) (g group) {
		t.Helper()
		eventually(t, what+" has a leader", func() bool {
			d := &stepDown{aim: aim{Site: s, settings: settings{texts: params("what", what)}}}
			if _, err := stream.Info(patient(t)); err != nil {
				return false
			}
			var err error
			g, err = d.group(patient(t))
			return err == nil && g.leader != "" && len(g.others) == 2
		})
		return g
	}
	for _, what := range []string{stepStream, stepConsumer, stepMeta} {
		before := leader(what)
		to := before.others[0]
		spec := Spec{Kind: "step-down", Params: params("what", what, "to", to)}
		strike := mustAim(t, s, spec)
		if got := w.stepDowns(); len(got) != asked {
			t.Errorf("%s: the aim sent to %q", what, got)
		}
		if leader(what).leader != before.leader {
			t.Errorf("%s: the aim moved the leader", what)
		}
		if got := strike.Steps[0].Payload; !strings.Contains(got, to) {
			t.Errorf("%s: no step tells of %s: %v", what, to, strike.Steps)
		}
		mustInject(t, strike)
		mustHeal(t, strike)
		if after := leader(what); after.leader != to {
			t.Errorf("%s: %s leads after %s, want %s", what, after.leader, before.leader, to)
		}
		if got := strike.Counts(); got["step_downs"] < 1 || got["election_ns"] <= 0 {
			t.Errorf("%s: counted %v", what, got)
		}
		if _, err := spec.Aim(patient(t), s); !errors.Is(err, ErrNoVictim) || !strings.Contains(err.Error(), "leads") {
			t.Errorf("%s: stepped down for itself: %v", what, err)
		}
		_, err := Spec{Kind: "step-down", Params: params("what", what, "to", "n9")}.Aim(patient(t), s)
		if !errors.Is(err, ErrNoVictim) || !strings.Contains(err.Error(), `not on server "n9"`) {
			t.Errorf("%s: got %v", what, err)
		}
		any := mustAim(t, s, Spec{Kind: "step-down", Params: params("what", what)})
		mustInject(t, any)
		if after := leader(what); after.leader == to {
			t.Errorf("%s: %s still leads", what, to)
		}
		asked = len(w.stepDowns())
	}
}

// stepDowns are the subjects heard that ask a leader to step down.
func (w *wiretap) stepDowns() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.DeleteFunc(slices.Clone(w.subjects), func(s string) bool { return !strings.Contains(s, ".LEADER.STEPDOWN") })
}

func TestStepDownWithoutEffectIsRefused(t *testing.T) {
	s := newSite(t, lab.Config{})
	for _, what := range []string{stepStream, stepConsumer, stepMeta} {
		_, err := Spec{Kind: "step-down", Params: params("what", what)}.Aim(patient(t), s)
		if !errors.Is(err, ErrNeeds) || !strings.Contains(err.Error(), "on one server only") {
			t.Errorf("%s: got %v", what, err)
		}
	}
}
