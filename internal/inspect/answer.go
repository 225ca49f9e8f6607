package inspect

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"time"

	"github.com/natsops/natsops/internal/inspect/wire"
)

// serverInfo is how a server introduces its answers.
type serverInfo struct {
	Name    string    `json:"name"`
	ID      string    `json:"id"`
	Cluster string    `json:"cluster"`
	Domain  string    `json:"domain"`
	Version string    `json:"ver"`
	Time    time.Time `json:"time"`
}

// apiError is how servers say that they cannot.
type apiError struct {
	Code        int    `json:"code"`
	ErrCode     int    `json:"err_code"`
	Description string `json:"description"`
}

// The codes of errors that matter here (nats-server, errors.json).
const (
	errNotEnabledForAccount = 10039
	errNotEnabled           = 10076
	errConsumerNotFound     = 10014
	errStreamNotFound       = 10059
	errNoMessage            = 10037
)

func (e *apiError) Error() string {
	switch e.ErrCode {
	case errNotEnabledForAccount:
		return "JetStream is not enabled for this account"
	case errNotEnabled:
		return "JetStream is not enabled"
	}
	return "the server says: " + e.Description
}

// orNil returns no error when there is none: a nil *apiError in an error is not nil.
func (e *apiError) orNil() error {
	if e == nil {
		return nil
	}
	return e
}

func isCode(err error, code int) bool {
	e, ok := errors.AsType[*apiError](err)
	return ok && e.ErrCode == code
}

// options narrow a question to a server: JSON over NATS, a query over HTTP.
type options interface{ query() url.Values }

// A witness is a server that answers.
type witness struct {
	serverInfo
	connections   int                                                                   // that it has
	subscriptions int                                                                   // likewise
	ask           func(ctx context.Context, what string, o options) (wire.Reply, error) // as in VARZ
	enveloped     bool                                                                  // its answers name it
}

// systemQuestions asks one server as the system account.
func systemQuestions(conn *wire.Conn, id string) func(context.Context, string, options) (wire.Reply, error) {
	return func(ctx context.Context, what string, o options) (wire.Reply, error) {
		q := wire.Question{Subject: "$SYS.REQ.SERVER." + id + "." + what, Encoding: wire.Snappy}
		if e, ok := o.(encoded); ok {
			o, q.Encoding = e.options, e.encoding
		}
		if o != nil {
			q.Body = body(o)
		}
		return conn.Ask(ctx, q)
	}
}

// monitorQuestions asks one server over HTTP.
func monitorQuestions(m *wire.Monitor) func(context.Context, string, options) (wire.Reply, error) {
	return func(ctx context.Context, what string, o options) (wire.Reply, error) {
		path := "/" + strings.ToLower(what)
		if o != nil {
			path += "?" + o.query().Encode()
		}
		return m.Ask(ctx, path)
	}
}

// encoded options ask for another encoding than the usual one.
type encoded struct {
	options
	encoding string
}

// said is what a server said.
type said[T any] struct {
	by        serverInfo
	data      T
	sent, got time.Time
}

// answer asks w.
func answer[T any](ctx context.Context, w *witness, what string, o options) (said[T], error) {
	reply, err := w.ask(ctx, what, o)
	if err != nil {
		return said[T]{}, err
	}
	s, err := decodeReply[T](reply, w.enveloped)
	if s.by.Name == "" {
		s.by = w.serverInfo
	}
	return s, err
}

// decodeReply reads an answer, which over NATS comes in an envelope.
func decodeReply[T any](reply wire.Reply, enveloped bool) (said[T], error) {
	s := said[T]{sent: reply.Sent, got: reply.Got}
	if !enveloped {
		data, err := decodeData[T](reply)
		s.data = data
		return s, err
	}
	type wrapped struct {
		Server serverInfo `json:"server"`
		Data   *T         `json:"data"`
		Error  *apiError  `json:"error"`
	}
	envelope, err := decodeData[wrapped](reply)
	if err != nil {
		return s, err
	}
	s.by = envelope.Server
	switch {
	case envelope.Error != nil:
		return s, envelope.Error
	case envelope.Data == nil:
		return s, errors.New("the answer is empty")
	}
	s.data = *envelope.Data
	return s, nil
}

// decodeData reads an answer that says only what it says.
func decodeData[T any](reply wire.Reply) (T, error) {
	var v T
	data, err := reply.Data()
	if err != nil {
		return v, err
	}
	if err := json.Unmarshal(data, &v); err != nil {
		return v, fmt.Errorf("the answer makes no sense: %w", err)
	}
	return v, nil
}

// body is what options look like over NATS.
func body(o options) []byte {
	b, _ := json.Marshal(o) // numbers, texts and booleans
	return b
}

// unknownAudience is for when it is not known how many servers there are.
func unknownAudience() wire.Audience { return wire.Audience{Expect: wire.NewTally(), Hasty: true} }

// apiAnswer is what all answers of the JetStream API have.
type apiAnswer struct {
	Error *apiError `json:"error"`
}

func (a apiAnswer) refusal() error { return a.Error.orNil() }
