//go:build !unix

package main

import (
	"errors"
	"syscall"
)

func ownGroup() *syscall.SysProcAttr { return nil }

// signalGroup fails: a process can be killed here, and nothing else.
func signalGroup(int, string) error { return errors.ErrUnsupported }
