package sample

import (
	"context"
	"fmt"
	"time"

	"github.com/nats-io/nats.go/jetstream"
)

// healthyScenarios show nothing that anybody has to look at.
func healthyScenarios() []Scenario {
	return []Scenario{
		{
			Name: "ok", Curated: true, About: "bills orders as fast as they come",
			Stream: "ORDERS", Consumer: "billing", Want: "OK",
			clients: []client{worker("billing", 100, acknowledge)},
			settled: keepsUp(),
		},
		{
			Name: "filtered", Curated: true, About: "takes the European third of the orders only",
			Stream: "ORDERS", Consumer: "eu-tax", Want: "OK",
			consumer: jetstream.ConsumerConfig{FilterSubject: "orders.eu.>"},
			clients:  []client{worker("eu-tax", 100, acknowledge)},
			settled:  keepsUp(),
		},
		{
			Name: "idle", About: "has processed all refunds; no more come",
			Stream: "REFUNDS", Consumer: "payout", Want: "IDLE",
			clients: []client{worker("payout", 10, acknowledge)},
			settled: []condition{delivered(20), nothingLeft()},
		},
		{
			Name: "work-queue", About: "three workers share one queue",
			Stream: "THUMBNAILS", Consumer: "resize", Want: "OK",
			clients: workers("resize", 3, 5, acknowledge),
			settled: keepsUp(),
		},
		{
			Name: "slow-job", About: "needs 4 s for each message and gets one every 4.3 s",
			Stream: "PDFS", Consumer: "render", Want: "OK",
			consumer: jetstream.ConsumerConfig{AckWait: 30 * time.Second},
			clients:  []client{worker("render", 1, laborious(4*time.Second))},
			settled:  []condition{delivered(1)},
		},
		{
			Name: "long-job", About: "works on one message for a quarter of an hour, as it may",
			Stream: "VIDEOS", Consumer: "transcode", Want: "BUSY",
			consumer: jetstream.ConsumerConfig{AckWait: 2 * longJob},
			clients:  []client{worker("transcode", 1, laborious(longJob))},
			settled:  []condition{unacked(1), pending(1), nobodyAsks()},
		},
	}
}

// deliveryScenarios keep up too, each in another way of getting messages.
func deliveryScenarios() []Scenario {
	return []Scenario{
		{
			Name: "fetch-one", About: "two workers ask for one message at a time, ten times a second",
			Stream: "LEDGER", Consumer: "settlement", Want: "OK",
			clients: []client{fetcher("settlement-1"), fetcher("settlement-2")},
			settled: keepsUp(),
		},
		{
			Name: "ack-none", About: "shows measurements and acknowledges none",
			Stream: "METRICS", Consumer: "dashboard", Want: "OK",
			consumer: jetstream.ConsumerConfig{AckPolicy: jetstream.AckNonePolicy},
			clients:  []client{worker("dashboard", 100, look)},
			settled:  keepsUp(),
		},
		{
			Name: "ordered", About: "an ordered consumer, which its client makes and names",
			Stream: "METRICS", Consumer: "live-chart_*", Want: "OK", WantTags: []string{"EPHEMERAL"},
			clients: []client{{name: "live-chart", run: chart}},
			settled: keepsUp(),
		},
		{
			Name: "push", About: "has messages pushed, with heartbeats and flow control",
			Stream: "NOTIFICATIONS", Consumer: "mobile", Want: "OK",
			consumer: jetstream.ConsumerConfig{
				DeliverSubject: "deliver.mobile",
				FlowControl:    true,
				IdleHeartbeat:  5 * time.Second,
			},
			clients: []client{{name: "mobile", run: receive}},
			settled: keepsUp(),
		},
	}
}

// workers returns n of them, numbered.
func workers(name string, n, batch int, begin func(*conn) handler) []client {
	var all []client
	for i := range n {
		all = append(all, worker(fmt.Sprintf("%s-%d", name, i+1), batch, begin))
	}
	return all
}

// fetcher returns a worker that makes a request for each message.
func fetcher(name string) client {
	return client{name: name, run: func(ctx context.Context, c *conn) error {
		consumer, err := c.js.Consumer(ctx, c.stream, c.consumer)
		for err == nil && ctx.Err() == nil && !c.IsClosed() {
			var batch jetstream.MessageBatch
			batch, err = consumer.Fetch(1, jetstream.FetchMaxWait(100*time.Millisecond))
			if err != nil {
				break
			}
			for m := range batch.Messages() {
				err = m.Ack()
			}
			if err == nil && batch.Error() != nil {
				err = pause(ctx, time.Second) // the server is away
			}
		}
		if err == nil {
			err = errClosed
		}
		return err
	}}
}

// chart reads with an ordered consumer.
func chart(ctx context.Context, c *conn) error {
	consumer, err := c.js.OrderedConsumer(ctx, c.stream, jetstream.OrderedConsumerConfig{
		NamePrefix:    "live-chart",
		DeliverPolicy: jetstream.DeliverNewPolicy,
	})
	if err != nil {
		return err
	}
	return drain(ctx, consumer, 100, look(c))
}

// receive acknowledges what a push consumer sends.
func receive(ctx context.Context, c *conn) error {
	consumer, err := c.js.PushConsumer(ctx, c.stream, c.consumer)
	if err != nil {
		return err
	}
	failed := make(chan error, 1)
	consuming, err := consumer.Consume(func(m jetstream.Msg) {
		if err := m.Ack(); err != nil {
			select {
			case failed <- err:
			default:
			}
		}
	})
	if err != nil {
		return err
	}
	defer consuming.Stop()
	select {
	case err := <-failed:
		return err
	case <-consuming.Closed():
		return errClosed
	case <-ctx.Done():
		return ctx.Err()
	}
}
