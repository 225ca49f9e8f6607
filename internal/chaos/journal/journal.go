// Package journal keeps on disk what a drill has to undo, so that another
// process can when this one is killed: one file of JSON lines for each run.
//
// A fault may be injected only when its undo records are on disk, which is when
// [Journal.Undo] returned nil.
package journal

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"sync"
	"time"

	"github.com/natsops/natsops/internal/chaos/fault"
	"github.com/natsops/natsops/internal/hint"
)

// Why nothing may be injected.
var (
	ErrJournal = errors.New("cannot keep the journal of the drill")
	ErrRunning = errors.New("another drill is running there")
)

const suffix = ".jsonl"

// A Journal is the open journal of this process's run. Its methods may be called
// concurrently.
type Journal struct {
	id string

	mu   sync.Mutex
	file *os.File
	size int64 // of the whole lines; what is behind is of a write that failed
}

// Create begins the journal of a run in directory dir, which comes into being
// for its owner only. All errors of a journal are ErrJournal.
func Create(dir string, b Begin) (*Journal, error) {
	path, err := pathOf(dir, b.ID)
	if err != nil {
		return nil, refuse(err)
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, refuse(err)
	}
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_RDWR, 0o600)
	if err != nil {
		return nil, refuse(err)
	}
	j := &Journal{id: b.ID, file: f}
	if err := j.append(record{Record: beginKind, Begin: &b}); err != nil {
		_ = f.Close()
		_ = os.Remove(path)
		return nil, err
	}
	syncDirectory(dir)
	return j, nil
}

// Undo notes what undoes fault number n, before it is injected. A fault may be
// noted several times; all of it counts.
func (j *Journal) Undo(n int, undos []fault.Undo) error {
	return j.append(record{Record: undoKind, Fault: new(n), Undo: undos})
}

// Injected notes that fault number n is.
func (j *Journal) Injected(n int) error {
	return j.append(record{Record: injectedKind, Fault: new(n)})
}

// Healed notes that nothing is left of fault number n.
func (j *Journal) Healed(n int) error {
	return j.append(record{Record: healedKind, Fault: new(n)})
}

// End notes how the run ended. What is not healed by then stays to be undone.
func (j *Journal) End(verdict string) error {
	return j.append(record{Record: endKind, Verdict: verdict})
}

// Close ends the writing. The file stays; see [Remove].
func (j *Journal) Close() error {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.file.Close()
}

// append writes a record in one write and returns when it is on disk. A line
// that could only be written in part is taken away again, by the next append at
// the latest, so that the one behind it can be read.
func (j *Journal) append(r record) error {
	r.At = time.Now().UTC()
	line, err := json.Marshal(r)
	if err != nil {
		return refuse(err)
	}
	line = append(line, '\n')
	j.mu.Lock()
	defer j.mu.Unlock()
	if err := j.file.Truncate(j.size); err != nil {
		return refuse(err)
	}
	_, err = j.file.WriteAt(line, j.size)
	if err == nil {
		err = j.file.Sync()
	}
	if err != nil {
		_ = j.file.Truncate(j.size)
		return refuse(err)
	}
	j.size += int64(len(line))
	return nil
}

// pathOf returns the file of a run. An ID never leads out of the directory.
func pathOf(dir, id string) (string, error) {
	if ok, _ := regexp.MatchString(`^[A-Za-z0-9_-]{1,100}$`, id); !ok {
		return "", fmt.Errorf("%q is not the id of a run: want letters, digits, - and _", id)
	}
	return filepath.Join(dir, id+suffix), nil
}

func refuse(err error) error {
	return hint.Wrap(fmt.Errorf("%w: %w", ErrJournal, err),
		"naming a directory that can be written, on a disk with space, in XDG_STATE_HOME")
}

// syncDirectory makes the name of a new file survive a crash, where the system
// can do that for directories; not on Windows.
func syncDirectory(dir string) {
	d, err := os.Open(dir)
	if err != nil {
		return
	}
	_ = d.Sync()
	_ = d.Close()
}
