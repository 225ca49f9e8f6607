package hint_test

import (
	"errors"
	"fmt"
	"testing"

	"github.com/natsops/natsops/internal/hint"
)

func TestOfFindsTheOutermostRemedy(t *testing.T) {
	base := errors.New("refused")
	inner := fmt.Errorf("dial: %w", hint.Wrap(base, "start a server"))
	cases := []struct {
		err  error
		want string
	}{
		{nil, ""},
		{base, ""},
		{inner, "start a server"},
		{hint.Wrap(inner, "natsops lab"), "natsops lab"},
	}
	for _, c := range cases {
		if got := hint.Of(c.err); got != c.want {
			t.Errorf("Of(%v) = %q, want %q", c.err, got, c.want)
		}
	}
	if !errors.Is(hint.Wrap(inner, "x"), base) {
		t.Error("Wrap hides the error it wraps")
	}
}

func TestWrapKeepsNil(t *testing.T) {
	if err := hint.Wrap(nil, "x"); err != nil {
		t.Errorf("Wrap(nil) = %v, want nil", err)
	}
}
