package process

import (
	"errors"
	"os"
	"syscall"
)

// Pause needs signals, which Windows does not have.
func (s *Service) Pause() error { return errors.ErrUnsupported }

// Resume needs signals, which Windows does not have.
func (s *Service) Resume() error { return errors.ErrUnsupported }

// Kill ends the process as a crash does, and waits for its end.
func (s *Service) Kill() error { return s.end((*os.Process).Kill) }

// Stop has no orderly form on Windows: it kills.
func (s *Service) Stop() error { return s.Kill() }

// LameDuck needs signals, which Windows does not have.
func (s *Service) LameDuck() error { return errors.ErrUnsupported }

func alone() *syscall.SysProcAttr { return nil }
