package load

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/nats-io/nats.go/jetstream"
)

// A getAnswer is that of the API's request for one message.
type getAnswer struct {
	Message *struct {
		Seq  uint64 `json:"seq"`
		Data []byte `json:"data"`
	} `json:"message"`
	Error *apiError `json:"error"`
}

// noMessage is the API's error for a message that is not in the stream.
const noMessage = 10037

// ask reads the messages from ≤ seq < before, one by one, from the leader of the
// stream. [jetstream.Stream.GetMsg] would ask any replica, where the stream
// allows direct access.
func (r *reader) ask(ctx context.Context, from, before uint64) error {
	for from < before {
		answer, err := r.get(ctx, from)
		switch {
		case err != nil:
			return err
		case answer.Error != nil && answer.Error.ErrCode == noMessage:
			return nil
		case answer.Error != nil:
			return fmt.Errorf("get message %d: %s", from, answer.Error.Description)
		case answer.Message == nil || answer.Message.Seq < from:
			return fmt.Errorf("get message %d: the answer makes no sense", from)
		case answer.Message.Seq >= before:
			return nil
		}
		r.read = append(r.read, r.stored(answer.Message.Seq, answer.Message.Data))
		from = answer.Message.Seq + 1
	}
	return nil
}

// get asks for the first message from a sequence on, until there is an answer.
func (r *reader) get(ctx context.Context, seq uint64) (answer getAnswer, err error) {
	subject := apiPrefix(r.js.Options()) + "STREAM.MSG.GET." + r.stream
	request := fmt.Appendf(nil, `{"seq":%d,"next_by_subj":">"}`, seq)
	for {
		ask, cancel := context.WithTimeout(ctx, apiTimeout)
		m, err := r.js.Conn().RequestWithContext(ask, subject, request)
		cancel()
		if err == nil {
			return answer, json.Unmarshal(m.Data, &answer)
		}
		if !wait(ctx, resume) {
			return answer, fmt.Errorf("get message %d: %w", seq, err)
		}
	}
}

// apiPrefix begins the subjects of the API, with the dot.
func apiPrefix(o jetstream.JetStreamOptions) string {
	switch {
	case o.Domain != "":
		return "$JS." + o.Domain + ".API."
	case o.APIPrefix != "":
		return strings.TrimSuffix(o.APIPrefix, ".") + "."
	default:
		return jetstream.DefaultAPIPrefix
	}
}
