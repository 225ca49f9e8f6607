// Package leaktest fails tests that leave goroutines behind. It is goleak with
// patience: goleak itself waits less than half a second for goroutines that are
// about to end, which on a machine with too much to do is less than closing a
// connection takes.
package leaktest

import (
	"fmt"
	"os"
	"testing"
	"time"

	"go.uber.org/goleak"
)

// patience bounds the wait for the end of goroutines; only a leak needs it.
const patience = 30 * time.Second

// Main runs the tests and exits. It fails when goroutines are left.
func Main(m *testing.M) { os.Exit(Run(m)) } //nolint:forbidigo // the process is a test

// Run runs the tests and returns the exit code. It is 1 when goroutines are
// left; what failed may well have left something, and is not looked at.
func Run(m interface{ Run() int }) int {
	if code := m.Run(); code != 0 {
		return code
	}
	if err := find(patience); err != nil {
		fmt.Fprintln(os.Stderr, err) //nolint:forbidigo // the process is a test
		return 1
	}
	return 0
}

// None fails the test when goroutines are left that options do not except.
func None(t testing.TB, options ...goleak.Option) {
	t.Helper()
	if err := find(patience, options...); err != nil {
		t.Error(err)
	}
}

func find(limit time.Duration, options ...goleak.Option) error {
	for end := time.Now().Add(limit); ; {
		err := goleak.Find(options...) // which waits a while, too
		if err == nil || time.Now().After(end) {
			return err
		}
	}
}
