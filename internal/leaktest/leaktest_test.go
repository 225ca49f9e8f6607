package leaktest

import (
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestGoroutineThatEndsLateIsNoLeak(t *testing.T) {
	before := goleak.IgnoreCurrent()
	late := time.NewTimer(time.Second) // goleak alone has given up by then
	go func() { <-late.C }()
	None(t, before)
}

func TestGoroutineThatStaysIsALeak(t *testing.T) {
	before := goleak.IgnoreCurrent()
	stay := make(chan struct{})
	defer close(stay)
	go func() { <-stay }()
	if find(0, before) == nil {
		t.Error("it was not found")
	}
}
