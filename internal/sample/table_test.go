package sample

import (
	"slices"
	"strings"
	"testing"
)

func TestNamesAreUniqueAndLeadSomewhere(t *testing.T) {
	seen := map[string]bool{}
	for _, name := range All() {
		if seen[name] {
			t.Errorf("two samples are called %s", name)
		}
		seen[name] = true
	}
	for _, s := range Scenarios() {
		if !slices.ContainsFunc(feeds(), func(f feed) bool { return f.Name == s.Stream }) {
			t.Errorf("%s: there is no stream %s", s.Name, s.Stream)
		}
		for _, also := range s.with {
			if !seen[also] {
				t.Errorf("%s goes with %s, which does not exist", s.Name, also)
			}
		}
		if s.About == "" || s.Want == "" || len(s.settled) == 0 {
			t.Errorf("%s does not say what it is, wants or waits for", s.Name)
		}
	}
	for _, h := range Habits() {
		if h.About == "" || len(h.clients) == 0 {
			t.Errorf("%s does not say what it is, or does nothing", h.Name)
		}
	}
}

func TestNoTwoConsumersAreTheSame(t *testing.T) {
	seen := map[string]string{}
	for _, s := range Scenarios() {
		at := s.Stream + "/" + s.Consumer
		if seen[at] != "" {
			t.Errorf("%s and %s are both %s", seen[at], s.Name, at)
		}
		seen[at] = s.Name
	}
}

func TestEveryStreamHasAConsumer(t *testing.T) {
	for _, f := range feeds() {
		if !slices.ContainsFunc(Scenarios(), func(s Scenario) bool { return f.Name == s.Stream }) {
			t.Errorf("stream %s has none", f.Name)
		}
	}
}

func TestTheCuratedSetShowsWhatPeopleLookFor(t *testing.T) {
	wants := map[string]bool{}
	for _, s := range Scenarios() {
		if s.Curated {
			wants[s.Want] = true
		}
	}
	for _, want := range []string{"OK", "FALLING_BEHIND", "ACK_STALLED", "REDELIVERY_LOOP", "PAUSED", "NO_CLIENTS"} {
		if !wants[want] {
			t.Errorf("no consumer of the curated set is %s", want)
		}
	}
}

func TestAScenarioBringsWhatItNeeds(t *testing.T) {
	for name, want := range map[string]string{
		"ok":       "ok",
		"captured": "captured triage",
		"triage":   "captured triage",
	} {
		traffic := &Traffic{options: Options{Names: []string{name}}}
		if err := traffic.choose(); err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, s := range traffic.scenarios {
			got = append(got, s.Name)
		}
		if strings.Join(got, " ") != want {
			t.Errorf("%s: got %q, want %q", name, got, want)
		}
	}
}

func TestAScaleNeverTakesSomethingAway(t *testing.T) {
	for _, c := range []struct {
		n     int
		scale float64
		want  int
	}{{0, 2, 0}, {100, 1, 100}, {100, 0.5, 50}, {1, 0.5, 1}, {100, 20, 2000}, {3, 0.1, 1}} {
		if got := scaled(c.n, c.scale); got != c.want {
			t.Errorf("%d scaled by %g is %d, want %d", c.n, c.scale, got, c.want)
		}
	}
}
