package lab

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/natsops/natsops/internal/leaktest"
)

// The other programs this test binary can be.
const (
	parentCommand = "__lab-parent"  // starts children, reports on them, waits to be killed
	badChildEnv   = "LAB_BAD_CHILD" // makes ChildCommand misbehave: "dies", "chats", "hangs", "crashes", "deaf"
)

func TestMain(m *testing.M) {
	switch {
	case len(os.Args) < 2:
	case os.Args[1] == ChildCommand:
		os.Exit(childMain(os.Getenv(badChildEnv)))
	case os.Args[1] == parentCommand:
		fmt.Fprintln(os.Stderr, parentMain(os.Args[2]))
		os.Exit(1)
	}
	// Children built for the race detector would each wait a second at their end.
	if err := os.Setenv("GORACE", "atexit_sleep_ms=0"); err != nil {
		panic(err)
	}
	leaktest.Main(m)
}

func childMain(bad string) int {
	switch bad {
	case "dies":
		fmt.Fprintln(os.Stderr, "no luck\nat all", strings.Repeat("x", 1<<20))
		return 3
	case "chats":
		fmt.Println("usage: natsops [command]", strings.Repeat("x", 1<<20))
		return 0
	case "hangs":
		<-time.After(time.Hour)
	}
	// As a real main does; ServeChild has to take SIGINT back.
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	var stdout io.Writer = os.Stdout
	if bad == "crashes" {
		stdout = crasher{}
	}
	var stdin io.Reader = os.Stdin
	if bad == "deaf" {
		line, _ := bufio.NewReader(os.Stdin).ReadBytes('\n')
		stdin = io.MultiReader(bytes.NewReader(line), endless{})
	}
	if err := ServeChild(ctx, stdin, stdout); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}

// A crasher ends the process right after the answer.
type crasher struct{}

func (crasher) Write(p []byte) (int, error) {
	_, _ = os.Stdout.Write(p)
	fmt.Fprint(os.Stderr, "panic: boom\n\ngoroutine 1")
	os.Exit(2)
	return 0, nil
}

// An endless never ends.
type endless struct{}

func (endless) Read([]byte) (int, error) { select {} }

// A family is what a parent reports: its children.
type family []kid

type kid struct {
	PID int
	URL string
}

// parentMain returns only when it fails.
func parentMain(children string) error {
	nodes, err := strconv.Atoi(children)
	if err != nil {
		return err
	}
	c, err := StartCluster(context.Background(), ClusterConfig{Nodes: nodes, Children: true})
	if err != nil {
		return err
	}
	var f family
	for _, n := range c.Nodes() {
		f = append(f, kid{n.PID(), n.URL()})
	}
	if err := json.NewEncoder(os.Stdout).Encode(f); err != nil {
		return err
	}
	select {}
}

// startParent runs a parent with children.
func startParent(t *testing.T, children int) (*exec.Cmd, family) {
	t.Helper()
	cmd := exec.Command(os.Args[0], parentCommand, strconv.Itoa(children))
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { kill(cmd) })
	var f family
	if err := json.NewDecoder(bufio.NewReader(out)).Decode(&f); err != nil {
		t.Fatal(err)
	}
	return cmd, f
}

// kill is SIGKILL, where there are signals.
func kill(cmd *exec.Cmd) {
	_ = cmd.Process.Kill()
	_ = cmd.Wait()
}

func killPID(t *testing.T, pid int) {
	t.Helper()
	p, err := os.FindProcess(pid)
	if err != nil {
		t.Fatal(err)
	}
	if err := p.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = p.Release()
}

func listens(url string) bool {
	c, err := net.Dial("tcp", url[strings.LastIndex(url, "/")+1:])
	if err != nil {
		return false
	}
	c.Close()
	return true
}

// owned tells whether a process, ours or another, uses the lab directory.
func owned(t *testing.T, dir string) bool {
	t.Helper()
	lock, err := openMarked(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer lock.Close()
	return lockExclusive(lock) != nil
}

func labs(t *testing.T, tmp string) []string {
	t.Helper()
	found, err := filepath.Glob(filepath.Join(tmp, dirPrefix+"*"))
	if err != nil {
		t.Fatal(err)
	}
	return found
}
