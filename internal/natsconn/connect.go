package natsconn

import (
	"context"
	"crypto/tls"
	"errors"
	"math/rand/v2"
	"strings"
	"sync/atomic"

	"github.com/nats-io/nats.go"

	"github.com/natsops/natsops/internal/hint"
)

// Connect dials the servers in random order until one lets it in. The
// connection is called name there, and reconnects to any of the servers.
//
// The options in extra are applied last, and may replace everything but the
// dialer. Nothing is logged unless an option in extra does. The end of ctx
// ends the attempt, but not a connection that was returned.
//
// A failure to connect is [ErrConnect] and the errors of nats.go, in one line
// that names each server and why it failed, with a hint. When ctx ended, it is
// ctx.Err(); if that is because of its deadline, also ErrConnect.
func (t Target) Connect(ctx context.Context, name string, extra ...nats.Option) (*nats.Conn, error) {
	r := t.get()
	if len(r.servers) == 0 {
		return nil, noTarget()
	}
	a := &attempt{resolved: r, failed: make([]reason, len(r.servers))}
	if err := a.prepare(name, extra); err != nil {
		return nil, err
	}
	stop := a.dialer.watch(ctx)
	nc, err := a.dialAny(ctx)
	if inTime := stop(); !inTime || (err != nil && ctx.Err() != nil) {
		if nc != nil {
			nc.Close()
		}
		return nil, a.interrupted(ctx)
	}
	return nc, err
}

// attempt is the state of one Connect.
type attempt struct {
	resolved
	options  nats.Options
	dialer   *dialer
	certWish atomic.Bool // the server asked for a client certificate
	failed   []reason    // by server
}

// prepare sets the options that all servers share.
func (a *attempt) prepare(name string, extra []nats.Option) (err error) {
	if a.dialer, err = newDialer(a.timeout, a.proxy); err != nil {
		return err
	}
	identify, err := a.login.option()
	if err != nil {
		return fileError(a.login.label, a.login.file, err)
	}
	quiet := func(*nats.Conn, *nats.Subscription, error) {} // the default prints
	all := []nats.Option{nats.Name(name), nats.Timeout(a.timeout), identify, nats.ErrorHandler(quiet), a.secure}
	if a.inboxPrefix != "" {
		all = append(all, nats.CustomInboxPrefix(a.inboxPrefix))
	}
	a.options = nats.GetDefaultOptions()
	for _, option := range append(all, extra...) {
		if option == nil {
			continue
		}
		if err := option(&a.options); err != nil {
			return err
		}
	}
	a.options.CustomDialer = a.dialer
	a.options.SkipHostLookup = true // the dialer looks names up, and can be interrupted
	return nil
}

// secure demands TLS if anything said implies it, for all servers alike: on a
// reconnect nats.go would not raise the demand for the one that says tls://.
func (a *attempt) secure(o *nats.Options) error {
	o.TLSHandshakeFirst = a.tlsFirst
	o.Secure = a.tlsFirst || a.tls.given()
	for _, u := range a.servers {
		o.Secure = o.Secure || u.Scheme == "tls" || u.Scheme == "wss"
	}
	if !o.Secure {
		return nil // a configuration alone slows reconnects down, and is a demand on websockets
	}
	o.TLSConfig = &tls.Config{
		MinVersion: tls.VersionTLS12,
		RootCAs:    a.tls.roots,
		GetClientCertificate: func(*tls.CertificateRequestInfo) (*tls.Certificate, error) {
			a.certWish.Store(true)
			if a.tls.cert == "" {
				return &tls.Certificate{}, nil
			}
			cert, err := tls.LoadX509KeyPair(a.tls.cert, a.tls.key)
			return &cert, err
		},
	}
	return nil
}

// dialAny tries one server at a time, where nats.go would try all of them and
// then tell of the last only.
func (a *attempt) dialAny(ctx context.Context) (*nats.Conn, error) {
	order := rand.Perm(len(a.servers)) //nolint:gosec // the order is no secret
	var pool []string
	for i := range order {
		if a.options.NoRandomize {
			order[i] = i
		}
		pool = append(pool, a.servers[order[i]].String())
	}
	for n, i := range order {
		options := a.options
		options.Servers = pool[n : n+1]
		a.certWish.Store(false)
		nc, err := options.Connect()
		if err == nil {
			return a.widen(nc, pool)
		}
		if ctx.Err() != nil {
			return nil, err
		}
		a.dialer.abort()
		a.failed[i] = a.explain(a.servers[i], a.dialer.cause(err))
	}
	return nil, a.failure()
}

// widen lets nc reconnect to any of the servers.
func (a *attempt) widen(nc *nats.Conn, pool []string) (*nats.Conn, error) {
	if len(pool) == 1 {
		return nc, nil
	}
	if err := nc.SetServerPool(pool); err != nil {
		nc.Close()
		return nil, err
	}
	return nc, nil
}

// failure tells of all servers, those with the same reason together. The
// remedy is for a server that answered, if one did: it is alive.
func (a *attempt) failure() error {
	var whys, remedies []string
	servers := map[string][]string{}
	kinds := []error{ErrConnect}
	for i, f := range a.failed {
		if servers[f.why] == nil {
			whys = append(whys, f.why)
		}
		servers[f.why] = append(servers[f.why], shownURL(a.servers[i]))
		kinds = append(kinds, f.cause)
		if f.answered {
			remedies = append([]string{f.remedy}, remedies...)
		} else {
			remedies = append(remedies, f.remedy)
		}
	}
	for i, why := range whys {
		whys[i] = strings.Join(servers[why], ", ") + ": " + why
	}
	return hint.Wrap(&kindError{text: "cannot connect to " + strings.Join(whys, "; "), kinds: kinds}, remedies[0])
}

func (a *attempt) interrupted(ctx context.Context) error {
	to := "cannot connect to " + newTarget(a.resolved).String() + ": "
	if errors.Is(ctx.Err(), context.DeadlineExceeded) {
		return hint.Wrap(&kindError{to + "no answer in the time given", []error{ErrConnect, ctx.Err()}}, remedyReach)
	}
	return &kindError{to + "interrupted", []error{ctx.Err()}}
}
