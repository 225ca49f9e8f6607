package journal

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/natsops/natsops/internal/hint"
)

// A holder is who has a lock, as its file tells others.
type holder struct {
	PID   int       `json:"pid"`
	Since time.Time `json:"since"`
}

// Lock makes this process the only one on this machine that may break target,
// in words, until release is called or the process ends, however it does. While
// another has it, the error is ErrRunning and names the other; any other error
// is ErrJournal. Only one process should heal a target at a time, too.
//
// The lock is the system's on an open file of dir, so it cannot be left behind.
// The file can, and says nothing by itself.
func Lock(dir, target string) (release func(), err error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, refuse(err)
	}
	sum := sha256.Sum256([]byte(target))
	f, err := os.OpenFile(filepath.Join(dir, hex.EncodeToString(sum[:8])+".lock"), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, refuse(err)
	}
	taken, err := tryLock(f)
	switch {
	case err != nil:
		err = refuse(fmt.Errorf("cannot lock %s: %w", f.Name(), err))
	case taken:
		err = running(f, dir, target)
	}
	if err != nil {
		_ = f.Close()
		return nil, err
	}
	// For people only: that it cannot be written does no harm.
	if text, err := json.Marshal(holder{os.Getpid(), time.Now().UTC()}); err == nil {
		_ = f.Truncate(0)
		_, _ = f.WriteAt(text, 0)
	}
	return func() {
		_ = f.Truncate(0)
		unlock(f)
		_ = f.Close()
	}, nil
}

// running says who holds the lock f on target.
func running(f io.Reader, dir, target string) error {
	err := fmt.Errorf("%w: %s", ErrRunning, target)
	var h holder
	if json.NewDecoder(f).Decode(&h) == nil && h.PID > 0 {
		what := ""
		runs, _ := Open(dir, func(pid int, _ string) bool { return pid == h.PID })
		for _, r := range runs {
			if r.State == Running {
				what = fmt.Sprintf(" drill %q in", r.Drill)
			}
		}
		err = fmt.Errorf("%w,%s process %d since %s", err, what, h.PID, h.Since.Local().Format(time.DateTime))
	}
	return hint.Wrap(err, "again when it has ended")
}
