package doctor

import (
	"fmt"
	"time"

	"github.com/natsops/natsops/internal/inspect"
	"github.com/natsops/natsops/internal/inspect/lag"
)

// on changes one consumer.
func on(name string, f func(i int, c *inspect.Consumer)) func(*ward) {
	return func(w *ward) { w.consumer(name, f) }
}

func consumerTroubles() []trouble {
	rates := func(in, process float64) func(*ward) {
		return func(w *ward) {
			w.judge("billing", func(v *lag.Verdict) { v.In, v.ProcessTime = w.known(in), w.known(process) })
		}
	}
	return []trouble{
		{
			check: "consumer.ack-window-small", severity: inspect.Warn, object: "consumer ORDERS/billing", fact: "max_ack_pending is 1000; 5k/s that take 500ms each need 2.5k, better 3.75k",
			make: rates(5000, 0.5), near: rates(5000, 0.2),
			blind: func(w *ward) { w.verdicts = nil }, why: "not judged",
		},
		{
			check: "consumer.ack-window-small", name: "one at a time", severity: inspect.Warn, object: "consumer ORDERS/inorder", fact: "max_ack_pending is 1, and 500 messages wait",
			make: on("inorder", func(_ int, c *inspect.Consumer) { c.NumAckPending, c.NumPending = 1, 500 }),
			near: on("inorder", func(_ int, c *inspect.Consumer) { c.NumAckPending, c.NumPending = 1, 0 }),
		},
		{
			check: "consumer.ack-window-huge", severity: inspect.Info, object: "consumer ORDERS/billing", fact: "max_ack_pending is -1",
			make:  on("billing", func(_ int, c *inspect.Consumer) { c.Config.MaxAckPending = -1 }),
			blind: on("billing", func(_ int, c *inspect.Consumer) { c.Config = nil }), why: "configuration of some consumers",
		},
		{
			check: "consumer.ack-window-huge", name: "and they are in flight", severity: inspect.Warn, object: "consumer ORDERS/billing", fact: "200k messages in flight",
			make: on("billing", func(_ int, c *inspect.Consumer) { c.Config.MaxAckPending, c.NumAckPending = 500_000, 200_000 }),
		},
		{
			check: "consumer.ack-none", severity: inspect.Warn, object: "consumer EVENTS/mail", fact: "retention interest",
			make:  on("mail", func(_ int, c *inspect.Consumer) { c.Config.AckPolicy = "none" }),
			near:  on("billing", func(_ int, c *inspect.Consumer) { c.Config.AckPolicy = "none" }), // the stream keeps its messages
			blind: noConsumers, why: "no consumers",
		},
		{
			check: "consumer.ack-all", severity: inspect.Warn, object: "consumer ORDERS/billing", fact: `delivered to group "w"`,
			make: on("billing", func(_ int, c *inspect.Consumer) {
				c.Config.AckPolicy, c.Config.DeliverSubject, c.Config.DeliverGroup = "all", "d", "w"
			}),
			near:  on("billing", func(_ int, c *inspect.Consumer) { c.Config.AckPolicy = "all" }), // one worker
			blind: noConsumers, why: "no consumers",
		},
		{
			check: "consumer.ack-all", name: "pulled", severity: inspect.Info, object: "consumer ORDERS/billing", fact: "9 open requests",
			make: on("billing", func(_ int, c *inspect.Consumer) { c.Config.AckPolicy, c.NumWaiting = "all", 9 }),
		},
		{
			check: "consumer.push", severity: inspect.Info, object: "consumer ORDERS/billing", fact: "no flow_control, no idle_heartbeat",
			make:  on("billing", func(_ int, c *inspect.Consumer) { c.Config.DeliverSubject = "d" }),
			blind: noConsumers, why: "no consumers",
		},
		{
			check: "consumer.push", name: "no heartbeat", severity: inspect.Info, object: "consumer ORDERS/ordered1", fact: "no idle_heartbeat",
			make: on("ordered1", func(_ int, c *inspect.Consumer) { c.Config.Heartbeat = 0 }),
		},
		{
			check: "consumer.pull-queue-full", severity: inspect.Warn, object: "consumer ORDERS/billing", fact: "512 open requests",
			make:  on("billing", func(_ int, c *inspect.Consumer) { c.NumWaiting = 512 }),
			near:  on("billing", func(_ int, c *inspect.Consumer) { c.NumWaiting, c.Config.MaxWaiting = 1, 1 }), // as was asked for
			blind: noConsumers, why: "no consumers",
		},
		{
			check: "consumer.pull-queue-full", name: "few may wait", severity: inspect.Info, object: "consumer ORDERS/billing", fact: "2 open requests",
			make: on("billing", func(_ int, c *inspect.Consumer) { c.Config.MaxWaiting = 2 }),
			near: on("billing", func(_ int, c *inspect.Consumer) { c.Config.MaxWaiting, c.NumWaiting = 0, 0 }), // not known
		},
		{
			check: "consumer.filter", severity: inspect.Info, object: "consumer ORDERS/billing", fact: `filter "orders.*.*.eu", in a stream with 700k subjects`,
			make: func(w *ward) {
				w.stream("ORDERS", func(_ int, s *inspect.Stream) { s.State.NumSubjects = 700_000 })
				w.consumer("billing", func(_ int, c *inspect.Consumer) { c.Config.FilterSubject = "orders.*.*.eu" })
			},
			near:  on("billing", func(_ int, c *inspect.Consumer) { c.Config.FilterSubject = "orders.*.*.eu" }),
			blind: noConsumers, why: "no consumers",
		},
	}
}

func deliveryTroubles() []trouble {
	takes := func(s float64) func(*ward) {
		return func(w *ward) { w.judge("billing", func(v *lag.Verdict) { v.ProcessTime = w.known(s) }) }
	}
	billing := inspect.Key{Account: app, Stream: "ORDERS", Consumer: "billing"}
	naks := func(n int) func(*ward) {
		return func(w *ward) { w.tell(n, inspect.Event{Kind: inspect.EventNak, Key: billing}) }
	}
	return []trouble{
		{
			check: "consumer.ack-wait", severity: inspect.Warn, object: "consumer ORDERS/billing", fact: "takes 20s (on average, by Little's law), ack_wait is 30s",
			make: takes(20), near: takes(14), blind: func(w *ward) { w.verdicts = w.verdicts[1:] }, why: "not judged",
		},
		{
			check: "consumer.ack-wait", name: "measured", severity: inspect.Crit, object: "consumer ORDERS/billing", fact: "takes 40s (p95 of 20), ack_wait is 30s, 7 more are redelivered",
			make: func(w *ward) {
				w.tell(20, inspect.Event{Kind: inspect.EventAck, Key: billing, AckTime: 40 * time.Second})
				w.consumer("billing", func(i int, c *inspect.Consumer) { c.NumRedelivered = 7 * i })
			},
			near: func(w *ward) { // too few to mean anything
				w.tell(19, inspect.Event{Kind: inspect.EventAck, Key: billing, AckTime: 40 * time.Second})
			},
		},
		{
			check: "consumer.ack-wait", name: "a guess is no measurement", severity: inspect.Warn, object: "consumer ORDERS/billing", fact: "takes 20s",
			make: takes(20),
			near: func(w *ward) { w.judge("billing", func(v *lag.Verdict) { v.ProcessTime = lag.Figure{Value: 20} }) },
		},
		{
			check: "consumer.ack-wait", name: "backoff comes first", severity: inspect.Warn, object: "consumer ORDERS/billing", fact: "ack_wait is 1s",
			make: func(w *ward) {
				takes(5)(w)
				w.consumer("billing", func(_ int, c *inspect.Consumer) { c.Config.BackOff = []time.Duration{time.Second, time.Minute} })
			},
		},
		{
			check: "consumer.unlimited-deliveries", severity: inspect.Warn, object: "consumer WORK/workers", fact: "12 messages are in flight more than once",
			make:  on("workers", func(_ int, c *inspect.Consumer) { c.NumRedelivered = 12 }),
			near:  on("workers", func(_ int, c *inspect.Consumer) { c.NumRedelivered, c.Config.MaxDeliver = 12, 5 }),
			blind: noConsumers, why: "no consumers",
		},
		{
			check: "consumer.unlimited-deliveries", name: "the same few again and again", severity: inspect.Warn, object: "consumer WORK/workers", fact: "2 messages are in flight",
			make: func(w *ward) {
				w.consumer("workers", func(_ int, c *inspect.Consumer) { c.NumRedelivered = 2 })
				w.judge("workers", func(v *lag.Verdict) { v.Redeliver = w.known(3) })
			},
			near: on("workers", func(_ int, c *inspect.Consumer) { c.NumRedelivered = 2 }),
		},
		{
			check: "consumer.naks", severity: inspect.Warn, object: "consumer ORDERS/billing", fact: "200 refusals for 1k deliveries within 5s",
			make: fromWithin(naks(200)), near: fromWithin(naks(90)), blind: fromWithin(func(w *ward) { w.gap("events", "no permission") }), why: "events",
		},
		{
			check: "consumer.naks", name: "from outside", severity: inspect.Warn, object: "consumer ORDERS/billing", fact: "200 refusals for 1k deliveries within 5s",
			make: fromWithin(naks(200)), blind: naks(200), why: "needs a user of the account itself",
		},
		{
			check: "consumer.exhausted", severity: inspect.Warn, object: "consumer ORDERS/billing", fact: "at least 4 messages given up after 5 deliveries",
			make:  on("billing", func(_ int, c *inspect.Consumer) { c.NumRedelivered = c.NumAckPending + 4 }),
			near:  on("workers", func(_ int, c *inspect.Consumer) { c.NumRedelivered = c.NumAckPending + 4 }), // never gives up
			blind: noConsumers, why: "no consumers",
		},
		{
			check: "consumer.exhausted", name: "just now", severity: inspect.Warn, object: "consumer ORDERS/billing", fact: "3 of them within 5s",
			make: func(w *ward) { w.tell(3, inspect.Event{Kind: inspect.EventMaxDeliver, Key: billing}) },
		},
		{
			check: "consumer.dead-letters-unseen", severity: inspect.Warn, object: "consumer ORDERS/billing", fact: "max_deliver is 5, and nobody",
			make: func(w *ward) { // our own subscription to the advisories is no help
				w.stream("DLQ", func(_ int, s *inspect.Stream) { s.Config.Subjects = []string{maxDeliveries + "WORK.*"} })
				w.client("NATS CLI Version 0.3.0", func(_ int, c *inspect.Connection) { c.Subs = nil; c.NumSubs = 0 })
			},
			near: func(w *ward) { // a client listens
				w.stream("DLQ", func(_ int, s *inspect.Stream) { s.Config.Subjects = nil })
				w.client("NATS CLI Version 0.3.0", func(_ int, c *inspect.Connection) { c.Subs[0].Subject = "$JS.EVENT.ADVISORY.CONSUMER.*.ORDERS.>" })
			},
			blind: func(w *ward) {
				w.stream("DLQ", func(_ int, s *inspect.Stream) { s.Config.Subjects = nil })
				w.client("NATS CLI Version 0.3.0", func(_ int, c *inspect.Connection) { c.Subs[0].Subject = "x" })
				w.client("import", func(_ int, c *inspect.Connection) { c.NumSubs = 1 })
				w.client("*", func(_ int, c *inspect.Connection) { c.Subs = nil })
			},
			why: "subscriptions of some connections are not known",
		},
		{
			check: "consumer.dead-letters-unseen", name: "and there are some", severity: inspect.Warn, object: "consumer ORDERS/billing", fact: "at least 2 messages given up already",
			make: func(w *ward) {
				w.stream("DLQ", func(_ int, s *inspect.Stream) { s.Config.Subjects = nil })
				w.client("NATS CLI Version 0.3.0", func(_ int, c *inspect.Connection) { c.Subs[0].Subject = "x" })
				w.consumer("billing", func(_ int, c *inspect.Consumer) { c.NumRedelivered = c.NumAckPending + 2 })
			},
			near: on("billing", func(_ int, c *inspect.Consumer) { c.NumRedelivered = c.NumAckPending + 2 }), // it is stored
		},
	}
}

func unusedTroubles() []trouble {
	longAgo := start().Add(-40 * day)
	abandon := func(name string, f func(c *inspect.Consumer)) func(*ward) {
		return on(name, func(_ int, c *inspect.Consumer) {
			c.NumWaiting, c.NumAckPending, c.NumPending = 0, 0, 0
			c.Delivered, c.AckFloor.Last = inspect.Sequences{Consumer: 3, Last: &longAgo}, &longAgo
			f(c)
		})
	}
	ephemerals := func(n, waiting int) func(*ward) {
		return func(w *ward) {
			w.snapshots(func(_ int, s *inspect.Snapshot) {
				for i := range n {
					c := s.Consumers[1]
					c.Name, c.PushBound, c.NumWaiting = fmt.Sprintf("e%d", i), false, waiting
					s.Consumers = append(s.Consumers, c)
				}
			})
		}
	}
	made := func(n int) func(*ward) {
		return func(w *ward) {
			w.tell(n, inspect.Event{Kind: inspect.EventCreated, Key: inspect.Key{Account: app, Stream: "ORDERS", Consumer: "x"}})
		}
	}
	return []trouble{
		{
			check: "consumer.unused", severity: inspect.Info, object: "consumer ORDERS/nightly", fact: "last used 40 days ago",
			make: abandon("nightly", func(*inspect.Consumer) {}),
			blind: func(w *ward) {
				abandon("nightly", func(c *inspect.Consumer) { c.Delivered.Last, c.AckFloor.Last, c.Cluster = nil, nil, nil })(w)
			},
			why: "forgotten by a restart",
		},
		{
			check: "consumer.unused", name: "somebody listens", severity: inspect.Info, object: "consumer ORDERS/nightly", fact: "last used 40 days ago",
			make: abandon("nightly", func(*inspect.Consumer) {}),
			near: abandon("nightly", func(c *inspect.Consumer) { c.PushBound = true }),
		},
		{
			check: "consumer.unused", name: "paused", severity: inspect.Info, object: "consumer ORDERS/nightly", fact: "last used 40 days ago",
			make: abandon("nightly", func(*inspect.Consumer) {}),
			near: abandon("nightly", func(c *inspect.Consumer) { c.Paused = true }),
		},
		{
			check: "consumer.unused", name: "never", severity: inspect.Info, object: "consumer ORDERS/nightly", fact: "never used since it was made 60 days ago",
			make: abandon("nightly", func(c *inspect.Consumer) { c.Delivered, c.AckFloor.Last = inspect.Sequences{}, nil }),
		},
		{
			check: "consumer.unused", name: "since the server started", severity: inspect.Info, object: "consumer ORDERS/nightly", fact: "last used 30 days ago",
			make: abandon("nightly", func(c *inspect.Consumer) { c.Delivered.Last, c.AckFloor.Last = nil, nil }),
		},
		{
			check: "stream.held-by-unused", severity: inspect.Warn, object: "consumer EVENTS/mail", fact: "keeps 70 messages for it",
			make:  abandon("mail", func(c *inspect.Consumer) { c.NumPending = 70 }),
			near:  abandon("nightly", func(c *inspect.Consumer) { c.NumPending = 70 }), // the stream has limits
			blind: noConsumers, why: "no consumers",
		},
		{
			check: "consumer.pile-up", severity: inspect.Warn, object: "stream ORDERS", fact: "101 ephemeral consumers",
			make: ephemerals(101, 0), near: ephemerals(500, 1), blind: noConsumers, why: "no consumers",
		},
		{
			check: "consumer.churn", severity: inspect.Warn, object: "stream ORDERS", fact: "20/s new consumers",
			make: made(100), near: made(50), blind: func(w *ward) { w.gap("events", "no permission") }, why: "events",
		},
	}
}

// fromWithin looks with the eyes of an application.
func fromWithin(make func(*ward)) func(*ward) {
	return func(w *ward) {
		w.snapshots(func(_ int, s *inspect.Snapshot) { s.Route = inspect.RouteAccount })
		make(w)
	}
}
