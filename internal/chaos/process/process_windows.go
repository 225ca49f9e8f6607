package process

import (
	"errors"
	"fmt"
	"os"
)

// Started is when a process began. It is not known on Windows.
func Started(int) (string, error) {
	return "", fmt.Errorf("read when a process began: %w on windows", errors.ErrUnsupported)
}

// Stopped tells whether a process is stopped. None can be on Windows.
func Stopped(int) (bool, error) { return false, nil }

func resume(*os.Process) error {
	return fmt.Errorf("continue a process: %w on windows", errors.ErrUnsupported)
}
