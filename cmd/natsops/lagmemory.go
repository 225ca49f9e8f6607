package main

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"time"

	"github.com/natsops/natsops/internal/action"
	"github.com/natsops/natsops/internal/inspect"
	"github.com/natsops/natsops/internal/inspect/lag"
)

// An alarmMemory says for how long alarms have been lasting. It outlives the
// command, so that cron and monitoring systems, which look once and again, can
// use --for.
type alarmMemory struct {
	file   string // "": nothing needs to be remembered
	alarms lag.Alarms
	lost   error // why there is nothing from before, if there should be
}

// newAlarmMemory returns what earlier commands with the same target, names and
// thresholds remember.
func newAlarmMemory(w world, cfg lagConfig, target string) *alarmMemory {
	m := &alarmMemory{}
	if cfg.lasting == 0 {
		return m
	}
	dir, err := action.StateDir(runtime.GOOS, w.getenv)
	if err != nil {
		m.lost = err
		return m
	}
	about := fmt.Sprintf("%q %q %q %d %s", target, cfg.account, cfg.patterns, cfg.thresholds.Backlog, cfg.thresholds.Age)
	sum := sha256.Sum256([]byte(about))
	m.file = filepath.Join(dir, "lag", hex.EncodeToString(sum[:8])+".json")
	content, err := os.ReadFile(m.file)
	if err == nil {
		err = json.Unmarshal(content, &m.alarms)
	}
	if err != nil && !os.IsNotExist(err) {
		m.lost = err
	}
	return m
}

// look takes note of the verdicts and returns for how long each alarm lasts.
func (m *alarmMemory) look(at time.Time, verdicts []lag.Verdict, lasting time.Duration) map[inspect.Key]time.Duration {
	m.alarms = m.alarms.After(at, verdicts, lasting)
	return m.alarms.Lasted(at)
}

// save keeps what was seen for the next command.
func (m *alarmMemory) save() error {
	if m.file == "" {
		return nil
	}
	if err := os.MkdirAll(filepath.Dir(m.file), 0o700); err != nil {
		return fmt.Errorf("cannot remember since when alarms last: %w", cause(err))
	}
	err := save(m.file, 0o600, func(out io.Writer) error { return json.NewEncoder(out).Encode(m.alarms) })
	if err != nil {
		return fmt.Errorf("cannot remember since when alarms last: %w", cause(err))
	}
	return nil
}
