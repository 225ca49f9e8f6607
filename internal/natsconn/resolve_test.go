package natsconn_test

import (
	"encoding/json"
	"errors"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/nats-io/nkeys"

	"github.com/natsops/natsops/internal/hint"
	"github.com/natsops/natsops/internal/natsconn"
)

type vars map[string]string

func (v vars) get(name string) string { return v[name] }

// contexts writes context files, selects one of them if selected is not "",
// and returns the XDG_CONFIG_HOME they are in.
func contexts(t *testing.T, selected string, files map[string]map[string]any) string {
	t.Helper()
	home := t.TempDir()
	dir := filepath.Join(home, "nats", "context")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	for name, content := range files {
		text, err := json.Marshal(content)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, name+".json"), text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(filepath.Join(home, "nats", "context.txt"), []byte(selected+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	return home
}

// seedFile and credsFile hold a new user; the JWT of the latter ends at expiry.
func seedFile(t *testing.T) string {
	t.Helper()
	return write(t, "user.nk", newSeed(t))
}

func newSeed(t *testing.T) string {
	t.Helper()
	pair, err := nkeys.CreateUser()
	if err != nil {
		t.Fatal(err)
	}
	seed, err := pair.Seed()
	if err != nil {
		t.Fatal(err)
	}
	return string(seed)
}

func TestFlagBeatsEnvironmentBeatsContext(t *testing.T) {
	creds, nkey := credsFile(t, time.Time{}), seedFile(t)
	home := contexts(t, "", map[string]map[string]any{
		"empty": {},
		"full":  {"url": "nats://ctx", "user": "u", "password": "p", "jetstream_domain": "D", "inbox_prefix": "_CTX"},
		"creds": {"url": "nats://ctx", "creds": creds, "jetstream_api_prefix": "P"},
		"named": {"url": "nats://ctx", "user": "u"},
	})
	type want struct{ Servers, Login, Domain, Prefix, Inbox string }
	cases := []struct {
		name  string
		flags natsconn.Config
		env   vars
		want  want
	}{
		{"nothing", natsconn.Config{Context: "empty"}, nil, want{Servers: "nats://127.0.0.1:4222"}},
		{"context", natsconn.Config{Context: "full"}, nil, want{"nats://ctx:4222", "user of context full and password of context full", "D", "", "_CTX"}},
		{"context from the environment", natsconn.Config{}, vars{"NATS_CONTEXT": "creds"}, want{"nats://ctx:4222", "creds of context creds", "", "P", ""}},
		{"flag context", natsconn.Config{Context: "full"}, vars{"NATS_CONTEXT": "missing"}, want{"nats://ctx:4222", "user of context full and password of context full", "D", "", "_CTX"}},
		{"environment", natsconn.Config{Context: "full"}, vars{"NATS_URL": "env", "NATS_USER": "e", "NATS_PASSWORD": "p"}, want{"nats://env:4222", "NATS_USER and NATS_PASSWORD", "D", "", "_CTX"}},
		{"flag", natsconn.Config{Context: "full", Servers: "flag", Token: "t", InboxPrefix: "_F"}, vars{"NATS_URL": "env", "NATS_USER": "e"}, want{"nats://flag:4222", "--token", "D", "", "_F"}},
		{"another kind by flag", natsconn.Config{Context: "full", NKey: nkey}, vars{"NATS_CREDS": creds}, want{"nats://ctx:4222", "--nkey", "D", "", "_CTX"}},
		{"another kind by environment", natsconn.Config{Context: "full"}, vars{"NATS_NKEY": nkey}, want{"nats://ctx:4222", "NATS_NKEY", "D", "", "_CTX"}},
		{"user by flag, password by environment", natsconn.Config{Context: "creds", User: "f"}, vars{"NATS_PASSWORD": "p"}, want{"nats://ctx:4222", "--user and NATS_PASSWORD", "", "P", ""}},
		{"user by context, password by environment", natsconn.Config{Context: "named"}, vars{"NATS_PASSWORD": "p"}, want{"nats://ctx:4222", "user of context named and NATS_PASSWORD", "", "", ""}},
		{"user by context alone", natsconn.Config{Context: "named"}, nil, want{"nats://ctx:4222", "user of context named", "", "", ""}},
		{"user by flag alone is a token", natsconn.Config{Context: "full", User: "tok"}, nil, want{"nats://ctx:4222", "--user (without a password: a token)", "D", "", "_CTX"}},
		{"stray password in the environment", natsconn.Config{Context: "creds"}, vars{"NATS_PASSWORD": "p"}, want{"nats://ctx:4222", "creds of context creds", "", "P", ""}},
		{"in the URL", natsconn.Config{Context: "full", Servers: "u:p@flag"}, vars{"NATS_TOKEN": "t"}, want{"nats://flag:4222", "the credentials in the URL of --server", "D", "", "_CTX"}},
		{"over the URL", natsconn.Config{Token: "t"}, vars{"NATS_URL": "u:p@env"}, want{"nats://env:4222", "--token", "", "", ""}},
		{"JetStream prefix by flag", natsconn.Config{Context: "full", JSAPIPrefix: "F"}, nil, want{"nats://ctx:4222", "user of context full and password of context full", "", "F", "_CTX"}},
		{"JetStream domain by flag", natsconn.Config{Context: "creds", JSDomain: "F"}, nil, want{"nats://ctx:4222", "creds of context creds", "F", "", ""}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			env := vars{"XDG_CONFIG_HOME": home}
			maps.Copy(env, c.env)
			target, err := natsconn.Resolve(c.flags, env.get, natsconn.OnlyExplicit)
			if err != nil {
				t.Fatal(err)
			}
			got := want{target.String(), target.Login(), target.JSDomain(), target.JSAPIPrefix(), target.InboxPrefix()}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestSettingsOfOneLayerThatExcludeEachOtherAreRefused(t *testing.T) {
	creds, nkey := credsFile(t, time.Time{}), seedFile(t)
	_, cert, key := selfSigned(t, "localhost", time.Now().Add(time.Hour))
	_, _, otherKey := selfSigned(t, "localhost", time.Now().Add(time.Hour))
	home := contexts(t, "", map[string]map[string]any{"two": {"user": "u", "creds": creds}})
	cases := []struct {
		flags natsconn.Config
		env   vars
		want  string
	}{
		{natsconn.Config{Creds: creds, NKey: nkey}, nil, "cannot use --creds together with --nkey"},
		{natsconn.Config{Token: "t", User: "u", Password: "p"}, nil, "cannot use --user and --password together with --token"},
		{natsconn.Config{Token: "t", User: "u"}, nil, "cannot use --user (without a password: a token) together with --token"},
		{natsconn.Config{Servers: "u:p@h", Token: "t"}, nil, "cannot use the credentials in the URL of --server together with --token"},
		{natsconn.Config{}, vars{"NATS_CREDS": creds, "NATS_TOKEN": "t"}, "cannot use NATS_TOKEN together with NATS_CREDS"},
		{natsconn.Config{Context: "two"}, nil, "cannot use user of context two together with creds of context two"},
		{natsconn.Config{Password: "p"}, nil, "cannot use --password without a user"},
		{natsconn.Config{TLSKey: key}, nil, "cannot use --tlskey without a certificate"},
		{natsconn.Config{TLSCert: cert}, nil, "cannot use --tlscert without a key"},
		{natsconn.Config{TLSCert: cert}, vars{"NATS_KEY": otherKey}, "cannot use --tlscert " + cert + " with NATS_KEY " + otherKey + ": tls: private key does not match public key"},
		{natsconn.Config{JSDomain: "D", JSAPIPrefix: "P"}, nil, "cannot use --js-domain together with --js-api-prefix"},
		{natsconn.Config{InboxPrefix: "a.>"}, nil, "cannot use --inbox-prefix a.>: not a subject that can be extended"},
		{natsconn.Config{Timeout: -time.Second}, nil, "cannot use --timeout -1s: it must be positive"},
		{natsconn.Config{}, vars{"NATS_TIMEOUT": "soon"}, "cannot use NATS_TIMEOUT soon: not a positive duration"},
		{natsconn.Config{SocksProxy: "http://u:p@h"}, nil, `cannot use --socks-proxy "(hidden)@h": not the URL of a SOCKS5 proxy`},
	}
	for _, c := range cases {
		env := vars{"XDG_CONFIG_HOME": home}
		maps.Copy(env, c.env)
		_, err := natsconn.Resolve(c.flags, env.get, natsconn.MayUseSelectedContext)
		if !errors.Is(err, natsconn.ErrConfig) || err.Error() != c.want {
			t.Errorf("Resolve(%v, %v)\n got %v\nwant %s", c.flags, c.env, err, c.want)
		}
	}
}

func TestFilesAreReadBeforeAnythingIsDialled(t *testing.T) {
	empty, missing := write(t, "empty", ""), filepath.Join(t.TempDir(), "missing")
	account, err := nkeys.CreateAccount()
	if err != nil {
		t.Fatal(err)
	}
	seed, err := account.Seed()
	if err != nil {
		t.Fatal(err)
	}
	notUser := write(t, "account.nk", string(seed))
	cases := []struct {
		flags natsconn.Config
		want  string
	}{
		{natsconn.Config{Creds: missing}, "cannot read --creds " + missing + ": "},
		{natsconn.Config{NKey: missing}, "cannot read --nkey " + missing + ": "},
		{natsconn.Config{TLSCA: missing}, "cannot read --tlsca " + missing + ": "},
		{natsconn.Config{TLSCert: missing, TLSKey: empty}, "cannot read --tlscert " + missing + ": "},
		{natsconn.Config{TLSCert: empty, TLSKey: missing}, "cannot read --tlskey " + missing + ": "},
		{natsconn.Config{Creds: filepath.Dir(missing)}, "cannot read --creds " + filepath.Dir(missing) + ": "},
		{natsconn.Config{Creds: empty}, "cannot use --creds " + empty + ": it is not a creds file"},
		{natsconn.Config{Creds: notUser}, "cannot use --creds " + notUser + ": it is not a creds file"},
		{natsconn.Config{NKey: empty}, "cannot use --nkey " + empty + ": it holds no seed of a user"},
		{natsconn.Config{NKey: notUser}, "cannot use --nkey " + notUser + ": it holds no seed of a user"},
		{natsconn.Config{TLSCA: empty}, "cannot use --tlsca " + empty + ": it holds no PEM certificate"},
		{natsconn.Config{TLSCert: empty, TLSKey: empty}, "cannot use --tlscert " + empty + " with --tlskey " + empty + ": "},
	}
	for _, c := range cases {
		c.flags.Servers = "localhost"
		_, err := natsconn.For(c.flags)
		if !errors.Is(err, natsconn.ErrConfig) || !strings.HasPrefix(err.Error(), c.want) {
			t.Errorf("For(%v)\n got %v\nwant %s…", c.flags, err, c.want)
		}
	}
}

func TestOnlyExplicitNeverUsesTheSelectedContext(t *testing.T) {
	home := contexts(t, "prod", map[string]map[string]any{
		"prod": {"url": "nats://prod", "token": "t", "jetstream_domain": "D"},
	})
	cases := []struct {
		flags  natsconn.Config
		env    vars
		policy natsconn.Policy
		want   string // servers, login, domain; "" when there is no target
	}{
		{natsconn.Config{}, nil, natsconn.OnlyExplicit, ""},
		{natsconn.Config{Token: "x"}, vars{"NATS_CREDS": "x"}, natsconn.OnlyExplicit, ""},
		{natsconn.Config{Servers: "h"}, nil, natsconn.OnlyExplicit, "nats://h:4222||"},
		{natsconn.Config{}, vars{"NATS_URL": "h"}, natsconn.OnlyExplicit, "nats://h:4222||"},
		{natsconn.Config{Context: "prod"}, nil, natsconn.OnlyExplicit, "nats://prod:4222|token of context prod|D"},
		{natsconn.Config{}, vars{"NATS_CONTEXT": "prod"}, natsconn.OnlyExplicit, "nats://prod:4222|token of context prod|D"},
		{natsconn.Config{}, nil, natsconn.MayUseSelectedContext, "nats://prod:4222|token of context prod|D"},
		{natsconn.Config{Servers: "h"}, nil, natsconn.MayUseSelectedContext, "nats://h:4222|token of context prod|D"},
	}
	for _, c := range cases {
		env := vars{"XDG_CONFIG_HOME": home}
		maps.Copy(env, c.env)
		target, err := natsconn.Resolve(c.flags, env.get, c.policy)
		if c.want == "" {
			if !errors.Is(err, natsconn.ErrNoTarget) || hint.Of(err) == "" {
				t.Errorf("Resolve(%v, %v) = %v, %v, want ErrNoTarget with a hint", c.flags, c.env, target, err)
			}
			continue
		}
		got := strings.Join([]string{target.String(), target.Login(), target.JSDomain()}, "|")
		if err != nil || got != c.want {
			t.Errorf("Resolve(%v, %v) = %s, %v, want %s", c.flags, c.env, got, err, c.want)
		}
	}
}

func TestTimeoutIsTheFlagThenTheEnvironmentThenFiveSeconds(t *testing.T) {
	cases := []struct {
		flag time.Duration
		env  string
		want time.Duration
	}{
		{0, "", natsconn.DefaultTimeout},
		{0, "2s", 2 * time.Second},
		{time.Second, "2s", time.Second},
		{time.Second, "junk", time.Second},
	}
	for _, c := range cases {
		env := vars{"NATS_TIMEOUT": c.env}
		target, err := natsconn.Resolve(natsconn.Config{Servers: "h", Timeout: c.flag}, env.get, natsconn.OnlyExplicit)
		if err != nil || target.Timeout() != c.want {
			t.Errorf("flag %v, NATS_TIMEOUT %q: timeout %v, %v, want %v", c.flag, c.env, target.Timeout(), err, c.want)
		}
	}
}
