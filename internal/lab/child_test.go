package lab

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"
	"go.uber.org/goleak"

	"github.com/natsops/natsops/internal/leaktest"
)

func TestChildrenEndAndCleanUpWhenTheirParentIsKilled(t *testing.T) {
	for _, children := range []int{1, 3} {
		tmp := isolate(t)
		parent, f := startParent(t, children)
		if len(f) != children || len(labs(t, tmp)) != 1 {
			t.Fatalf("got children %v, labs %q", f, labs(t, tmp))
		}
		kill(parent)
		for _, k := range f {
			eventually(t, "the child has gone", func() bool { return !listens(k.URL) })
		}
		eventually(t, "their directory too", func() bool { return len(labs(t, tmp)) == 0 })
	}
}

func TestDirectoryOfAKilledFamilyIsSweptAndOthersStay(t *testing.T) {
	tmp := isolate(t)
	_, living := startParent(t, 1)
	alive := labs(t, tmp)
	parent, f := startParent(t, 1)
	dead := slices.DeleteFunc(labs(t, tmp), func(dir string) bool { return dir == alive[0] })[0]
	killPID(t, f[0].PID)
	kill(parent)
	eventually(t, "the killed processes have ended", func() bool { return !owned(t, dead) })
	foreign := filepath.Join(tmp, dirPrefix+"not-ours")
	if err := os.MkdirAll(foreign, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(foreign, lockName), []byte("the mark of somebody else's program"), 0o600); err != nil {
		t.Fatal(err)
	}
	if got := labs(t, tmp); len(got) != 3 {
		t.Fatalf("got %q; want a living lab, a dead one and the foreign directory", got)
	}

	s := mustStart(t, kinds["in process"], Config{})
	mustStart(t, kinds["in process"], Config{}) // sees the lab of its own process
	if got := len(labs(t, tmp)); got != 4 {
		t.Errorf("got %d directories %q; want two new labs, the living one and the foreign directory", got, labs(t, tmp))
	}
	for _, dir := range []string{alive[0], foreign, s.lab.dir.path} {
		if _, err := os.Stat(filepath.Join(dir, lockName)); err != nil {
			t.Error(err)
		}
	}
	if !listens(living[0].URL) {
		t.Error("the living lab is gone")
	}
}

func TestKilledChildCanBeRestartedOrStopped(t *testing.T) {
	tmp := isolate(t)
	s := mustStart(t, StartChild, Config{})
	store(t, connect(t, s), jetstream.FileStorage, "kept")
	killPID(t, s.PID())
	if err := s.Restart(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := stored(t, connect(t, s)); got != "kept" {
		t.Errorf("got %q", got)
	}
	killPID(t, s.PID())
	if err := s.Stop(); err != nil {
		t.Error(err)
	}
	mustBeEmpty(t, tmp)
}

func TestChildThatIsNoLabServerIsAClearError(t *testing.T) {
	for bad, want := range map[string]string{
		"dies":  "start the lab server: the child process ended without an answer: exit status 3: no luck at all xxx",
		"chats": "start the lab server: the child process did not answer as a lab server: invalid character 'u'",
	} {
		t.Run(bad, func(t *testing.T) {
			tmp := isolate(t)
			t.Setenv(badChildEnv, bad)
			before := goleak.IgnoreCurrent()
			_, err := StartChild(t.Context(), Config{})
			if err == nil || !strings.HasPrefix(err.Error(), want) {
				t.Fatalf("got %.200v, want %s…", err, want)
			}
			if len(err.Error()) > 2*stderrLimit {
				t.Errorf("the error has %d bytes", len(err.Error()))
			}
			mustBeEmpty(t, tmp)
			leaktest.None(t, before)
		})
	}
}

func TestCrashOfTheServerIsReported(t *testing.T) {
	tmp := isolate(t)
	t.Setenv(badChildEnv, "crashes")
	s := mustStart(t, StartChild, Config{})
	const want = "the lab server died: exit status 2: panic: boom goroutine 1"
	if err := s.Restart(t.Context()); err == nil || err.Error() != want {
		t.Errorf("restart: got %v, want %s", err, want)
	}
	if got := s.PID(); got != 0 {
		t.Errorf("got pid %d of a server that is down", got)
	}
	if err := s.Restart(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := s.Stop(); err == nil || err.Error() != want {
		t.Errorf("stop: got %v, want %s", err, want)
	}
	mustBeEmpty(t, tmp)
}

func TestStartOfAChildThatHangsCanBeCancelled(t *testing.T) {
	tmp := isolate(t)
	t.Setenv(badChildEnv, "hangs")
	before := goleak.IgnoreCurrent()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer cancel()
	if _, err := StartChild(ctx, Config{}); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v, want %v", err, context.DeadlineExceeded)
	}
	mustBeEmpty(t, tmp)
	leaktest.None(t, before)
}

func TestChildOutlivesTheContextOfItsStart(t *testing.T) {
	isolate(t)
	ctx, cancel := context.WithCancel(t.Context())
	s, err := StartChild(ctx, Config{})
	if err != nil {
		t.Fatal(err)
	}
	cancel()
	store(t, connect(t, s), jetstream.MemoryStorage, "alive")
	if err := s.Stop(); err != nil {
		t.Error(err)
	}
}

func TestProgramThatDoesNotServeChildrenCannotMultiply(t *testing.T) {
	tmp := isolate(t)
	name, value, _ := strings.Cut(childEnv, "=")
	t.Setenv(name, value)
	if s, err := StartChild(t.Context(), Config{}); err == nil {
		s.Stop()
		t.Error("a child started a child")
	}
	mustBeEmpty(t, tmp)
}

func TestChildOfAParentThatDiesBeforeTheAnswerCleansUp(t *testing.T) {
	tmp := isolate(t)
	dir, err := newDirectory(tmp)
	if err != nil {
		t.Fatal(err)
	}
	s := spec{Dir: dir.path, Config: Config{TLS: TLSOff, StoreDir: filepath.Join(dir.path, "store")}}
	var c claims
	defer c.release()
	if err := c.fill(&s); err != nil {
		t.Fatal(err)
	}
	line, err := json.Marshal(s)
	if err != nil {
		t.Fatal(err)
	}
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	dir.release()
	r.Close()
	defer w.Close()
	cmd := exec.Command(os.Args[0], ChildCommand)
	cmd.Stdin, cmd.Stdout = strings.NewReader(string(line)+"\n"), w
	if err := cmd.Run(); err != nil {
		t.Error(err)
	}
	mustBeEmpty(t, tmp)
}

func TestServeChildRemovesNoDirectoryThatIsNotALabs(t *testing.T) {
	precious := t.TempDir()
	for _, stdin := range []string{"", "\n", "{", fmt.Sprintf("{%q:%q}\n", "Dir", precious)} {
		cmd := exec.Command(os.Args[0], ChildCommand)
		cmd.Stdin = strings.NewReader(stdin)
		if out, err := cmd.CombinedOutput(); err == nil {
			t.Errorf("stdin %q: served, %s", stdin, out)
		}
	}
	if _, err := os.Stat(precious); err != nil {
		t.Error(err)
	}
}
