package natsconn

import (
	"context"
	"errors"
	"math/rand/v2"
	"net"
	"net/url"
	"sync"
	"time"

	"golang.org/x/net/proxy"
)

// dialer gives nats.go, which knows no context while it connects, one: as long
// as a context is watched, its end aborts the dial under way and closes the
// connection it gave out, which ends the handshake on it. Afterwards it dials
// the reconnects, which are nobody's to cancel.
//
// It hands out the plain connection: a wrapper around it would cost nats.go
// its vectored writes.
type dialer struct {
	timeout time.Duration
	proxy   proxy.ContextDialer // nil: dial directly

	mu      sync.Mutex
	watched context.Context
	conn    net.Conn // the last one given out while watched
	failed  error    // of the last Dial
}

func newDialer(timeout time.Duration, via *url.URL) (*dialer, error) {
	d := &dialer{timeout: timeout, watched: context.Background()}
	if via == nil {
		return d, nil
	}
	through, err := proxy.FromURL(via, &net.Dialer{})
	if err != nil {
		return nil, err
	}
	d.proxy, _ = through.(proxy.ContextDialer)
	if d.proxy == nil {
		return nil, errors.New("the proxy dialer takes no context")
	}
	return d, nil
}

// watch starts watching ctx. The returned function stops it and reports false
// if ctx ended first: then the connection has been closed.
func (d *dialer) watch(ctx context.Context) (stop func() bool) {
	d.mu.Lock()
	d.watched = ctx
	d.mu.Unlock()
	release := context.AfterFunc(ctx, d.abort)
	return func() bool {
		inTime := release()
		d.mu.Lock()
		defer d.mu.Unlock()
		d.watched, d.conn = context.Background(), nil
		return inTime
	}
}

// abort closes the connection given out last: nats.go forgets to when a
// websocket handshake fails.
func (d *dialer) abort() {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.conn != nil {
		_ = d.conn.Close()
	}
}

// cause is the error of the last Dial if it failed, or else err: nats.go
// reports a refused connection as a lack of servers.
func (d *dialer) cause(err error) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.failed != nil {
		return d.failed
	}
	return err
}

// Dial implements nats.CustomDialer.
func (d *dialer) Dial(network, address string) (net.Conn, error) {
	d.mu.Lock()
	watched := d.watched
	d.mu.Unlock()
	ctx, cancel := context.WithTimeout(watched, d.timeout)
	defer cancel()
	conn, err := d.dial(ctx, network, address)

	d.mu.Lock()
	defer d.mu.Unlock()
	if err == nil && watched.Err() != nil {
		err = errors.Join(watched.Err(), conn.Close())
	}
	if d.failed = err; err != nil {
		return nil, err
	}
	d.conn = conn
	return conn, nil
}

// dial leaves looking a name up to the proxy, if there is one. Without, it
// tries the addresses of a name in random order, as nats.go does, so that the
// clients of a cluster behind one name spread over it.
func (d *dialer) dial(ctx context.Context, network, address string) (net.Conn, error) {
	if d.proxy != nil {
		return d.proxy.DialContext(ctx, network, address)
	}
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return nil, err
	}
	hosts, err := net.DefaultResolver.LookupHost(ctx, host)
	if err != nil {
		return nil, err
	}
	rand.Shuffle(len(hosts), func(i, j int) { hosts[i], hosts[j] = hosts[j], hosts[i] }) //nolint:gosec // the order is no secret
	var failed []error
	for _, host := range hosts {
		direct := net.Dialer{Timeout: d.timeout / time.Duration(len(hosts))}
		conn, err := direct.DialContext(ctx, network, net.JoinHostPort(host, port))
		if err == nil {
			return conn, nil
		}
		failed = append(failed, err)
	}
	return nil, errors.Join(failed...)
}
