//go:build unix && !linux

package lab

import (
	"os"
	"syscall"
)

// pause stops p until resume, in a moment.
func pause(p *os.Process) error { return p.Signal(syscall.SIGSTOP) }

// resume means nothing to a process that runs.
func resume(p *os.Process) error { return p.Signal(syscall.SIGCONT) }
