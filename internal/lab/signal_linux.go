package lab

import (
	"errors"
	"os"
	"syscall"

	"golang.org/x/sys/unix"
)

// pause stops p, a child, until resume. It returns when all of it has stopped:
// the signal alone leaves threads on other processors time for an answer more.
func pause(p *os.Process) error {
	if err := p.Signal(syscall.SIGSTOP); err != nil {
		return err
	}
	for {
		// WNOWAIT leaves the state of the child to be waited for by others, too.
		err := unix.Waitid(unix.P_PID, p.Pid, nil, unix.WSTOPPED|unix.WNOWAIT, nil)
		switch {
		case errors.Is(err, unix.EINTR):
		case errors.Is(err, unix.ECHILD):
			return os.ErrProcessDone
		default:
			return os.NewSyscallError("waitid", err)
		}
	}
}

// resume means nothing to a process that runs.
func resume(p *os.Process) error { return p.Signal(syscall.SIGCONT) }
