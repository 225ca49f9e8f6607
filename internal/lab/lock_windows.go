package lab

import (
	"os"

	"golang.org/x/sys/windows"
)

// lockShared takes one share of the lock on f, until f is closed.
func lockShared(f *os.File) error {
	return lock(f, windows.LOCKFILE_FAIL_IMMEDIATELY)
}

// lockExclusive takes the lock on f, until f is closed, or fails at once when
// anyone has a share.
func lockExclusive(f *os.File) error {
	return lock(f, windows.LOCKFILE_FAIL_IMMEDIATELY|windows.LOCKFILE_EXCLUSIVE_LOCK)
}

// lock locks one byte far past the end of f: a lock on Windows bars others
// from the bytes it covers, and the mark at the start must stay readable.
func lock(f *os.File, flags uint32) error {
	const past = 1 // ×4 GiB
	err := windows.LockFileEx(windows.Handle(f.Fd()), flags, 0, 1, 0, &windows.Overlapped{OffsetHigh: past})
	return os.NewSyscallError("LockFileEx", err)
}
