//go:build unix

package process

import (
	"os"
	"syscall"
)

// Pause stops the process (SIGSTOP) until [Service.Resume].
func (s *Service) Pause() error {
	return s.send(func(p *os.Process) error { return p.Signal(syscall.SIGSTOP) })
}

// Resume lets it go on (SIGCONT).
func (s *Service) Resume() error { return s.send(resume) }

// Kill ends it as a crash does (SIGKILL), and waits for its end.
func (s *Service) Kill() error { return s.end((*os.Process).Kill) }

// Stop ends it in good order (SIGTERM), and waits for its end.
func (s *Service) Stop() error {
	return s.end(func(p *os.Process) error { return p.Signal(syscall.SIGTERM) })
}

// LameDuck has a nats-server ask its clients to leave, and then end (SIGUSR2).
func (s *Service) LameDuck() error {
	return s.send(func(p *os.Process) error { return p.Signal(syscall.SIGUSR2) })
}

// alone keeps a process out of reach of our terminal's signals.
func alone() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setsid: true} }
