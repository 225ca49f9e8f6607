package sample

import (
	"time"

	"github.com/nats-io/nats.go/jetstream"
)

// A feed is a stream and what is published to it.
type feed struct {
	jetstream.StreamConfig
	client  string        // name of the publisher's connection
	publish []string      // the subjects, in turn; none: nobody publishes
	backlog int           // messages published at once at the beginning
	refill  int           // and again up to backlog when the stream holds fewer than this
	rate    float64       // messages per second after that
	every   time.Duration // or the time between two, whatever the scale
}

// plenty is how many messages nobody may leave in a stream, so that a set can
// run for days: what is published then is refused, and nothing is lost.
const plenty = 100_000

// feeds returns the table of streams. None of them loses a message, but the one
// that shows how it looks.
func feeds() []feed {
	return []feed{
		interest("ORDERS", "web-shop", 100, "orders.eu.new", "orders.us.new", "orders.asia.new"),
		interest("EMAILS", "mailer", 5, "emails.queued").with(25, 0),
		interest("AUDIT", "audit-log", 2, "audit.login"),
		interest("NOTIFICATIONS", "notifier", 20, "notifications.mobile"),
		queue("PAYMENTS", "checkout", 60, "payments.authorized"),
		queue("INVENTORY", "warehouse", 5, "inventory.reserved").with(60, 0),
		queue("REPORTS", "scheduler", 2, "reports.requested"),
		queue("RETURNS", "returns-desk", 5, "returns.received"),
		queue("COUPONS", "marketing", 1, "coupons.redeemed"),
		queue("EXPORTS", "partner-api", 10, "exports.ready"),
		queue("WEBHOOKS", "hooks", 10, "webhooks.due"),
		queue("LABELS", "packing", 5, "labels.print").with(25, 0), // so many that the hung worker has its seven at once
		queue("THUMBNAILS", "uploads", 60, "thumbnails.wanted"),
		queue("LEDGER", "bookkeeping", 5, "ledger.entry"),
		queue("SEARCH", "catalog-changes", 10, "search.changed").with(5_000, 0),
		queue("IMPORTS", "supplier-feed", 5, "imports.item").with(30_000, 1_000),
		queue("REFUNDS", "refund-desk", 0, "refunds.granted").with(20, 0),
		queue("PDFS", "documents", 0, "pdfs.wanted").spaced(4300 * time.Millisecond),
		queue("VIDEOS", "studio", 0, "videos.uploaded").with(10, 0).spaced(longJob),
		limited("CARTS", "carts", 10, "carts.abandoned"),
		limited("METRICS", "metrics-agent", 50, "metrics.cpu", "metrics.memory"),
		limited("PRICES", "pricing", 0, "prices.changed").with(10, 0),
		evicting("TELEMETRY", "sensors", 100, "telemetry.reading").with(telemetryLimit, 0),
		// Advisories are published by the server. It lets a stream have these of all $JS subjects.
		{StreamConfig: jetstream.StreamConfig{
			Name:     "DEAD_LETTERS",
			Subjects: []string{"$JS.EVENT.ADVISORY.CONSUMER.MAX_DELIVERIES.WEBHOOKS.>"},
			MaxMsgs:  plenty,
		}},
	}
}

const (
	telemetryLimit = 5_000
	longJob        = 15 * time.Minute
)

func newFeed(name, client string, rate float64, subjects []string) feed {
	return feed{
		StreamConfig: jetstream.StreamConfig{Name: name, Subjects: subjects, AllowDirect: true},
		client:       client, publish: subjects, rate: rate,
	}
}

// interest keeps a message until all consumers have acknowledged it.
func interest(name, client string, rate float64, subjects ...string) feed {
	f := newFeed(name, client, rate, subjects)
	f.Retention, f.MaxMsgs, f.Discard = jetstream.InterestPolicy, plenty, jetstream.DiscardNew
	return f
}

// queue keeps a message until its one consumer has acknowledged it.
func queue(name, client string, rate float64, subjects ...string) feed {
	f := newFeed(name, client, rate, subjects)
	f.Retention, f.MaxMsgs, f.Discard = jetstream.WorkQueuePolicy, plenty, jetstream.DiscardNew
	return f
}

// limited keeps the newest messages, far more than its consumers are behind.
func limited(name, client string, rate float64, subjects ...string) feed {
	f := newFeed(name, client, rate, subjects)
	f.MaxMsgs = plenty
	return f
}

// evicting keeps fewer messages than its consumer is behind.
func evicting(name, client string, rate float64, subjects ...string) feed {
	f := newFeed(name, client, rate, subjects)
	f.MaxMsgs = telemetryLimit
	return f
}

func (f feed) with(backlog, refill int) feed {
	f.backlog, f.refill = backlog, refill
	return f
}

func (f feed) spaced(every time.Duration) feed {
	f.every = every
	return f
}
