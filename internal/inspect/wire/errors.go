package wire

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/nats-io/nats.go"
)

// Why a question was not answered.
var (
	ErrNoPermission = errors.New("no permission")
	ErrNobody       = errors.New("nobody answers")
	ErrSilent       = errors.New("no answer")
	ErrLost         = errors.New("connection lost")
)

func refusal(subject string) error { return fmt.Errorf("%w for %s", ErrNoPermission, subject) }

// explain says why there is no answer to a question that was sent at sent.
func explain(ctx context.Context, subject string, sent time.Time, err error) error {
	cause := context.Cause(ctx)
	switch {
	case errors.Is(cause, ErrNoPermission), errors.Is(cause, ErrLost):
		return cause
	case errors.Is(err, nats.ErrNoResponders):
		return fmt.Errorf("%w to %s", ErrNobody, subject)
	case errors.Is(err, context.DeadlineExceeded), errors.Is(cause, context.DeadlineExceeded), errors.Is(err, nats.ErrTimeout):
		return Silence(time.Since(sent))
	case errors.Is(err, nats.ErrConnectionClosed), errors.Is(err, nats.ErrDisconnected), errors.Is(err, nats.ErrConnectionReconnecting):
		return fmt.Errorf("%w: %w", ErrLost, err)
	case cause != nil:
		return cause
	}
	return err
}

// Silence is the error for no answer within a time.
func Silence(d time.Duration) error {
	unit := 100 * time.Millisecond
	if d < unit {
		unit = time.Millisecond
	}
	return fmt.Errorf("%w within %s", ErrSilent, d.Round(unit))
}

// violation returns the subject that a server refused, and whether it was one
// to hear answers on. The server writes subjects as Go does with %q
// (nats-server, client.go: pubPermissionViolation).
func violation(err error) (subject string, aboutInbox, ok bool) {
	if !errors.Is(err, nats.ErrPermissionViolation) {
		return "", false, false
	}
	// Subjects may contain quotes, which %q escapes.
	m := regexp.MustCompile(`(Publish|Subscription|Reply) (?:to|of) ("(?:[^"\\]|\\.)*")`).FindStringSubmatch(err.Error())
	if m == nil {
		return "", false, false
	}
	subject, bad := strconv.Unquote(m[2])
	inbox := strings.Contains(subject, "INBOX") || m[1] == "Reply"
	return subject, m[1] != "Publish" && inbox, bad == nil
}
