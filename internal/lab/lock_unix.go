//go:build unix

package lab

import (
	"os"
	"syscall"
)

// lockShared takes one share of the lock on f, until f is closed.
func lockShared(f *os.File) error {
	return os.NewSyscallError("flock", syscall.Flock(int(f.Fd()), syscall.LOCK_SH|syscall.LOCK_NB))
}

// lockExclusive takes the lock on f, until f is closed, or fails at once when
// anyone has a share.
func lockExclusive(f *os.File) error {
	return os.NewSyscallError("flock", syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB))
}
