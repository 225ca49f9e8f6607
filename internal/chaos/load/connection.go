package load

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/natsops/natsops/internal/chaos/history"
)

// How connections of a load behave. A dead link is noticed after two to three
// intervals, and a reconnect is tried ten times a second, so that an outage is
// that of the servers and not of the client's patience.
const (
	dialTimeout     = 2 * time.Second // for one attempt to connect
	dials           = 3               // attempts, when the load starts
	reconnectWait   = 100 * time.Millisecond
	reconnectJitter = 20 * time.Millisecond
	pingInterval    = 2 * time.Second
	pingsOut        = 2
	// writeTimeout bounds how long a peer that does not read can block a
	// publisher: nats.go writes with its lock held, for a minute if it is let.
	writeTimeout = 2 * time.Second
)

// A caller is who connects, and where.
type caller struct {
	who    string // in events
	name   string // of the connection
	urls   []string
	server string // the only one there may be; "": any
}

// connect opens a connection and makes sure that it works.
func connect(ctx context.Context, dial Dial, d *diary, c caller) (*nats.Conn, error) {
	nc, err := persist(ctx, func() (*nats.Conn, error) { return dial(ctx, c.urls, c.name, options(d, c.who)...) })
	if err != nil {
		return nil, err
	}
	if err := check(ctx, nc, c.server); err != nil {
		nc.Close()
		return nil, err
	}
	return nc, nil
}

// persist tries a few times: a server that is starved may miss the first. It is
// used in place of RetryOnFailedConnect, which would call every attempt a
// success and hide why it was none.
func persist(ctx context.Context, dial func() (*nats.Conn, error)) (nc *nats.Conn, err error) {
	for n := 1; ; n++ {
		if nc, err = dial(); err == nil || n == dials || !wait(ctx, reconnectWait) {
			return nc, err
		}
	}
}

// check makes sure that the server answers, and that it is the right one.
func check(ctx context.Context, nc *nats.Conn, server string) error {
	ctx, cancel := context.WithTimeout(ctx, dials*dialTimeout)
	defer cancel()
	if err := nc.FlushWithContext(ctx); err != nil {
		return fmt.Errorf("the connection does not work: %w", err)
	}
	if got := nc.ConnectedServerName(); server != "" && got != server {
		return fmt.Errorf("connected to server %q instead of %q", got, server)
	}
	return nil
}

// options are those of every connection of the load.
func options(d *diary, who string) []nats.Option {
	at := func(nc *nats.Conn) string { return nc.ConnectedServerName() + " " + nc.ConnectedUrlRedacted() }
	text := func(err error) string {
		if err == nil {
			return ""
		}
		return err.Error()
	}
	return []nats.Option{
		nats.Timeout(dialTimeout),
		nats.IgnoreDiscoveredServers(), // or it would go around a proxy, and leave its only server
		nats.MaxReconnects(-1),
		nats.IgnoreAuthErrorAbort(), // a server that is starting may know no users yet
		nats.ReconnectWait(reconnectWait),
		nats.ReconnectJitter(reconnectJitter, reconnectJitter),
		// Nothing is sent later than it says in the history.
		nats.ReconnectBufSize(-1),
		nats.PingInterval(pingInterval),
		nats.MaxPingsOutstanding(pingsOut),
		nats.FlusherTimeout(writeTimeout),
		nats.ReconnectOnFlusherError(), // nats.go forgets what it could not write, and would go on
		nats.NoCallbacksAfterClientClose(),
		nats.DisconnectErrHandler(func(_ *nats.Conn, err error) { d.note(who, history.EventDisconnected, text(err)) }),
		nats.ReconnectHandler(func(nc *nats.Conn) { d.note(who, history.EventReconnected, at(nc)) }),
		nats.ClosedHandler(func(nc *nats.Conn) { d.note(who, history.EventClosed, text(nc.LastError())) }),
		nats.LameDuckModeHandler(func(nc *nats.Conn) { d.note(who, history.EventLameDuck, at(nc)) }),
		nats.ErrorHandler(func(_ *nats.Conn, _ *nats.Subscription, err error) { d.note(who, history.EventError, text(err)) }),
	}
}

// unsent tells what is known of a message that nats.go would not take. These
// errors come before anything is written (Conn.publish of nats.go); after any
// other, part of the buffer may be on its way.
func unsent(err error) verdict {
	switch {
	case errors.Is(err, nats.ErrReconnectBufExceeded):
		return verdict{outcome: history.Refused, class: history.Disconnected}
	case errors.Is(err, nats.ErrConnectionClosed), errors.Is(err, nats.ErrConnectionDraining):
		return verdict{outcome: history.Refused, class: history.Closed}
	case errors.Is(err, nats.ErrMaxPayload), errors.Is(err, nats.ErrHeadersNotSupported), errors.Is(err, nats.ErrBadSubject):
		return verdict{outcome: history.Refused, class: history.Other}
	default:
		return verdict{outcome: history.Unknown, class: history.Other}
	}
}

// wait returns false when ctx ended first.
func wait(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-t.C:
		return true
	}
}
