package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/natsops/natsops/internal/lab"
)

func TestMistakesAreToldInOneLineAndNothingIsSent(t *testing.T) {
	server := startServer(t, lab.Config{})
	dir := mistakenFiles(t)
	isolate(t)
	before := traffic(t, server)
	for _, m := range mistakes() {
		t.Run(m.command, func(t *testing.T) {
			args := words(strings.ReplaceAll(m.command, "$DIR", dir))
			named := map[string]string{"XDG_CONFIG_HOME": dir, "NATS_URL": server.URL()}
			if m.atServer && !strings.Contains(m.command, "--monitor") {
				args = append(args, "--monitor", server.MonitorURL()) // otherwise it asks the system account
			}
			got := natsops(t, named, args...)
			checkMistake(t, got)
			for _, want := range m.says {
				if want = strings.ReplaceAll(want, "$DIR", dir); !strings.Contains(got.stderr, want) {
					t.Errorf("stderr does not say %q:\n%s", want, got.stderr)
				}
			}
			after := traffic(t, server)
			if after.InMsgs != before.InMsgs || after.Connections != before.Connections && !m.atServer {
				t.Errorf("the server has seen %+v, before it was %+v", after, before)
			}
			before = after
			if m.atServer {
				return
			}
			// A lab would be started where nothing is named.
			alone := natsops(t, map[string]string{"XDG_CONFIG_HOME": dir}, args...)
			if alone.code != 2 || strings.Contains(alone.stderr, "throwaway") {
				t.Errorf("with no server named: %+v", alone)
			}
		})
	}
}

func TestMistakesAreToldToProgramsAsOneObject(t *testing.T) {
	dir := mistakenFiles(t)
	for _, m := range mistakes() {
		rest, isBench := strings.CutPrefix(m.command, "bench ")
		if !isBench || m.atServer || strings.HasPrefix(rest, "pub -o") {
			continue
		}
		t.Run(m.command, func(t *testing.T) {
			isolate(t)
			args := words(strings.ReplaceAll("bench -o json "+rest, "$DIR", dir))
			got := natsops(t, map[string]string{"XDG_CONFIG_HOME": dir, "NATS_URL": "127.0.0.1:1"}, args...)
			var object struct {
				Error, Hint string
				Code        int
			}
			decoder := json.NewDecoder(strings.NewReader(got.stderr))
			decoder.DisallowUnknownFields()
			if err := decoder.Decode(&object); err != nil || decoder.More() || strings.Count(got.stderr, "\n") != 1 {
				t.Fatalf("stderr is not one JSON object in one line (%v):\n%s", err, got.stderr)
			}
			if got.code != 2 || object.Code != 2 || object.Error == "" || got.stdout != "" {
				t.Errorf("got %+v, want code 2 and an error", got)
			}
		})
	}
}

// mistakenFiles returns a directory of files to make mistakes with.
func mistakenFiles(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	for name, content := range map[string]string{
		"empty": "", "word": "word\n", "large": strings.Repeat("x", 1<<20+1), "directory/inside": "",
	} {
		file := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// checkMistake checks the form in which a mistake is told, whatever it is.
func checkMistake(t *testing.T, got outcome) {
	t.Helper()
	if got.code != 2 || got.stdout != "" {
		t.Errorf("exit code %d and stdout %q, want 2 and nothing", got.code, got.stdout)
	}
	lines := strings.Split(strings.TrimSuffix(got.stderr, "\n"), "\n")
	switch {
	case len(lines) == 1 && strings.HasPrefix(lines[0], "natsops: "):
	case len(lines) == 2 && strings.HasPrefix(lines[0], "natsops: ") && strings.HasPrefix(lines[1], "natsops: try "):
	default:
		t.Errorf("stderr is not one line, or two with what to try:\n%s", got.stderr)
	}
	// What only somebody who knows the code understands.
	for _, jargon := range []string{"strconv", "time: ", ".natsops-", "protocol scheme", "%!", "nil", "goroutine", "\x1b"} {
		if strings.Contains(got.stderr, jargon) {
			t.Errorf("stderr has %q in it:\n%s", jargon, got.stderr)
		}
	}
}

// A count of what a server has seen.
type seen struct {
	InMsgs      int64  `json:"in_msgs"`
	Connections uint64 `json:"total_connections"`
}

func traffic(t *testing.T, server *lab.Server) seen {
	t.Helper()
	var s seen
	if err := monitor(server, "/varz", &s); err != nil {
		t.Fatal(err)
	}
	return s
}

// words splits a command line at its spaces, except within single quotes.
func words(line string) []string {
	var (
		all    []string
		word   strings.Builder
		begun  bool
		quoted bool
	)
	for _, r := range line + " " {
		switch {
		case r == '\'':
			quoted, begun = !quoted, true
		case r == ' ' && !quoted:
			if begun {
				all = append(all, word.String())
			}
			begun = false
			word.Reset()
		default:
			word.WriteRune(r)
			begun = true
		}
	}
	return all
}
