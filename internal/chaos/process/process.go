// Package process knows processes of this machine by their pid and the time at
// which they began, so that a pid that was used again is never touched.
package process

import (
	"errors"
	"fmt"
	"os"
)

// Continue lets a process that was stopped (SIGSTOP) go on, if it is the one
// that began at started, see [Started]. It means nothing to a process that
// runs. That there is no such process any more is no error, since nothing of it
// is left to continue: then there is false.
func Continue(pid int, started string) (there bool, err error) {
	// On Linux this is a handle of whatever has the pid now, so that what is
	// compared is what is signalled (pidfd_open).
	p, err := os.FindProcess(pid)
	if err != nil {
		return false, fmt.Errorf("continue process %d: %w", pid, err)
	}
	defer func() { _ = p.Release() }() // never fails
	now, err := Started(pid)
	if err == nil && now == started {
		there, err = true, resume(p)
	}
	if errors.Is(err, os.ErrProcessDone) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("continue process %d: %w", pid, err)
	}
	return there, nil
}
