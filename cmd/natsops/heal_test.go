//go:build unix

package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/natsops/natsops/internal/chaos"
)

// interruptions is how often a drill is interrupted: NATSOPS_INTERRUPTIONS, see
// make heal, or once.
func interruptions(t *testing.T) int {
	t.Helper()
	text := os.Getenv("NATSOPS_INTERRUPTIONS")
	if text == "" {
		return 1
	}
	n, err := strconv.Atoi(text)
	if err != nil {
		t.Fatalf("NATSOPS_INTERRUPTIONS: %v", err)
	}
	return n
}

// A cut is one interruption: of a drill, by a signal, at a moment.
type cut struct {
	drill  string
	signal syscall.Signal
	after  time.Duration // the drill is about nine seconds long
}

func (c cut) String() string { return fmt.Sprintf("%s by %s after %s", c.drill, c.signal, c.after) }

// short makes a drill of a fault that is over in a few seconds.
func short(kind, more string) string {
	return fmt.Sprintf(`apiVersion: natsops/v1
kind: Drill
name: short-%[1]s
load: {rate: 50/s}
steady: {window: 1s, slo: ['errors==0']}
faults:
  - type: %[1]s
    for: 3s
%[2]s
observe: 2s
expect: ['unexpected==0']
`, kind, more)
}

// ownFaults are those of a cluster of our own: of processes and of links.
func ownFaults() map[string]string {
	return map[string]string{
		"kill":           "    victim: {role: stream-leader}",
		"stop":           "    victim: {role: stream-follower}",
		"freeze":         "    victim: {role: stream-leader}",
		"partition":      "    victim: {role: stream-leader}",
		"client-link":    "    victim: {role: any}\n    params: {flow: freeze}",
		"degrade":        "    params: {latency: 50ms}",
		"consumer-pause": "",
		"ack-hold":       "",
	}
}

// foreignFaults are those of a cluster of somebody else.
func foreignFaults() []string {
	return []string{"consumer-pause", "ack-hold", "nak-storm", "publish-flood"}
}

func pick[T any](r *rand.Rand, from []T) T { return from[r.IntN(len(from))] }

// writeDrill makes a drill's file.
func writeDrill(t *testing.T, kind, more string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), kind+".yaml")
	if err := os.WriteFile(file, []byte(short(kind, more)), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

// A sandbox is where natsops keeps what it writes.
type sandbox struct{ tmp, state string }

func newSandbox(t *testing.T) sandbox {
	t.Helper()
	return sandbox{t.TempDir(), t.TempDir()}
}

func (s sandbox) command(ctx context.Context, t *testing.T, args ...string) (*exec.Cmd, *record) {
	t.Helper()
	program, err := exec.LookPath("natsops")
	if err != nil {
		t.Fatal(err)
	}
	said := &record{}
	cmd := exec.CommandContext(ctx, program, args...)
	cmd.Env = append(os.Environ(), "TMPDIR="+s.tmp, "XDG_STATE_HOME="+s.state, "NATS_URL=", "NATS_CONTEXT=")
	cmd.Stdout, cmd.Stderr = said, said
	return cmd, said
}

// interrupt runs a drill and cuts it short; then whatever is left is healed.
func (s sandbox) interrupt(t *testing.T, c cut, args ...string) {
	t.Helper()
	cmd, said := s.command(t.Context(), t, args...)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	select {
	case <-time.After(c.after):
		_ = cmd.Process.Signal(c.signal) // it may just have ended
	case err := <-ended:
		ended <- err
	}
	select {
	case err := <-ended:
		t.Logf("%s: %v", c, err)
	case <-time.After(2 * time.Minute):
		_ = cmd.Process.Kill()
		t.Fatalf("%s: it does not end; it said:\n%s", c, said)
	}
	if cmd.ProcessState.ExitCode() == 7 {
		t.Errorf("%s: not healed:\n%s", c, said)
	}
	heal, answer := s.command(t.Context(), t, "chaos", "heal")
	if err := heal.Run(); err != nil {
		t.Errorf("%s: heal: %v\n%s", c, err, answer)
	}
	if status, answer := s.command(t.Context(), t, "chaos", "status"); status.Run() != nil {
		t.Errorf("%s: something is left after the heal:\n%s", c, answer)
	}
}

// mustBeEmpty waits until no directory of a lab and no process is left.
func (s sandbox) mustBeEmpty(t *testing.T, c cut) {
	t.Helper()
	left := ""
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	limit := time.After(time.Minute)
	for {
		if left = s.left(t); left == "" {
			return
		}
		select {
		case <-tick.C:
		case <-limit:
			t.Errorf("%s: %s is left", c, left)
			return
		}
	}
}

// left names something that is left; "": nothing is.
func (s sandbox) left(t *testing.T) string {
	t.Helper()
	for _, pattern := range []string{s.tmp + "/*", s.state + "/natsops/chaos/*.jsonl"} {
		files, err := filepath.Glob(pattern)
		if err != nil {
			t.Fatal(err)
		}
		if len(files) > 0 {
			return files[0]
		}
	}
	processes, err := filepath.Glob("/proc/[0-9]*/environ") // nothing matches where there is no /proc
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range processes {
		environment, err := os.ReadFile(file)
		if err == nil && strings.Contains("\x00"+string(environment), "\x00TMPDIR="+s.tmp+"\x00") {
			return "process " + filepath.Base(filepath.Dir(file))
		}
	}
	return ""
}

// Whenever a drill is interrupted, and however, nothing is left of it: no
// process, no directory, no proxy (which dies with its process), no journal.
func TestInterruptedDrillsOfOurOwnClusterLeaveNothing(t *testing.T) {
	random := rand.New(rand.NewPCG(uint64(time.Now().UnixNano()), 1))
	var kinds []string
	for kind := range ownFaults() {
		kinds = append(kinds, kind)
	}
	for range interruptions(t) {
		kind := pick(random, kinds)
		c := cut{kind, pick(random, []syscall.Signal{syscall.SIGINT, syscall.SIGKILL}), time.Duration(random.IntN(9000)) * time.Millisecond}
		t.Run(c.String(), func(t *testing.T) {
			s := newSandbox(t)
			s.interrupt(t, c, "chaos", "run", writeDrill(t, kind, ownFaults()[kind]), "-o", "json")
			s.mustBeEmpty(t, c)
		})
	}
}

// The same on servers that outlive the drill, which therefore may keep nothing.
func TestInterruptedDrillsOfOtherClustersLeaveNothing(t *testing.T) {
	isolate(t)
	server := startServer(t)
	nc, err := nats.Connect(server.URL())
	if err != nil {
		t.Fatal(err)
	}
	defer nc.Close()
	js, err := jetstream.New(nc)
	if err != nil {
		t.Fatal(err)
	}
	random := rand.New(rand.NewPCG(uint64(time.Now().UnixNano()), 2))
	for range interruptions(t) {
		kind := pick(random, foreignFaults())
		c := cut{kind, pick(random, []syscall.Signal{syscall.SIGINT, syscall.SIGKILL}), time.Duration(random.IntN(8000)) * time.Millisecond}
		t.Run(c.String(), func(t *testing.T) {
			s := newSandbox(t)
			s.interrupt(t, c, "chaos", "run", writeDrill(t, kind, ""), "--server", server.URL(), "--yes", "-o", "json")
			s.mustBeEmpty(t, c)
			for name := range js.StreamNames(t.Context()).Name() {
				t.Errorf("%s: stream %s is left (%s)", c, name, chaos.StreamName)
			}
		})
	}
}
