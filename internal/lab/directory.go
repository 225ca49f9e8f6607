package lab

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"
)

const (
	dirPrefix = "natsops-lab-"
	lockName  = "owner.lock"
	lockMark  = "natsops lab, owned by process "

	inheritTick = 5 * time.Millisecond
)

// A directory is a lab's place on disk, held by this process.
//
// Every process that uses the directory, parent and child, holds a shared lock
// on its lock file, which the system drops when the process ends, however it
// ends. So a directory whose lock can be had for oneself has no living owner:
// no pid is compared, and none can be reused. The mark is written to the lock
// file only while the lock is held, so a directory that is just being made is
// never mistaken for a stale one.
type directory struct {
	path string
	lock *os.File
}

// newDirectory makes a lab directory under root.
func newDirectory(root string) (*directory, error) {
	path, err := os.MkdirTemp(root, dirPrefix)
	if err != nil {
		return nil, err
	}
	d := &directory{path: path}
	d.lock, err = os.OpenFile(filepath.Join(path, lockName), os.O_CREATE|os.O_EXCL|os.O_RDWR, 0o600)
	if err == nil {
		err = lockShared(d.lock)
	}
	if err == nil {
		_, err = fmt.Fprintf(d.lock, "%s%d\n", lockMark, os.Getpid())
	}
	if err != nil {
		_ = d.remove()
		return nil, err
	}
	return d, nil
}

// joinDirectory makes this process one more owner of the lab directory at path.
func joinDirectory(path string) (*directory, error) {
	lock, err := openMarked(path)
	if err != nil {
		return nil, err
	}
	if err := lockShared(lock); err != nil {
		_ = lock.Close()
		return nil, err
	}
	return &directory{path: path, lock: lock}, nil
}

// release gives up this process's share.
func (d *directory) release() { _ = d.lock.Close() }

// inherit gives up this process's share and removes the directory, which it
// leaves to the last of its owners if there are others. It waits for them for
// as long as limit: those that die with this process do not do so at the same
// instant.
func (d *directory) inherit(limit time.Duration) {
	d.release()
	tick := time.NewTicker(inheritTick)
	defer tick.Stop()
	timer := time.NewTimer(limit)
	defer timer.Stop()
	for !removeStale(d.path) {
		select {
		case <-tick.C:
		case <-timer.C:
			return
		}
	}
}

// remove gives up this process's share and removes the directory. The order is
// that of Windows, where an open file cannot be removed.
func (d *directory) remove() error {
	d.release()
	return os.RemoveAll(d.path)
}

// sweep removes the lab directories under root that no living process owns. It
// does what it can: what it may not open or remove is not its to judge.
func sweep(root string) {
	entries, err := os.ReadDir(root)
	if err != nil {
		return
	}
	for _, e := range entries {
		if !e.IsDir() || !strings.HasPrefix(e.Name(), dirPrefix) {
			continue
		}
		removeStale(filepath.Join(root, e.Name()))
	}
}

// removeStale removes the directory at path if it is a lab's and no living
// process owns it. It reports whether there is nothing more to do.
func removeStale(path string) bool {
	lock, err := openMarked(path)
	if err != nil {
		return true
	}
	stale := lockExclusive(lock) == nil
	_ = lock.Close()
	if stale {
		_ = os.RemoveAll(path)
	}
	return stale
}

// openMarked opens the lock file of the directory at path, if it is a lab's.
func openMarked(path string) (*os.File, error) {
	lock, err := os.OpenFile(filepath.Join(path, lockName), os.O_RDWR, 0)
	if err != nil {
		return nil, err
	}
	mark := make([]byte, len(lockMark))
	if _, err := io.ReadFull(lock, mark); err != nil || string(mark) != lockMark {
		_ = lock.Close()
		return nil, fmt.Errorf("%s is not the directory of a lab", path)
	}
	return lock, nil
}
