package lab

import "syscall"

// detached gives a child its own process group, which the terminal's Ctrl-C
// does not reach, and wakes it when its parent dies: the end of its stdin means
// nothing to a child that is stopped (SIGSTOP), and SIGCONT nothing to one that
// runs.
func detached() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGCONT}
}
