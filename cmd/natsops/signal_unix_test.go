//go:build unix

package main

import (
	"fmt"
	"syscall"
)

// ownGroup makes a process the leader of a group, as a shell does.
func ownGroup() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setpgid: true} }

// signalGroup sends a signal to a process and its children, as a terminal does.
func signalGroup(leader int, name string) error {
	signals := map[string]syscall.Signal{
		"INT": syscall.SIGINT, "TERM": syscall.SIGTERM, "STOP": syscall.SIGSTOP, "CONT": syscall.SIGCONT,
	}
	signal, known := signals[name]
	if !known {
		return fmt.Errorf("no signal is called %s", name)
	}
	return syscall.Kill(-leader, signal)
}
