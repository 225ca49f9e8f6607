package inspect

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math"
	"net/url"
	"slices"
	"strconv"
	"time"

	"github.com/natsops/natsops/internal/inspect/wire"
)

const (
	// mostConnections bounds how many connections of one server are asked for:
	// each takes about half a kilobyte, and far more with its subscriptions.
	mostConnections = 20_000
	// mostSubscribed is the page size with subscriptions.
	mostSubscribed = 256
	// subscriptionWeight is about what a subscription takes in a compressed answer,
	// in bytes.
	subscriptionWeight = 40
	// connectionWeight is that of a connection.
	connectionWeight = 250
)

// connzOptions are those of CONNZ.
type connzOptions struct {
	Auth    bool   `json:"auth"` // with users and accounts
	Detail  bool   `json:"subscriptions_detail,omitempty"`
	Offset  int    `json:"offset,omitempty"`
	Limit   int    `json:"limit"`
	State   int    `json:"state,omitempty"` // 0: open, 1: closed
	Sort    string `json:"sort"`
	Account string `json:"acc,omitempty"`
}

func (o connzOptions) query() url.Values {
	q := url.Values{"auth": {"1"}, "limit": {strconv.Itoa(o.Limit)}, "offset": {strconv.Itoa(o.Offset)}, "sort": {o.Sort}}
	if o.Detail {
		q.Set("subs", "detail")
	}
	if o.State == 1 {
		q.Set("state", "closed")
	}
	if o.Account != "" {
		q.Set("acc", o.Account)
	}
	return q
}

// connz is a page of connections.
type connz struct {
	Now   time.Time  `json:"now"`
	Total int        `json:"total"`
	Conns []connInfo `json:"connections"`
}

// connInfo is how a server describes a connection.
type connInfo struct {
	CID          uint64    `json:"cid"`
	Kind         string    `json:"kind"`
	Type         string    `json:"type"`
	IP           string    `json:"ip"`
	Port         int       `json:"port"`
	Start        time.Time `json:"start"`
	LastActivity time.Time `json:"last_activity"`
	Stop         time.Time `json:"stop"`
	Reason       string    `json:"reason"`
	RTT          span      `json:"rtt"`
	Idle         span      `json:"idle"`
	Pending      int64     `json:"pending_bytes"`
	InMsgs       int64     `json:"in_msgs"`
	OutMsgs      int64     `json:"out_msgs"`
	InBytes      int64     `json:"in_bytes"`
	OutBytes     int64     `json:"out_bytes"`
	Stalls       int64     `json:"stalls"`
	NumSubs      int       `json:"subscriptions"`
	Name         string    `json:"name"`
	Lang         string    `json:"lang"`
	Version      string    `json:"version"`
	TLSVersion   string    `json:"tls_version"`
	TLSCipher    string    `json:"tls_cipher_suite"`
	User         string    `json:"authorized_user"`
	Account      string    `json:"account"`
	AccountName  string    `json:"name_tag"`
	Subs         []struct {
		Subject string `json:"subject"`
		Queue   string `json:"qgroup"`
		Msgs    int64  `json:"msgs"`
	} `json:"subscriptions_list_detail"`
}

func (c *connInfo) model(at Reading) Connection {
	out := Connection{
		Reading: at, Server: at.By, CID: c.CID, Kind: c.Kind, Type: c.Type, IP: c.IP, Port: c.Port,
		Start: c.Start, LastActivity: c.LastActivity, Stop: c.Stop, Reason: c.Reason,
		RTT: time.Duration(c.RTT), Idle: time.Duration(c.Idle), PendingBytes: c.Pending,
		InMsgs: c.InMsgs, OutMsgs: c.OutMsgs, InBytes: c.InBytes, OutBytes: c.OutBytes, Stalls: c.Stalls,
		NumSubs: c.NumSubs, Name: c.Name, Lang: c.Lang, Version: c.Version,
		TLSVersion: c.TLSVersion, TLSCipher: c.TLSCipher, User: c.User, Account: c.Account,
	}
	for _, s := range c.Subs {
		out.Subs = append(out.Subs, Subscription{s.Subject, s.Queue, s.Msgs})
	}
	return out
}

// A register is where connections of a kind are put, and how they are asked for.
type register struct {
	into  map[string][]Connection
	first connzOptions
}

func (r *round) openPage(o connzOptions) register {
	o.Auth, o.Sort, o.Limit = true, "cid", 1024
	if o.Detail {
		o.Limit = mostSubscribed
	}
	return register{r.open, o}
}

func (r *round) closedPage() register {
	return register{r.closed, connzOptions{Auth: true, State: 1, Sort: "stop", Limit: 1024}}
}

func (r *round) connections(ctx context.Context, w *witness) error {
	detail := r.need.Subscriptions
	if detail && int64(w.subscriptions)*subscriptionWeight > r.roomFor(w).bytes {
		detail = false
		r.gap("subscriptions of server "+w.Name, fmt.Errorf("%w: %d subscriptions", errTooMuch, w.subscriptions))
	}
	return r.page(ctx, w, r.openPage(connzOptions{Detail: detail}))
}

func (r *round) closedConnections(ctx context.Context, w *witness) error {
	return r.page(ctx, w, r.closedPage())
}

// roomFor is for an answer of w.
func (r *round) roomFor(w *witness) room {
	if r.c.route != RouteSystem {
		return room{bytes: math.MaxInt64}
	}
	return r.c.near.room(w.serverInfo)
}

// page asks page by page until there are no more. Connections come and go
// meanwhile: one may show twice, and is counted once.
func (r *round) page(ctx context.Context, w *witness, to register) error {
	o := to.first
	o.Account = r.c.accountID
	o.Limit = int(max(1, min(int64(o.Limit), r.roomFor(w).bytes/connectionWeight)))
	for ; ; o.Offset += o.Limit {
		v, err := answer[connz](ctx, w, "CONNZ", o)
		if err != nil {
			return err
		}
		r.connected(v, to)
		next := o.Offset + o.Limit
		switch {
		case len(v.data.Conns) == 0 || next >= v.data.Total:
			return nil
		case next >= mostConnections:
			return fmt.Errorf("only the first %d of %d were asked for", next, v.data.Total)
		}
	}
}

// connected puts a page down.
func (r *round) connected(v said[connz], to register) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.learnt = true
	name := cmp.Or(v.by.Name, v.by.ID)
	at := Reading{State: Fresh, At: v.data.Now, By: name}
	for i := range v.data.Conns {
		c := v.data.Conns[i].model(at)
		c.Account = r.c.memory.accountName(c.Account, v.data.Conns[i].AccountName)
		to.into[name] = append(to.into[name], c)
	}
}

// connections returns all servers' connections in order, each once.
func connections(by map[string][]Connection) []Connection {
	var all []Connection
	for _, of := range by {
		all = append(all, of...)
	}
	slices.SortFunc(all, func(a, b Connection) int {
		return cmp.Or(cmp.Compare(a.Server, b.Server), cmp.Compare(a.CID, b.CID))
	})
	return slices.CompactFunc(all, func(a, b Connection) bool { return a.Server == b.Server && a.CID == b.CID })
}

// ownConnections asks all servers for the connections of the own account, page
// by page, as any user may. It is not known how many servers there are.
func (r *round) ownConnections(ctx context.Context, to register) error {
	for o := to.first; ; o.Offset += o.Limit {
		most := 0
		var bad error
		q := wire.Question{Subject: "$SYS.REQ.ACCOUNT.PING.CONNZ", Body: body(o), Encoding: wire.Snappy}
		err := r.c.conn.Gather(ctx, q, unknownAudience(), func(reply wire.Reply) {
			v, err := decodeReply[connz](reply, true)
			if err != nil {
				bad = err
				return
			}
			most = max(most, v.data.Total)
			r.connected(v, to)
		})
		if err = cmp.Or(err, bad); err != nil || o.Offset+o.Limit >= most {
			return err
		}
		if o.Offset+o.Limit >= mostConnections {
			return errors.New("only the first " + strconv.Itoa(mostConnections) + " of each server were asked for")
		}
	}
}
