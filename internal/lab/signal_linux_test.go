package lab

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

// stopped tells whether the process is stopped by a signal, all of it.
func stopped(t *testing.T, pid int) bool {
	t.Helper()
	tasks, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/status", pid))
	if err != nil || len(tasks) == 0 {
		t.Fatalf("the threads of %d: %v, %v", pid, tasks, err)
	}
	for _, task := range tasks {
		if status, err := os.ReadFile(task); err != nil || !strings.Contains(string(status), "State:\tT") {
			return false
		}
	}
	return true
}

func TestPausedProcessHasStoppedWhenPauseReturns(t *testing.T) {
	isolate(t)
	s := mustStart(t, StartChild, Config{})
	for range 100 {
		for range 2 {
			if err := s.Pause(); err != nil {
				t.Fatal(err)
			}
			if !stopped(t, s.PID()) {
				t.Fatal("it runs")
			}
		}
		if err := s.Resume(); err != nil {
			t.Fatal(err)
		}
	}
	killPID(t, s.PID())
	if err := s.Pause(); !errors.Is(err, os.ErrProcessDone) {
		t.Errorf("pause of a process that is gone: %v", err)
	}
}

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
	eventually(t, "the child has stopped", func() bool { return stopped(t, f[0].PID) })
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
