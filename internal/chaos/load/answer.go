package load

import (
	"encoding/json"
	"strconv"

	"github.com/nats-io/nats.go"

	"github.com/natsops/natsops/internal/chaos/history"
)

// A verdict is what an answer, or none, says of an attempt.
type verdict struct {
	outcome   history.Outcome
	class     history.Class
	streamSeq uint64
	duplicate bool
}

// A pubAck is the answer of a stream to a publish.
type pubAck struct {
	Stream    string    `json:"stream"`
	Seq       uint64    `json:"seq"`
	Duplicate bool      `json:"duplicate"`
	Error     *apiError `json:"error"`
}

type apiError struct {
	ErrCode     int    `json:"err_code"`
	Description string `json:"description"`
}

// Statuses of answers without a body.
const noResponders = "503"

// judge reads the answer to a publish to stream.
func judge(m *nats.Msg, stream string) verdict {
	if len(m.Data) == 0 {
		if m.Header.Get("Status") == noResponders {
			return verdict{outcome: history.Refused, class: history.NoResponders}
		}
		return verdict{class: history.Other}
	}
	var ack pubAck
	if err := json.Unmarshal(m.Data, &ack); err != nil {
		return verdict{class: history.Other}
	}
	switch {
	case ack.Error != nil:
		return ack.Error.verdict()
	case ack.Stream != stream, ack.Seq == 0:
		// Somebody else's promise; or, with 0, that of a nats-server before 2.11
		// for a message whose first attempt is still in process.
		return verdict{class: history.Other}
	default:
		return verdict{outcome: history.Acked, streamSeq: ack.Seq, duplicate: ack.Duplicate}
	}
}

func (e apiError) verdict() verdict {
	v := verdict{class: history.Class("api-" + strconv.Itoa(e.ErrCode))}
	if e.unstored() {
		v.outcome = history.Refused
	}
	return v
}

// unstored tells whether the error proves that the message is not stored and
// will not be. It does where nats-server (2.15: processClusteredInboundMsg,
// checkMsgHeadersPreClusteredProposal, processJetStreamMsgWithBatch, queueInbound)
// sends it instead of proposing the message, or without a cluster instead of
// storing it. All others leave it open:
//
//   - 10158, "duplicate message id is in process", is of another attempt, which
//     waits for a quorum that may come or not;
//   - 10063, "expected stream sequence does not match", comes after the proposal
//     was committed, from a leader that failed to apply what others have;
//   - 10077, "store failed", as well, unless it is for a limit, which is checked
//     before, and equal on all replicas;
//   - 10008, 10009, 10039, 10074, 10076 and the rest are of the API, and no
//     stream sends them to publishers: whoever did, nothing says that nobody
//     stored it.
func (e apiError) unstored() bool {
	switch e.ErrCode {
	case 10002, // account limits
		10023, // limits of the server
		10054, // message too large
		10060, // another stream was expected
		10097, // header too large
		10109, // sealed
		10120, // no limits for this tier
		10165, // TTL invalid
		10166, // TTL disabled
		10167, // too many requests
		10169: // it would have to be a counter
		return true
	case 10077:
		switch e.Description { // ErrMaxMsgs, ErrMaxBytes, ErrMaxMsgsPerSubject in store.go of nats-server
		case "maximum messages exceeded", "maximum bytes exceeded", "maximum messages per subject exceeded":
			return true
		}
	}
	return false
}
