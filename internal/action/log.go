package action

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/natsops/natsops/internal/hint"
)

// A Log is an [Audit] in a file of JSON lines, which only ever grows. Any
// number of processes may write to it at once: every entry is one write to the
// end of the file, which local file systems do not interleave. NFS gives no such
// promise.
type Log struct{ path string }

// NewLog returns the log in file path. The file, and the directory that it is
// in, come into being with the first entry, for their owner only.
func NewLog(path string) Log { return Log{path} }

// Path returns where the audit log is on the system goos: in [StateDir].
func Path(goos string, env func(string) string) (string, error) {
	dir, err := StateDir(goos, env)
	if err != nil {
		return "", hint.Wrap(fmt.Errorf("%w: %w", ErrAudit, err), hint.Of(err))
	}
	return filepath.Join(dir, "audit.jsonl"), nil
}

// StateDir returns where natsops keeps what is worth keeping between commands on
// the system goos: in the directory for state of the XDG specification, or in
// LOCALAPPDATA on Windows. env looks an environment variable up.
func StateDir(goos string, env func(string) string) (string, error) {
	base, home := env("XDG_STATE_HOME"), env("HOME")
	switch {
	case filepath.IsAbs(base): // the specification has relative ones ignored
	case goos == "windows":
		base = env("LOCALAPPDATA")
	case filepath.IsAbs(home):
		base = filepath.Join(home, ".local", "state")
	default:
		base = ""
	}
	if base == "" {
		return "", hint.Wrap(errors.New("there is no home directory to keep it in"), "naming a directory in XDG_STATE_HOME")
	}
	return filepath.Join(base, "natsops"), nil
}

// Append writes e and returns when it is on disk.
func (l Log) Append(e Entry) (err error) {
	line, err := json.Marshal(e)
	if err != nil {
		return err
	}
	f, err := l.open()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	torn, err := endsInside(f)
	if err != nil {
		return err
	}
	line = append(line, '\n')
	if torn {
		line = append([]byte{'\n'}, line...)
	}
	if _, err := f.Write(line); err != nil {
		return err
	}
	return f.Sync()
}

// open refuses what is not a plain file: opening a pipe would wait for somebody
// to read it, and a device keeps nothing.
func (l Log) open() (*os.File, error) {
	dir := filepath.Dir(l.path)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	info, err := os.Stat(l.path)
	isNew := errors.Is(err, fs.ErrNotExist)
	switch {
	case err != nil && !isNew:
		return nil, err
	case err == nil && !info.Mode().IsRegular():
		return nil, fmt.Errorf("%s is not a regular file", l.path)
	}
	f, err := os.OpenFile(l.path, os.O_APPEND|os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, err
	}
	if isNew {
		syncDirectory(dir)
	}
	return f, nil
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

// endsInside reports whether the last line of f has no end, since a full disk
// or a crash tore it. What follows must not become a part of it.
func endsInside(f *os.File) (bool, error) {
	info, err := f.Stat()
	if err != nil || info.Size() == 0 {
		return false, err
	}
	var last [1]byte
	if _, err := f.ReadAt(last[:], info.Size()-1); err != nil {
		return false, err
	}
	return last[0] != '\n', nil
}
