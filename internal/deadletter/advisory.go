package deadletter

import (
	"encoding/json"
	"errors"
	"math"
	"strings"
	"time"

	"github.com/natsops/natsops/internal/inspect"
)

// The subjects of the advisories, in the account of the consumer, before the
// names of stream and consumer (nats-server, server/jetstream_api.go).
const (
	maxDeliveriesPrefix = "$JS.EVENT.ADVISORY.CONSUMER.MAX_DELIVERIES."
	terminatedPrefix    = "$JS.EVENT.ADVISORY.CONSUMER.MSG_TERMINATED."
)

// The reasons of the server for a message that was deleted while a consumer
// still owed it (nats-server, server/consumer.go).
const (
	reasonDeleted = "Unacknowledged message was deleted"
	reasonLimits  = "Message deleted by stream limits"
)

// RemedyCapture is the command that makes the account keep the advisories, so
// that from then on every message that is given up is known.
const RemedyCapture = "nats stream add ADVISORIES --subjects='" + maxDeliveriesPrefix + ">," + terminatedPrefix +
	">' --storage=file --retention=limits --discard=old --max-age=30d --defaults"

// An advisory is the body of either kind.
type advisory struct {
	Type       string    `json:"type"`
	Time       time.Time `json:"timestamp"`
	Stream     string    `json:"stream"`
	Consumer   string    `json:"consumer"`
	Seq        uint64    `json:"stream_seq"`
	Deliveries uint64    `json:"deliveries"`
	Reason     string    `json:"reason"`
	Domain     string    `json:"domain"`
}

// parseAdvisory reads the letter that an advisory announces. Whether the
// message is still there it does not say.
func parseAdvisory(data []byte) (Letter, error) {
	var a advisory
	if err := json.Unmarshal(data, &a); err != nil {
		return Letter{}, err
	}
	l := Letter{
		Key:     inspect.Key{Stream: a.Stream, Consumer: a.Consumer},
		Domain:  a.Domain,
		Seq:     a.Seq,
		Reason:  a.Reason,
		Source:  Advisory,
		GivenUp: a.Time,
	}
	switch {
	case strings.HasSuffix(a.Type, ".max_deliver"):
		l.Cause = MaxDeliver
	case strings.HasSuffix(a.Type, ".terminated") && (a.Reason == reasonDeleted || a.Reason == reasonLimits):
		l.Cause = Evicted
	case strings.HasSuffix(a.Type, ".terminated"):
		l.Cause = Terminated
	default:
		return Letter{}, errors.New("not an advisory of a message that was given up")
	}
	if !isName(a.Stream) || !isName(a.Consumer) || a.Seq == 0 {
		return Letter{}, errors.New("an advisory that does not say which message")
	}
	if a.Deliveries <= math.MaxInt32 {
		l.Deliveries = int(a.Deliveries)
	}
	return l, nil
}

// isName reports whether the server would let a stream or a consumer have the
// name (nats-server, isValidAssetName). What is not one must not get into a
// subject.
func isName(name string) bool { return name != "" && !strings.ContainsAny(name, " \t\r\n\f.*>\\/") }
