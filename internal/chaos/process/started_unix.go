//go:build unix && !linux

package process

import (
	"os"
	"os/exec"
	"strconv"
	"strings"
)

// Started is when a process began, by the clock, to the second: a text to
// compare. The error is [os.ErrProcessDone] when there is none.
func Started(pid int) (string, error) { return column(pid, "lstart") }

// Stopped tells whether a process is stopped (SIGSTOP). The error is
// [os.ErrProcessDone] when there is none.
func Stopped(pid int) (bool, error) {
	state, err := column(pid, "stat")
	return strings.HasPrefix(state, "T"), err
}

// column is what ps says of a process.
func column(pid int, name string) (string, error) {
	ps := exec.Command("ps", "-o", name+"=", "-p", strconv.Itoa(pid)) //nolint:gosec // a number, and names of ours
	ps.Env = append(ps.Environ(), "LC_ALL=C", "TZ=UTC")
	out, err := ps.Output()
	said := strings.Join(strings.Fields(string(out)), " ")
	if said == "" && (err == nil || ps.ProcessState != nil) {
		return "", os.ErrProcessDone // ps exits with 1 then
	}
	return said, err
}
