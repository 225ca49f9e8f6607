package deadletter

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/natsops/natsops/internal/hint"
)

// ErrDenied is the lack of a permission.
var ErrDenied = errors.New("no permission")

// patience is how long an answer is waited for before the connection is asked
// whether the server refused the question. It answers such a question with an
// error on the connection only, and the asker would wait in vain.
const patience = 100 * time.Millisecond

// An api asks the JetStream API. It exists beside the client's own because the
// client reads messages through mirrors and replicas where it can (direct get),
// which may be behind and mix the server's headers with those of the message.
type api struct {
	js      jetstream.JetStream
	nc      *nats.Conn
	prefix  string // "$JS.API."
	timeout time.Duration
}

func newAPI(js jetstream.JetStream) api {
	o := js.Options()
	a := api{js: js, nc: js.Conn(), prefix: "$JS.API.", timeout: o.DefaultTimeout}
	switch {
	case o.Domain != "":
		a.prefix = "$JS." + o.Domain + ".API."
	case o.APIPrefix != "":
		a.prefix = strings.TrimSuffix(o.APIPrefix, ".") + "."
	}
	if a.timeout <= 0 {
		a.timeout = 5 * time.Second
	}
	return a
}

// ask sends request to an endpoint, such as STREAM.LIST, and decodes the reply.
// Errors are [*jetstream.APIError], [ErrDenied], nats.ErrNoResponders or those
// of the connection and of ctx.
func (a api) ask(ctx context.Context, endpoint string, request, reply any) error {
	body, err := json.Marshal(request)
	if err != nil {
		return err
	}
	subject := a.prefix + endpoint
	ctx, cancel := context.WithTimeout(ctx, a.timeout)
	defer cancel()
	ctx, stop := a.unlessDenied(ctx, subject)
	defer stop()
	msg, err := a.nc.RequestWithContext(ctx, subject, body)
	if err != nil {
		return a.explain(ctx, subject, err)
	}
	var failed struct {
		Error *jetstream.APIError `json:"error"`
	}
	if err := json.Unmarshal(msg.Data, &failed); err != nil {
		return fmt.Errorf("%s: not an answer of JetStream: %w", subject, err)
	}
	if failed.Error != nil {
		return explainAPI(failed.Error)
	}
	if err := json.Unmarshal(msg.Data, reply); err != nil {
		return fmt.Errorf("%s: not an answer of JetStream: %w", subject, err)
	}
	return nil
}

// unlessDenied returns a context that ends with [ErrDenied] when the server
// refuses to let us publish to subject or to receive replies.
func (a api) unlessDenied(ctx context.Context, subject string) (_ context.Context, stop func()) {
	ctx, cancel := context.WithCancelCause(ctx)
	timer := time.AfterFunc(patience, func() {
		// Behind the answer to the flush are all errors of what was sent before.
		if err := a.nc.FlushWithContext(ctx); err == nil {
			if err := a.denied(subject); err != nil {
				cancel(err)
			}
		}
	})
	return ctx, func() { timer.Stop(); cancel(nil) }
}

// denied returns the refusal of subject, if it is the last thing that the
// server complained about.
func (a api) denied(subject string) error {
	err := a.nc.LastError()
	if !errors.Is(err, nats.ErrPermissionViolation) {
		return nil
	}
	inbox := nats.InboxPrefix
	if a.nc.Opts.InboxPrefix != "" {
		inbox = a.nc.Opts.InboxPrefix + "."
	}
	text := err.Error()
	switch {
	case strings.Contains(text, `to "`+subject+`"`):
		return hint.Wrap(fmt.Errorf("%w for %s", ErrDenied, shown(subject)), "a user who may publish to "+shown(subject))
	case strings.Contains(text, `Subscription to "`+inbox):
		return hint.Wrap(fmt.Errorf("%w to receive replies on %s>", ErrDenied, inbox), "--inbox-prefix with a subject that this user may subscribe to")
	}
	return nil
}

// explain says in words what kept a reply from coming.
func (a api) explain(ctx context.Context, subject string, err error) error {
	if cause := context.Cause(ctx); errors.Is(cause, ErrDenied) {
		return cause
	}
	switch {
	case errors.Is(err, nats.ErrNoResponders):
		return hint.Wrap(fmt.Errorf("nobody answers for JetStream on %s: %w", shown(subject), err),
			"a server with JetStream, or --js-domain when it is behind a leaf node")
	case errors.Is(err, context.DeadlineExceeded):
		return fmt.Errorf("no answer to %s within %s: %w", shown(subject), a.timeout, err)
	}
	return err
}

func explainAPI(err *jetstream.APIError) error {
	if err.ErrorCode == jetstream.JSErrCodeJetStreamNotEnabledForAccount {
		return hint.Wrap(fmt.Errorf("JetStream is not enabled for this account: %w", err), "credentials of the account that has the streams")
	}
	if err.ErrorCode == jetstream.JSErrCodeJetStreamNotEnabled {
		return hint.Wrap(fmt.Errorf("JetStream is off: %w", err), "a server with JetStream, or --js-domain when it is behind a leaf node")
	}
	return err
}

// A lookup asks for one message: Seq itself, or with Next the first at or after
// Seq, or Start, whose subject matches it.
type lookup struct {
	Seq   uint64     `json:"seq,omitempty"`
	Next  string     `json:"next_by_subj,omitempty"`
	Start *time.Time `json:"start_time,omitempty"`
}

// isAnsweredBy reports whether m is what was asked for. Who goes from message to
// message would else never arrive.
func (l lookup) isAnsweredBy(m *stored) bool {
	return m != nil && (m.Seq == l.Seq || (l.Next != "" && m.Seq > l.Seq))
}

// A stored is a message as the leader of its stream keeps it.
type stored struct {
	Subject string    `json:"subject"`
	Seq     uint64    `json:"seq"`
	Header  []byte    `json:"hdrs"`
	Data    []byte    `json:"data"`
	Time    time.Time `json:"time"`
}

// headers decodes the headers.
func (s *stored) headers() (nats.Header, error) {
	if len(s.Header) == 0 {
		return nil, nil
	}
	return nats.DecodeHeadersMsg(s.Header)
}

// message returns nil when there is none.
func (a api) message(ctx context.Context, stream string, which lookup) (*stored, error) {
	var reply struct {
		Message *stored `json:"message"`
	}
	err := a.ask(ctx, "STREAM.MSG.GET."+stream, which, &reply)
	if isAPI(err, jetstream.JSErrCodeMessageNotFound) {
		return nil, nil
	}
	if err == nil && !which.isAnsweredBy(reply.Message) {
		err = errors.New("an answer without the message")
	}
	if err != nil {
		return nil, err
	}
	return reply.Message, nil
}

func isAPI(err error, code jetstream.ErrorCode) bool {
	e, ok := errors.AsType[*jetstream.APIError](err)
	return ok && e.ErrorCode == code
}
