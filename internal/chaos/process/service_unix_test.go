//go:build unix

package process

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"
)

// sleeper is a command that starts a process and writes its pid to a file.
func sleeper(file string) string {
	return fmt.Sprintf("sleep 600 & echo $! > %[1]s.new && mv %[1]s.new %[1]s", file)
}

// serve starts a process as somebody else would.
func serve(t *testing.T) *Service {
	t.Helper()
	file := filepath.Join(t.TempDir(), "pid")
	if err := exec.Command("sh", "-c", sleeper(file)).Run(); err != nil {
		t.Fatal(err)
	}
	s, err := NewService("n1", file, sleeper(file))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Kill() })
	return s
}

func TestAServiceIsEndedAndStartedAgain(t *testing.T) {
	for name, end := range map[string]func(*Service) error{"kill": (*Service).Kill, "stop": (*Service).Stop} {
		t.Run(name, func(t *testing.T) {
			s := serve(t)
			before, gone := s.PID(), s.Exited()
			if err := end(s); err != nil {
				t.Fatal(err)
			}
			<-gone
			if s.PID() != 0 {
				t.Errorf("process %d still counts as running", s.PID())
			}
			if err := s.Restart(t.Context()); err != nil {
				t.Fatal(err)
			}
			if now := s.PID(); now == 0 || now == before {
				t.Errorf("its pid is %d, before it was %d", now, before)
			}
		})
	}
}

func TestAServiceIsPausedAndGoesOn(t *testing.T) {
	s := serve(t)
	stopped := func(want bool) {
		t.Helper()
		limit := time.After(2 * time.Minute)
		for {
			got, err := Stopped(s.PID())
			if err != nil {
				t.Fatal(err)
			}
			if got == want {
				return
			}
			select {
			case <-limit:
				t.Fatalf("stopped is %t, want %t", got, want)
			case <-time.After(10 * time.Millisecond):
			}
		}
	}
	if err := s.Pause(); err != nil {
		t.Fatal(err)
	}
	stopped(true)
	if err := s.Resume(); err != nil {
		t.Fatal(err)
	}
	stopped(false)
}

func TestOnlyAProcessThatRunsIsAService(t *testing.T) {
	dir := t.TempDir()
	for name, content := range map[string]string{"none": "", "empty": "\n", "word": "n1\n", "init": "1\n", "negative": "-5\n", "gone": "2147483646\n"} {
		file := filepath.Join(dir, name)
		if name != "none" {
			if err := os.WriteFile(file, []byte(content), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		if s, err := NewService("n1", file, ""); err == nil {
			t.Errorf("%s: process %d", name, s.PID())
		}
	}
}
