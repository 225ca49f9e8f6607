// Package inspect asks NATS servers what is true. It only reads.
package inspect

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strings"

	"github.com/nats-io/nats.go"

	"github.com/natsops/natsops/internal/hint"
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
		return checked(ctx, endpoint(monitor), id)
	}
	if s, err := checked(ctx, systemAccount(nc), id); err == nil {
		return s, nil
	}
	host := hostOf(nc.ConnectedUrlRedacted())
	if s, err := checked(ctx, endpoint("http://"+net.JoinHostPort(host, usualMonitorPort)), id); err == nil {
		return s, nil
	}
	return VarzSource{}, hint.Wrap(fmt.Errorf("%w: the user is not in the system account and no monitoring endpoint is known", ErrNoVarz),
		"--monitor http://HOST:8222")
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

func endpoint(base string) VarzSource {
	at := strings.TrimSuffix(base, "/") + "/varz"
	return VarzSource{Name: "monitoring endpoint " + redacted(base), ask: func(ctx context.Context) (Varz, error) {
		var v Varz
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, at, nil)
		if wrong, ok := errors.AsType[*url.Error](err); ok {
			return v, wrong.Err // without the URL, which may hold a password
		}
		if err != nil {
			return v, err
		}
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			return v, err
		}
		defer func() { _ = resp.Body.Close() }()
		if resp.StatusCode != http.StatusOK {
			return v, fmt.Errorf("%s answered %s", redacted(at), resp.Status)
		}
		return v, json.NewDecoder(resp.Body).Decode(&v)
	}}
}

func systemAccount(nc *nats.Conn) VarzSource {
	return VarzSource{Name: "system account", ask: func(ctx context.Context) (Varz, error) {
		var reply struct {
			Data  Varz `json:"data"`
			Error *struct {
				Description string `json:"description"`
			} `json:"error"`
		}
		m, err := nc.RequestWithContext(ctx, "$SYS.REQ.SERVER."+nc.ConnectedServerId()+".VARZ", nil)
		if err != nil {
			return reply.Data, err
		}
		if err := json.Unmarshal(m.Data, &reply); err != nil {
			return reply.Data, err
		}
		if reply.Error != nil {
			return reply.Data, errors.New(reply.Error.Description)
		}
		return reply.Data, nil
	}}
}

func hostOf(server string) string {
	u, err := url.Parse(server)
	if err != nil {
		return ""
	}
	return u.Hostname()
}

func redacted(s string) string {
	u, err := url.Parse(s)
	if err != nil {
		return "(unparsable)"
	}
	return u.Redacted()
}
