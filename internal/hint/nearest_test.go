package hint_test

import (
	"testing"

	"github.com/natsops/natsops/internal/hint"
)

func TestNearestForgivesTypingErrors(t *testing.T) {
	words := []string{"rate", "p99", "p999", "size", "duration", "x"}
	for _, c := range []struct{ typed, want string }{
		{"rate", "rate"},
		{"rat", "rate"},
		{"raet", "rate"},
		{"ratte", "rate"},
		{"durtion", "duration"},
		{"p9", "p99"},
		{"sizee", "size"},
		{"mate", "rate"},
		{"bite", ""},
		{"kitten", ""},
		{"", ""},
		{"y", ""},
	} {
		if got, found := hint.Nearest(c.typed, words); got != c.want || found != (c.want != "") {
			t.Errorf("Nearest(%q) = %q, %v; want %q", c.typed, got, found, c.want)
		}
	}
}
