package journal

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/natsops/natsops/internal/chaos/fault"
)

// A Run is what the journal of one run says.
type Run struct {
	ID string // by the name of its file
	Begin
	// Open is what is not known to be healed, in the order of the faults;
	// part of it may never have been injected.
	Open     []fault.Undo
	Injected int    // faults
	Healed   int    // faults
	Verdict  string // "": it did not end
	State    State
}

// State says what became of a run.
type State string

// The states.
const (
	Running State = "running" // its process lives
	Died    State = "died"    // its process ended before the run did
	Ended   State = "ended"
)

// Open lists the runs in dir, the oldest first; none when there is no such
// directory. alive says whether process pid that began at started lives: see
// [Alive]. Beside the runs, the error names each file, or line of one, that
// could not be read; of that file the rest counts. The last line of a file may
// be torn, since what it says had not begun.
func Open(dir string, alive func(pid int, started string) bool) ([]Run, error) {
	entries, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("cannot read the journals of drills: %w", err)
	}
	var runs []Run
	var errs []error
	for _, e := range entries {
		id, is := strings.CutSuffix(e.Name(), suffix)
		path := filepath.Join(dir, e.Name())
		if !is {
			continue
		}
		text, err := os.ReadFile(path)
		if errors.Is(err, fs.ErrNotExist) { // healed by somebody else, just now
			continue
		}
		if err != nil {
			errs = append(errs, fmt.Errorf("cannot read the journal of a drill: %w", err))
			continue
		}
		run, err := read(id, text, path)
		run.State = state(run, alive)
		runs, errs = append(runs, run), append(errs, err)
	}
	slices.SortStableFunc(runs, func(a, b Run) int { return a.Time.Compare(b.Time) })
	return runs, errors.Join(errs...)
}

// Remove forgets a run that left nothing behind, or whose traces were undone.
func Remove(dir, id string) error {
	path, err := pathOf(dir, id)
	if err != nil {
		return refuse(err)
	}
	if err := os.Remove(path); err != nil {
		return refuse(err)
	}
	syncDirectory(dir)
	return nil
}

// state judges by the process: a run without a beginning is one whose process
// was killed as it wrote its first line.
func state(r Run, alive func(int, string) bool) State {
	switch {
	case r.Verdict != "":
		return Ended
	case r.PID > 0 && alive(r.PID, r.Started):
		return Running
	default:
		return Died
	}
}

// read reads the journal of run id. Its error names the lines at fault by path.
func read(id string, text []byte, path string) (Run, error) {
	run := Run{ID: id}
	open := map[int][]fault.Undo{}
	var errs []error
	number := 0
	for line := range bytes.Lines(text) {
		number++
		if !bytes.HasSuffix(line, []byte("\n")) {
			break // torn
		}
		var r record
		if err := json.Unmarshal(line, &r); err != nil || r.damaged() {
			errs = append(errs, fmt.Errorf("%s:%d: not a record of a journal; what it has to undo is not known", path, number))
			continue
		}
		run.take(r, open)
	}
	for _, n := range slices.Sorted(maps.Keys(open)) {
		run.Open = append(run.Open, open[n]...)
	}
	return run, errors.Join(errs...)
}

// take adds what a record says. open is by the number of the fault.
func (run *Run) take(r record, open map[int][]fault.Undo) {
	switch r.Record {
	case beginKind:
		run.Begin = *r.Begin
	case undoKind:
		open[*r.Fault] = append(open[*r.Fault], r.Undo...)
	case injectedKind:
		run.Injected++
	case healedKind:
		run.Healed++
		delete(open, *r.Fault)
	case endKind:
		run.Verdict = r.Verdict
	}
}
