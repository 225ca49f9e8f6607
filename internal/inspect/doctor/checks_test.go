package doctor

import (
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/natsops/natsops/internal/inspect"
)

func (tr trouble) String() string {
	if tr.name == "" {
		return tr.check
	}
	return tr.check + ": " + tr.name
}

func TestChecksFindTheTroubleTheyLookFor(t *testing.T) {
	for _, tr := range troubles() {
		t.Run(tr.String(), func(t *testing.T) {
			w := healthy()
			tr.make(w)
			r := w.examine(tr.check)
			found := slices.ContainsFunc(r.Findings, func(f Finding) bool {
				return f.Severity == tr.severity && strings.Contains(f.Object, tr.object) && strings.Contains(strings.Join(f.Evidence, "\n"), tr.fact)
			})
			if !found {
				t.Errorf("want %s for %q with %q, got %+v", tr.severity, tr.object, tr.fact, r)
			}
		})
	}
}

func TestChecksPassOverWhatOnlyLooksLikeTrouble(t *testing.T) {
	for _, tr := range troubles() {
		if tr.near == nil {
			continue
		}
		t.Run(tr.String(), func(t *testing.T) {
			w := healthy()
			tr.near(w)
			for _, f := range w.examine(tr.check).Findings {
				if f.Severity >= inspect.Warn || f.Severity >= tr.severity && strings.Contains(f.Object, tr.object) {
					t.Errorf("got %+v", f)
				}
			}
		})
	}
}

func TestChecksThatCannotLookAreSkippedWithTheReason(t *testing.T) {
	for _, tr := range troubles() {
		if tr.blind == nil {
			continue
		}
		t.Run(tr.String(), func(t *testing.T) {
			w := healthy()
			tr.blind(w)
			r := w.examine(tr.check)
			if slices.Contains(r.Passed, tr.check) {
				t.Error("it passed")
			}
			if len(r.Skipped) != 1 || !strings.Contains(r.Skipped[0].Why, tr.why) {
				t.Errorf("want it skipped because of %q, got %+v", tr.why, r)
			}
		})
	}
}

func TestEveryCheckHasATroubleThatItFinds(t *testing.T) {
	for _, c := range Checks() {
		if !slices.ContainsFunc(troubles(), func(tr trouble) bool { return tr.check == c.ID }) {
			t.Errorf("nothing makes %s fire", c.ID)
		}
	}
}

func TestChecksAreDescribed(t *testing.T) {
	checks := Checks()
	if len(checks) < 35 {
		t.Errorf("there are only %d checks", len(checks))
	}
	id := regexp.MustCompile(`^[a-z]+\.[a-z]+(-[a-z]+)*$`)
	seen := map[string]bool{}
	for _, c := range checks {
		if !id.MatchString(c.ID) || seen[c.ID] {
			t.Errorf("bad or repeated ID %q", c.ID)
		}
		seen[c.ID] = true
		for what, text := range map[string]string{"Title": c.Title, "Why": c.Why, "Do": c.Do, "Of": c.Of} {
			if strings.TrimSpace(text) == "" {
				t.Errorf("%s has no %s", c.ID, what)
			}
		}
		for _, text := range []string{c.Why, c.Do} {
			if !strings.HasSuffix(text, ".") && !strings.HasSuffix(text, "?") {
				t.Errorf("%s: %q is not a sentence", c.ID, text)
			}
		}
	}
}

// What a check looks at must be asked for, or it is never there.
func TestChecksAskForWhatTheyLookAt(t *testing.T) {
	for _, tr := range troubles() {
		t.Run(tr.String(), func(t *testing.T) {
			w := healthy()
			tr.make(w)
			full := w.examine(tr.check)
			check, err := Select(Checks(), []string{tr.check}, nil)
			if err != nil {
				t.Fatal(err)
			}
			w.snapshots(func(_ int, s *inspect.Snapshot) { strip(s, Needs(check)) })
			if got := w.examine(tr.check); len(got.Findings) != len(full.Findings) || len(got.Skipped) != len(full.Skipped) {
				t.Errorf("want %+v, got %+v", full, got)
			}
		})
	}
}

// strip takes out of a snapshot what was not asked for.
func strip(s *inspect.Snapshot, n inspect.Need) {
	clear := func(wanted bool, f func()) {
		if !wanted {
			f()
		}
	}
	clear(n.Consumers, func() { s.Streams, s.Consumers = nil, nil })
	clear(n.Connections, func() { s.Connections = nil })
	clear(n.Closed, func() { s.Closed = nil })
	clear(n.Accounts, func() { s.Accounts = nil })
	clear(n.Events, func() { s.Events = nil })
	for i := range s.Servers {
		server := &s.Servers[i]
		clear(n.Servers, func() { server.Varz = nil })
		clear(n.Servers || n.Consumers || n.Accounts, func() { server.JetStream = nil })
		clear(n.Links, func() { server.Routes, server.Gateways, server.Leafs = nil, nil, nil })
		clear(n.Interest, func() { server.Subs = nil })
	}
	for i := range s.Connections {
		clear(n.Subscriptions, func() { s.Connections[i].Subs = nil })
	}
}
