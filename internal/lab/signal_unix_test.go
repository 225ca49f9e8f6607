//go:build unix

package lab

import (
	"os"
	"syscall"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"
)

func TestChildIsOutOfReachOfTheTerminal(t *testing.T) {
	isolate(t)
	s := mustStart(t, StartChild, Config{})
	group, err := syscall.Getpgid(s.PID())
	if err != nil || group == syscall.Getpgrp() {
		t.Errorf("the child is in its parent's process group %d, error %v", group, err)
	}
	c := s.node.(*child)
	for _, sig := range []os.Signal{syscall.SIGINT, syscall.SIGHUP, syscall.SIGPIPE} {
		if err := c.cmd.Process.Signal(sig); err != nil {
			t.Fatal(err)
		}
	}
	store(t, connect(t, s), jetstream.MemoryStorage, "alive")
	if err := s.Stop(); err != nil {
		t.Error(err)
	}
	if !c.cmd.ProcessState.Success() {
		t.Errorf("the child ended with %v", c.cmd.ProcessState)
	}
}

func TestTerminatedChildLeavesTheDataForARestart(t *testing.T) {
	isolate(t)
	s := mustStart(t, StartChild, Config{})
	store(t, connect(t, s), jetstream.FileStorage, "kept")
	c := s.node.(*child)
	if err := c.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	<-c.exited
	if !c.cmd.ProcessState.Success() {
		t.Errorf("the child ended with %v", c.cmd.ProcessState)
	}
	if err := s.Restart(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := stored(t, connect(t, s)); got != "kept" {
		t.Errorf("got %q", got)
	}
}

func TestStopKillsAChildThatCannotEnd(t *testing.T) {
	tmp := isolate(t)
	s := mustStart(t, StartChild, Config{})
	c := s.node.(*child)
	c.grace = time.Millisecond
	if err := c.cmd.Process.Signal(syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	if err := s.Stop(); err != nil {
		t.Error(err)
	}
	if status, ok := c.cmd.ProcessState.Sys().(syscall.WaitStatus); !ok || status.Signal() != syscall.SIGKILL {
		t.Errorf("the child ended with %v", c.cmd.ProcessState)
	}
	mustBeEmpty(t, tmp)
}
