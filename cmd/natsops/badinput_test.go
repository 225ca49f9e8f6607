package main

import (
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/natsops/natsops/internal/lab"
)

func TestMistakesAreToldInOneLineAndNothingIsSent(t *testing.T) {
	server := startServer(t)
	dir := mistakenFiles(t)
	isolate(t)
	before := traffic(t, server)
	for _, m := range mistakes() {
		t.Run(m.command, func(t *testing.T) {
			env, args := environment(words(strings.ReplaceAll(m.command, "$DIR", dir)))
			env["XDG_CONFIG_HOME"] = dir
			named := map[string]string{"NATS_URL": server.URL()}
			maps.Copy(named, env)
			if m.atServer && args[0] == "bench" && !strings.Contains(m.command, "--monitor") {
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
			if !m.mayAsk() && after.InMsgs != before.InMsgs || after.Connections != before.Connections && !m.atServer {
				t.Errorf("the server has seen %+v, before it was %+v", after, before)
			}
			before = after
			if m.atServer {
				return
			}
			// A lab would be started where nothing is named.
			alone := natsops(t, env, args...)
			if alone.code != 2 || strings.Contains(alone.stderr, "throwaway") {
				t.Errorf("with no server named: %+v", alone)
			}
		})
	}
}

func TestMistakesAreToldToProgramsAsOneObject(t *testing.T) {
	dir := mistakenFiles(t)
	for _, m := range mistakes() {
		line, ok := m.toPrograms()
		if !ok || m.atServer {
			continue
		}
		t.Run(m.command, func(t *testing.T) {
			isolate(t)
			env, args := environment(words(strings.ReplaceAll(line, "$DIR", dir)))
			env["XDG_CONFIG_HOME"] = dir
			got := natsops(t, env, args...)
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

// mayAsk reports whether a server may get questions: those who only look cannot
// tell otherwise what there is.
func (m mistake) mayAsk() bool { return m.atServer && strings.HasPrefix(m.command, "lag ") }

// toPrograms returns the command line with the flag for errors as JSON.
func (m mistake) toPrograms() (string, bool) {
	if strings.Contains(m.command, " -o ") {
		return "", false
	}
	if rest, ok := strings.CutPrefix(m.command, "bench "); ok {
		return "bench -o json " + rest, true
	}
	for _, command := range []string{"lag ", "doctor ", "dlq ls ", "dlq show ", "dlq redrive "} {
		if strings.HasPrefix(m.command, command) {
			return m.command + " -o json", true
		}
	}
	return "", false
}

// environment takes the variables off the front of a command line.
func environment(words []string) (map[string]string, []string) {
	env := map[string]string{}
	for i, word := range words {
		name, value, ok := strings.Cut(word, "=")
		if !ok || strings.ToUpper(name) != name || strings.HasPrefix(name, "-") {
			return env, words[i:]
		}
		env[name] = value
	}
	return env, nil
}

// mistakenFiles returns a directory of files to make mistakes with.
func mistakenFiles(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	files := map[string]string{
		"empty": "", "word": "word\n", "large": strings.Repeat("x", 1<<20+1), "directory/inside": "",
	}
	maps.Copy(files, mistakenDrills())
	for name, content := range files {
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
