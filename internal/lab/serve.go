package lab

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
)

// ChildCommand is the hidden command that a program which uses [StartChild]
// must map to [ServeChild].
const ChildCommand = "__lab-server"

// keepOrder tells a child to leave the lab's directory when it ends.
const keepOrder = "keep\n"

// An answer is what the child says on stdout, once, in one line.
type answer struct {
	Port        int
	MonitorPort int
	Error       string
}

// ServeChild is the body of the child process. It reads what to run from
// stdin, answers on stdout, and serves until stdin ends, which it does when
// the parent wants or has died, or until ctx is done. When stdin has ended it
// removes the lab's directory.
//
// From its call on the process ignores SIGINT, SIGHUP and SIGPIPE, even where
// the program asked to be notified: Ctrl-C and a closed terminal are for the
// parent to judge, and a broken pipe to a dead parent must not keep the child
// from cleaning up.
func ServeChild(ctx context.Context, stdin io.Reader, stdout io.Writer) error {
	signal.Ignore(os.Interrupt, syscall.SIGHUP, syscall.SIGPIPE)
	in := bufio.NewReader(stdin)
	line, err := in.ReadBytes('\n')
	if err != nil {
		return fmt.Errorf("read from the parent what to serve: %w", err)
	}
	var s spec
	if err := json.Unmarshal(line, &s); err != nil {
		return fmt.Errorf("read from the parent what to serve: %w", err)
	}
	dir, err := joinDirectory(s.Dir)
	if err != nil {
		return fmt.Errorf("own the lab's directory: %w", err)
	}
	var a answer
	e, err := embed(s)
	if err != nil {
		a.Error = err.Error()
	} else {
		a.Port, a.MonitorPort = e.ports()
	}
	_ = json.NewEncoder(stdout).Encode(a) // fails when the parent is dead; then stdin has ended too
	abandoned := await(ctx, in)
	if e != nil {
		_ = e.halt(!abandoned) // never fails in process
	}
	if abandoned {
		// On Windows the parent, if it lives, still holds the lock file open; it
		// removes what is left.
		_ = dir.remove()
	}
	dir.release()
	return err
}

// await blocks until the child has to end, and reports whether nobody will
// want the lab's directory any more.
func await(ctx context.Context, stdin *bufio.Reader) (abandoned bool) {
	order := make(chan string, 1)
	go func() {
		line, _ := stdin.ReadString('\n')
		order <- line
	}()
	select {
	case line := <-order:
		return line != keepOrder
	case <-ctx.Done():
		return false
	}
}
