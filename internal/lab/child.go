package lab

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strings"
	"time"
)

const (
	// haltLimit bounds the wait for a child to end by itself.
	haltLimit = 5 * time.Second
	// stderrLimit bounds what is kept of a child's stderr, in bytes. The head is
	// kept: the reason of a Go panic comes first.
	stderrLimit = 2048
	// childEnv marks the environment of a child, see spawn.
	childEnv = "NATSOPS_LAB_CHILD=1"
)

// A child is a node in a child process, seen from the parent.
type child struct {
	cmd    *exec.Cmd
	stdin  io.WriteCloser
	stderr head
	grace  time.Duration // how long halt waits before it kills

	ended chan struct{}
	err   error // of cmd.Wait, valid once ended is closed
}

// spawn starts a child and waits for its answer.
func spawn(ctx context.Context, s spec) (life, error) {
	exe, err := os.Executable()
	if err != nil {
		return nil, err
	}
	cmd := exec.Command(exe, ChildCommand) //nolint:gosec // exe is this program
	c := &child{cmd: cmd, grace: haltLimit, ended: make(chan struct{})}
	env := cmd.Environ()
	if slices.Contains(env, childEnv) {
		// A test binary or a main that does not know ChildCommand would do again
		// what it did to get here, in ever more processes.
		return nil, fmt.Errorf("this program started itself as %q and did not call ServeChild", ChildCommand)
	}
	cmd.Env = append(env, childEnv)
	cmd.SysProcAttr = detached()
	cmd.WaitDelay = haltLimit
	cmd.Stderr = &c.stderr
	stdout, w := io.Pipe()
	cmd.Stdout = w
	if c.stdin, err = cmd.StdinPipe(); err != nil {
		return nil, err
	}
	started := make(chan error, 1)
	go c.run(started, w)
	if err := <-started; err != nil {
		return nil, err
	}
	err = c.handshake(ctx, s, stdout)
	_ = stdout.Close() // nobody waits for a reader of what else the child may say
	if err != nil {
		_ = c.halt() // err tells what there is to tell
		return nil, err
	}
	return c, nil
}

// run holds on to its thread from the child's start to its end: on Linux the
// death signal of a child (see detached) is sent when the thread that started
// it ends, which for any other goroutine can be long before the process does
// (golang/go#27505).
func (c *child) run(started chan<- error, stdout *io.PipeWriter) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	err := c.cmd.Start()
	started <- err
	if err == nil {
		c.err = c.cmd.Wait()
		close(c.ended)
	}
	_ = stdout.Close()
}

// handshake sends the spec and reads the answer.
func (c *child) handshake(ctx context.Context, s spec, stdout io.Reader) error {
	ctx, cancel := context.WithTimeout(ctx, bootLimit)
	defer cancel()
	inTime := context.AfterFunc(ctx, func() { _ = c.cmd.Process.Kill() })
	_ = json.NewEncoder(c.stdin).Encode(s) // a child that cannot read this does not answer either
	var a answer
	err := json.NewDecoder(stdout).Decode(&a)
	switch {
	case !inTime():
		return fmt.Errorf("wait for the child process: %w", ctx.Err())
	case errors.Is(err, io.EOF):
		<-c.ended
		return fmt.Errorf("the child process ended without an answer: %w", c.death())
	case err != nil:
		return fmt.Errorf("the child process did not answer as a lab server: %w", err)
	case a.Error != "":
		return errors.New(a.Error)
	}
	return nil
}

func (c *child) pid() int { return c.cmd.Process.Pid }

func (c *child) exited() <-chan struct{} { return c.ended }

// halt lets the child end by itself, and kills it when it does not. A child
// that someone else killed is no error, since killing it is what labs are for.
func (c *child) halt() error {
	_, _ = io.WriteString(c.stdin, keepOrder) // fails when the child is gone
	_ = c.stdin.Close()
	_ = resume(c.cmd.Process) // one that is stopped by a signal cannot end; fails where none can be
	timer := time.NewTimer(c.grace)
	defer timer.Stop()
	select {
	case <-c.ended:
		return c.crash()
	case <-timer.C:
		return c.kill()
	}
}

func (c *child) kill() error {
	_ = c.cmd.Process.Kill() // fails when the child is gone
	<-c.ended
	return c.crash()
}

// crash is the error of a child that ended by its own fault.
func (c *child) crash() error {
	if c.cmd.ProcessState.ExitCode() > 0 && len(c.stderr) > 0 {
		return fmt.Errorf("the lab server died: %w", c.death())
	}
	return nil
}

// death tells how the child ended, in one line.
func (c *child) death() error {
	said := strings.Join(strings.Fields(string(c.stderr)), " ")
	switch {
	case c.err == nil && said == "":
		return errors.New("exit status 0")
	case c.err == nil:
		return fmt.Errorf("exit status 0: %s", said)
	case said == "":
		return c.err
	}
	return fmt.Errorf("%w: %s", c.err, said)
}

// A head keeps the first stderrLimit bytes written to it.
type head []byte

func (h *head) Write(p []byte) (int, error) {
	*h = append(*h, p[:min(len(p), stderrLimit-len(*h))]...)
	return len(p), nil
}
