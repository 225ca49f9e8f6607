package inspect

import (
	"context"
	"encoding/json"
	"errors"
	"strconv"
	"sync"
	"time"

	"github.com/natsops/natsops/internal/inspect/wire"
)

const (
	// lookupsAtOnce is how many messages are asked for at a time.
	lookupsAtOnce = 64
	// lookupLimit bounds one: with a filter of wildcards that hardly anything
	// matches, a server searches for seconds.
	lookupLimit = time.Second
)

// Oldest asks for the oldest message of each lookup, in the same order. It takes
// one timeout at the most; what was not found by then has a Why.
func (c *Collector) Oldest(ctx context.Context, lookups []Lookup) []Oldest {
	ctx, cancel := context.WithTimeout(ctx, c.o.Timeout)
	defer cancel()
	ctx, done := c.whileConnected(ctx)
	defer done()
	answers := make([]Oldest, len(lookups))
	places := make(chan struct{}, lookupsAtOnce)
	var all sync.WaitGroup
	for i, l := range lookups {
		if c.route != RouteAccount {
			answers[i].Why = "messages can only be asked for with credentials of their account"
			continue
		}
		select {
		case places <- struct{}{}:
			all.Go(func() {
				defer func() { <-places }()
				answers[i] = c.oldest(ctx, l)
			})
		case <-ctx.Done():
			answers[i].Why = "it was not asked for in time"
		}
	}
	all.Wait()
	return answers
}

// oldest asks once per filter: a question has room for one.
func (c *Collector) oldest(ctx context.Context, l Lookup) Oldest {
	ctx, cancel := context.WithTimeout(ctx, lookupLimit)
	defer cancel()
	var best Oldest
	filters := l.Filters
	if len(filters) == 0 {
		filters = []string{">"}
	}
	for _, filter := range filters {
		found, err := c.next(ctx, l, filter)
		switch {
		case isCode(err, errNoMessage):
		case err != nil:
			return Oldest{Why: err.Error()}
		case !best.Found || found.Seq < best.Seq:
			best = found
		}
	}
	return best
}

// next returns the first message of a subject that counts. A question names
// either a sequence or a time.
func (c *Collector) next(ctx context.Context, l Lookup, filter string) (Oldest, error) {
	q := messageQuestion{Next: filter, Seq: max(l.From, 1)}
	if !l.Since.IsZero() {
		q.Seq, q.Start = 0, &l.Since
	}
	found, err := c.message(ctx, l, q)
	if err == nil && found.Seq < l.From {
		found, err = c.message(ctx, l, messageQuestion{Next: filter, Seq: l.From})
	}
	return found, err
}

type messageQuestion struct {
	Seq   uint64     `json:"seq,omitempty"`
	Next  string     `json:"next_by_subj,omitempty"`
	Start *time.Time `json:"start_time,omitempty"`
}

func (c *Collector) message(ctx context.Context, l Lookup, ask messageQuestion) (Oldest, error) {
	subject := c.o.APIPrefix + ".STREAM.MSG.GET." + l.Key.Stream
	if l.Direct {
		subject = c.o.APIPrefix + ".DIRECT.GET." + l.Key.Stream
	}
	body, _ := json.Marshal(ask) // numbers and texts
	reply, err := c.conn.Ask(ctx, wire.Question{Subject: subject, Body: body})
	if err != nil {
		return Oldest{}, err
	}
	if l.Direct {
		return direct(reply)
	}
	v, err := decodeData[struct {
		apiAnswer
		Message struct {
			Subject string    `json:"subject"`
			Seq     uint64    `json:"seq"`
			Time    time.Time `json:"time"`
		} `json:"message"`
	}](reply)
	if err == nil {
		err = v.refusal()
	}
	return Oldest{Found: err == nil, Seq: v.Message.Seq, Subject: v.Message.Subject, At: v.Message.Time}, err
}

// direct reads a message that comes as it is stored, described by headers that
// the server adds after those of the message.
func direct(reply wire.Reply) (Oldest, error) {
	added := func(name string) string {
		values := reply.Header.Values(name)
		if len(values) == 0 {
			return ""
		}
		return values[len(values)-1]
	}
	seq, err := strconv.ParseUint(added("Nats-Sequence"), 10, 64)
	at, err2 := time.Parse(time.RFC3339Nano, added("Nats-Time-Stamp"))
	if err == nil && err2 == nil {
		return Oldest{Found: true, Seq: seq, Subject: added("Nats-Subject"), At: at}, nil
	}
	switch status := reply.Header.Get("Status"); status {
	case "404":
		return Oldest{}, &apiError{ErrCode: errNoMessage, Description: "no message found"}
	case "":
		return Oldest{}, errors.New("the answer makes no sense: it is not a stored message")
	default:
		return Oldest{}, errors.New("the server says: " + status + " " + reply.Header.Get("Description"))
	}
}
