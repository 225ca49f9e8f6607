package inspect

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/natsops/natsops/internal/hint"
	"github.com/natsops/natsops/internal/inspect/wire"
)

// Open finds the route and returns a Collector. With Options.Monitors, nc may
// be nil. Until Close, the Collector listens to nc's asynchronous errors.
func Open(ctx context.Context, nc *nats.Conn, o Options) (*Collector, error) {
	c := &Collector{o: o.withDefaults(), nc: nc, memory: newMemory()}
	if nc != nil {
		c.conn = wire.New(nc)
	}
	err := c.find(ctx)
	if err == nil {
		err = ctx.Err()
	}
	if err != nil {
		c.Close()
		return nil, err
	}
	return c, nil
}

func (c *Collector) find(ctx context.Context) error {
	switch {
	case c.o.Route == RouteMonitor || c.nc == nil:
		return c.useMonitors()
	case c.o.Route == RouteSystem:
		if err := c.useSystem(ctx); err != nil {
			return hint.Wrap(fmt.Errorf("cannot ask as the system account: %w", err), "credentials of a user of the system account")
		}
		return nil
	case c.o.Route == RouteAccount:
		c.useAccount(ctx)
		return nil
	case c.o.Route != "":
		return fmt.Errorf("unknown route %q", c.o.Route)
	}
	if err := c.useSystem(ctx); c.route == RouteSystem {
		return err
	}
	if len(c.o.Monitors) > 0 && c.jetStreamWorks(ctx) != nil {
		return c.useMonitors()
	}
	c.useAccount(ctx)
	return nil
}

// whilePatient returns a context that ends soon after a question that everybody
// may ask was answered twice. Usually it is said at once that nobody answers what
// only the system account may ask; but not where somebody else listens to all
// subjects. The second time tells apart a server that does not answer from one
// that has had no time to answer anything.
func (c *Collector) whilePatient(ctx context.Context) context.Context {
	ctx, giveUp := context.WithCancelCause(ctx)
	go func() {
		asked := time.Now()
		if _, err := c.conn.Ask(ctx, wire.Question{Subject: "$SYS.REQ.USER.INFO"}); err != nil {
			return
		}
		timer := time.NewTimer(3*time.Since(asked) + 300*time.Millisecond)
		defer timer.Stop()
		select {
		case <-timer.C:
		case <-ctx.Done():
			return
		}
		if _, err := c.conn.Ask(ctx, wire.Question{Subject: "$SYS.REQ.USER.INFO"}); err == nil {
			giveUp(wire.ErrSilent)
		}
	}()
	return ctx
}

// useSystem works for a user of the system account.
func (c *Collector) useSystem(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, c.o.Timeout)
	defer cancel()
	if err := c.lookAround(c.whilePatient(ctx)); err != nil {
		return err
	}
	c.route = RouteSystem
	var err error
	if c.o.Account != "" {
		c.accountID, err = c.findAccount(ctx, c.o.Account)
	}
	return err
}

// findAccount returns the ID of the account with that name or ID. In servers
// with JWTs the two differ.
func (c *Collector) findAccount(ctx context.Context, name string) (string, error) {
	id := ""
	q := wire.Question{Subject: "$SYS.REQ.ACCOUNT.PING.STATZ", Body: []byte(`{"include_unused":true}`), Encoding: wire.Snappy}
	err := c.conn.Gather(ctx, q, unknownAudience(), func(reply wire.Reply) {
		stats, err := decodeReply[accountStatz](reply, true)
		if err != nil {
			return // another server may know it
		}
		for _, a := range stats.data.Accounts {
			if a.ID == name || a.Name == name && id == "" {
				id = a.ID
			}
		}
	})
	if err == nil && id == "" {
		err = fmt.Errorf("no server that answered knows an account %s", name)
	}
	return id, err
}

// useAccount works for every user of any account; what is not permitted, or
// not enabled, shows in the snapshots.
func (c *Collector) useAccount(ctx context.Context) {
	c.route = RouteAccount
	ctx, cancel := context.WithTimeout(ctx, c.o.Timeout)
	defer cancel()
	reply, err := c.conn.Ask(ctx, wire.Question{Subject: "$SYS.REQ.USER.INFO"})
	if err != nil {
		return // the name of the account is good to have, no more
	}
	type user struct {
		Account string `json:"account"`
		Name    string `json:"account_name"`
	}
	if told, err := decodeReply[user](reply, true); err == nil {
		c.account, c.accountID = told.data.Account, told.data.Account
		if told.data.Name != "" {
			c.account = told.data.Name
		}
	}
}

// jetStreamWorks asks whether JetStream is enabled for the account.
func (c *Collector) jetStreamWorks(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, c.o.Timeout)
	defer cancel()
	reply, err := c.conn.Ask(ctx, wire.Question{Subject: c.o.APIPrefix + ".INFO"})
	if err != nil {
		return err
	}
	info, err := decodeData[apiAnswer](reply)
	if err != nil {
		return err
	}
	return info.Error.orNil()
}

func (c *Collector) useMonitors() error {
	if len(c.o.Monitors) == 0 {
		return hint.Wrap(errors.New("no monitoring endpoint is known"), "--monitor http://HOST:8222")
	}
	for _, base := range c.o.Monitors {
		m, err := wire.NewMonitor(strings.TrimSpace(base))
		if err != nil {
			return fmt.Errorf("monitoring endpoint: %w", err)
		}
		c.monitors = append(c.monitors, m)
	}
	if c.conn != nil { // it is not asked any more
		c.conn.Close()
	}
	c.nc, c.conn, c.route = nil, nil, RouteMonitor
	return nil
}
