package lab

import (
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"
)

func TestSweepWaitsForTheLastOwner(t *testing.T) {
	root := t.TempDir()
	parent, err := newDirectory(root)
	if err != nil {
		t.Fatal(err)
	}
	child, err := joinDirectory(parent.path)
	if err != nil {
		t.Fatal(err)
	}
	for _, owner := range []*directory{parent, child} {
		sweep(root)
		if _, err := os.Stat(filepath.Join(parent.path, lockName)); err != nil {
			t.Fatalf("swept while owned: %v", err)
		}
		owner.release()
	}
	sweep(root)
	mustBeEmpty(t, root)
}

func TestSweepLeavesALabThatIsJustBeingMade(t *testing.T) {
	root := t.TempDir()
	dir := filepath.Join(root, dirPrefix+"new")
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	sweep(root)
	if err := os.WriteFile(filepath.Join(dir, lockName), nil, 0o600); err != nil {
		t.Fatalf("swept before its lock file was made: %v", err)
	}
	sweep(root)
	if _, err := os.Stat(dir); err != nil {
		t.Errorf("swept before its owner was known: %v", err)
	}
}

func TestSweepLooksAtLabsOnly(t *testing.T) {
	root := t.TempDir()
	dir, err := newDirectory(root)
	if err != nil {
		t.Fatal(err)
	}
	dir.release()
	other := filepath.Join(root, "natsops-other")
	if err := os.Rename(dir.path, other); err != nil {
		t.Fatal(err)
	}
	link := filepath.Join(root, dirPrefix+"link")
	if err := os.Symlink(other, link); err != nil {
		t.Skipf("no symbolic links here: %v", err)
	}
	sweep(root)
	for _, path := range []string{filepath.Join(other, lockName), link} {
		if _, err := os.Lstat(path); err != nil {
			t.Error(err)
		}
	}
}

func TestHeirWaitsForTheOtherOwnersButNotForEver(t *testing.T) {
	root := t.TempDir()
	parent, err := newDirectory(root)
	if err != nil {
		t.Fatal(err)
	}
	var heirs sync.WaitGroup
	for range 3 {
		heir, err := joinDirectory(parent.path)
		if err != nil {
			t.Fatal(err)
		}
		heirs.Go(func() { heir.inherit(time.Minute) })
	}
	late, err := joinDirectory(parent.path)
	if err != nil {
		t.Fatal(err)
	}
	late.inherit(0)
	if _, err := os.Stat(filepath.Join(parent.path, lockName)); err != nil {
		t.Fatalf("removed while owned: %v", err)
	}
	parent.release()
	heirs.Wait()
	mustBeEmpty(t, root)
}
