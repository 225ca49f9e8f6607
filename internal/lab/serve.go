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

// keepOrder tells a child to leave the lab's directory to its parent.
const keepOrder = "keep\n"

// An answer is what the child says on stdout, once, in one line.
type answer struct {
	Error string
}

// ServeChild is the body of the child process. It reads what to run from
// stdin, answers on stdout, and serves until stdin ends, which it does when
// the parent wants or has died, until ctx is done, or until the server has left
// after a SIGUSR2 ([Node.LameDuck]). When the parent has died the last of its
// children removes the lab's directory.
//
// From its call on the process ignores SIGINT, SIGHUP and SIGPIPE, even where
// the program asked to be notified: Ctrl-C and a closed terminal are for the
// parent to judge, and a broken pipe to a dead parent must not keep the child
// from cleaning up.
func ServeChild(ctx context.Context, stdin io.Reader, stdout io.Writer) error {
	signal.Ignore(os.Interrupt, syscall.SIGHUP, syscall.SIGPIPE)
	asked, stop := whenAsked() // before the parent can ask, or it would be the end of this process
	defer stop()
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
	l, err := embed(ctx, s)
	if err != nil {
		a.Error = err.Error()
	}
	_ = json.NewEncoder(stdout).Encode(a) // fails when the parent is dead; then stdin has ended too
	abandoned := await(ctx, in, l, asked)
	if l != nil {
		_ = l.halt() // never fails in process
	}
	if abandoned {
		dir.inherit(haltLimit)
	} else {
		dir.release()
	}
	return err
}

// await blocks until the child has to end, or its server, nil when it did not
// start, has left as it was asked to. It reports whether the parent has died.
func await(ctx context.Context, stdin *bufio.Reader, l life, asked <-chan os.Signal) (abandoned bool) {
	order := make(chan string, 1)
	go func() {
		line, _ := stdin.ReadString('\n')
		order <- line
	}()
	var left <-chan struct{}
	if l == nil {
		asked = nil
	} else {
		left = l.exited()
	}
	for {
		select {
		case line := <-order:
			return line != keepOrder
		case <-asked:
			_ = l.retire() // never fails in process
		case <-left:
			return false
		case <-ctx.Done():
			return false
		}
	}
}
