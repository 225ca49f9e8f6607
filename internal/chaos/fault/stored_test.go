package fault

import (
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"testing"
)

// write makes files, by their paths below a directory.
func write(t *testing.T, dir string, files map[string]string) {
	t.Helper()
	for name, text := range files {
		path := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

func readAll(t *testing.T, dir string) map[string]string {
	t.Helper()
	files := map[string]string{}
	err := filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		text, err := os.ReadFile(path)
		name, _ := filepath.Rel(dir, path)
		files[filepath.ToSlash(name)] = string(text)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

func TestWhatIsSyncedSurvivesALossOfPowerAndNothingElseDoes(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "n1")
	write(t, dir, map[string]string{
		"js/raft/tav.idx": "term 1", "js/raft/snapshots/snap.1": "old", "js/raft/msgs/1.blk": "short",
		"js/raft/commit.idx": "1", "js/raft/msgs/0.blk": "removed later",
	})
	s := &stored{dir: dir}
	if _, err := s.putBack(); err == nil {
		t.Error("put back without a copy")
	}
	if err := s.save(); err != nil {
		t.Fatal(err)
	}
	for _, gone := range []string{"js/raft/msgs/0.blk", "js/raft/snapshots/snap.1"} {
		if err := os.Remove(filepath.Join(dir, filepath.FromSlash(gone))); err != nil {
			t.Fatal(err)
		}
	}
	write(t, dir, map[string]string{
		"js/raft/tav.idx": "term 2", "js/raft/peers.idx": "new", "js/raft/snapshots/snap.2": "new", "js/raft/msgs/1.blk": "short and long",
		"js/raft/commit.idx": "2", "js/raft/msgs/2.blk": "new", "js/later/tav.idx": "in a directory that was not synced",
	})
	lost, err := s.putBack()
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]string{
		"js/raft/tav.idx": "term 2", "js/raft/peers.idx": "new", "js/raft/snapshots/snap.2": "new", "js/raft/msgs/1.blk": "short",
		"js/raft/commit.idx": "1", "js/raft/msgs/0.blk": "removed later",
	}
	if got := readAll(t, dir); !maps.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	if lost < 0 {
		t.Errorf("%d bytes are lost", lost)
	}
	for range 2 {
		if err := s.remove(); err != nil {
			t.Error(err)
		}
	}
	if left, err := os.ReadDir(filepath.Dir(dir)); err != nil || len(left) != 1 {
		t.Errorf("%v are left, error %v", left, err)
	}
}
