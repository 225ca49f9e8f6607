package natsconn

import (
	"log/slog"
	"net/url"
	"strings"
	"time"
)

// Target is where and how to connect: resolved, checked and read-only. It may
// be copied and used concurrently. The zero Target names no server.
type Target struct {
	// A function, so that whatever verb prints it, at whatever depth, shows an
	// address and no secret.
	read func() resolved
}

func newTarget(r resolved) Target { return Target{func() resolved { return r }} }

type resolved struct {
	servers                            []*url.URL // with a user part only if that is the login
	context                            string
	login                              login
	tls                                tlsFiles
	tlsFirst                           bool
	proxy                              *url.URL
	timeout                            time.Duration
	jsDomain, jsAPIPrefix, inboxPrefix string
}

func (t Target) get() resolved {
	if t.read == nil {
		return resolved{}
	}
	return t.read()
}

// Servers are the URLs to try, without their user parts.
func (t Target) Servers() []string {
	var shown []string
	for _, u := range t.get().servers {
		shown = append(shown, shownURL(u))
	}
	return shown
}

// Context is the name of the context in use, or "".
func (t Target) Context() string { return t.get().context }

// Login says which setting gives the credential that is sent, "--creds" or
// "token of context prod" for instance, never the credential. It is "" if none is.
func (t Target) Login() string { return t.get().login.label }

// JSDomain is the JetStream domain to address, or "". JSAPIPrefix is then "".
func (t Target) JSDomain() string { return t.get().jsDomain }

// JSAPIPrefix is the subject prefix of the JetStream API, or "" for the usual one.
func (t Target) JSAPIPrefix() string { return t.get().jsAPIPrefix }

// InboxPrefix is the prefix of reply subjects, or "" for the usual one.
// Connect has applied it to the connection.
func (t Target) InboxPrefix() string { return t.get().inboxPrefix }

// Timeout bounds one attempt to reach one server. Commands wait as long for
// one answer.
func (t Target) Timeout() time.Duration { return t.get().timeout }

// String lists the servers.
func (t Target) String() string {
	if servers := t.Servers(); len(servers) > 0 {
		return strings.Join(servers, ",")
	}
	return "no server"
}

// LogValue is what a structured log shows.
func (t Target) LogValue() slog.Value { return slog.StringValue(t.String()) }

// At returns a target that differs in its servers only, for one that t has led
// to: its login and its certificates are good for all servers of a cluster.
// Users in urls are not taken. Its errors are [ErrConfig].
func (t Target) At(urls ...string) (Target, error) {
	r := t.get()
	if len(r.servers) == 0 {
		return Target{}, noTarget()
	}
	servers, err := parseServers(setting{value: strings.Join(urls, ","), from: byFlag, label: "the servers"})
	if err != nil {
		return Target{}, err
	}
	for _, u := range servers {
		u.User = nil
		if r.login.kind == byURL {
			u.User = r.servers[0].User
		}
	}
	r.servers = servers
	return newTarget(r), nil
}
