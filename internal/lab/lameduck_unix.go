//go:build unix

package lab

import (
	"os"
	"os/signal"
	"syscall"
)

// lameDuck asks p, a child, to leave.
func lameDuck(p *os.Process) error { return p.Signal(syscall.SIGUSR2) }

// whenAsked is where this process, a child, hears that it should leave.
func whenAsked() (asked <-chan os.Signal, stop func()) {
	c := make(chan os.Signal, 1)
	signal.Notify(c, syscall.SIGUSR2)
	return c, func() { signal.Stop(c) }
}
