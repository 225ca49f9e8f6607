//go:build unix

package lab

import (
	"context"
	"errors"
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
	c := s.life.(*child)
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
	c := s.life.(*child)
	if err := c.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	<-c.ended
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
	t.Setenv(badChildEnv, "deaf")
	s := mustStart(t, StartChild, Config{})
	c := s.life.(*child)
	c.grace = time.Millisecond
	if err := s.Stop(); err != nil {
		t.Error(err)
	}
	if status, ok := c.cmd.ProcessState.Sys().(syscall.WaitStatus); !ok || status.Signal() != syscall.SIGKILL {
		t.Errorf("the child ended with %v", c.cmd.ProcessState)
	}
	mustBeEmpty(t, tmp)
}

func TestPausedNodeIsSilentAndItsClusterWrites(t *testing.T) {
	tmp := isolate(t)
	c := mustCluster(t, ClusterConfig{Children: true})
	stream := spread(t, c, join(t, c), "before")
	frozen := bystander(t, c, stream)
	if err := frozen.Pause(); err != nil {
		t.Fatal(err)
	}
	select {
	case <-frozen.Exited():
		t.Error("a paused node has ended")
	default:
	}
	if !listens(frozen.URL()) || frozen.PID() == 0 {
		t.Error("a paused node does not listen")
	}
	for _, n := range c.Nodes() {
		if n == frozen {
			continue
		}
		nc, err := dial(n.URL(), c.Credentials())
		if err != nil {
			t.Fatal(err)
		}
		js, err := jetstream.New(nc)
		if err != nil {
			t.Fatal(err)
		}
		write(t, js, "during")
		nc.Close()
	}
	var page any
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if err := frozen.ask(ctx, "/varz", &page); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("a paused node answers %v, error %v", page, err)
	}
	if err := frozen.Resume(); err != nil {
		t.Fatal(err)
	}
	mustBeReady(t, c)

	// Stop does not wait until one that is paused had time enough to end.
	if err := frozen.Pause(); err != nil {
		t.Fatal(err)
	}
	l := frozen.life.(*child)
	l.grace = time.Hour
	if err := c.Stop(); err != nil {
		t.Error(err)
	}
	if !l.cmd.ProcessState.Success() {
		t.Errorf("the paused child ended with %v", l.cmd.ProcessState)
	}
	mustBeEmpty(t, tmp)
}
