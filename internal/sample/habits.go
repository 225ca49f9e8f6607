package sample

import (
	"context"
	"fmt"
	"time"

	"github.com/nats-io/nats.go"
)

// Habits returns the table of habits. No two have the same Name, nor the name
// of a scenario.
func Habits() []Habit {
	return []Habit{
		{
			Name: "service", Curated: true, About: "three instances answer requests, each request once",
			Client: "stock",
			clients: []client{
				responder("stock-1", "shop.stock"), responder("stock-2", "shop.stock"), responder("stock-3", "shop.stock"),
				{name: "storefront", run: ask},
			},
		},
		{
			Name: "no-queue-group", About: "three instances of a service all do the same work",
			Client: "invoice-printer", Want: "sub.no-queue-group",
			clients: []client{
				listener("invoice-printer", "shop.invoice.created"),
				listener("invoice-printer", "shop.invoice.created"),
				listener("invoice-printer", "shop.invoice.created"),
				announcer("invoicing", "shop.invoice.created", 5),
			},
		},
		{
			// With it every message has interest, also one that nobody else wants.
			Name: "everything", About: "is subscribed to all subjects there are",
			Client: "debug-tap", Want: "sub.wildcard",
			clients: []client{listener("debug-tap", ">")},
		},
		{
			Name: "connection-per-request", About: "opens twelve connections a second, each for one request",
			Client: "price-lookup", Want: "conn.per-request",
			clients: []client{responder("prices", "shop.price"), {name: "price-lookup", run: lookUp}},
		},
		{
			Name: "slow-reader", About: "stops reading for so long that the server drops it, and comes back",
			Client: slowReader, Want: "conn.slow-consumer",
			clients: []client{{name: "sales-report", run: overwhelm}},
		},
		{
			Name: "no-name", About: "does not say what it is called",
			Client: "", Want: "conn.unnamed",
			clients: []client{listener("", "shop.maintenance")},
		},
		{
			Name: "inbox-leak", About: "keeps the subscription to each of its 1,500 answers",
			Client: "search-gateway", Want: "conn.subscription-leak",
			clients: []client{{name: "search-gateway", run: leak}},
		},
		{
			Name: "reconnecting", About: "connects again every five seconds",
			Client: "mobile-gateway", Want: "conn.reconnect-churn",
			clients: []client{{name: "mobile-gateway", run: flap}},
		},
	}
}

// listener receives and does nothing.
func listener(name, subject string) client {
	return client{name: name, run: func(ctx context.Context, c *conn) error {
		if _, err := c.Subscribe(subject, func(*nats.Msg) {}); err != nil {
			return err
		}
		return c.showing(ctx)
	}}
}

// responder is one instance of a service.
func responder(name, subject string) client {
	return client{name: name, run: func(ctx context.Context, c *conn) error {
		answer := func(m *nats.Msg) { _ = m.Respond([]byte(`{"ok":true}`)) } // whoever asked will ask again
		if _, err := c.QueueSubscribe(subject, "instances", answer); err != nil {
			return err
		}
		return c.showing(ctx)
	}}
}

// showing makes sure that the server knows what was subscribed to, and waits
// for the end.
func (c *conn) showing(ctx context.Context) error {
	ended := c.StatusChanged(nats.CLOSED)
	if err := flush(ctx, c.Conn); err != nil {
		return err
	}
	c.reached()
	select {
	case <-ended:
		return errClosed
	case <-ctx.Done():
		return ctx.Err()
	}
}

// announcer publishes.
func announcer(name, subject string, rate float64) client {
	return client{name: name, run: func(ctx context.Context, c *conn) error {
		pace := perSecond(rate * c.scale)
		for n := 1; ; n++ {
			if err := pace.wait(ctx); err != nil {
				return err
			}
			if err := c.Publish(subject, fmt.Appendf(nil, `{"id":%d}`, n)); err != nil {
				return err
			}
			c.reached()
		}
	}}
}

// ask makes twenty requests a second over one connection.
func ask(ctx context.Context, c *conn) error {
	pace := perSecond(20 * c.scale)
	for {
		if err := pace.wait(ctx); err != nil {
			return err
		}
		if err := request(ctx, c.Conn, "shop.stock"); err != nil {
			return err
		}
		c.reached()
	}
}

// lookUp makes each request over a connection of its own.
func lookUp(ctx context.Context, c *conn) error {
	pace := &pacer{every: time.Second / 12}
	for {
		if err := pace.wait(ctx); err != nil {
			return err
		}
		nc, err := c.dial(ctx, "price-lookup")
		if err != nil {
			return err
		}
		err = request(ctx, nc, "shop.price")
		nc.Close()
		if err != nil {
			return err
		}
		c.reached()
	}
}

func request(ctx context.Context, nc *nats.Conn, subject string) error {
	ctx, cancel := context.WithTimeout(ctx, answerLimit)
	defer cancel()
	_, err := nc.RequestWithContext(ctx, subject, nil)
	return err
}

// flush returns when the server has seen all that was sent to it.
func flush(ctx context.Context, nc *nats.Conn) error {
	ctx, cancel := context.WithTimeout(ctx, answerLimit)
	defer cancel()
	return nc.FlushWithContext(ctx)
}

const answerLimit = 5 * time.Second // for a request, also when the server is away

// leak subscribes to inboxes that get no message.
func leak(ctx context.Context, c *conn) error {
	never := make(chan *nats.Msg)
	for range 1500 {
		if _, err := c.ChanSubscribe(c.NewInbox(), never); err != nil {
			return err
		}
	}
	return c.showing(ctx)
}

// flap reconnects for no reason.
func flap(ctx context.Context, c *conn) error {
	pace := &pacer{every: 5 * time.Second}
	for n := 0; ; n++ {
		if err := pace.wait(ctx); err != nil {
			return err
		}
		if n > 0 && c.Stats().Reconnects > 0 {
			c.reached()
		}
		if err := c.ForceReconnect(); err != nil {
			return err
		}
	}
}
