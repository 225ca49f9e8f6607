// Command natsops loads, inspects and breaks NATS deployments, and tells what
// it saw in numbers that can be trusted.
package main

import (
	"context"
	"errors"
	"io"
	"os"
	"os/signal"
	"runtime/debug"
	"syscall"

	"golang.org/x/term"
)

func main() { os.Exit(run(signals(), system(), os.Args[1:])) }

// The causes of a context that a signal ended.
var (
	errInterrupted = errors.New("interrupted")
	errTerminated  = errors.New("terminated")
)

// signals returns a context that the first interrupt or termination ends. The
// second kills the process, whatever it is doing.
func signals() context.Context {
	ctx, cancel := context.WithCancelCause(context.Background())
	first := make(chan os.Signal, 1)
	signal.Notify(first, os.Interrupt, syscall.SIGTERM)
	go func() {
		cause := errInterrupted
		if <-first == syscall.SIGTERM {
			cause = errTerminated
		}
		signal.Stop(first)
		cancel(cause)
	}()
	return ctx
}

// A world is everything natsops may touch outside its own memory. Only main
// and tests build one; no other code mentions os.Stdin, os.Getenv and friends.
type world struct {
	stdin          io.Reader
	stdout, stderr io.Writer
	getenv         func(string) string
	version        string
	// width returns the columns of a terminal, or 0 when f is none.
	width func(f io.Writer) int
	// interactive reports whether somebody sits at stdin.
	interactive func() bool
}

// version is set by the release build; other builds say what the module knows.
var version string

func system() world {
	w := world{
		stdin: os.Stdin, stdout: os.Stdout, stderr: os.Stderr,
		getenv: os.Getenv, version: version, width: terminalWidth,
		interactive: func() bool { return term.IsTerminal(int(os.Stdin.Fd())) },
	}
	if info, ok := debug.ReadBuildInfo(); ok && w.version == "" {
		w.version = info.Main.Version
	}
	return w
}

func terminalWidth(f io.Writer) int {
	file, ok := f.(*os.File)
	if !ok {
		return 0
	}
	width, _, err := term.GetSize(int(file.Fd()))
	if err != nil {
		return 0
	}
	return width
}
