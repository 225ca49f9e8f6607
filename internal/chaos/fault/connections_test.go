package fault

import (
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/natsops/natsops/internal/lab"
)

// TestOverlapIsWhatAMessageShows holds overlap against messages: short subjects
// of a small alphabet are all that there can be.
func TestOverlapIsWhatAMessageShows(t *testing.T) {
	var all []string
	for _, a := range []string{"a", "b"} {
		all = append(all, a)
		for _, b := range []string{"a", "b"} {
			all = append(all, a+"."+b)
			for _, c := range []string{"a", "b"} {
				all = append(all, a+"."+b+"."+c, a+"."+b+"."+c+".a", a+"."+b+"."+c+".b")
			}
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		subject := rapid.Custom(func(t *rapid.T) string {
			tokens := rapid.SliceOfN(rapid.SampledFrom([]string{"a", "b", "*"}), 1, 3).Draw(t, "tokens")
			if rapid.Bool().Draw(t, "full") {
				tokens[len(tokens)-1] = ">"
			}
			return strings.Join(tokens, ".")
		})
		x, y := subject.Draw(t, "x"), subject.Draw(t, "y")
		want := false
		for _, m := range all {
			want = want || matches(x, m) && matches(y, m)
		}
		if got := overlap(x, y); got != want {
			t.Errorf("overlap(%s, %s) is %t", x, y, got)
		}
	})
}

// matches tells whether a message with a subject goes to a subscription.
func matches(sub, subject string) bool {
	x, y := strings.Split(sub, "."), strings.Split(subject, ".")
	for i, token := range x {
		if token == ">" {
			return len(y) > i
		}
		if i >= len(y) || token != "*" && token != y[i] {
			return false
		}
	}
	return len(x) == len(y)
}

func TestAllPagesOfConnectionsAreRead(t *testing.T) {
	if testing.Short() {
		t.Skip("opens more than a thousand connections")
	}
	s := newSite(t, lab.Config{})
	strike := mustAim(t, s, Spec{Kind: "connection-storm", Params: params("connections", "1100", "rate", "10k")})
	mustInject(t, strike)
	all, err := s.connections(patient(t), nil)
	if err != nil || len(all) != 1100 {
		t.Errorf("got %d connections, %v", len(all), err)
	}
	mustHeal(t, strike)
}
