package action_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"

	"github.com/natsops/natsops/internal/action"
	"github.com/natsops/natsops/internal/hint"
)

// lines returns the entries in a log. Empty lines are allowed.
func lines(t *testing.T, path string) []action.Entry {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var all []action.Entry
	for line := range bytes.Lines(data) {
		if len(bytes.TrimSpace(line)) == 0 {
			continue
		}
		var e action.Entry
		if err := json.Unmarshal(line, &e); err != nil {
			t.Errorf("%v in line %q", err, line)
			continue
		}
		all = append(all, e)
	}
	return all
}

func TestEntriesOfManyWritersAreWhole(t *testing.T) {
	const writers, each = 8, 25
	path := filepath.Join(t.TempDir(), "state", "natsops", "audit.jsonl")
	var group sync.WaitGroup
	for w := range writers {
		group.Go(func() {
			for n := range each {
				e := action.Entry{ID: fmt.Sprintf("%d-%d", w, n), Target: strings.Repeat("x", 100*w*n)}
				if err := action.NewLog(path).Append(e); err != nil {
					t.Error(err)
				}
			}
		})
	}
	group.Wait()
	seen := map[string]bool{}
	for _, e := range lines(t, path) {
		seen[e.ID] = true
	}
	if len(seen) != writers*each {
		t.Errorf("got %d entries, want %d", len(seen), writers*each)
	}
}

func TestTheLogIsForItsOwnerOnly(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("windows has no permission bits")
	}
	path := filepath.Join(t.TempDir(), "state", "natsops", "audit.jsonl")
	if err := action.NewLog(path).Append(action.Entry{}); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]os.FileMode{path: 0o600, filepath.Dir(path): 0o700, filepath.Dir(filepath.Dir(path)): 0o700} {
		info, err := os.Stat(name)
		if err != nil || info.Mode().Perm() != want {
			t.Errorf("%s: got %v, %v, want %v", name, info.Mode().Perm(), err, want)
		}
	}
}

func TestATornLineDoesNotSpoilTheNext(t *testing.T) {
	path := filepath.Join(t.TempDir(), "audit.jsonl")
	if err := os.WriteFile(path, []byte(`{"id":"torn","who":"a`), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := action.NewLog(path).Append(action.Entry{ID: "next", Target: "two\nlines"}); err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	torn, rest, _ := strings.Cut(string(data), "\n")
	var e action.Entry
	if err := json.Unmarshal([]byte(rest), &e); err != nil || e.ID != "next" || e.Target != "two\nlines" || strings.Count(rest, "\n") != 1 {
		t.Errorf("got %q after %q: %v", rest, torn, err)
	}
}

func TestALogThatCannotBeWrittenStopsTheDeed(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for name, path := range map[string]string{
		"a file is where the directory should be": filepath.Join(file, "natsops", "audit.jsonl"),
		"a directory is where the file should be": dir,
	} {
		s := &script{yes: true}
		d := s.door()
		d.Audit = action.NewLog(path)
		_, err := d.Perform(t.Context(), s.action())
		if !errors.Is(err, action.ErrAudit) || !strings.Contains(hint.Of(err), "XDG_STATE_HOME") {
			t.Errorf("%s: got %v (try %s)", name, err, hint.Of(err))
		}
		for _, step := range s.steps {
			if step == "do" {
				t.Errorf("%s: it was done", name)
			}
		}
	}
}

func TestWhereTheLogIs(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("the paths of this table are absolute on Unix only")
	}
	for _, c := range []struct {
		goos string
		env  map[string]string
		want string
	}{
		{"linux", map[string]string{"HOME": "/home/ann"}, "/home/ann/.local/state/natsops/audit.jsonl"},
		{"darwin", map[string]string{"HOME": "/Users/ann"}, "/Users/ann/.local/state/natsops/audit.jsonl"},
		{"linux", map[string]string{"HOME": "/home/ann", "XDG_STATE_HOME": "/var/ann"}, "/var/ann/natsops/audit.jsonl"},
		{"linux", map[string]string{"HOME": "/home/ann", "XDG_STATE_HOME": "relative"}, "/home/ann/.local/state/natsops/audit.jsonl"},
		{"windows", map[string]string{"LOCALAPPDATA": "/local", "HOME": "/home/ann"}, "/local/natsops/audit.jsonl"},
		{"linux", map[string]string{"XDG_STATE_HOME": "relative"}, ""},
		{"linux", map[string]string{"HOME": "relative"}, ""},
		{"windows", nil, ""},
	} {
		got, err := action.Path(c.goos, func(name string) string { return c.env[name] })
		if got != c.want || (err == nil) != (c.want != "") {
			t.Errorf("%s %v: got %q, %v, want %q", c.goos, c.env, got, err, c.want)
		}
		if err != nil && hint.Of(err) == "" {
			t.Errorf("%s %v: %v without a remedy", c.goos, c.env, err)
		}
	}
}
