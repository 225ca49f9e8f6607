package main

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/signal"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/natsops/natsops/internal/chaos/watchdog"
	"github.com/natsops/natsops/internal/lab"
	"github.com/natsops/natsops/internal/leaktest"
)

var update = flag.Bool("update", false, "rewrite the files in scripts that cmp compares with")

func TestMain(m *testing.M) {
	if len(os.Args) > 1 && (os.Args[1] == lab.ChildCommand || os.Args[1] == watchdog.Command) {
		main() // natsops ran in this process, and has started it again as its lab or its watchdog
	}
	if os.Getenv("GORACE") == "" {
		// Programs built for the race detector each wait a second at their end.
		if err := os.Setenv("GORACE", "atexit_sleep_ms=0"); err != nil {
			panic(err)
		}
	}
	if signal.Ignored(os.Interrupt) {
		// Whoever starts the tests in the background of a script has them ignore
		// Ctrl-C, and what they start, too. Handled here, it is not ignored there.
		signal.Notify(make(chan os.Signal, 1), os.Interrupt)
	}
	testscript.Main(leakTest{m}, map[string]func(){"natsops": main})
}

// A leakTest fails when goroutines are left behind.
type leakTest struct{ m *testing.M }

func (l leakTest) Run() int { return leaktest.Run(l.m) }

// An outcome is what a command line has led to.
type outcome struct {
	code           int
	stdout, stderr string
}

// natsops runs a command line in this process, in an environment that has
// nothing in it but env.
func natsops(t *testing.T, env map[string]string, args ...string) outcome {
	t.Helper()
	var stdout, stderr bytes.Buffer
	w := testWorld(env)
	w.stdout, w.stderr = &stdout, &stderr
	code := run(t.Context(), w, args)
	return outcome{code, stdout.String(), stderr.String()}
}

func testWorld(env map[string]string) world {
	return world{
		stdin: strings.NewReader(""), stdout: io.Discard, stderr: io.Discard,
		getenv:  func(name string) string { return env[name] },
		version: "v0.0.0-test",
		width:   func(io.Writer) int { return 0 },

		interactive: func() bool { return false },
	}
}

// startServer runs a server in this process until the test ends.
func startServer(t *testing.T) *lab.Server {
	t.Helper()
	server, err := lab.Start(lab.Config{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := server.Stop(); err != nil {
			t.Error(err)
		}
	})
	return server
}

// isolate gives the test a directory of its own for temporary files, so that a
// lab that a bug starts leaves nothing behind.
func isolate(t *testing.T) {
	t.Helper()
	dir := t.TempDir()
	for _, name := range []string{"TMPDIR", "TMP", "TEMP"} {
		t.Setenv(name, dir)
	}
}

// monitor asks a server's monitoring endpoint.
func monitor(server *lab.Server, page string, answer any) error {
	resp, err := http.Get(server.MonitorURL() + page)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("%s: %s", page, resp.Status)
	}
	return json.NewDecoder(resp.Body).Decode(answer)
}
