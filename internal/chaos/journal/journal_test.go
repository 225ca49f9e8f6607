package journal

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/natsops/natsops/internal/chaos/fault"
	"github.com/natsops/natsops/internal/hint"
)

func nobodyLives(int, string) bool { return false }

func someBegin(id string) Begin {
	return Begin{
		ID: id, Drill: "kill-node", PID: 4711, Started: "123", Version: "1.0", Seed: 7,
		Target: Target{Servers: []string{"nats://n1:4222"}, Context: "staging", Cluster: "C1"},
		Time:   time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC), Stream: "NATSOPS_CHAOS_x",
	}
}

func create(t *testing.T, dir, id string) *Journal {
	t.Helper()
	j, err := Create(dir, someBegin(id))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = j.Close() })
	return j
}

func must(t *testing.T, errs ...error) {
	t.Helper()
	if err := errors.Join(errs...); err != nil {
		t.Fatal(err)
	}
}

func openOne(t *testing.T, dir string) Run {
	t.Helper()
	runs, err := Open(dir, nobodyLives)
	if err != nil || len(runs) != 1 {
		t.Fatalf("Open = %d runs, %v, want one", len(runs), err)
	}
	return runs[0]
}

func stop(pid int) fault.Undo { return fault.Undo{Kind: fault.UndoStop, PID: pid, Started: "99"} }

func TestWhatIsNotHealedStaysToBeUndone(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "state", "chaos")
	j := create(t, dir, "r1")
	pause := fault.Undo{Kind: fault.UndoPause, Stream: "S", Consumer: "C", Expires: time.Date(2026, 1, 2, 3, 5, 0, 0, time.UTC)}
	must(t, j.Undo(0, []fault.Undo{stop(1), pause}), j.Injected(0), j.Undo(1, []fault.Undo{stop(2)}), j.Healed(0), j.Undo(2, []fault.Undo{pause}))
	want := Run{ID: "r1", Begin: someBegin("r1"), Open: []fault.Undo{stop(2), pause}, Injected: 1, Healed: 1, State: Died}
	if diff := cmp.Diff(want, openOne(t, dir)); diff != "" {
		t.Error(diff)
	}
	must(t, j.Healed(1), j.Healed(2), j.End("passed"))
	want.Open, want.Healed, want.State, want.Verdict = nil, 3, Ended, "passed"
	if diff := cmp.Diff(want, openOne(t, dir)); diff != "" {
		t.Error(diff)
	}
	must(t, j.Close(), Remove(dir, "r1"))
	if runs, err := Open(dir, nobodyLives); len(runs) != 0 || err != nil {
		t.Errorf("after Remove: %v, %v", runs, err)
	}
}

func TestARunLivesAsLongAsItsProcess(t *testing.T) {
	dir := t.TempDir()
	create(t, dir, "r1")
	runs, err := Open(dir, func(pid int, started string) bool { return pid == 4711 && started == "123" })
	if err != nil || len(runs) != 1 || runs[0].State != Running {
		t.Errorf("Open = %+v, %v, want one that runs", runs, err)
	}
}

func TestRunsComeOldestFirst(t *testing.T) {
	dir := t.TempDir()
	for i, id := range []string{"b", "c", "a"} {
		b := someBegin(id)
		b.Time = b.Time.Add(time.Duration(i) * time.Second)
		j, err := Create(dir, b)
		must(t, err, j.Close())
	}
	must(t, os.WriteFile(filepath.Join(dir, "notes.txt"), []byte("x"), 0o600))
	runs, err := Open(dir, nobodyLives)
	var got []string
	for _, r := range runs {
		got = append(got, r.ID)
	}
	if diff := cmp.Diff([]string{"b", "c", "a"}, got); diff != "" || err != nil {
		t.Error(diff, err)
	}
}

func TestThereAreNoRunsWithoutADirectory(t *testing.T) {
	if runs, err := Open(filepath.Join(t.TempDir(), "none"), nobodyLives); runs != nil || err != nil {
		t.Errorf("Open = %v, %v", runs, err)
	}
}

// Whatever a drill noted and wherever the last write was torn, what counts is
// what the whole lines say.
func TestATornEndChangesNothingAtAnyByte(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		dir := t.TempDir()
		j, err := Create(dir, someBegin("r1"))
		if err != nil {
			r.Fatal(err)
		}
		defer j.Close()
		path := filepath.Join(dir, "r1.jsonl")
		after := []Run{{ID: "r1"}} // by the number of whole lines
		look := func() {
			runs, err := Open(dir, nobodyLives)
			if err != nil || len(runs) != 1 {
				r.Fatalf("Open = %v, %v", runs, err)
			}
			runs[0].State = ""
			after = append(after, runs[0])
		}
		look()
		for range rapid.IntRange(0, 6).Draw(r, "records") {
			n := rapid.IntRange(0, 2).Draw(r, "fault")
			var err error
			switch rapid.SampledFrom([]kind{undoKind, injectedKind, healedKind, endKind}).Draw(r, "kind") {
			case undoKind:
				err = j.Undo(n, []fault.Undo{stop(rapid.IntRange(1, 99).Draw(r, "pid"))})
			case injectedKind:
				err = j.Injected(n)
			case healedKind:
				err = j.Healed(n)
			default:
				err = j.End("failed")
			}
			if err != nil {
				r.Fatal(err)
			}
			look()
		}
		text, err := os.ReadFile(path)
		if err != nil {
			r.Fatal(err)
		}
		for cut := range len(text) + 1 {
			got, err := read("r1", text[:cut], path)
			want := after[bytes.Count(text[:cut], []byte("\n"))]
			if !reflect.DeepEqual(want, got) || err != nil { // cmp is slow at so many
				r.Fatalf("cut at byte %d: %v\n%s", cut, err, cmp.Diff(want, got))
			}
		}
	})
}

func TestRecordsOfANewerVersionArePassedOver(t *testing.T) {
	dir := t.TempDir()
	j := create(t, dir, "r1")
	must(t, j.Undo(0, []fault.Undo{stop(1)}))
	f, err := os.OpenFile(filepath.Join(dir, "r1.jsonl"), os.O_APPEND|os.O_WRONLY, 0)
	must(t, err)
	_, err = f.WriteString(`{"record":"paused","fault":0,"by":"moon"}` + "\n")
	must(t, err, f.Close())
	if got := openOne(t, dir).Open; !cmp.Equal(got, []fault.Undo{stop(1)}) {
		t.Errorf("Open = %v", got)
	}
}

func TestADamagedLineIsNamedAndTheRestCounts(t *testing.T) {
	for _, damaged := range []string{"\x00\x00\x00", `{"record":"undo"}`, `{"record":"begin"}`, `{}`, `[]`, ""} {
		dir := t.TempDir()
		j := create(t, dir, "r1")
		must(t, j.Undo(0, []fault.Undo{stop(1)}))
		path := filepath.Join(dir, "r1.jsonl")
		text, err := os.ReadFile(path)
		must(t, err)
		first, rest, _ := bytes.Cut(text, []byte("\n"))
		must(t, os.WriteFile(path, fmt.Appendf(nil, "%s\n%s\n%s", first, damaged, rest), 0o600))
		runs, err := Open(dir, nobodyLives)
		if err == nil || !strings.Contains(err.Error(), path+":2: ") {
			t.Errorf("%q: error %v, want one that names %s:2", damaged, err, path)
		}
		if len(runs) != 1 || !cmp.Equal(runs[0].Open, []fault.Undo{stop(1)}) {
			t.Errorf("%q: runs %+v, want the one with what is open", damaged, runs)
		}
	}
}

func TestAFileThatCannotBeReadIsNamedBesideTheOthers(t *testing.T) {
	dir := t.TempDir()
	create(t, dir, "r1")
	must(t, os.Mkdir(filepath.Join(dir, "r2.jsonl"), 0o700))
	runs, err := Open(dir, nobodyLives)
	if len(runs) != 1 || err == nil || !strings.Contains(err.Error(), "r2.jsonl") {
		t.Errorf("Open = %v, %v", runs, err)
	}
}

func TestAJournalIsForItsOwnerOnly(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("Windows has no such modes")
	}
	dir := filepath.Join(t.TempDir(), "chaos")
	create(t, dir, "r1")
	for path, want := range map[string]os.FileMode{dir: 0o700, filepath.Join(dir, "r1.jsonl"): 0o600} {
		info, err := os.Stat(path)
		must(t, err)
		if got := info.Mode().Perm(); got != want {
			t.Errorf("%s: mode %o, want %o", path, got, want)
		}
	}
}

func TestWithoutAPlaceNothingBegins(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	must(t, os.WriteFile(file, nil, 0o600))
	taken := t.TempDir()
	create(t, taken, "r1")
	for name, c := range map[string]struct{ dir, id string }{
		"a file in the directory's place": {file, "r1"},
		"below a file":                    {filepath.Join(file, "chaos"), "r1"},
		"an id that is taken":             {taken, "r1"},
		"an id that leads out":            {t.TempDir(), "../r1"},
		"no id":                           {t.TempDir(), ""},
	} {
		_, err := Create(c.dir, someBegin(c.id))
		if !errors.Is(err, ErrJournal) || !strings.Contains(hint.Of(err), "XDG_STATE_HOME") || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: %v, hint %q", name, err, hint.Of(err))
		}
	}
}

func TestAClosedJournalTakesNothing(t *testing.T) {
	j := create(t, t.TempDir(), "r1")
	must(t, j.Close())
	if err := j.Undo(0, nil); !errors.Is(err, ErrJournal) {
		t.Errorf("Undo = %v, want ErrJournal", err)
	}
}

func TestManyWritersKeepTheirLinesWhole(t *testing.T) {
	dir := t.TempDir()
	var wait sync.WaitGroup
	const runs, faults = 8, 20
	for i := range runs {
		j := create(t, dir, fmt.Sprint("r", i))
		for n := range faults {
			wait.Go(func() {
				if err := errors.Join(j.Undo(n, []fault.Undo{stop(n + 1)}), j.Injected(n)); err != nil {
					t.Error(err)
				}
			})
		}
	}
	wait.Wait()
	got, err := Open(dir, nobodyLives)
	if err != nil || len(got) != runs {
		t.Fatalf("Open = %d runs, %v", len(got), err)
	}
	for _, r := range got {
		if len(r.Open) != faults || r.Injected != faults {
			t.Errorf("%s: %d to undo and %d injected, want %d", r.ID, len(r.Open), r.Injected, faults)
		}
	}
}

func TestOnlyOneCreatesARun(t *testing.T) {
	dir := t.TempDir()
	var wait sync.WaitGroup
	var mu sync.Mutex
	created := 0
	for range 8 {
		wait.Go(func() {
			j, err := Create(dir, someBegin("r1"))
			if err == nil {
				mu.Lock()
				created++
				mu.Unlock()
				_ = j.Close()
			}
		})
	}
	wait.Wait()
	if created != 1 {
		t.Errorf("%d created the same run, want 1", created)
	}
}

func TestRemoveNeverLeavesTheDirectory(t *testing.T) {
	dir := t.TempDir()
	outside := filepath.Join(dir, "outside.jsonl")
	must(t, os.WriteFile(outside, nil, 0o600), os.Mkdir(filepath.Join(dir, "chaos"), 0o700))
	if err := Remove(filepath.Join(dir, "chaos"), "../outside"); !errors.Is(err, ErrJournal) {
		t.Errorf("Remove = %v", err)
	}
	if _, err := os.Stat(outside); err != nil {
		t.Error(err)
	}
}
