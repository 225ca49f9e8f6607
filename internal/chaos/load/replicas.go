package load

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/natsops/natsops/internal/chaos/history"
)

// noAnswer is why a server that said nothing is unread.
const noAnswer = "no answer"

// askReplicas bounds the wait for servers that do not answer.
const askReplicas = 2 * time.Second

// A jszAnswer is that of one server.
type jszAnswer struct {
	Server struct {
		Name string `json:"name"`
	} `json:"server"`
	Error *struct {
		Description string `json:"description"`
	} `json:"error"`
	Data *struct {
		Accounts []struct {
			Name    string `json:"name"`
			Streams []struct {
				Name  string `json:"name"`
				State struct {
					Messages uint64 `json:"messages"`
					First    uint64 `json:"first_seq"`
					Last     uint64 `json:"last_seq"`
				} `json:"state"`
			} `json:"stream_detail"`
		} `json:"account_details"`
	} `json:"data"`
}

// CompareReplicas asks servers, by name, what each has of a stream itself: a
// follower answers for its own store. A server that answers and does not know the
// stream has nothing of it, so servers should be those that the stream's peers
// are on. One that does not answer, or cannot tell, is unread. They come in the
// order of servers; the error is for a question that could not be asked.
func CompareReplicas(ctx context.Context, system *nats.Conn, account, stream string, servers []string) ([]history.Replica, error) {
	ctx, cancel := context.WithTimeout(ctx, askReplicas)
	defer cancel()
	replicas := make([]history.Replica, len(servers))
	for i, name := range servers {
		replicas[i] = history.Replica{Server: name, Unread: noAnswer}
	}
	question, err := json.Marshal(map[string]any{"account": account, "accounts": true, "streams": true})
	if err != nil {
		return nil, err
	}
	answers := system.NewInbox()
	sub, err := system.SubscribeSync(answers)
	if err == nil {
		defer func() { _ = sub.Unsubscribe() }() // fails when the connection is gone, and the subscription with it
		err = system.PublishRequest("$SYS.REQ.SERVER.PING.JSZ", answers, question)
	}
	if err != nil {
		return nil, fmt.Errorf("ask the servers for their replicas of %s: %w", stream, err)
	}
	for left := len(servers); left > 0; {
		m, err := sub.NextMsgWithContext(ctx)
		if err != nil {
			break // those that are left are unread
		}
		var a jszAnswer
		if json.Unmarshal(m.Data, &a) != nil {
			continue
		}
		if i := slices.Index(servers, a.Server.Name); i >= 0 && replicas[i].Unread == noAnswer {
			replicas[i] = a.replica(account, stream)
			left--
		}
	}
	return replicas, nil
}

func (a jszAnswer) replica(account, stream string) history.Replica {
	r := history.Replica{Server: a.Server.Name}
	switch {
	case a.Error != nil:
		r.Unread = a.Error.Description
		return r
	case a.Data == nil:
		r.Unread = "an answer without data"
		return r
	}
	for _, acc := range a.Data.Accounts {
		if acc.Name != account {
			continue
		}
		for _, s := range acc.Streams {
			if s.Name == stream {
				r.Messages, r.First, r.Last = s.State.Messages, s.State.First, s.State.Last
			}
		}
	}
	return r
}

// Equal tells whether all replicas are the same; known says whether that can be
// told. Replicas that differ are known to, whatever the unread ones have.
func Equal(replicas []history.Replica) (equal, known bool) {
	equal, known = true, len(replicas) > 0
	var first *history.Replica
	for i := range replicas {
		r := &replicas[i]
		switch {
		case r.Unread != "":
			known = false
		case first == nil:
			first = r
		case r.Messages != first.Messages || r.First != first.First || r.Last != first.Last:
			return false, true
		}
	}
	return equal && known, known
}
