package inspect

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"strconv"
	"time"
)

// accountsPage is how many accounts an answer may have; streams and consumers
// are not paged (nats-server, monitor.go: Jsz).
const accountsPage = 1024

// jszOptions are those of JSZ.
type jszOptions struct {
	Account  string `json:"account,omitempty"`
	Accounts bool   `json:"accounts,omitempty"`
	Streams  bool   `json:"streams,omitempty"`
	Consumer bool   `json:"consumer,omitempty"`
	Config   bool   `json:"config,omitempty"`
	Limit    int    `json:"limit,omitempty"`
	Offset   int    `json:"offset,omitempty"`
}

func (o jszOptions) query() url.Values {
	q := url.Values{}
	for name, on := range map[string]bool{"accounts": o.Accounts, "streams": o.Streams, "consumers": o.Consumer, "config": o.Config} {
		if on {
			q.Set(name, "true")
		}
	}
	if o.Account != "" {
		q.Set("acc", o.Account)
	}
	if o.Limit > 0 {
		q.Set("limit", strconv.Itoa(o.Limit))
		q.Set("offset", strconv.Itoa(o.Offset))
	}
	return q
}

// jsz is the answer. What it says of streams and consumers is not all to be
// believed: see [round.merge].
type jsz struct {
	JetStream
	Total    int          `json:"total"` // accounts
	Accounts []jszAccount `json:"account_details"`
}

type jszAccount struct {
	Name            string `json:"name"`
	ID              string `json:"id"`
	Memory          uint64 `json:"memory"`
	Storage         uint64 `json:"storage"`
	ReservedMemory  uint64 `json:"reserved_memory"`  // the limit; -1 shows as the largest number
	ReservedStorage uint64 `json:"reserved_storage"` // likewise
	API             struct {
		Total  uint64 `json:"total"`
		Errors uint64 `json:"errors"`
	} `json:"api"`
	Streams []jszStream `json:"stream_detail"`
}

type jszStream struct {
	Stream
	Consumers []Consumer `json:"consumer_detail"`
}

// A detail is what one server says of all streams and consumers that it knows.
type detail struct {
	by       string // its name
	at       time.Time
	accounts []jszAccount
}

// jetStream asks for all streams and consumers: once, if the answer may be that
// large, and otherwise account by account.
func (r *round) jetStream(ctx context.Context, w *witness) error {
	err := r.jetStreamWhole(ctx, w)
	if err != nil {
		r.mu.Lock()
		defer r.mu.Unlock()
		r.unheardOf[w.Name] = "server " + w.Name + " did not tell: " + err.Error()
	}
	return err
}

func (r *round) jetStreamWhole(ctx context.Context, w *witness) error {
	known, err := r.weigh(ctx, w)
	if err != nil {
		return err
	}
	if known == (weight{}) {
		if r.need.Accounts {
			return r.jetStreamInBrief(ctx, w)
		}
		return nil
	}
	free := r.roomFor(w)
	o := jszOptions{Account: r.c.accountID, Accounts: r.c.accountID == "", Streams: true, Consumer: true, Config: r.configs}
	if o.Accounts {
		o.Limit = accountsPage
	}
	how, fits := known.fit(o, free)
	if !fits {
		return r.accountByAccount(ctx, w, free)
	}
	return r.pages(ctx, w, o, how)
}

// weigh returns how much a server has to say. It relies on the last answer only
// where it does no harm if there is more by now.
func (r *round) weigh(ctx context.Context, w *witness) (weight, error) {
	known, ok := r.weightOf(w)
	if ok && known != (weight{}) && !r.c.near.room(w.serverInfo).far || r.c.route == RouteMonitor {
		return weight{max(known.streams, 1), known.consumers}, nil
	}
	v, err := answer[jsz](ctx, w, "JSZ", nil)
	if err != nil {
		return weight{}, err
	}
	r.aboutJetStream(w, &v.data)
	return weight{v.data.Streams, v.data.Consumers}, nil
}

// pages asks as how says, page of accounts by page of accounts.
func (r *round) pages(ctx context.Context, w *witness, o jszOptions, how options) error {
	for {
		v, err := answer[jsz](ctx, w, "JSZ", how)
		if err != nil {
			return err
		}
		r.aboutJetStream(w, &v.data)
		r.mu.Lock()
		r.details = append(r.details, detail{by: w.Name, at: v.data.Now, accounts: v.data.Accounts})
		r.mu.Unlock()
		o.Offset += o.Limit
		if o.Limit == 0 || o.Offset >= v.data.Total || len(v.data.Accounts) == 0 {
			return nil
		}
		if e, ok := how.(encoded); ok {
			how = encoded{o, e.encoding}
		} else {
			how = o
		}
	}
}

// aboutJetStream puts down what a server says of its JetStream as a whole.
func (r *round) aboutJetStream(w *witness, v *jsz) {
	js := v.JetStream
	r.tell(w.serverInfo, func(s *Server) {
		s.JetStream = &js
		r.c.memory.weights[w.ID] = weight{js.Streams, js.Consumers}
	})
	if js.Meta != nil {
		r.mention(w.Name, js.Meta.Leader)
		for _, peer := range js.Meta.Replicas {
			r.mention(w.Name, peer.Name)
		}
	}
}

// jetStreamInBrief asks without streams and consumers.
func (r *round) jetStreamInBrief(ctx context.Context, w *witness) error {
	o := jszOptions{Account: r.c.accountID, Accounts: r.need.Accounts && r.c.accountID == ""}
	if o.Accounts {
		o.Limit = accountsPage
	}
	return r.pages(ctx, w, o, o)
}

// errTooMuch is why natsops does not ask for something.
var errTooMuch = errors.New("the answer could be too large for one message and break the connection that it comes over")

// accountByAccount asks for each account on its own, and not for those whose
// answers would still be too large.
func (r *round) accountByAccount(ctx context.Context, w *witness, free room) error {
	for o := (jszOptions{Accounts: true, Limit: accountsPage}); ; o.Offset += o.Limit {
		list, err := answer[jsz](ctx, w, "JSZ", o)
		if err != nil {
			return err
		}
		for _, a := range list.data.Accounts {
			if r.c.accountID != "" && r.c.accountID != a.ID {
				continue
			}
			if err := r.oneAccount(ctx, w, a.ID, free); err != nil {
				r.gap("account "+a.Name+" on server "+w.Name, err)
			}
		}
		if o.Offset+o.Limit >= list.data.Total || len(list.data.Accounts) == 0 {
			return nil
		}
	}
}

func (r *round) oneAccount(ctx context.Context, w *witness, id string, free room) error {
	o := jszOptions{Account: id, Streams: true}
	whole, _ := r.weightOf(w) // at the most
	if how, fits := whole.fit(o, free); fits {
		v, err := answer[jsz](ctx, w, "JSZ", how)
		if err != nil {
			return err
		}
		whole = weight{}
		for _, a := range v.data.Accounts {
			for i := range a.Streams {
				whole.streams++
				whole.consumers += a.Streams[i].State.Consumers
			}
		}
	}
	o.Consumer, o.Config = true, r.configs
	how, fits := whole.fit(o, free)
	if !fits {
		return fmt.Errorf("%w: %d consumers, %d bytes", errTooMuch, whole.consumers, free.bytes)
	}
	return r.pages(ctx, w, o, how)
}

func (r *round) weightOf(w *witness) (weight, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	known, ok := r.c.memory.weights[w.ID]
	return known, ok
}
