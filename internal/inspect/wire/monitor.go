package wire

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync/atomic"
	"time"
)

// A Monitor is the HTTP monitoring endpoint of one server.
type Monitor struct {
	base   string
	client *http.Client

	requests, replies, bytes atomic.Int64
}

// NewMonitor returns the endpoint at base, as in http://host:8222. The error
// holds no password.
func NewMonitor(base string) (*Monitor, error) {
	u, err := url.Parse(base)
	if wrong, ok := errors.AsType[*url.Error](err); ok {
		return nil, wrong.Err // without the URL, which may hold a password
	}
	if err != nil {
		return nil, err
	}
	if u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return nil, fmt.Errorf("%s is not the address of a monitoring endpoint, such as http://host:8222", u.Redacted())
	}
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.IdleConnTimeout = 10 * time.Second
	return &Monitor{base: strings.TrimSuffix(base, "/"), client: &http.Client{Transport: transport}}, nil
}

// String returns the address without its password.
func (m *Monitor) String() string {
	u, err := url.Parse(m.base)
	if err != nil {
		return "(unparsable)"
	}
	return u.Redacted()
}

// Close ends idle connections.
func (m *Monitor) Close() { m.client.CloseIdleConnections() }

// Cost returns what has been asked and answered since NewMonitor.
func (m *Monitor) Cost() Cost {
	return Cost{m.requests.Load(), m.replies.Load(), m.bytes.Load()}
}

// Ask reads what is at path, as in /varz?x=y.
func (m *Monitor) Ask(ctx context.Context, path string) (Reply, error) {
	r := Reply{Sent: time.Now()}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, m.base+path, nil)
	if err != nil {
		return r, err
	}
	m.requests.Add(1)
	resp, err := m.client.Do(req)
	if err != nil {
		return r, m.explain(ctx, r.Sent, err)
	}
	defer func() { _ = resp.Body.Close() }()
	if resp.StatusCode != http.StatusOK {
		return r, fmt.Errorf("%s answered %s", m, resp.Status)
	}
	if r.body, err = readAll(resp.Body, int(max(0, resp.ContentLength)/8)); err != nil {
		return r, m.explain(ctx, r.Sent, err)
	}
	r.Got, r.Size = time.Now(), len(r.body)
	m.replies.Add(1)
	m.bytes.Add(int64(r.Size))
	return r, nil
}

func (m *Monitor) explain(ctx context.Context, sent time.Time, err error) error {
	if errors.Is(ctx.Err(), context.DeadlineExceeded) {
		return Silence(time.Since(sent))
	}
	if wrong, ok := errors.AsType[*url.Error](err); ok {
		err = wrong.Err // the rest is our question
	}
	return fmt.Errorf("%s: %w", m, err)
}
