package lab

import (
	"path/filepath"
	"runtime"
	"testing"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

func TestLameDuckAsksItsClientsToGoAndEndsAndCanBeRestarted(t *testing.T) {
	for kind, start := range kinds {
		t.Run(kind, func(t *testing.T) {
			if kind == "child" && runtime.GOOS == "windows" {
				t.Skip("windows has no signal to ask a process to leave")
			}
			isolate(t)
			s := mustStart(t, start, Config{})
			asked := make(chan struct{}, 1)
			js := connect(t, s, nats.LameDuckModeHandler(func(*nats.Conn) { asked <- struct{}{} }))
			store(t, js, jetstream.FileStorage, "kept")
			exited := s.Exited()
			for range 2 { // the second changes nothing
				if err := s.LameDuck(); err != nil {
					t.Fatal(err)
				}
			}
			<-asked
			<-exited
			if s.PID() != 0 || listens(s.URL()) {
				t.Errorf("it lives, as process %d", s.PID())
			}
			if c, ok := s.life.(*child); ok && !c.cmd.ProcessState.Success() {
				t.Errorf("the child ended with %v", c.cmd.ProcessState)
			}
			if err := s.Restart(t.Context()); err != nil {
				t.Fatal(err)
			}
			if got := stored(t, connect(t, s)); got != "kept" {
				t.Errorf("got %q", got)
			}
		})
	}
}

func TestLameDuckCanBeStoppedAtOnce(t *testing.T) {
	for kind, start := range kinds {
		t.Run(kind, func(t *testing.T) {
			if kind == "child" && runtime.GOOS == "windows" {
				t.Skip("windows has no signal to ask a process to leave")
			}
			tmp := isolate(t)
			s := mustStart(t, start, Config{})
			connect(t, s)
			if err := s.LameDuck(); err != nil {
				t.Fatal(err)
			}
			if err := s.Stop(); err != nil {
				t.Error(err)
			}
			if err := s.LameDuck(); err == nil {
				t.Error("a server that is down was asked to leave")
			}
			mustBeEmpty(t, tmp)
		})
	}
}

func TestStoreDirHasTheDataOfTheNode(t *testing.T) {
	for kind, start := range kinds {
		t.Run(kind, func(t *testing.T) {
			isolate(t)
			s := mustStart(t, start, Config{})
			store(t, connect(t, s), jetstream.FileStorage, "kept")
			found, err := filepath.Glob(filepath.Join(s.StoreDir(), "jetstream", AppAccount, "streams", "S", "msgs", "*.blk"))
			if err != nil || len(found) == 0 {
				t.Errorf("got files %q, error %v", found, err)
			}
		})
	}
}
