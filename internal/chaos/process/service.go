package process

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"time"
)

// A Service is a process of this machine that somebody else has started, and
// that has its pid in a file. When it ends, it is started by a command, or by
// whoever supervises it.
type Service struct {
	name    string
	pidFile string
	start   string // command of the shell; "": its supervisor does it
}

const (
	// startLimit bounds the wait for a process that is to be there again.
	startLimit  = time.Minute
	serviceTick = 20 * time.Millisecond
)

// NewService returns the service whose pid is in a file. The command starts it;
// "": something else does when it ends. The error says that it does not run.
func NewService(name, pidFile, command string) (*Service, error) {
	s := &Service{name: name, pidFile: pidFile, start: command}
	if s.PID() == 0 {
		return nil, fmt.Errorf("no process with the pid in %s runs", pidFile)
	}
	return s, nil
}

// Name is that of the server.
func (s *Service) Name() string { return s.name }

// PID is what the file says, if such a process runs; 0: none does.
func (s *Service) PID() int {
	text, err := os.ReadFile(s.pidFile)
	if err != nil {
		return 0
	}
	pid, err := strconv.Atoi(strings.TrimSpace(string(text)))
	if err != nil || pid <= 1 {
		return 0
	}
	if _, err := Started(pid); err != nil {
		return 0
	}
	return pid
}

// StoreDir is not known.
func (s *Service) StoreDir() string { return "" }

// Exited is closed once the process, as it runs now, has ended.
func (s *Service) Exited() <-chan struct{} {
	gone := make(chan struct{})
	pid := s.PID()
	started, err := Started(pid)
	if err != nil {
		close(gone)
		return gone
	}
	go func() {
		defer close(gone)
		tick := time.NewTicker(serviceTick)
		defer tick.Stop()
		for range tick.C {
			if now, err := Started(pid); err != nil || now != started {
				return
			}
		}
	}()
	return gone
}

// Restart ends the process, if it runs, and has it started again. It returns
// when it is there.
func (s *Service) Restart(ctx context.Context) error {
	if s.PID() != 0 {
		if err := s.Stop(); err != nil {
			return err
		}
	}
	if s.start != "" {
		cmd := exec.Command("sh", "-c", s.start) //nolint:gosec // the user's own command
		cmd.SysProcAttr = alone()
		if err := cmd.Start(); err != nil {
			return fmt.Errorf("start %s: %w", s.name, err)
		}
		go func() { _ = cmd.Wait() }() // what came of it, the pid file tells
	}
	ctx, cancel := context.WithTimeout(ctx, startLimit)
	defer cancel()
	tick := time.NewTicker(serviceTick)
	defer tick.Stop()
	for s.PID() == 0 {
		select {
		case <-ctx.Done():
			return fmt.Errorf("start %s: no process with the pid in %s: %w", s.name, s.pidFile, ctx.Err())
		case <-tick.C:
		}
	}
	return nil
}

// end sends a signal and waits for the end of the process.
func (s *Service) end(send func(*os.Process) error) error {
	gone := s.Exited()
	if err := s.send(send); err != nil {
		return err
	}
	limit := time.NewTimer(startLimit)
	defer limit.Stop()
	select {
	case <-gone:
		return nil
	case <-limit.C:
		return fmt.Errorf("%s still runs after %s", s.name, startLimit)
	}
}

func (s *Service) send(send func(*os.Process) error) error {
	pid := s.PID()
	if pid == 0 {
		return fmt.Errorf("%s does not run", s.name)
	}
	p, err := os.FindProcess(pid)
	if err != nil {
		return err
	}
	defer func() { _ = p.Release() }() // never fails
	if err := send(p); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return fmt.Errorf("signal %s (process %d): %w", s.name, pid, err)
	}
	return nil
}
