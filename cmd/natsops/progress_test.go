package main

import (
	"bytes"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/natsops/natsops/internal/bench"
	"github.com/natsops/natsops/internal/report"
)

// startOfLine goes back to the first column and clears the line.
const startOfLine = "\r\x1b[K"

// onTerminal runs a short load with stderr, and only stderr, on a terminal.
func onTerminal(t *testing.T, url string, env map[string]string, args ...string) (stdout, stderr string) {
	t.Helper()
	var out, err bytes.Buffer
	w := testWorld(env)
	w.stdout, w.stderr = &out, &err
	w.width = func(f io.Writer) int {
		if f == &err {
			return 40
		}
		return 0
	}
	args = append([]string{"bench", "pubsub", "-s", url, "--rate", "1k", "--duration", "300ms", "--warmup", "0s"}, args...)
	if code := run(t.Context(), w, args); code != 0 {
		t.Fatalf("exit code %d:\n%s", code, err.String())
	}
	return out.String(), err.String()
}

func TestProgressIsOneLineOnATerminalThatIsGoneAtTheEnd(t *testing.T) {
	server := startServer(t)
	stdout, stderr := onTerminal(t, server.URL(), nil)
	lines := strings.Split(stderr, startOfLine)
	if len(lines) < 3 || lines[0] != "" || lines[len(lines)-1] != "" || strings.Contains(stderr, "\n") {
		t.Errorf("progress is %q, want lines that replace each other, the last one empty", stderr)
	}
	for _, line := range lines {
		if report.Width(line) >= 40 {
			t.Errorf("%q does not fit into 40 columns", line)
		}
		if line != "" && !strings.HasPrefix(line, "pubsub  ") {
			t.Errorf("%q does not say what is running", line)
		}
	}
	if strings.ContainsAny(stdout, "\r\x1b") {
		t.Errorf("the result has escape sequences in it: %q", stdout)
	}
}

func TestProgressIsNotShownWhereItIsNotWanted(t *testing.T) {
	server := startServer(t)
	if _, stderr := onTerminal(t, server.URL(), nil, "--no-progress"); stderr != "" {
		t.Errorf("--no-progress: stderr is %q", stderr)
	}
	if _, stderr := onTerminal(t, server.URL(), map[string]string{"TERM": "dumb"}); stderr != "" {
		t.Errorf("TERM=dumb: stderr is %q", stderr)
	}
}

func TestProgressSaysHowFarARunHasCome(t *testing.T) {
	p99 := int64(2_500_000)
	for _, c := range []struct {
		progress bench.Progress
		want     string
	}{
		{bench.Progress{Phase: "connecting", Done: 3, Total: 10}, "connecting 3 of 10"},
		{bench.Progress{Phase: "warming up", Done: 1, Total: 2}, "warming up   50%  0 errors"},
		{
			bench.Progress{Phase: "measuring", Done: 25, Total: 100, RatePerS: 123456, P99NS: &p99, ETA: 7400 * time.Millisecond, Errors: 2, Disconnects: 1},
			"measuring   25%  123k/s  p99 2.5ms  ETA 7s  2 errors  1 disconnects",
		},
		{bench.Progress{Phase: "measuring", Done: 200, Total: 100}, "measuring  100%  0 errors"},
		{bench.Progress{Phase: "measuring", Done: 200}, "measuring  0 errors"},
	} {
		if got := describe(c.progress); got != c.want {
			t.Errorf("%+v\n got %q\nwant %q", c.progress, got, c.want)
		}
	}
}

func TestProgressIsShownAtMostTenTimesASecond(t *testing.T) {
	var out bytes.Buffer
	w := testWorld(nil)
	w.stderr, w.width = &out, func(io.Writer) int { return 80 }
	p := newProgress(w, true)
	p.label(2, 3, "pub: 1 publisher, 128 B")
	begun := time.Now()
	for range 1000 {
		p.show(bench.Progress{Phase: "measuring"})
	}
	most := 1 + int(time.Since(begun)/(100*time.Millisecond))
	if got, want := out.String(), startOfLine+"[2/3] pub  measuring  0 errors"; !strings.HasPrefix(got, want) {
		t.Errorf("the first line is %q, want %q", got, want)
	}
	if n := strings.Count(out.String(), startOfLine); n > most {
		t.Errorf("a thousand calls have written %d lines, want at most %d", n, most)
	}
	p.clear()
	p.clear()
	if !strings.HasSuffix(out.String(), "errors"+startOfLine) {
		t.Errorf("the last line was not cleared once: %q", out.String())
	}
}
