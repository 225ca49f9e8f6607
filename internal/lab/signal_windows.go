package lab

import (
	"errors"
	"fmt"
	"os"
)

func pause(*os.Process) error {
	return fmt.Errorf("pause a process: %w on windows", errors.ErrUnsupported)
}

func resume(*os.Process) error {
	return fmt.Errorf("resume a process: %w on windows", errors.ErrUnsupported)
}
