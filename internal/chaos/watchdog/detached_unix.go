//go:build unix

package watchdog

import "syscall"

// detached gives the watchdog a session of its own, which neither Ctrl-C in the
// terminal nor its closing reaches.
func detached() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setsid: true} }
