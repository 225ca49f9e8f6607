//go:build !linux

package process

import (
	"errors"
	"fmt"
	"runtime"
)

// LimitFiles is for Linux only.
func LimitFiles(int, uint64) (was uint64, err error) {
	return 0, fmt.Errorf("limit the files of a process: %w on %s", errors.ErrUnsupported, runtime.GOOS)
}
