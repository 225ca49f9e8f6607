package watchdog

import "syscall"

// detached gives the watchdog its own process group, which Ctrl-C in the console
// does not reach.
func detached() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{CreationFlags: syscall.CREATE_NEW_PROCESS_GROUP}
}
