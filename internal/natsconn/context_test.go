package natsconn_test

import (
	"errors"
	"os"
	"os/user"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/natsops/natsops/internal/hint"
	"github.com/natsops/natsops/internal/natsconn"
)

func TestContextsAreThoseOfTheNATSCLI(t *testing.T) {
	creds := credsFile(t, time.Time{})
	t.Setenv("XDG_CONFIG_HOME", contexts(t, "sel", map[string]map[string]any{
		"sel":   {"url": "nats://sel", "creds": "$CREDS_DIR/" + filepath.Base(creds)},
		"named": {"url": "nats://named", "creds": "file://" + creds},
	}))
	t.Setenv("CREDS_DIR", filepath.Dir(creds))
	byFile := filepath.Join(os.Getenv("XDG_CONFIG_HOME"), "nats", "context", "named.json")
	for _, c := range []struct{ context, want string }{
		{"", "sel"},
		{"named", "named"},
		{byFile, "named"},
	} {
		target, err := natsconn.Resolve(natsconn.Config{Context: c.context}, os.Getenv, natsconn.MayUseSelectedContext)
		if err != nil || target.Context() != c.want || target.String() != "nats://"+c.want+":4222" {
			t.Errorf("context %q resolves to %q, %v, %v, want %q", c.context, target.Context(), target, err, c.want)
		}
	}
}

func TestTildeIsTheHomeOfTheUser(t *testing.T) {
	u, err := user.Current()
	if err != nil {
		t.Skip("this machine does not know its user:", err)
	}
	file := filepath.Join("~", "no such file of natsops")
	_, err = natsconn.Resolve(natsconn.Config{Servers: "h", Creds: file}, vars{}.get, natsconn.OnlyExplicit)
	if want := filepath.Join(u.HomeDir, "no such file of natsops"); err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("--creds %s: %v, want an error that names %s", file, err, want)
	}
}

func TestContextsThatCannotBeUsedAreNamed(t *testing.T) {
	home := contexts(t, "gone", map[string]map[string]any{
		"dev":   {},
		"op":    {"password": "op://vault/item/field", "user": "u"},
		"nsc":   {"nsc": "nsc://o/a/u"},
		"jwt":   {"user_jwt": "eyJhbGciOi"},
		"win":   {"windows_cert_store": "user"},
		"wrong": {"token": 12345},
	})
	empty := contexts(t, "", nil)
	cases := []struct{ home, context, want, hint string }{
		{home, "", "cannot use context gone: it is selected, but does not exist", "nats context unselect, or --context with one of: dev, jwt, nsc, op, win, wrong"},
		{home, "pord", "cannot use context pord: no such context (named by --context)", "--context with one of: dev, jwt, nsc, op, win, wrong"},
		{empty, "pord", "cannot use context pord: no such context (named by --context)", "--server URL, for " + filepath.Join(empty, "nats") + " holds no contexts"},
		{home, "../x", `cannot use context "../x": not a valid name`, ""},
		{home, "wrong", "cannot use context wrong: " + filepath.Join(home, "nats", "context", "wrong.json") + " is not a context file", ""},
		{home, "op", "cannot use user of context op and password of context op: op:// references are not supported", "giving the value itself, by a flag or the environment"},
		{home, "nsc", "cannot use context nsc: nsc is not supported", "--server URL and a creds file, written by: nsc generate creds"},
		{home, "jwt", "cannot use context jwt: user_jwt is not supported", "a creds file, which holds the JWT and its seed"},
		{home, "win", "cannot use context win: windows_cert_store is not supported", "--tlscert and --tlskey with PEM files"},
	}
	for _, c := range cases {
		env := vars{"XDG_CONFIG_HOME": c.home}
		_, err := natsconn.Resolve(natsconn.Config{Context: c.context}, env.get, natsconn.MayUseSelectedContext)
		if !errors.Is(err, natsconn.ErrConfig) || err.Error() != c.want || hint.Of(err) != c.hint {
			t.Errorf("context %q\n got %v (try %s)\nwant %s (try %s)", c.context, err, hint.Of(err), c.want, c.hint)
		}
	}
}

func TestWhatAContextCannotGiveMayBeGivenInItsPlace(t *testing.T) {
	env := vars{"XDG_CONFIG_HOME": contexts(t, "", map[string]map[string]any{
		"op":  {"token": "op://vault/item/field"},
		"nsc": {"nsc": "nsc://o/a/u"},
		"jwt": {"user_jwt": "eyJhbGciOi"},
	})}
	for _, name := range []string{"op", "nsc", "jwt"} {
		c := natsconn.Config{Context: name, Servers: "h", Token: "t"}
		if target, err := natsconn.Resolve(c, env.get, natsconn.OnlyExplicit); err != nil || target.Login() != "--token" {
			t.Errorf("context %s with --token: login %q, %v", name, target.Login(), err)
		}
	}
}
