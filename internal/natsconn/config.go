// Package natsconn opens a connection to NATS and explains why it could not.
//
// [Resolve] turns what the flags, the environment and a context file say into a
// [Target], reading and checking every file they name before anything is
// dialled. [Target.Connect] dials. No error, and no way of printing a value of
// this package, shows a password, a token, a seed or the user part of a URL.
package natsconn

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"time"
)

// DefaultTimeout bounds one attempt to reach one server when nothing else is said.
const DefaultTimeout = 5 * time.Second

// Config is what one place, the command line for instance, says about the
// connection. A zero field was not said there; in particular a flag's default
// belongs in Resolve, not here, or it would hide the environment.
type Config struct {
	// Servers is one URL or several, separated by commas.
	Servers string
	// Context names a context of the nats CLI, or a context file (*.json).
	Context string
	// User without Password is a token, as in the nats CLI.
	User, Password, Token string
	// Creds and NKey are files: a JWT with its seed, and a seed.
	Creds, NKey string
	// TLSCert, TLSKey and TLSCA are PEM files. Any of them demands TLS.
	TLSCert, TLSKey, TLSCA string
	// JSDomain and JSAPIPrefix are two ways to say the same; only one may be used.
	JSDomain, JSAPIPrefix string
	// InboxPrefix replaces _INBOX in reply subjects.
	InboxPrefix string
	// SocksProxy is a socks5:// URL.
	SocksProxy string
	// TLSFirst starts TLS before the server's greeting.
	TLSFirst bool
	// Timeout bounds one attempt to reach one server.
	Timeout time.Duration
}

// Policy says what may be used when no target is named. Its zero value is the safe one.
type Policy int

const (
	// OnlyExplicit never uses a context that happens to be selected: for
	// commands that load or break things.
	OnlyExplicit Policy = iota
	// MayUseSelectedContext falls back on the selected context, then on
	// nats://127.0.0.1:4222, as the nats CLI does: for commands that only read.
	MayUseSelectedContext
)

var (
	// ErrConfig says that the command line, the environment, or a file named there is wrong.
	ErrConfig = errors.New("invalid connection settings")
	// ErrConnect says that no server could be reached, or it refused the credentials.
	ErrConnect = errors.New("no connection")
	// ErrNoTarget says that no server was named, and the policy forbids guessing one.
	ErrNoTarget = errors.New("no server was named")
)

// String says which fields are set, with secrets hidden.
func (c Config) String() string {
	var set []string
	for _, f := range fields() {
		if value := *f.config(&c); value != "" {
			set = append(set, f.flag+"="+f.shown(value))
		}
	}
	if c.Context != "" {
		set = append(set, "context="+shown(c.Context))
	}
	if c.TLSFirst {
		set = append(set, "tlsfirst=true")
	}
	if c.Timeout != 0 {
		set = append(set, "timeout="+c.Timeout.String())
	}
	return "{" + strings.Join(set, " ") + "}"
}

// Format prints String whatever the verb, so that %#v is as discreet as %v.
func (c Config) Format(s fmt.State, _ rune) { _, _ = io.WriteString(s, c.String()) }

// LogValue is what a structured log shows.
func (c Config) LogValue() slog.Value { return slog.StringValue(c.String()) }

// kindError is an error of a known kind whose text is complete by itself.
type kindError struct {
	text  string
	kinds []error
}

func (e *kindError) Error() string   { return e.text }
func (e *kindError) Unwrap() []error { return e.kinds }

func configErrorf(format string, args ...any) error {
	return &kindError{text: fmt.Sprintf(format, args...), kinds: []error{ErrConfig}}
}
