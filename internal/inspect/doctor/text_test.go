package doctor

import (
	"testing"

	"github.com/natsops/natsops/internal/inspect"
)

func TestConnectionsAreNamedByWhatIsKnownOfThem(t *testing.T) {
	for _, tt := range []struct {
		c    inspect.Connection
		want string
	}{
		{inspect.Connection{CID: 1, Server: "n1", Name: "a\nb", User: "u", IP: "::1"}, `connection 1 "a\nb" of server n1`},
		{inspect.Connection{CID: 1, Server: "n1", User: "u", IP: "::1"}, `connection 1 of user "u" of server n1`},
		{inspect.Connection{CID: 1, IP: "::1"}, "connection 1 from ::1"},
	} {
		if got := connectionName(&tt.c); got != tt.want {
			t.Errorf("want %s, got %s", tt.want, got)
		}
	}
}

func TestVersionsAreCompared(t *testing.T) {
	for _, tt := range []struct {
		a, b string
		want bool
	}{
		{"2.9.1", "2.10.0", true},
		{"2.10.0", "2.9.1", false},
		{"2.12", "2.12.0", false},
		{"v2.11.9", "2.12", true},
		{"2.12.0-RC.1", "2.12.0", false},
		{"", "2.12", false},
		{"2.12", "", false},
		{"dev", "2.12", false},
		{"2.x.1", "2.12", false},
		{"2", "2.12", false},
		{"2.1.0.1", "2.12", false},
		{"2.11.1+build", "2.11.2", true},
	} {
		if got := older(tt.a, tt.b); got != tt.want {
			t.Errorf("older(%q, %q): want %t, got %t", tt.a, tt.b, tt.want, got)
		}
	}
}

func TestSubjectsOverlap(t *testing.T) {
	for _, tt := range []struct {
		a, b string
		want bool
	}{
		{"a.b", "a.b", true},
		{"a.b", "a.c", false},
		{"a.*", "*.b", true},
		{"a.>", "a", false},
		{"a.>", "a.b.c", true},
		{">", "a", true},
		{"a.*", "a.b.c", false},
		{"a.*.c", "a.>", true},
		{"a.*.c", "*.b.d", false},
		{"a", "a.b", false},
	} {
		if overlap(tt.a, tt.b) != tt.want || overlap(tt.b, tt.a) != tt.want {
			t.Errorf("%q and %q: want %t", tt.a, tt.b, tt.want)
		}
	}
}
