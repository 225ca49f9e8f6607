package lab

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"
)

func TestClusterWritesWithoutAKilledNodeAndTakesItBack(t *testing.T) {
	t.Parallel() // most of the time is a wait for elections
	c := mustCluster(t, ClusterConfig{Children: true})
	stream := spread(t, c, join(t, c), "before")
	victim := bystander(t, c, stream)
	exited, pid := victim.Exited(), victim.PID()
	if err := victim.Kill(); err != nil {
		t.Fatal(err)
	}
	<-exited
	if victim.PID() != 0 || listens(victim.URL()) {
		t.Errorf("%s lives, as process %d", victim.Name(), victim.PID())
	}
	if err := victim.Kill(); err == nil {
		t.Error("killed twice")
	}
	write(t, join(t, c), "during")
	eventually(t, "the wait for the cluster names "+victim.Name(), func() bool {
		ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond) // less than it may take until anything is known
		defer cancel()
		err := c.Ready(ctx)
		if !errors.Is(err, context.DeadlineExceeded) {
			t.Fatalf("ready: got %v, want %v", err, context.DeadlineExceeded)
		}
		return strings.Contains(err.Error(), victim.Name())
	})
	if err := victim.Restart(t.Context()); err != nil {
		t.Fatal(err)
	}
	if victim.PID() == pid || victim.PID() == 0 {
		t.Errorf("got process %d after %d", victim.PID(), pid)
	}
	mustBeReady(t, c)
	write(t, join(t, c), "after")
}

func TestExitedTellsOfADeathThatNobodyAskedFor(t *testing.T) {
	isolate(t)
	c := mustCluster(t, ClusterConfig{Children: true, Nodes: 1})
	n := c.Nodes()[0]
	select {
	case <-n.Exited():
		t.Fatal("dead at once")
	default:
	}
	killPID(t, n.PID())
	<-n.Exited()
	if got := n.PID(); got != 0 {
		t.Errorf("got pid %d", got)
	}
	if err := n.Restart(t.Context()); err != nil {
		t.Fatal(err)
	}
	select {
	case <-n.Exited():
		t.Error("dead after the restart")
	default:
	}
	if err := n.Stop(); err != nil {
		t.Fatal(err)
	}
	<-n.Exited()
}

func TestNodeWithoutAProcessOfItsOwnCannotBeKilledOrPaused(t *testing.T) {
	isolate(t)
	s := mustStart(t, kinds["in process"], Config{})
	for what, do := range map[string]func() error{"kill": s.Kill, "pause": s.Pause, "resume": s.Resume} {
		if err := do(); !errors.Is(err, errors.ErrUnsupported) {
			t.Errorf("%s: got %v", what, err)
		}
	}
	exited := s.Exited()
	if err := s.Node.Stop(); err != nil {
		t.Fatal(err)
	}
	<-exited
	if err := s.Kill(); err == nil || !strings.Contains(err.Error(), "it is down") {
		t.Errorf("kill: got %v", err)
	}
}
