package hint_test

import (
	"testing"

	"github.com/natsops/natsops/internal/hint"
)

func TestNearestForgivesTypingErrors(t *testing.T) {
	words := []string{"rate", "p99", "p999", "size", "duration", "nodes", "x"}
	for _, c := range []struct{ typed, want string }{
		{"rate", "rate"},
		{"rat", "rate"},
		{"raet", "rate"},
		{"ratte", "rate"},
		{"durtion", "duration"},
		{"dutation", "duration"},
		{"dutatio", "duration"},
		{"uration", "duration"},
		{"urationn", ""},
		{"p9", "p99"},
		{"sizee", "size"},
		{"mate", "rate"},
		{"bite", ""},
		{"kitten", ""},
		{"nope", ""},
		{"sizeup", "size"},
		{"", ""},
		{"y", ""},
	} {
		if got, found := hint.Nearest(c.typed, words); got != c.want || found != (c.want != "") {
			t.Errorf("Nearest(%q) = %q, %v; want %q", c.typed, got, found, c.want)
		}
	}
}
