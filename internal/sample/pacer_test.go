package sample

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"
)

func TestPacerMakesUpForWhatWasHeldUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		pace := perSecond(10)
		for n := range 100 {
			if err := pace.wait(t.Context()); err != nil {
				t.Fatal(err)
			}
			if n == 20 {
				time.Sleep(3 * time.Second)
			}
		}
		if got, want := time.Since(began), 99*time.Second/10; got != want {
			t.Errorf("the last of 100 was due at %s, want %s", got, want)
		}
	})
}

func TestPacerEndsWithItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		pace := &pacer{every: time.Hour}
		if err := pace.wait(ctx); err != nil {
			t.Fatalf("the first is due at once, got %v", err)
		}
		began := time.Now()
		if err := pace.wait(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("got %v, want the end of the context", err)
		}
		if got := time.Since(began); got != time.Second {
			t.Errorf("it ended after %s, want 1s", got)
		}
	})
}
