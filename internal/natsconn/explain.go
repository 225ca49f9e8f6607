package natsconn

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"os"
	"strings"
	"syscall"
	"time"

	"github.com/nats-io/nats.go"
)

// reason is why one server could not be used.
type reason struct {
	why, remedy string
	answered    bool // the server is alive
	cause       error
}

const (
	remedyReach = "--server URL of a running server, or start a throwaway one with: natsops lab"
	remedyPort  = "--server with the address of a NATS client port (monitoring, routes and leaf nodes use others)"
)

// Winsock's numbers, which the syscall package does not translate.
const (
	wsaNetUnreachable  = 10051
	wsaConnReset       = 10054
	wsaConnRefused     = 10061
	wsaHostUnreachable = 10065
)

// explain finds the reason in what nats.go returned. The order matters: what
// the server said is more telling than that it hung up afterwards.
func (a *attempt) explain(server *url.URL, err error) reason {
	for _, find := range []func(*url.URL, error) reason{a.refusal, a.proxyTrouble, a.tlsTrouble, a.silence, a.stranger} {
		if found := find(server, err); found.why != "" {
			found.cause = err
			return found
		}
	}
	text := oneLine(strings.TrimPrefix(err.Error(), "nats: "), a.secrets()...)
	return reason{why: text, cause: err}
}

// secrets are what an error of others could quote.
func (a *attempt) secrets() []string {
	all := []string{a.login.secret}
	for _, u := range append([]*url.URL{a.proxy}, a.servers...) {
		if u != nil && u.User != nil {
			password, _ := u.User.Password()
			if all = append(all, password); password == "" {
				all = append(all, u.User.Username())
			}
		}
	}
	return all
}

// refusal is an answer that the server gave in words. They are compared as
// text, because most reach the caller of nats.go as nothing else.
func (a *attempt) refusal(_ *url.URL, err error) reason {
	text := strings.ToLower(err.Error())
	said := func(words string) bool { return strings.HasPrefix(text, "nats: "+words) }
	r := reason{answered: true}
	switch {
	case said(nats.AUTHORIZATION_ERR):
		r.why, r.remedy = a.unauthorized()
	case said(nats.AUTHENTICATION_EXPIRED_ERR):
		r.why, r.remedy = "user authentication expired (sent "+a.login.label+")", "a new creds file for this user"
	case said(nats.AUTHENTICATION_REVOKED_ERR):
		r.why, r.remedy = "user authentication revoked (sent "+a.login.label+")", "a creds file for another user"
	case said(nats.ACCOUNT_AUTHENTICATION_EXPIRED_ERR):
		r.why, r.remedy = "account authentication expired (sent "+a.login.label+")", "asking the operator to renew the account"
	case said(nats.MAX_CONNECTIONS_ERR):
		r.why, r.remedy = "the server's maximum of connections is exceeded", "closing other connections, or raising max_connections"
	case said(nats.MAX_ACCOUNT_CONNECTIONS_ERR):
		r.why, r.remedy = "the account's maximum of connections is exceeded", "closing other connections, or raising the account's limit"
	case errors.Is(err, nats.ErrNkeysNotSupported):
		r.why, r.remedy = "the server takes no nkeys (given by "+a.login.label+")", "another kind of credential, or none"
	}
	return r
}

func (a *attempt) unauthorized() (why, remedy string) {
	const words = nats.AUTHORIZATION_ERR
	switch at, expired := a.login.expired(time.Now()); {
	case a.login.kind == anonymous:
		return words + " (sent no credentials)", "--user and --password, --token, --creds or --nkey, or a --context that has them"
	case expired:
		return fmt.Sprintf("%s (sent %s, which expired at %s)", words, a.login.label, at.Format(time.RFC3339)), "a new creds file for this user"
	}
	return words + " (sent " + a.login.label + ")", "checking " + a.login.label
}

// proxyTrouble is a failure of, or reported by, the SOCKS proxy.
func (a *attempt) proxyTrouble(server *url.URL, err error) reason {
	op, ok := errors.AsType[*net.OpError](err)
	if !ok || !strings.HasPrefix(op.Op, "socks") {
		return reason{}
	}
	why := a.silence(server, op.Err).why
	if why == "" {
		why = oneLine(strings.TrimPrefix(op.Err.Error(), "unknown error "), a.secrets()...)
	}
	return reason{why: "SOCKS proxy " + shownURL(a.proxy) + ": " + why, remedy: "checking --socks-proxy"}
}

// silence is the lack of an answer.
func (a *attempt) silence(_ *url.URL, err error) reason {
	unknown, isDNS := errors.AsType[*net.DNSError](err)
	switch {
	case isErrno(err, syscall.ECONNREFUSED, wsaConnRefused):
		return reason{why: "connection refused", remedy: remedyReach}
	case isDNS && unknown.IsNotFound:
		return reason{why: "unknown host " + shown(unknown.Name), remedy: "checking the spelling of the host"}
	case isDNS:
		return reason{why: "cannot look up host " + shown(unknown.Name), remedy: "checking the network and its name servers"}
	case isErrno(err, syscall.EHOSTUNREACH, syscall.ENETUNREACH, wsaHostUnreachable, wsaNetUnreachable):
		return reason{why: "no route to host", remedy: "checking the address and the network"}
	case isTimeout(err):
		return a.timedOut(err)
	case isClosed(err):
		return reason{why: "the server closed the connection without an answer", remedy: a.remedyMute()}
	}
	return reason{}
}

func (a *attempt) timedOut(err error) reason {
	if op, ok := errors.AsType[*net.OpError](err); ok && op.Op == "read" {
		return reason{why: fmt.Sprintf("connected, but no answer within %s", a.timeout), remedy: a.remedyMute()}
	}
	return reason{why: fmt.Sprintf("no answer within %s", a.timeout), remedy: "checking the address and firewalls, or a longer --timeout"}
}

// remedyMute is for a server that accepts a connection and keeps silent.
func (a *attempt) remedyMute() string {
	if a.tlsFirst {
		return remedyPort
	}
	return "--tlsfirst if the server expects TLS first, else " + remedyPort
}

// stranger is an answer that no NATS server gives.
func (a *attempt) stranger(_ *url.URL, err error) reason {
	text := err.Error()
	if errors.Is(err, nats.ErrNoInfoReceived) || strings.HasPrefix(text, "nats: expected '") ||
		strings.Contains(text, "invalid character") || strings.Contains(text, "malformed HTTP") {
		return reason{why: "not a NATS server, or not its client port", remedy: remedyPort}
	}
	return reason{}
}

func isTimeout(err error) bool {
	timeout, ok := errors.AsType[net.Error](err)
	return (ok && timeout.Timeout()) || errors.Is(err, os.ErrDeadlineExceeded) ||
		errors.Is(err, context.DeadlineExceeded) || errors.Is(err, nats.ErrTimeout)
}

// isClosed reports whether the server hung up.
func isClosed(err error) bool {
	return errors.Is(err, io.EOF) || isErrno(err, syscall.ECONNRESET, syscall.EPIPE, wsaConnReset)
}

func isErrno(err error, numbers ...syscall.Errno) bool {
	for _, n := range numbers {
		if errors.Is(err, n) {
			return true
		}
	}
	return false
}
