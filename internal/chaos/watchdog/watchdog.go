// Package watchdog continues processes that this one has stopped (SIGSTOP), when
// their time is up or when this process dies, however it dies: by a process of
// its own, which this one starts.
package watchdog

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"slices"
	"sync"
	"time"

	"github.com/natsops/natsops/internal/chaos/process"
)

// Command is the hidden command that a program which uses [Start] must map to
// [Serve].
const Command = "__chaos-watchdog"

const (
	// answerLimit bounds the wait for an answer, and for the end, of a watchdog.
	// Either takes milliseconds.
	answerLimit = 10 * time.Second
	// dogEnv marks the environment of a watchdog, see [Start].
	dogEnv = "NATSOPS_CHAOS_WATCHDOG=1"
)

// A Dog is a watchdog that runs. Its methods may be called concurrently.
type Dog struct {
	cmd     *exec.Cmd
	answers chan answer   // closed when there are no more
	ended   chan struct{} // when the process has
	err     error         // of cmd.Wait, valid once ended is closed

	mu     sync.Mutex
	stdin  io.WriteCloser
	closed bool
}

// Start starts a watchdog: this executable, called with [Command] as its only
// argument. It is out of reach of the terminal. ctx ends only the attempt.
func Start(ctx context.Context) (*Dog, error) {
	d, err := start()
	if err != nil {
		return nil, fmt.Errorf("start the watchdog: %w", err)
	}
	// It is one that obeys when it has taken this process, which nobody stops.
	if _, err := d.watch(ctx, os.Getpid(), answerLimit); err != nil {
		_ = d.cmd.Process.Kill() // fails when it is gone
		return nil, errors.Join(fmt.Errorf("start the watchdog: %w", err), d.Close())
	}
	d.release(os.Getpid())
	return d, nil
}

func start() (*Dog, error) {
	exe, err := os.Executable()
	if err != nil {
		return nil, err
	}
	d := &Dog{cmd: exec.Command(exe, Command), answers: make(chan answer, 1), ended: make(chan struct{})} //nolint:gosec // exe is this program
	env := d.cmd.Environ()
	if slices.Contains(env, dogEnv) {
		// A test binary or a main that does not know Command would do again what
		// it did to get here, in ever more processes.
		return nil, fmt.Errorf("this program started itself as %q and did not call Serve", Command)
	}
	d.cmd.Env = append(env, dogEnv)
	d.cmd.SysProcAttr = detached()
	if d.stdin, err = d.cmd.StdinPipe(); err != nil {
		return nil, err
	}
	stdout, err := d.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := d.cmd.Start(); err != nil {
		return nil, err
	}
	go d.listen(stdout)
	return d, nil
}

// listen hears the watchdog until it ends.
func (d *Dog) listen(stdout io.Reader) {
	lines := json.NewDecoder(stdout)
	for {
		var a answer
		if err := lines.Decode(&a); err != nil {
			break
		}
		select {
		case d.answers <- a:
		default: // nobody waits for a second one
		}
	}
	close(d.answers)
	_, _ = io.Copy(io.Discard, stdout) // of a program that is no watchdog
	d.err = d.cmd.Wait()
	close(d.ended)
}

// Watch has process pid continued after a time, or when this process dies
// before that, until it is released. It returns when the watchdog has it. A
// process is watched once: a second time replaces the first.
func (d *Dog) Watch(pid int, after time.Duration) (release func(), err error) {
	release, err = d.watch(context.Background(), pid, after)
	if err != nil {
		return nil, fmt.Errorf("have process %d watched: %w", pid, err)
	}
	return release, nil
}

func (d *Dog) watch(ctx context.Context, pid int, after time.Duration) (release func(), err error) {
	started, err := process.Started(pid)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, answerLimit)
	defer cancel()
	d.mu.Lock()
	defer d.mu.Unlock()
	if err := d.tell(order{PID: pid, Started: started, After: after}); err != nil {
		return nil, err
	}
	for {
		select {
		case a, more := <-d.answers:
			switch {
			case !more:
				return nil, errors.New("the watchdog has ended")
			case a.PID != pid: // nobody waited for it any more
				continue
			case a.Error != "":
				return nil, errors.New(a.Error)
			}
			return func() { d.release(pid) }, nil
		case <-ctx.Done():
			return nil, fmt.Errorf("wait for the watchdog: %w", ctx.Err())
		}
	}
}

// tell says o to the watchdog, under the lock.
func (d *Dog) tell(o order) error {
	if d.closed {
		return errors.New("the watchdog was closed")
	}
	return json.NewEncoder(d.stdin).Encode(o)
}

func (d *Dog) release(pid int) {
	d.mu.Lock()
	defer d.mu.Unlock()
	_ = d.tell(order{Release: pid}) // a watchdog that is gone watches nothing
}

// Close ends the watchdog, which continues all that it still watches, and waits
// for its end. An error says that it could not continue something, or that it
// was killed. Further calls do nothing.
func (d *Dog) Close() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.closed {
		return nil
	}
	d.closed = true
	_ = d.stdin.Close() // fails when it is gone
	limit := time.NewTimer(answerLimit)
	defer limit.Stop()
	select {
	case <-d.ended:
	case <-limit.C:
		_ = d.cmd.Process.Kill() // fails when it is gone
		<-d.ended
	}
	if d.err != nil {
		return fmt.Errorf("end the watchdog: %w", d.err)
	}
	return nil
}
