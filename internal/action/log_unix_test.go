//go:build unix

package action_test

import (
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/natsops/natsops/internal/action"
)

func TestAPipeIsNotALog(t *testing.T) {
	path := filepath.Join(t.TempDir(), "audit.jsonl")
	if err := syscall.Mkfifo(path, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := action.NewLog(path).Append(action.Entry{}); err == nil || !strings.Contains(err.Error(), "not a regular file") {
		t.Errorf("got %v", err)
	}
}
