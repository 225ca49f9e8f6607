//go:build unix && !linux

package process

import (
	"os"
	"os/exec"
	"strconv"
	"strings"
)

// Started is when a process began, by the clock, to the second: a text to
// compare. The error is [os.ErrProcessDone] when there is none, or it has ended
// and its parent has not yet asked how.
func Started(pid int) (string, error) { return column(pid, "lstart") }

// Stopped tells whether a process is stopped (SIGSTOP). The error is
// [os.ErrProcessDone] when there is none.
func Stopped(pid int) (bool, error) {
	state, err := column(pid, "stat")
	return strings.HasPrefix(state, "T"), err
}

// column is what ps says of a process.
func column(pid int, name string) (string, error) {
	ps := exec.Command("ps", "-o", "stat=", "-o", name+"=", "-p", strconv.Itoa(pid)) //nolint:gosec // a number, and names of ours
	ps.Env = append(ps.Environ(), "LC_ALL=C", "TZ=UTC")
	out, err := ps.Output()
	fields := strings.Fields(string(out))
	gone := len(fields) < 2 || strings.HasPrefix(fields[0], "Z")
	said := strings.Join(fields[min(1, len(fields)):], " ")
	if gone && (err == nil || ps.ProcessState != nil) {
		return "", os.ErrProcessDone // ps exits with 1 where there is none
	}
	return said, err
}
