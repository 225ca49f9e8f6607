//go:build unix

package process

import (
	"errors"
	"io"
	"os"
	"os/exec"
	"syscall"
	"testing"
	"time"
)

const victimCommand = "__process-victim" // ends when stdin does

func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == victimCommand {
		_, _ = io.Copy(io.Discard, os.Stdin)
		os.Exit(0)
	}
	os.Exit(m.Run())
}

func startVictim(t *testing.T) *exec.Cmd {
	t.Helper()
	cmd := exec.Command(os.Args[0], victimCommand)
	if _, err := cmd.StdinPipe(); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	return cmd
}

// mustBecome waits, since a signal is not yet its effect.
func mustBecome(t *testing.T, pid int, stopped bool) {
	t.Helper()
	limit := time.Now().Add(2 * time.Minute)
	for {
		got, err := Stopped(pid)
		if err != nil {
			t.Fatal(err)
		}
		if got == stopped {
			return
		}
		if time.Now().After(limit) {
			t.Fatalf("stopped is still %t", got)
		}
	}
}

func TestAProcessThatHasEndedAndWasNotWaitedForIsGone(t *testing.T) {
	cmd := startVictim(t)
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	limit := time.Now().Add(2 * time.Minute)
	for {
		started, err := Started(cmd.Process.Pid)
		if errors.Is(err, os.ErrProcessDone) {
			return
		}
		if err != nil || time.Now().After(limit) {
			t.Fatalf("it began at %q, %v", started, err)
		}
	}
}

func TestOnlyTheProcessThatBeganThenIsContinued(t *testing.T) {
	cmd := startVictim(t)
	pid := cmd.Process.Pid
	started, err := Started(pid)
	if err != nil || started == "" {
		t.Fatalf("started %q, error %v", started, err)
	}
	if err := cmd.Process.Signal(syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	mustBecome(t, pid, true)
	if there, err := Continue(pid, started+"0"); err != nil || there {
		t.Errorf("another process: there %t, error %v", there, err)
	}
	mustBecome(t, pid, true)
	if there, err := Continue(pid, started); err != nil || !there {
		t.Errorf("there %t, error %v", there, err)
	}
	mustBecome(t, pid, false)
	again, err := Started(pid)
	if err != nil || again != started {
		t.Errorf("started %q, then %q, error %v", started, again, err)
	}
}

func TestProcessThatIsGoneNeedsNothing(t *testing.T) {
	cmd := startVictim(t)
	pid := cmd.Process.Pid
	started, err := Started(pid)
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait() // killed
	if _, err := Started(pid); !errors.Is(err, os.ErrProcessDone) {
		t.Errorf("started: %v", err)
	}
	if _, err := Stopped(pid); !errors.Is(err, os.ErrProcessDone) {
		t.Errorf("stopped: %v", err)
	}
	if there, err := Continue(pid, started); err != nil || there {
		t.Errorf("there %t, error %v", there, err)
	}
}
