package leaktest_test

import (
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/natsops/natsops/internal/leaktest"
)

func TestGoroutineThatEndsLateIsNoLeak(t *testing.T) {
	before := goleak.IgnoreCurrent()
	late := time.NewTimer(time.Second) // goleak alone has given up by then
	go func() { <-late.C }()
	leaktest.None(t, before)
}

func TestGoroutineThatStaysIsALeak(t *testing.T) {
	before := goleak.IgnoreCurrent()
	stay := make(chan struct{})
	defer close(stay)
	go func() { <-stay }()
	var r recorder
	leaktest.None(&r, before)
	if !r.failed {
		t.Error("it was not found")
	}
}

// A recorder takes down that a test would have failed.
type recorder struct {
	testing.TB
	failed bool
}

func (r *recorder) Helper()      {}
func (r *recorder) Error(...any) { r.failed = true }
