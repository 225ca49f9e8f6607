package inspect

import (
	"context"
	"errors"
	"sync"
)

// errSystemOnly is why an application's user cannot know something.
var errSystemOnly = errors.New("only users of the system account may ask for it")

// askAccount asks what a user of an application's account may.
func (r *round) askAccount(ctx context.Context) {
	var parts sync.WaitGroup
	n := r.need
	for _, part := range []struct {
		wanted bool
		what   string
		ask    func(context.Context) error
	}{
		{n.Consumers, "streams and consumers", r.listStreams},
		{n.Connections, "connections", func(ctx context.Context) error {
			return r.ownConnections(ctx, r.openPage(connzOptions{Detail: n.Subscriptions}))
		}},
		{n.Closed, "closed connections", func(ctx context.Context) error { return r.ownConnections(ctx, r.closedPage()) }},
		{n.Accounts, "accounts", r.accountStats},
		{n.Accounts, "JetStream of the account", r.ownAccount},
		{n.Servers, "usage of the servers", systemOnly},
		{n.Links, "links of the servers", systemOnly},
		{n.Interest, "subscription statistics of the servers", systemOnly},
	} {
		if part.wanted {
			parts.Go(func() {
				if err := part.ask(ctx); err != nil {
					r.gap(part.what, err)
				}
			})
		}
	}
	parts.Wait()
}

func systemOnly(context.Context) error { return errSystemOnly }
