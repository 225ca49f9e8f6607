package natsconn

import (
	"os"
	"os/user"
	"strings"

	"github.com/synadia-io/orbit.go/natscontext"
)

// layer is where a setting was said; the lower wins.
type layer int

const (
	byFlag layer = iota
	byEnv
	byContext
	nowhere
)

// setting is a value and where it was said, in words that an error can use.
type setting struct {
	value string
	from  layer
	label string
}

func (s setting) said() bool { return s.value != "" }

// settings are indexed by flag name. One that was not said is the zero
// setting, apart from its layer, which is then nowhere.
type settings map[string]setting

func (s settings) of(flag string) setting {
	if v, ok := s[flag]; ok {
		return v
	}
	return setting{from: nowhere}
}

// field is one connection setting, under the names that the nats CLI gives it.
type field struct {
	flag, env, key string // of the command line, the environment, the context file
	kind           fieldKind
	config         func(*Config) *string
	stored         func(*natscontext.Settings) *string
}

type fieldKind int

const (
	plain  fieldKind = iota
	secret           // never shown
	path             // a file; ~ and $VAR are expanded
	urls             // may hold a user part
)

// shown is value as an error or a log may show it.
func (f field) shown(value string) string {
	switch f.kind {
	case secret:
		return hidden
	case urls:
		return shownURLs(value)
	default:
		return shown(value)
	}
}

// fields lists every setting that is a string, except the context itself. The
// user is secret, for alone it is a token.
func fields() []field {
	type (
		cfg = Config
		ctx = natscontext.Settings
	)
	return []field{
		{"server", "NATS_URL", "url", urls, func(c *cfg) *string { return &c.Servers }, func(c *ctx) *string { return &c.URL }},
		{"user", "NATS_USER", "user", secret, func(c *cfg) *string { return &c.User }, func(c *ctx) *string { return &c.User }},
		{"password", "NATS_PASSWORD", "password", secret, func(c *cfg) *string { return &c.Password }, func(c *ctx) *string { return &c.Password }},
		{"token", "NATS_TOKEN", "token", secret, func(c *cfg) *string { return &c.Token }, func(c *ctx) *string { return &c.Token }},
		{"creds", "NATS_CREDS", "creds", path, func(c *cfg) *string { return &c.Creds }, func(c *ctx) *string { return &c.Creds }},
		{"nkey", "NATS_NKEY", "nkey", path, func(c *cfg) *string { return &c.NKey }, func(c *ctx) *string { return &c.NKey }},
		{"tlscert", "NATS_CERT", "cert", path, func(c *cfg) *string { return &c.TLSCert }, func(c *ctx) *string { return &c.Cert }},
		{"tlskey", "NATS_KEY", "key", path, func(c *cfg) *string { return &c.TLSKey }, func(c *ctx) *string { return &c.Key }},
		{"tlsca", "NATS_CA", "ca", path, func(c *cfg) *string { return &c.TLSCA }, func(c *ctx) *string { return &c.CA }},
		{"js-domain", "", "jetstream_domain", plain, func(c *cfg) *string { return &c.JSDomain }, func(c *ctx) *string { return &c.JSDomain }},
		{"js-api-prefix", "", "jetstream_api_prefix", plain, func(c *cfg) *string { return &c.JSAPIPrefix }, func(c *ctx) *string { return &c.JSAPIPrefix }},
		{"inbox-prefix", "", "inbox_prefix", plain, func(c *cfg) *string { return &c.InboxPrefix }, func(c *ctx) *string { return &c.InboxPrefix }},
		{"socks-proxy", "NATS_SOCKS_PROXY", "socks_proxy", urls, func(c *cfg) *string { return &c.SocksProxy }, func(c *ctx) *string { return &c.SocksProxy }},
	}
}

// gather takes each field from the strongest layer that says it.
func gather(flags Config, getenv func(string) string, ctx storedContext) settings {
	all := settings{}
	for _, f := range fields() {
		s := setting{value: *f.config(&flags), from: byFlag, label: "--" + f.flag}
		if !s.said() && f.env != "" {
			s = setting{value: getenv(f.env), from: byEnv, label: f.env}
		}
		if !s.said() {
			s = setting{value: *f.stored(&ctx.settings), from: byContext, label: f.key + " of " + ctx.label()}
		}
		if s.said() {
			all[f.flag] = s
		}
	}
	return all
}

func (s settings) expandPaths(getenv func(string) string) {
	for _, f := range fields() {
		if v := s.of(f.flag); v.said() && f.kind == path {
			v.value = expandPath(v.value, getenv)
			s[f.flag] = v
		}
	}
}

// expandPath expands $VAR and a leading ~ as the nats CLI does, because
// neither --creds=~/x nor a context file passes through a shell.
func expandPath(name string, getenv func(string) string) string {
	name = os.Expand(strings.TrimPrefix(name, "file://"), getenv)
	rest, ok := strings.CutPrefix(name, "~")
	if !ok || (rest != "" && !os.IsPathSeparator(rest[0])) {
		return name
	}
	u, err := user.Current()
	if err != nil {
		return name
	}
	return u.HomeDir + rest
}
