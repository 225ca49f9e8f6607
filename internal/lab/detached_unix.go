//go:build unix && !linux

package lab

import "syscall"

// detached gives a child its own process group, which the terminal's Ctrl-C
// does not reach. A child that is stopped (SIGSTOP) when its parent dies is
// woken by the system, with SIGHUP and SIGCONT, because its group is then
// orphaned (POSIX, _exit); but only if the process that inherits the child is
// in another session.
func detached() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true}
}
