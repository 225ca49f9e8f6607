package journal

import (
	"errors"
	"os"

	"golang.org/x/sys/windows"
)

// tryLock takes the lock on f, until f is closed, unless somebody has it. It
// locks one byte far past the end of f: a lock on Windows bars others from the
// bytes it covers, and who holds it must stay readable.
func tryLock(f *os.File) (taken bool, err error) {
	const past = 1 // ×4 GiB
	flags := uint32(windows.LOCKFILE_FAIL_IMMEDIATELY | windows.LOCKFILE_EXCLUSIVE_LOCK)
	err = windows.LockFileEx(windows.Handle(f.Fd()), flags, 0, 1, 0, &windows.Overlapped{OffsetHigh: past})
	if errors.Is(err, windows.ERROR_LOCK_VIOLATION) || errors.Is(err, windows.ERROR_IO_PENDING) {
		return true, nil
	}
	return false, os.NewSyscallError("LockFileEx", err)
}

// unlock leaves it to the end of f: no child has a copy.
func unlock(*os.File) {}
