package sample

import (
	"context"
	"errors"
	"time"

	"github.com/nats-io/nats.go/jetstream"
)

// slowScenarios work, but have or get a backlog.
func slowScenarios() []Scenario {
	return []Scenario{
		{
			Name: "falling-behind", Curated: true, About: "ships 25 of the 100 orders that come each second; after ten minutes it gets help",
			Stream: "ORDERS", Consumer: "shipping", Want: "FALLING_BEHIND",
			clients: []client{worker("shipping", 50, paced(25, 45_000))},
			settled: []condition{pending(300), delivered(20)},
		},
		{
			Name: "draining", About: "works off a supplier's catalogue, 50 of 30,000 a second",
			Stream: "IMPORTS", Consumer: "catalog", Want: "DRAINING",
			clients: []client{worker("catalog", 50, paced(55, 0))},
			settled: []condition{stored(30_000), delivered(20), behind(2_000)},
		},
		{
			Name: "steady-lag", About: "keeps up with what comes, and stays 5,000 behind",
			Stream: "SEARCH", Consumer: "indexer", Want: "STEADY_LAG",
			clients: []client{worker("indexer", 50, paced(10, 0))},
			settled: []condition{stored(5_000), delivered(20), behind(4_000)},
		},
		{
			Name: "ack-bound", About: "may have 40 messages in hand, and always has",
			Stream: "PAYMENTS", Consumer: "fraud-check", Want: "ACK_BOUND",
			consumer: jetstream.ConsumerConfig{MaxAckPending: 40},
			clients:  []client{worker("fraud-check", 200, paced(40, 0))},
			settled:  []condition{unacked(40), pending(1), acked(40)},
		},
	}
}

// abandonedScenarios have nobody who processes the messages.
func abandonedScenarios() []Scenario {
	return []Scenario{
		{
			Name: "no-clients", Curated: true, About: "sent twenty newsletters, then its service went away",
			Stream: "EMAILS", Consumer: "newsletter", Want: "NO_CLIENTS",
			clients: []client{visitor("newsletter", 20, acknowledgeAll)},
			settled: []condition{acked(20), pending(1), nothingUnacked(), nobodyAsks()},
		},
		{
			Name: "push-unbound", About: "has messages to push, and nobody is subscribed",
			Stream: "EMAILS", Consumer: "receipts", Want: "NO_CLIENTS",
			consumer: jetstream.ConsumerConfig{DeliverSubject: "deliver.receipts"},
			settled:  []condition{pending(1), {"nobody bound", func(s state) bool { return !s.consumer.PushBound }}},
		},
		{
			Name: "unused", About: "was made for a service that never came, and holds all messages of its stream",
			Stream: "AUDIT", Consumer: "compliance", Want: "NO_CLIENTS",
			settled: []condition{pending(1)},
		},
		{
			Name: "paused", Curated: true, About: "is paused for a day",
			Stream: "REPORTS", Consumer: "nightly", Want: "PAUSED",
			clients: []client{worker("nightly", 10, acknowledge)},
			settled: []condition{{"paused", func(s state) bool { return s.consumer.Paused }}, pending(1)},
		},
	}
}

// stuckScenarios hold messages and do not finish them.
func stuckScenarios() []Scenario {
	return []Scenario{
		{
			Name: "ack-stalled", Curated: true, About: "took the 50 messages that it may have in hand, and acknowledges none",
			Stream: "INVENTORY", Consumer: "reservations", Want: "ACK_STALLED",
			consumer: jetstream.ConsumerConfig{MaxAckPending: 50, AckWait: time.Hour},
			clients:  []client{worker("reservations", 100, keep)},
			settled:  []condition{unacked(50), pending(1)},
		},
		{
			Name: "hung", About: "took seven messages, holds them for longer than it may and asks for no more",
			Stream: "LABELS", Consumer: "printer", Want: "CLIENT_STALLED",
			consumer: jetstream.ConsumerConfig{AckWait: hungWait},
			clients:  []client{visitor("printer", 7, hang)},
			settled:  []condition{unacked(7), pending(1), nobodyAsks(), silentFor(hungWait + time.Second)},
		},
		{
			// Its one old message is over the limit of age, its backlog is one and stays one.
			Name: "head-blocked", About: "works on its first message for ever, and on the others quickly",
			Stream: "RETURNS", Consumer: "inspection", Want: "STEADY_LAG", WantTags: []string{"HEAD_BLOCKED"},
			consumer: jetstream.ConsumerConfig{AckWait: 5 * time.Second},
			clients:  []client{worker("inspection", 20, clutch)},
			settled:  []condition{oldest(31 * time.Second), unacked(1), delivered(20)},
		},
	}
}

const hungWait = 2 * time.Second

// repeatedScenarios get messages more than once.
func repeatedScenarios() []Scenario {
	return []Scenario{
		{
			Name: "poison", Curated: true, About: "refuses one message five times a second, for ever",
			Stream: "COUPONS", Consumer: "redeem", Want: "REDELIVERY_LOOP",
			clients: []client{worker("redeem", 20, refuse(200*time.Millisecond, first(1)))},
			settled: []condition{delivered(20), redelivered(1)},
		},
		{
			Name: "nak", About: "refuses three in ten messages at first",
			Stream: "CARTS", Consumer: "reminders", Want: "OK", WantTags: []string{"REDELIVERING"},
			clients: []client{worker("reminders", 50, refuse(0, threeInTen))},
			settled: []condition{delivered(13), acked(10)},
		},
		{
			Name: "exhausted", About: "gave up five messages after three deliveries each; nobody was told",
			Stream: "EXPORTS", Consumer: "partner-feed", Want: "OK", WantTags: []string{"EXHAUSTED"},
			consumer: jetstream.ConsumerConfig{MaxDeliver: 3},
			clients:  []client{worker("partner-feed", 50, refuse(0, first(5)))},
			settled:  givenUp(5),
		},
		{
			Name: "captured", Curated: true, About: "gave up five messages after three deliveries each; stream DEAD_LETTERS knows which",
			Stream: "WEBHOOKS", Consumer: "delivery", Want: "OK", WantTags: []string{"EXHAUSTED"},
			with:     []string{"triage"},
			consumer: jetstream.ConsumerConfig{MaxDeliver: 3},
			clients:  []client{worker("delivery", 50, refuse(0, first(5)))},
			settled:  givenUp(5),
		},
		{
			Name: "triage", About: "reads which messages were given up",
			Stream: "DEAD_LETTERS", Consumer: "triage", Want: "IDLE",
			with:    []string{"captured"},
			clients: []client{worker("triage", 50, acknowledge)},
			settled: []condition{delivered(5), nothingLeft()},
		},
	}
}

// lossScenarios lose messages or their place.
func lossScenarios() []Scenario {
	return []Scenario{
		{
			Name: "evicting", About: "is so slow that its stream drops messages before it sees them",
			Stream: "TELEMETRY", Consumer: "archiver", Want: "LOSING_DATA",
			clients: []client{worker("archiver", 10, paced(25, 0))},
			settled: []condition{delivered(20), {"messages dropped before they were delivered", skips}},
		},
		{
			Name: "recreated", About: "is deleted and made again every three seconds",
			Stream: "PRICES", Consumer: "cache-warmer", Want: "RESET",
			clients: []client{{name: "cache-warmer", run: recreate}},
			settled: []condition{{"made again", func(s state) bool {
				return s.consumer.Created.Sub(s.stream.Created) > recreateEvery/2
			}}},
		},
	}
}

// skips reports whether more messages of the stream went by than the consumer got.
func skips(s state) bool { return s.consumer.Delivered.Stream > s.consumer.Delivered.Consumer+10 }

func acknowledgeAll(ctx context.Context, all []jetstream.Msg) error {
	for _, m := range all {
		if err := m.DoubleAck(ctx); err != nil {
			return err
		}
	}
	return nil
}

// hang does nothing more.
func hang(ctx context.Context, _ []jetstream.Msg) error {
	<-ctx.Done()
	return ctx.Err()
}

const recreateEvery = 3 * time.Second

// recreate replaces the consumer again and again.
func recreate(ctx context.Context, c *conn) error {
	pace := &pacer{every: recreateEvery}
	for {
		if err := pace.wait(ctx); err != nil {
			return err
		}
		err := c.js.DeleteConsumer(ctx, c.stream, c.consumer)
		if err != nil && !errors.Is(err, jetstream.ErrConsumerNotFound) {
			return err
		}
		if _, err := c.js.CreateConsumer(ctx, c.stream, c.config); err != nil {
			return err
		}
	}
}
