// Package inspect asks NATS servers what is true. It only reads.
package inspect

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"

	"github.com/nats-io/nats.go"

	"github.com/natsops/natsops/internal/hint"
	"github.com/natsops/natsops/internal/inspect/wire"
)

// ErrNoVarz is returned when nobody can be asked about a server.
var ErrNoVarz = errors.New("server usage is not available")

// A VarzSource is one way to ask one server.
type VarzSource struct {
	Name string // monitoring endpoint or system account
	ask  func(context.Context) (Varz, error)
}

// Varz asks the server.
func (s VarzSource) Varz(ctx context.Context) (Varz, error) { return s.ask(ctx) }

// The port that the documentation and the packages of nats-server use.
const usualMonitorPort = "8222"

// FindVarz finds a way to ask the server that nc is connected to: the
// monitoring endpoint at monitor if one is given, which must then work;
// otherwise the system account, if nc is in it; otherwise the usual monitoring
// port, if the very same server answers there. The error wraps ErrNoVarz and
// has a remedy.
func FindVarz(ctx context.Context, nc *nats.Conn, monitor string) (VarzSource, error) {
	id := nc.ConnectedServerId()
	if monitor != "" {
		return checkedEndpoint(ctx, monitor, id)
	}
	if s, err := checked(ctx, systemAccount(nc), id); err == nil {
		return s, nil
	}
	host := hostOf(nc.ConnectedUrlRedacted())
	if s, err := checkedEndpoint(ctx, "http://"+net.JoinHostPort(host, usualMonitorPort), id); err == nil {
		return s, nil
	}
	return VarzSource{}, hint.Wrap(fmt.Errorf("%w: the user is not in the system account and no monitoring endpoint is known", ErrNoVarz),
		"--monitor http://HOST:8222")
}

func checkedEndpoint(ctx context.Context, base, id string) (VarzSource, error) {
	s, err := endpoint(base)
	if err != nil {
		return VarzSource{}, err
	}
	return checked(ctx, s, id)
}

// checked returns s if it answers for the server with the given ID.
func checked(ctx context.Context, s VarzSource, id string) (VarzSource, error) {
	v, err := s.ask(ctx)
	switch {
	case err != nil:
		return VarzSource{}, fmt.Errorf("%w: %w", ErrNoVarz, err)
	case v.ServerID != id:
		return VarzSource{}, fmt.Errorf("%w: %s belongs to another server (%s, connected to %s)", ErrNoVarz, s.Name, v.ServerID, id)
	default:
		return s, nil
	}
}

func endpoint(base string) (VarzSource, error) {
	m, err := wire.NewMonitor(base)
	if err != nil {
		return VarzSource{}, fmt.Errorf("%w: %w", ErrNoVarz, err)
	}
	return varzSource("monitoring endpoint "+m.String(), &witness{ask: monitorQuestions(m)}), nil
}

func systemAccount(nc *nats.Conn) VarzSource {
	w := &witness{ask: systemQuestions(wire.New(nc), nc.ConnectedServerId()), enveloped: true}
	return varzSource("system account", w)
}

func varzSource(name string, w *witness) VarzSource {
	return VarzSource{Name: name, ask: func(ctx context.Context) (Varz, error) {
		v, err := answer[Varz](ctx, w, "VARZ", nil)
		return v.data, err
	}}
}

func hostOf(server string) string {
	u, err := url.Parse(server)
	if err != nil {
		return ""
	}
	return u.Hostname()
}
