package process

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"syscall"
)

// The fields of /proc/PID/stat that matter, as proc(5) counts them.
const (
	fieldState   = 3
	fieldStarted = 22
)

// Started is when a process began, in the clock's ticks after the boot: a text to
// compare. The error is [os.ErrProcessDone] when there is none, or it has ended
// and its parent has not yet asked how.
func Started(pid int) (string, error) { return field(pid, fieldStarted) }

// Stopped tells whether a process is stopped (SIGSTOP). The error is
// [os.ErrProcessDone] when there is none.
func Stopped(pid int) (bool, error) {
	state, err := field(pid, fieldState)
	return state == "T", err
}

func field(pid, number int) (string, error) {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if errors.Is(err, os.ErrNotExist) || errors.Is(err, syscall.ESRCH) { // ESRCH: it ended meanwhile
		return "", os.ErrProcessDone
	}
	if err != nil {
		return "", err
	}
	// Field 2 is the command's name in parentheses, which may hold any byte.
	fields := bytes.Fields(stat[bytes.LastIndexByte(stat, ')')+1:])
	if number -= fieldState; number >= len(fields) {
		return "", fmt.Errorf("/proc/%d/stat is too short", pid)
	}
	if state := string(fields[0]); state == "Z" || state == "X" {
		return "", os.ErrProcessDone
	}
	return string(fields[number]), nil
}
