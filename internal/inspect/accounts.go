package inspect

import (
	"cmp"
	"context"
	"encoding/json"
	"maps"
	"slices"

	"github.com/natsops/natsops/internal/inspect/wire"
)

// accountStatz is what a server says of its accounts.
type accountStatz struct {
	Accounts []struct {
		ID            string `json:"acc"`
		Name          string `json:"name"`
		Connections   int    `json:"conns"`
		LeafNodes     int    `json:"leafnodes"`
		Subscriptions int64  `json:"num_subscriptions"`
		SlowConsumers int64  `json:"slow_consumers"`
	} `json:"account_statz"`
}

// accountStats asks all servers for the statistics of accounts: of all on the
// system route, of the own on the account route.
func (r *round) accountStats(ctx context.Context) error {
	filter := struct {
		Accounts []string `json:"accounts,omitempty"`
		Unused   bool     `json:"include_unused"`
	}{Unused: true} // else servers with nothing to say stay silent
	audience := unknownAudience()
	if r.c.route == RouteSystem {
		audience = wire.Audience{Expect: r.alive}
		if r.c.accountID != "" {
			filter.Accounts = []string{r.c.accountID}
		}
	}
	ask, _ := json.Marshal(filter) // texts and booleans
	q := wire.Question{Subject: "$SYS.REQ.ACCOUNT.PING.STATZ", Body: ask, Encoding: wire.Gzip}
	return r.c.conn.Gather(ctx, q, audience, func(reply wire.Reply) {
		v, err := decodeReply[accountStatz](reply, true)
		if err != nil {
			r.gap("accounts of server "+v.by.Name, err)
			return
		}
		r.count(&v.data)
	})
}

// accountsOf asks one server over HTTP.
func (r *round) accountsOf(ctx context.Context, w *witness) error {
	v, err := answer[accountStatz](ctx, w, "ACCSTATZ?unused=1", nil)
	if err == nil {
		r.count(&v.data)
	}
	return err
}

// count adds what one server says to the sums.
func (r *round) count(v *accountStatz) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.learnt = true
	for _, a := range v.Accounts {
		sum := r.account(a.ID, a.Name)
		sum.Connections += a.Connections
		sum.LeafNodes += a.LeafNodes
		sum.Subscriptions += a.Subscriptions
		sum.SlowConsumers += a.SlowConsumers
	}
}

// account returns the sums of an account. The lock is held.
func (r *round) account(id, name string) *Account {
	if r.accounts[id] == nil {
		r.accounts[id] = &Account{Name: r.c.memory.accountName(id, name)}
	}
	return r.accounts[id]
}

// sums returns the accounts in order, with what the servers say of their
// JetStream added up. The lock is held.
func (r *round) sums(streams []Stream) []Account {
	if !r.need.Accounts {
		return nil
	}
	for _, d := range r.details {
		for i := range d.accounts {
			a := &d.accounts[i]
			sum := r.account(a.ID, a.Name)
			if sum.JetStream == nil {
				sum.JetStream = &AccountJetStream{Streams: -1, Consumers: -1}
			}
			js := sum.JetStream
			js.Memory += int64(a.Memory)
			js.Storage += int64(a.Storage)
			js.MaxMemory, js.MaxStorage = int64(a.ReservedMemory), int64(a.ReservedStorage)
			js.APITotal += a.API.Total
			js.APIErrors += a.API.Errors
		}
	}
	byName := map[string]*AccountJetStream{}
	var all []Account
	for _, a := range slices.SortedFunc(maps.Values(r.accounts), func(a, b *Account) int { return cmp.Compare(a.Name, b.Name) }) {
		all = append(all, *a)
		if a.JetStream != nil && r.need.Consumers && r.c.route != RouteAccount {
			a.JetStream.Streams, a.JetStream.Consumers = 0, 0
			byName[a.Name] = a.JetStream
		}
	}
	for i := range streams {
		if js := byName[streams[i].Account]; js != nil {
			js.Streams++
			js.Consumers += int64(streams[i].State.Consumers)
		}
	}
	return all
}

// ownAccount asks what the own account uses of JetStream and may use.
func (r *round) ownAccount(ctx context.Context) error {
	reply, err := r.c.conn.Ask(ctx, wire.Question{Subject: r.c.o.APIPrefix + ".INFO"})
	if err != nil {
		return err
	}
	v, err := decodeData[struct {
		apiAnswer
		Memory    int64 `json:"memory"`
		Storage   int64 `json:"storage"`
		Streams   int64 `json:"streams"`
		Consumers int64 `json:"consumers"`
		Limits    struct {
			Memory    int64 `json:"max_memory"`
			Storage   int64 `json:"max_storage"`
			Streams   int64 `json:"max_streams"`
			Consumers int64 `json:"max_consumers"`
		} `json:"limits"`
		API struct {
			Total  uint64 `json:"total"`
			Errors uint64 `json:"errors"`
		} `json:"api"`
	}](reply)
	if err = cmp.Or(err, v.Error.orNil()); err != nil {
		return err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.learnt = true
	a := r.account(r.c.accountID, r.c.account)
	a.JetStream = &AccountJetStream{
		Memory: v.Memory, Storage: v.Storage, Streams: v.Streams, Consumers: v.Consumers,
		MaxMemory: v.Limits.Memory, MaxStorage: v.Limits.Storage, MaxStreams: v.Limits.Streams, MaxConsumers: v.Limits.Consumers,
		APITotal: v.API.Total, APIErrors: v.API.Errors,
	}
	return nil
}
