package journal

import (
	"errors"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/natsops/natsops/internal/chaos/fault"
)

// A limit on the size of files tears a write as a full disk does: what fits is
// written, and the rest refused.
func TestAFullDiskLeavesWholeLines(t *testing.T) {
	signal.Ignore(syscall.SIGXFSZ)
	defer signal.Reset(syscall.SIGXFSZ)
	dir := t.TempDir()
	j := create(t, dir, "r1")
	must(t, j.Undo(0, []fault.Undo{stop(1)}))
	info, err := os.Stat(filepath.Join(dir, "r1.jsonl"))
	must(t, err)

	var old syscall.Rlimit
	must(t, syscall.Getrlimit(syscall.RLIMIT_FSIZE, &old))
	full := syscall.Rlimit{Cur: uint64(info.Size()) + 10, Max: old.Max}
	must(t, syscall.Setrlimit(syscall.RLIMIT_FSIZE, &full))
	err = j.Undo(1, []fault.Undo{stop(2)})
	must(t, syscall.Setrlimit(syscall.RLIMIT_FSIZE, &old))
	if !errors.Is(err, ErrJournal) {
		t.Fatalf("Undo on a full disk = %v, want ErrJournal", err)
	}

	must(t, j.Undo(2, []fault.Undo{stop(3)})) // there is space again
	if diff := cmp.Diff([]fault.Undo{stop(1), stop(3)}, openOne(t, dir).Open); diff != "" {
		t.Error(diff)
	}
}
