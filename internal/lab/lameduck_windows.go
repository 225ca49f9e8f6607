package lab

import (
	"errors"
	"fmt"
	"os"
)

func lameDuck(*os.Process) error {
	return fmt.Errorf("ask a process to leave: %w on windows", errors.ErrUnsupported)
}

func whenAsked() (asked <-chan os.Signal, stop func()) { return nil, func() {} }
