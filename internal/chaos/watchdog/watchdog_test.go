//go:build unix

package watchdog

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"
)

func TestStoppedProcessGoesOnWhenWhoStoppedItIsKilled(t *testing.T) {
	v := startVictim(t)
	parent, dog := startParent(t, v)
	for _, sig := range []syscall.Signal{syscall.SIGINT, syscall.SIGHUP, syscall.SIGPIPE} {
		if err := syscall.Kill(dog, sig); err != nil {
			t.Fatal(err)
		}
	}
	if err := parent.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	v.mustEnd()
	eventually(t, "the watchdog has ended", func() bool { return gone(dog) })
}

func TestStoppedProcessGoesOnWhenItsTimeIsUp(t *testing.T) {
	d, v := mustStart(t), startVictim(t)
	v.stop() // before it is watched, so that the time cannot be up too soon
	if _, err := d.Watch(v.pid(), time.Hour); err != nil {
		t.Fatal(err)
	}
	if _, err := d.Watch(v.pid(), time.Millisecond); err != nil {
		t.Fatal(err)
	}
	v.mustEnd()
}

func TestClosedWatchdogContinuesWhatItWatchesAndNotWhatWasReleased(t *testing.T) {
	d, watched, released := mustStart(t), startVictim(t), startVictim(t)
	for _, v := range []*victim{watched, released} {
		release, err := d.Watch(v.pid(), time.Hour)
		if err != nil {
			t.Fatal(err)
		}
		v.stop()
		if v == released {
			release()
			release()
		}
	}
	for range 2 {
		if err := d.Close(); err != nil {
			t.Error(err)
		}
	}
	watched.mustEnd()
	released.stdin.Close()
	select {
	case err := <-released.ended:
		t.Errorf("the released process went on, and ended with %v", err)
	case <-time.After(100 * time.Millisecond): // it would have ended by now, but for a busy machine
	}
	if err := released.cmd.Process.Signal(syscall.SIGCONT); err != nil {
		t.Fatal(err)
	}
	released.mustEnd()
	if _, err := d.Watch(os.Getpid(), time.Hour); err == nil {
		t.Error("a closed watchdog watches")
	}
}

func TestProcessThatIsNotTheOneIsNotWatched(t *testing.T) {
	v := startVictim(t)
	var orders, answers bytes.Buffer
	for _, o := range []order{
		{PID: v.pid(), Started: v.started() + "0", After: time.Hour},
		{PID: v.pid(), Started: v.started(), After: time.Hour},
	} {
		if err := json.NewEncoder(&orders).Encode(o); err != nil {
			t.Fatal(err)
		}
	}
	v.stop()
	cmd := exec.Command(os.Args[0], Command)
	cmd.Stdin, cmd.Stdout = &orders, &answers
	if err := cmd.Run(); err != nil {
		t.Error(err)
	}
	want := fmt.Sprintf(`{"pid":%d,"error":%q}`+"\n"+`{"pid":%d}`+"\n", v.pid(), os.ErrProcessDone.Error(), v.pid())
	if answers.String() != want {
		t.Errorf("got %s, want %s", answers.String(), want)
	}
	v.mustEnd()

	d := mustStart(t)
	if _, err := d.Watch(v.pid(), time.Hour); !errors.Is(err, os.ErrProcessDone) {
		t.Errorf("watch of a process that is gone: %v", err)
	}
}

func TestWatchdogThatReadsNonsenseContinuesWhatItHas(t *testing.T) {
	v := startVictim(t)
	v.stop()
	line, err := json.Marshal(order{PID: v.pid(), Started: v.started(), After: time.Hour})
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(os.Args[0], Command)
	cmd.Stdin = strings.NewReader(string(line) + "\nnonsense\n")
	if err := cmd.Run(); err == nil {
		t.Error("nonsense is no error")
	}
	v.mustEnd()
}

func TestProgramThatIsNoWatchdogIsAClearError(t *testing.T) {
	t.Setenv(badDogEnv, "dies")
	if _, err := Start(t.Context()); err == nil || !strings.HasPrefix(err.Error(), "start the watchdog: ") {
		t.Errorf("got %v", err)
	}
}

func TestProgramThatDoesNotServeWatchdogsCannotMultiply(t *testing.T) {
	name, value, _ := strings.Cut(dogEnv, "=")
	t.Setenv(name, value)
	if d, err := Start(t.Context()); err == nil {
		d.Close()
		t.Error("a watchdog started a watchdog")
	}
}
