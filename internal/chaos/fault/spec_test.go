package fault

import (
	"errors"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/natsops/natsops/internal/hint"
)

func TestKindsAreDescribedAndUsableAsTheyAre(t *testing.T) {
	var names []string
	for _, k := range Kinds() {
		if slices.Contains(names, k.Name) || k.Name == "" || strings.ToLower(k.Name) != k.Name || strings.ContainsAny(k.Name, " _") {
			t.Errorf("%q is no name, or taken", k.Name)
		}
		names = append(names, k.Name)
		for _, text := range []string{k.About, k.Expect} {
			if !strings.HasSuffix(text, ".") || strings.ContainsRune(text, '\n') {
				t.Errorf("%s: %q is no sentence", k.Name, text)
			}
		}
		if !slices.Contains([]Class{Expires, DiesToo, Remains}, k.Class) || k.aim == nil {
			t.Errorf("%s has class %q, or cannot be aimed", k.Name, k.Class)
		}
		if err := (Spec{Kind: k.Name}).Check(); err != nil {
			t.Errorf("as it is: %v", err)
		}
		for _, p := range k.Params {
			if p.About == "" || strings.HasSuffix(p.About, ".") || (p.Unit == Word) != (len(p.Words) > 0) {
				t.Errorf("%s: param %+v", k.Name, p)
			}
		}
	}
}

func TestWhatCannotBeIsRefusedBeforeAnythingIsAsked(t *testing.T) {
	for _, c := range []struct {
		spec Spec
		want string // in the error
		try  string // in the remedy
	}{
		{Spec{Kind: "kik"}, `there is no fault "kik"`, "kick"},
		{Spec{Kind: "earthquake"}, `there is no fault "earthquake"`, "one of kick, client-lame-duck"},
		{Spec{Kind: "kick", Params: params("evry", "1s")}, `has no param "evry"`, "every"},
		{Spec{Kind: "kick", Params: params("rate", "fast")}, `param rate: cannot read "fast"`, ""},
		{Spec{Kind: "kick", Params: params("rate", "0")}, "at least 0.1/s", ""},
		{Spec{Kind: "nak-storm", Params: params("rate", "5001")}, "at most 5k/s", ""},
		{Spec{Kind: "connection-storm", Params: params("connections", "5001")}, "at most 5k", ""},
		{Spec{Kind: "connection-storm", Params: params("connections", "0")}, "at least 1", ""},
		{Spec{Kind: "connection-storm", Params: params("connections", "1.5")}, "not whole", ""},
		{Spec{Kind: "step-down", Params: params("what", "steam")}, `what cannot be "steam"`, "stream"},
		{Spec{Kind: "ack-hold", Params: params("x", "1")}, `has no param "x"`, "it has none"},
		{Spec{Kind: "step-down", For: time.Second}, "over at once", ""},
		{Spec{Kind: "kick", For: time.Second}, "over at once", ""},
		{Spec{Kind: "kick", Params: params("every", "1s")}, "nothing says for how long", "for"},
		{Spec{Kind: "consumer-pause", For: 61 * time.Minute}, "longer than 1h", ""},
		{Spec{Kind: "consumer-pause", For: -1}, "negative", ""},
		{Spec{Kind: "consumer-pause", At: -1}, "negative", ""},
		{Spec{Kind: "consumer-pause", Victim: Victim{Role: StreamLeader}}, "cannot be selected by role", "stream and consumer"},
		{Spec{Kind: "connection-storm", Victim: Victim{Client: "x"}}, "cannot be selected by client", "it has none"},
		{Spec{Kind: "kick", Victim: Victim{Tag: "az:1"}}, "cannot be selected by tag", "client, user"},
		{Spec{Kind: "kick", Victim: Victim{Client: "["}}, `pattern "["`, ""},
		{Spec{Kind: "kick", Victim: Victim{Subject: "a..b"}}, `"a..b" is no subject`, ""},
		{Spec{Kind: "kick", Victim: Victim{Subject: ">.a"}}, `">.a" is no subject`, ""},
		{Spec{Kind: "kick", Victim: Victim{Percent: -1}}, "not between 0 and 100", ""},
		{Spec{Kind: "kick", Victim: Victim{Percent: 101}}, "not between 0 and 100", ""},
		{Spec{Kind: "kick", Victim: Victim{Percent: math.NaN()}}, "not between 0 and 100", ""},
		{Spec{Kind: "kick", Victim: Victim{Max: -1}}, "negative", ""},
		{Spec{Kind: "slow-subscriber", Victim: Victim{Role: "stream-leder"}}, `no role "stream-leder"`, "stream-leader"},
		{Spec{Kind: "slow-subscriber", Victim: Victim{Role: AnyServer, Servers: []string{"n1"}}}, "not both", ""},
	} {
		err := c.spec.Check()
		if !errors.Is(err, ErrSpec) || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%+v\n got %v\nwant %s", c.spec, err, c.want)
		}
		if got := hint.Of(err); !strings.Contains(got, c.try) || (c.try == "") != (got == "") {
			t.Errorf("%+v: try %q, want %q", c.spec, got, c.try)
		}
		if _, err := c.spec.Aim(t.Context(), Site{}); !errors.Is(err, ErrSpec) {
			t.Errorf("%+v is aimed: %v", c.spec, err)
		}
	}
}

func TestWhatCanBeIsNotRefused(t *testing.T) {
	for _, s := range []Spec{
		{Kind: "kick", Params: params("every", "1s"), For: time.Minute, Victim: Victim{Client: "billing-*", Percent: 50, Max: 3, Servers: []string{"n1"}}},
		{Kind: "kick", Victim: Victim{User: "u", Account: "A", Subject: "orders.*.>", CID: 7}},
		{Kind: "consumer-pause", At: time.Second, For: time.Hour, Victim: Victim{Stream: "S", Consumer: "c"}},
		{Kind: "step-down", Params: params("what", "meta", "to", "n2")},
	} {
		if err := s.Check(); err != nil {
			t.Errorf("%+v: %v", s, err)
		}
	}
}

func TestParamsAreReadInBaseUnits(t *testing.T) {
	k := Kind{Name: "k", Params: []Param{
		{Name: "n", Default: "2k", Unit: Count},
		{Name: "d", Default: "1500ms", Unit: Duration},
		{Name: "r", Default: "10/s", Unit: Rate},
		{Name: "b", Default: "4KiB", Unit: Size},
		{Name: "br", Default: "1MiB/s", Unit: ByteRate},
		{Name: "p", Default: "5%", Unit: Ratio},
		{Name: "w", Default: "a", Unit: Word, Words: []string{"a", "b"}},
		{Name: "t", Unit: Text},
	}}
	s, err := k.read(params("w", "b", "t", "any thing", "n", "3"))
	if err != nil {
		t.Fatal(err)
	}
	if s.count("n") != 3 || s.duration("d") != 1500*time.Millisecond || s.number("r") != 10 || s.size("b") != 4096 ||
		s.number("br") != 1<<20 || s.number("p") != 0.05 || s.text("w") != "b" || s.text("t") != "any thing" {
		t.Errorf("got %+v", s)
	}
}

func TestVersionsAreComparedByNumber(t *testing.T) {
	for _, c := range []struct {
		a, b string
		want bool
	}{
		{"2.10.27", "2.11.0", true},
		{"2.9.3", "2.11.0", true},
		{"2.11.0", "2.11.0", false},
		{"2.11.0-RC.1", "2.11.0", false},
		{"v2.15.2", "2.11.0", false},
		{"3.0.0", "2.11.0", false},
		{"", "2.11.0", false},
		{"nightly", "2.11.0", false},
	} {
		if got := older(c.a, c.b); got != c.want {
			t.Errorf("older(%q, %q) is %t", c.a, c.b, got)
		}
	}
}
