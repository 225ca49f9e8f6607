package process

import (
	"fmt"

	"golang.org/x/sys/unix"
)

// LimitFiles lets no file of a process grow beyond size bytes, and returns what
// the limit was: writes past it fail with EFBIG, wherever the file is. They
// raise SIGXFSZ as well, which a Go program does not notice. It is the soft
// limit of prlimit(2) that changes, so that it can be put back by anyone who
// could set it: the user of the process, or root.
func LimitFiles(pid int, size uint64) (was uint64, err error) {
	var old unix.Rlimit
	if err := unix.Prlimit(pid, unix.RLIMIT_FSIZE, nil, &old); err != nil {
		return 0, fmt.Errorf("read the limit of files of process %d: %w", pid, err)
	}
	limit := unix.Rlimit{Cur: min(size, old.Max), Max: old.Max}
	if err := unix.Prlimit(pid, unix.RLIMIT_FSIZE, &limit, nil); err != nil {
		return 0, fmt.Errorf("limit the files of process %d: %w", pid, err)
	}
	return old.Cur, nil
}
