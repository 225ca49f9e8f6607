package watchdog

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/natsops/natsops/internal/chaos/process"
)

// An order is a line that the watchdog reads: a process to watch, or one to
// release.
type order struct {
	PID     int           `json:"pid,omitempty"`
	Started string        `json:"started,omitempty"`
	After   time.Duration `json:"after_ns,omitempty"`
	Release int           `json:"release,omitempty"` // a pid
}

// An answer is a line that it says to each order to watch.
type answer struct {
	PID   int    `json:"pid"`
	Error string `json:"error,omitempty"`
}

// Serve is the body of the watchdog's process. It reads orders from stdin and
// answers on stdout until stdin ends, which it does when its parent wants or has
// died, or until ctx is done. Then it continues all that it still watches.
//
// From its call on the process ignores SIGINT, SIGHUP and SIGPIPE, even where
// the program asked to be notified: Ctrl-C and a closed terminal are for the
// parent to judge.
func Serve(ctx context.Context, stdin io.Reader, stdout io.Writer) error {
	signal.Ignore(os.Interrupt, syscall.SIGHUP, syscall.SIGPIPE)
	orders, broken := read(ctx, stdin)
	g := make(guard)
	var failed []error
	for {
		select {
		case o, more := <-orders:
			if !more {
				return errors.Join(append(failed, g.release(all), <-broken)...)
			}
			g.obey(o, stdout)
		case now := <-g.next():
			failed = append(failed, g.release(func(w watched) bool { return !w.until.After(now) }))
		case <-ctx.Done():
			return errors.Join(append(failed, g.release(all))...)
		}
	}
}

// read reads orders until stdin ends, or says what it is not. What comes after
// that is not read: an order may have been lost.
func read(ctx context.Context, stdin io.Reader) (<-chan order, <-chan error) {
	orders, broken := make(chan order), make(chan error, 1)
	go func() {
		defer close(orders)
		defer close(broken)
		lines := bufio.NewScanner(stdin)
		for lines.Scan() {
			var o order
			if err := json.Unmarshal(lines.Bytes(), &o); err != nil {
				broken <- fmt.Errorf("read what to watch: %w", err)
				return
			}
			select {
			case orders <- o:
			case <-ctx.Done():
				return
			}
		}
		broken <- lines.Err()
	}()
	return orders, broken
}

// A guard is what the watchdog watches, by pid.
type guard map[int]watched

type watched struct {
	started string
	until   time.Time
}

func all(watched) bool { return true }

func (g guard) obey(o order, stdout io.Writer) {
	if o.Release != 0 {
		delete(g, o.Release)
		return
	}
	a := answer{PID: o.PID}
	if err := g.watch(o); err != nil {
		a.Error = err.Error()
	}
	_ = json.NewEncoder(stdout).Encode(a) // fails when the parent is dead; then stdin ends too
}

func (g guard) watch(o order) error {
	now, err := process.Started(o.PID)
	if err != nil {
		return err
	}
	if now != o.Started {
		return os.ErrProcessDone
	}
	g[o.PID] = watched{o.Started, time.Now().Add(o.After)}
	return nil
}

// next tells when the first time is up; nil: nothing is watched.
func (g guard) next() <-chan time.Time {
	var first time.Time
	for _, w := range g {
		if first.IsZero() || w.until.Before(first) {
			first = w.until
		}
	}
	if first.IsZero() {
		return nil
	}
	return time.After(time.Until(first))
}

// release continues those that are due, and watches them no more.
func (g guard) release(due func(watched) bool) error {
	var failed []error
	for pid, w := range g {
		if due(w) {
			delete(g, pid)
			_, err := process.Continue(pid, w.started)
			failed = append(failed, err)
		}
	}
	return errors.Join(failed...)
}
