package natsconn

import (
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"os/user"
	"path/filepath"
	"slices"
	"strings"

	"github.com/synadia-io/orbit.go/natscontext"

	"github.com/natsops/natsops/internal/hint"
)

// storedContext is a context of the nats CLI. Only the file format is the
// library's: its one entry point dials as soon as it has read the file, and
// would leave no room for the flags and the environment, which must win.
type storedContext struct {
	name     string
	settings natscontext.Settings
}

func (c storedContext) label() string { return "context " + shown(c.name) }

// loadContext reads the context that is named, or selected if the policy
// allows it. Without either it returns the empty context.
func loadContext(named setting, getenv func(string) string, policy Policy) (storedContext, error) {
	if file, ok := contextFile(named.value); ok {
		name := strings.TrimSuffix(filepath.Base(file), filepath.Ext(file))
		return readContext(name, file)
	}
	if !named.said() && policy != MayUseSelectedContext {
		return storedContext{}, nil
	}
	dir, err := contextDir(getenv)
	if err != nil {
		return storedContext{}, err
	}
	name := named.value
	if name == "" {
		name = selectedContext(dir)
	}
	if name == "" {
		return storedContext{}, nil
	}
	if !validContextName(name) {
		return storedContext{}, configErrorf("cannot use context %q: not a valid name", oneLine(name))
	}
	c, err := readContext(name, filepath.Join(dir, "context", name+".json"))
	if errors.Is(err, fs.ErrNotExist) {
		err = unknownContext(named, name, dir)
	}
	return c, err
}

// contextFile reports whether a context was named by its file.
func contextFile(name string) (string, bool) {
	if filepath.IsAbs(name) {
		return name, true
	}
	_, err := os.Stat(name)
	return name, err == nil && strings.HasSuffix(name, ".json")
}

func readContext(name, file string) (storedContext, error) {
	c := storedContext{name: name}
	content, err := os.ReadFile(file)
	if err != nil {
		return c, fileError("context file", file, err)
	}
	// The cause is left out: it may quote the value that it could not decode.
	if json.Unmarshal(content, &c.settings) != nil {
		return c, configErrorf("cannot use %s: %s is not a context file", c.label(), shown(file))
	}
	return c, nil
}

// supported rejects a context whose way in only the nats CLI knows, unless
// something else took its place.
func (c storedContext) supported(s settings, r resolved) error {
	loggedIn := r.login.kind != anonymous
	switch {
	case c.settings.NSCLookup != "" && (!loggedIn || !s.of("server").said()):
		return c.unsupported("nsc", "--server URL and a creds file, written by: nsc generate creds")
	case c.settings.UserJwt != "" && !loggedIn:
		return c.unsupported("user_jwt", "a creds file, which holds the JWT and its seed")
	case c.settings.WinCertStoreType != "" && r.tls.cert == "":
		return c.unsupported("windows_cert_store", "--tlscert and --tlskey with PEM files")
	}
	return nil
}

func (c storedContext) unsupported(what, remedy string) error {
	return hint.Wrap(configErrorf("cannot use %s: %s is not supported", c.label(), what), remedy)
}

func unknownContext(named setting, name, dir string) error {
	remedy := "--server URL, for " + shown(dir) + " holds no contexts"
	if known := knownContexts(dir); len(known) > 0 {
		remedy = "--context with one of: " + strings.Join(known, ", ")
	}
	if !named.said() {
		err := configErrorf("cannot use context %s: it is selected, but does not exist", shown(name))
		return hint.Wrap(err, "nats context unselect, or "+remedy)
	}
	return hint.Wrap(configErrorf("cannot use context %s: no such context (named by %s)", shown(name), named.label), remedy)
}

// contextDir is where the nats CLI keeps its contexts.
func contextDir(getenv func(string) string) (string, error) {
	if dir := getenv("XDG_CONFIG_HOME"); dir != "" {
		return filepath.Join(dir, "nats"), nil
	}
	u, err := user.Current()
	if err != nil || u.HomeDir == "" {
		return "", hint.Wrap(configErrorf("cannot find the contexts: this user has no home directory"), "setting XDG_CONFIG_HOME")
	}
	return filepath.Join(u.HomeDir, ".config", "nats"), nil
}

func selectedContext(dir string) string {
	content, err := os.ReadFile(filepath.Join(dir, "context.txt"))
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(content))
}

func validContextName(name string) bool {
	return !strings.Contains(name, "..") && !strings.ContainsAny(name, `/\`) && !strings.ContainsFunc(name, unprintable)
}

func knownContexts(dir string) []string {
	files, err := filepath.Glob(filepath.Join(dir, "context", "*.json"))
	if err != nil {
		return nil
	}
	names := make([]string, 0, len(files))
	for _, file := range files {
		names = append(names, shown(strings.TrimSuffix(filepath.Base(file), ".json")))
	}
	slices.Sort(names)
	return names
}
