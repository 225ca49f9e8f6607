package fault

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
)

// synced are the files and directories of a store that nats-server writes with
// O_SYNC, always: the term and vote, the peers and the snapshots of each Raft
// group (v2.15.2, raft.go: writeTermVote, writePeerState, installSnapshot; the
// messages of groups and streams are synced each sync_interval only, filestore.go:
// syncBlocks, and commit.idx is not at all, unless it is sync_interval: always).
func synced() []string { return []string{"tav.idx", "peers.idx", "snapshots"} }

// A stored is the data of a node as they were.
type stored struct {
	dir  string
	copy string // "": not saved
}

// save copies the data beside them, where whoever removes the directory of a
// node also finds the copy. The node may run: files that it removes meanwhile
// are missed, and what it just writes is torn, as on a disk.
func (s *stored) save() error {
	to, err := os.MkdirTemp(filepath.Dir(s.dir), filepath.Base(s.dir)+"-unsynced-")
	if err != nil {
		return err
	}
	s.copy = to
	_, err = transfer(s.dir, to, func(string) bool { return true })
	return err
}

// putBack makes the data what they were, but for what is synced. The node must
// be down. It returns how many bytes the node wrote in vain, as far as they made
// the data longer.
func (s *stored) putBack() (lost int64, err error) {
	if s.copy == "" {
		return 0, errors.New("there is no copy")
	}
	now, err := s.clear()
	if err != nil {
		return 0, err
	}
	was, err := transfer(s.copy, s.dir, func(name string) bool { return !isSynced(name) })
	return max(0, now-was), err
}

// clear removes what is not synced, and returns how many bytes that were. What is
// synced stays where its directory was there before; one that is newer was not
// synced in the directory above.
func (s *stored) clear() (removed int64, err error) {
	now, err := os.OpenRoot(s.dir)
	if err != nil {
		return 0, err
	}
	defer now.Close() //nolint:errcheck // nothing of it is to be written
	err = fs.WalkDir(now.FS(), ".", func(name string, e fs.DirEntry, err error) error {
		if err != nil || isSynced(name) {
			return err
		}
		if e.IsDir() {
			return s.clearDir(now, name)
		}
		if info, err := e.Info(); err == nil {
			removed += info.Size()
		}
		return now.Remove(name)
	})
	return removed, err
}

// clearDir removes a directory that was not there before.
func (s *stored) clearDir(now *os.Root, name string) error {
	_, err := os.Stat(filepath.Join(s.copy, filepath.FromSlash(name)))
	if !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if err := now.RemoveAll(name); err != nil {
		return err
	}
	return fs.SkipDir
}

// remove removes the copy.
func (s *stored) remove() error {
	if s.copy == "" {
		return nil
	}
	if err := os.RemoveAll(s.copy); err != nil {
		return err
	}
	s.copy = ""
	return nil
}

// isSynced tells whether a file or directory, by its slashed path in the store, is
// synced.
func isSynced(name string) bool {
	return slices.Contains(synced(), path.Base(name)) || slices.Contains(synced(), path.Base(path.Dir(name)))
}

// transfer copies the files below a directory that are wanted, by their slashed
// paths there, and returns how many bytes that were. Those that are gone when they
// are to be read are left out.
func transfer(from, to string, want func(name string) bool) (bytes int64, err error) {
	source, err := os.OpenRoot(from)
	if err != nil {
		return 0, err
	}
	defer source.Close() //nolint:errcheck // it was only read
	target, err := os.OpenRoot(to)
	if err != nil {
		return 0, err
	}
	defer target.Close() //nolint:errcheck // each file was closed
	err = fs.WalkDir(source.FS(), ".", func(name string, e fs.DirEntry, err error) error {
		switch {
		case errors.Is(err, fs.ErrNotExist):
			return nil
		case err != nil:
			return err
		case e.IsDir():
			return target.MkdirAll(name, 0o700)
		case !e.Type().IsRegular() || !want(name):
			return nil
		}
		n, err := copyFile(source, target, name)
		bytes += n
		return err
	})
	return bytes, err
}

func copyFile(from, to *os.Root, name string) (int64, error) {
	in, err := from.Open(name)
	if errors.Is(err, fs.ErrNotExist) {
		return 0, nil
	}
	if err != nil {
		return 0, err
	}
	defer in.Close() //nolint:errcheck // it was only read
	out, err := to.OpenFile(name, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return 0, err
	}
	n, err := io.Copy(out, in)
	return n, errors.Join(err, out.Close())
}
