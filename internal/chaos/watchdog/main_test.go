//go:build unix

package watchdog

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"syscall"
	"testing"
	"time"

	"github.com/natsops/natsops/internal/chaos/process"
	"github.com/natsops/natsops/internal/leaktest"
)

// The other programs this test binary can be.
const (
	victimCommand = "__watchdog-victim" // ends when stdin does
	parentCommand = "__watchdog-parent" // stops a process, watched, and waits to be killed
	badDogEnv     = "WATCHDOG_BAD"      // makes Command misbehave: "dies", "silent"
)

func TestMain(m *testing.M) {
	if len(os.Args) > 1 {
		switch os.Args[1] {
		case Command:
			os.Exit(dogMain(os.Getenv(badDogEnv)))
		case victimCommand:
			_, _ = io.Copy(io.Discard, os.Stdin)
			os.Exit(0)
		case parentCommand:
			fmt.Fprintln(os.Stderr, parentMain(os.Args[2]))
			os.Exit(1)
		}
	}
	// Children built for the race detector would each wait a second at their end.
	if err := os.Setenv("GORACE", "atexit_sleep_ms=0"); err != nil {
		panic(err)
	}
	leaktest.Main(m)
}

func dogMain(bad string) int {
	switch bad {
	case "dies":
		return 3
	case "silent":
		_, _ = io.Copy(io.Discard, os.Stdin)
		return 0
	}
	if err := Serve(context.Background(), os.Stdin, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}

// parentMain returns only when it fails.
func parentMain(victim string) error {
	pid, err := strconv.Atoi(victim)
	if err != nil {
		return err
	}
	d, err := Start(context.Background())
	if err != nil {
		return err
	}
	if _, err := d.Watch(pid, time.Hour); err != nil {
		return err
	}
	if err := syscall.Kill(pid, syscall.SIGSTOP); err != nil {
		return err
	}
	fmt.Println(d.cmd.Process.Pid)
	select {}
}

// A victim is a process that can be stopped.
type victim struct {
	t     *testing.T
	cmd   *exec.Cmd
	stdin io.Closer
	ended chan error
}

func startVictim(t *testing.T) *victim {
	t.Helper()
	v := &victim{t: t, cmd: exec.Command(os.Args[0], victimCommand), ended: make(chan error, 1)}
	stdin, err := v.cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	v.stdin = stdin
	if err := v.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() { v.ended <- v.cmd.Wait() }()
	t.Cleanup(func() { _ = v.cmd.Process.Kill() })
	return v
}

func (v *victim) pid() int { return v.cmd.Process.Pid }

func (v *victim) stop() {
	v.t.Helper()
	if err := v.cmd.Process.Signal(syscall.SIGSTOP); err != nil {
		v.t.Fatal(err)
	}
}

// mustEnd asks the victim to end, which it cannot while it is stopped.
func (v *victim) mustEnd() {
	v.t.Helper()
	v.stdin.Close()
	select {
	case err := <-v.ended:
		if err != nil {
			v.t.Error(err)
		}
	case <-time.After(2 * time.Minute):
		v.t.Fatal("it is still stopped")
	}
}

func (v *victim) started() string {
	v.t.Helper()
	at, err := process.Started(v.pid())
	if err != nil {
		v.t.Fatal(err)
	}
	return at
}

func mustStart(t *testing.T) *Dog {
	t.Helper()
	d, err := Start(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := d.Close(); err != nil {
			t.Error(err)
		}
	})
	return d
}

// startParent returns a parent that has stopped v, and the pid of its watchdog.
func startParent(t *testing.T, v *victim) (*exec.Cmd, int) {
	t.Helper()
	cmd := exec.Command(os.Args[0], parentCommand, strconv.Itoa(v.pid()))
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	dog, err := strconv.Atoi(line[:len(line)-1])
	if err != nil {
		t.Fatal(err)
	}
	return cmd, dog
}

// eventually polls until ok.
func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	limit := time.After(2 * time.Minute)
	for !ok() {
		select {
		case <-tick.C:
		case <-limit:
			t.Fatalf("it never came true that %s", what)
		}
	}
}

func gone(pid int) bool {
	_, err := process.Started(pid)
	return errors.Is(err, os.ErrProcessDone)
}
