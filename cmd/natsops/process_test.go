package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

// A background is a program that runs beside a script. testscript's own background
// commands tell neither their exit code nor what they say while they run.
type background struct {
	cmd            *exec.Cmd
	stdout, stderr record
	ended          chan struct{}
	unread         *os.File // the far end of a stdout that is stuck
}

// A record is a buffer that can be read while it is written.
type record struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (r *record) Write(p []byte) (int, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.text.Write(p)
}

func (r *record) String() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.text.String()
}

func cmdStart(ts *testscript.TestScript, args []string) {
	stuck := args[0] == "-stuck"
	if stuck {
		args = args[1:]
	}
	s := stageOf(ts)
	program, err := exec.LookPath(args[1])
	ts.Check(err)
	p := &background{cmd: exec.Command(program, args[2:]...), ended: make(chan struct{})}
	p.cmd.Dir = ts.MkAbs(".")
	p.cmd.SysProcAttr = ownGroup()
	for _, name := range s.environment {
		if value := ts.Getenv(name); value != "" {
			p.cmd.Env = append(p.cmd.Env, name+"="+value)
		}
	}
	p.cmd.Stdout, p.cmd.Stderr = &p.stdout, &p.stderr
	if stuck {
		full, err := p.fullPipe()
		ts.Check(err)
		defer full.Close()
		p.cmd.Stdout = full
	}
	ts.Check(p.cmd.Start())
	s.processes[args[0]] = p
	go func() {
		_ = p.cmd.Wait() // ProcessState tells
		close(p.ended)
	}()
}

// fullPipe returns the near end of a pipe that takes nothing more.
func (p *background) fullPipe() (*os.File, error) {
	far, near, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	p.unread = far
	if err := near.SetWriteDeadline(time.Now().Add(50 * time.Millisecond)); err != nil {
		return nil, err
	}
	for err == nil {
		_, err = near.Write(make([]byte, 4096))
	}
	if !errors.Is(err, os.ErrDeadlineExceeded) {
		return nil, err
	}
	return near, nil
}

// kill ends the process at the end of a script that has not done so.
func (p *background) kill() {
	_ = p.cmd.Process.Kill()
	<-p.ended
	if p.unread != nil {
		_ = p.unread.Close()
	}
}

func processOf(ts *testscript.TestScript, name string) *background {
	p := stageOf(ts).processes[name]
	if p == nil {
		ts.Fatalf("no process is called %s", name)
	}
	return p
}

func cmdSays(ts *testscript.TestScript, args []string) {
	p, pattern := processOf(ts, args[0]), regexp.MustCompile(args[1])
	limit := time.After(patience)
	for over := false; ; {
		said := p.stdout.String() + p.stderr.String()
		if match := pattern.FindStringSubmatch(said); match != nil {
			ts.Setenv(args[2], match[1])
			return
		}
		if over {
			ts.Fatalf("%s has not said %s, but:\n%s", args[0], args[1], said)
		}
		select {
		case <-p.ended:
			over = true // look once more
		case <-limit:
			over = true
		case <-time.After(5 * time.Millisecond):
		}
	}
}

func cmdSignal(ts *testscript.TestScript, args []string) {
	ts.Check(signalGroup(processOf(ts, args[0]).cmd.Process.Pid, args[1]))
}

// wait waits for the end of a process, and makes what it has said the stdout
// and stderr of the script.
func (p *background) wait(ts *testscript.TestScript, name string) *os.ProcessState {
	limit := time.NewTimer(patience)
	defer limit.Stop()
	select {
	case <-p.ended:
	case <-limit.C:
		ts.Fatalf("%s still runs after %v; its stderr:\n%s", name, patience, p.stderr.String())
	}
	fmt.Fprint(ts.Stdout(), p.stdout.String())
	fmt.Fprint(ts.Stderr(), p.stderr.String())
	return p.cmd.ProcessState
}

func cmdEnds(ts *testscript.TestScript, args []string) {
	want := number(ts, args[0])
	if got := processOf(ts, args[1]).wait(ts, args[1]).ExitCode(); got != want {
		ts.Fatalf("%s: exit code %d, want %d", args[1], got, want)
	}
}

func cmdDies(ts *testscript.TestScript, args []string) {
	if state := processOf(ts, args[0]).wait(ts, args[0]); state.Exited() {
		ts.Fatalf("%s: %v, want the end by a signal", args[0], state)
	}
}

func cmdNothingLeft(ts *testscript.TestScript, _ []string) {
	tmp := ts.Getenv("TMPDIR")
	labs, err := filepath.Glob(filepath.Join(tmp, "*"))
	ts.Check(err)
	for _, dir := range labs {
		ts.Fatalf("%s is left", dir)
	}
	if runtime.GOOS != "linux" {
		return // only Linux tells the environment of a process
	}
	processes, err := filepath.Glob("/proc/[0-9]*/environ")
	ts.Check(err)
	for _, file := range processes {
		environment, err := os.ReadFile(file)
		if err != nil {
			continue // it has ended, or is somebody else's
		}
		if strings.Contains("\x00"+string(environment), "\x00TMPDIR="+tmp+"\x00") {
			pid, err := strconv.Atoi(filepath.Base(filepath.Dir(file)))
			ts.Check(err)
			ts.Fatalf("process %d is left", pid)
		}
	}
}
