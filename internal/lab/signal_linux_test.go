package lab

import (
	"fmt"
	"os"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

// This process inherits the child, which would otherwise be woken anyway, with
// SIGHUP and SIGCONT, as a member of a process group that is orphaned.
func TestStoppedChildEndsAndCleansUpWhenItsParentIsKilled(t *testing.T) {
	if err := unix.Prctl(unix.PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0); err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := unix.Prctl(unix.PR_SET_CHILD_SUBREAPER, 0, 0, 0, 0); err != nil {
			t.Error(err)
		}
	}()
	tmp := isolate(t)
	parent, f := startParent(t, 1)
	if err := syscall.Kill(f[0].PID, syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the child has stopped", func() bool {
		status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", f[0].PID))
		return err == nil && strings.Contains(string(status), "State:\tT")
	})
	kill(parent)
	var status syscall.WaitStatus
	eventually(t, "the child has ended", func() bool {
		pid, err := syscall.Wait4(f[0].PID, &status, syscall.WNOHANG, nil)
		return err == nil && pid == f[0].PID
	})
	if !status.Exited() || status.ExitStatus() != 0 {
		t.Errorf("the child ended with status %#x", status)
	}
	if got := labs(t, tmp); len(got) != 0 {
		t.Errorf("%q is left", got)
	}
}
