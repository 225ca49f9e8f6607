package doctor

import (
	"fmt"
	"time"

	"github.com/natsops/natsops/internal/inspect"
)

// who changes the connections of one name.
func who(name string, f func(i int, c *inspect.Connection)) func(*ward) {
	return func(w *ward) { w.client(name, f) }
}

func noClients(w *ward) {
	w.snapshots(func(_ int, s *inspect.Snapshot) { s.Connections = nil })
}

func connectionTroubles() []trouble {
	return []trouble{
		{
			check: "conn.rtt", severity: inspect.Warn, object: `connection 3 "import" of server n1`, fact: "round trip 40ms, the median of all clients is 1ms",
			make:  who("import", func(_ int, c *inspect.Connection) { c.RTT = 40 * time.Millisecond }),
			near:  who("*", func(_ int, c *inspect.Connection) { c.RTT = 40 * time.Millisecond }), // all are that far
			blind: noClients, why: "no connections",
		},
		{
			check: "conn.rtt", name: "measured again", severity: inspect.Warn, object: `connection 3 "import" of server n1`, fact: "round trip 40ms",
			make: who("import", func(_ int, c *inspect.Connection) { c.RTT, c.Start = 40*time.Millisecond, start().Add(-3*time.Minute) }),
			near: who("import", func(_ int, c *inspect.Connection) { c.RTT, c.Start = 40*time.Millisecond, start().Add(-time.Minute) }),
		},
		{
			check: "conn.rtt", name: "all are far", severity: inspect.Info, object: "connections", fact: "round trip 150ms",
			make: who("*", func(_ int, c *inspect.Connection) { c.RTT = 150 * time.Millisecond }),
		},
		{
			check: "conn.pending", severity: inspect.Warn, object: `connection 3 "import"`, fact: "2 MiB wait to be sent, 3.12% of max_pending",
			make:  who("import", func(_ int, c *inspect.Connection) { c.PendingBytes = 2 << 20 }),
			near:  who("import", func(i int, c *inspect.Connection) { c.PendingBytes = int64(i) * 20 << 20 }), // a burst
			blind: noClients, why: "no connections",
		},
		{
			check: "conn.pending", name: "publishers are held back", severity: inspect.Crit, object: `connection 3 "import"`, fact: "50 MiB wait",
			make: who("import", func(i int, c *inspect.Connection) { c.PendingBytes = int64(i) * 50 << 20 }),
		},
		{
			check: "conn.stalled-publisher", severity: inspect.Warn, object: `connection 3 "import"`, fact: "held back 30 times in 5s",
			make:  who("import", func(i int, c *inspect.Connection) { c.Stalls = 100 + 30*int64(i) }),
			near:  who("import", func(_ int, c *inspect.Connection) { c.Stalls = 100 }), // long ago
			blind: func(w *ward) { w.server("n1", func(_ int, s *inspect.Server) { s.Version = "2.11.9" }) }, why: "needs nats-server 2.12 (n1 runs 2.11.9)",
		},
		{
			check: "conn.many-subscriptions", severity: inspect.Warn, object: `connection 3 "import"`, fact: "20k subscriptions",
			make:  who("import", func(_ int, c *inspect.Connection) { c.NumSubs = 20_000 }),
			near:  who("import", func(_ int, c *inspect.Connection) { c.NumSubs = 10_000 }),
			blind: noClients, why: "no connections",
		},
		{
			check: "conn.subscription-leak", severity: inspect.Warn, object: `connection 3 "import"`, fact: "300 more subscriptions within 5s",
			make: who("import", func(i int, c *inspect.Connection) { c.NumSubs, c.Subs = 10+300*i, make([]inspect.Subscription, 1) }),
			near: who("import", func(i int, c *inspect.Connection) { // it has only just started
				c.NumSubs, c.Subs, c.Start = 10+300*i, make([]inspect.Subscription, 1), start().Add(-time.Second)
			}),
			blind: who("import", func(_ int, c *inspect.Connection) { c.NumSubs = 10 }), why: "subscriptions of some connections",
		},
		{
			check: "conn.subscription-leak", name: "inboxes", severity: inspect.Warn, object: `connection 3 "import"`, fact: "1.5k of its 1.5k subscriptions are inboxes",
			make: who("import", func(_ int, c *inspect.Connection) {
				for n := range 1500 {
					c.Subs = append(c.Subs, inspect.Subscription{Subject: fmt.Sprintf("_INBOX.%d", n)})
				}
				c.NumSubs = len(c.Subs)
			}),
		},
		{
			check: "conn.unnamed", severity: inspect.Info, object: "10.0.0.2 of account APP", fact: "1 connection without a name",
			make:  who("import", func(_ int, c *inspect.Connection) { c.Name = "" }),
			blind: noClients, why: "no connections",
		},
		{
			check: "conn.limit", severity: inspect.Warn, object: "server n1", fact: "950 of 1k connections used (95%)",
			make: func(w *ward) {
				w.server("n1", func(_ int, s *inspect.Server) { s.Varz.Connections, s.Varz.MaxConnections = 950, 1000 })
			},
			near: func(w *ward) {
				w.server("n1", func(_ int, s *inspect.Server) { s.Varz.Connections, s.Varz.MaxConnections = 950, 0 }) // no limit
			},
			blind: varz2nil("n1"), why: "server n1 did not tell",
		},
		{
			check: "conn.old-client", severity: inspect.Warn, object: `"import" of account APP`, fact: "nats.go 1.39.1: asynchronous publishing",
			make:  who("import", func(_ int, c *inspect.Connection) { c.Version = "1.39.1" }),
			near:  who("import", func(_ int, c *inspect.Connection) { c.Lang, c.Version = "rust", "0.30.0" }), // of which nothing is known
			blind: noClients, why: "no connections",
		},
		{
			check: "conn.old-client", name: "a small one", severity: inspect.Info, object: `"import"`, fact: "fixed in 1.51.0",
			make: who("import", func(_ int, c *inspect.Connection) { c.Version = "1.50.0" }),
		},
		{
			check: "conn.tls-weak", severity: inspect.Crit, object: `"import"`, fact: "1 connection with TLS 1.1",
			make: who("import", func(_ int, c *inspect.Connection) { c.TLSVersion = "1.1" }),
			near: who("import", func(_ int, c *inspect.Connection) {
				c.TLSVersion, c.TLSCipher = "1.2", "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256"
			}),
			blind: noClients, why: "no connections",
		},
		{
			check: "conn.tls-weak", name: "cipher", severity: inspect.Warn, object: `"import"`, fact: "TLS_RSA_WITH_AES_128_GCM_SHA256",
			make: who("import", func(_ int, c *inspect.Connection) {
				c.TLSVersion, c.TLSCipher = "1.2", "TLS_RSA_WITH_AES_128_GCM_SHA256"
			}),
		},
	}
}

func closedTroubles() []trouble {
	end := func(n int, reason string, ago time.Duration) func(*ward) {
		return func(w *ward) { w.end(n, "import", reason, ago, time.Hour) }
	}
	gap := func(w *ward) { w.gap("closed connections of server n1", "timed out") }
	const slow = "Slow Consumer (Pending Bytes)"
	return []trouble{
		{
			check: "conn.slow-consumer", severity: inspect.Crit, object: `"import" of account APP`, fact: "2 times by server n1, the last one 1.06s ago, up to 1 MiB waiting (Slow Consumer (Pending Bytes))",
			make: end(2, slow, time.Second), near: end(5, slow, 2*time.Hour), blind: gap, why: "closed connections of server n1: timed out",
		},
		{
			check: "conn.slow-consumer", name: "a while ago", severity: inspect.Warn, object: `"import"`, fact: "once by server n1",
			make: end(1, slow, 10*time.Minute),
		},
		{
			check: "conn.slow-consumer", name: "told by an event", severity: inspect.Crit, object: "clients unknown by name", fact: "3 times within 5s",
			make: func(w *ward) { w.tell(3, inspect.Event{Kind: inspect.EventSlowConsumer}) },
		},
		{
			check: "conn.slow-counter", severity: inspect.Crit, object: "server n2", fact: "3 within 5s: 1 clients, 2 routes, 0 gateways, 0 leaf nodes",
			make: func(w *ward) {
				w.server("n2", func(i int, s *inspect.Server) {
					s.Varz.SlowConsumers, s.Varz.SlowKinds = 3*int64(i), &inspect.SlowKinds{Clients: uint64(i), Routes: 2 * uint64(i)}
				})
			},
			near: func(w *ward) { w.server("n2", func(_ int, s *inspect.Server) { s.Varz.SlowConsumers = 1000 }) },
			blind: func(w *ward) { // a restart, after which it counted further than before
				w.server("n2", func(i int, s *inspect.Server) {
					s.Varz.SlowConsumers, s.Varz.Start = 3*int64(i), start().Add(time.Duration(i))
				})
			},
			why: "server n2 has restarted",
		},
		{
			check: "conn.slow-counter", name: "of which kind is not known", severity: inspect.Crit, object: "server n2", fact: "3 within 5s",
			make: func(w *ward) {
				w.server("n2", func(i int, s *inspect.Server) { s.Varz.SlowConsumers = 3 * int64(i) })
				w.last().Servers[1].Varz.SlowKinds = &inspect.SlowKinds{Clients: 3}
			},
		},
		{
			check: "conn.stale", severity: inspect.Warn, object: `"import"`, fact: "closed once within 1h",
			make: end(1, "Stale Connection", time.Minute), near: end(1, "Stale Connection", 2*time.Hour), blind: gap, why: "timed out",
		},
		{
			check: "conn.refused", severity: inspect.Warn, object: `"import"`, fact: "refused 12 times within 1h: Authentication Failure",
			make: end(12, "Authentication Failure", time.Minute), near: end(9, "Authentication Failure", time.Minute), blind: gap, why: "timed out",
		},
	}
}

func churnTroubles() []trouble {
	end := func(n int, reason string, life time.Duration) func(*ward) {
		return func(w *ward) { w.end(n, "import", reason, 2*time.Second, life) }
	}
	opened := func(n int, life time.Duration) func(*ward) {
		return func(w *ward) {
			end(n, "Client Closed", life)(w)
			w.server("n1", func(i int, s *inspect.Server) { s.Varz.TotalConnections = 1000 + uint64(i*n) })
		}
	}
	restart := func(w *ward) {
		w.server("n1", func(i int, s *inspect.Server) { s.Varz.TotalConnections = 10 - uint64(i) })
	}
	gap := func(w *ward) { w.gap("closed connections of server n1", "timed out") }
	return []trouble{
		{
			check: "conn.reconnect-churn", severity: inspect.Warn, object: `"import"`, fact: "lost its connection 6 times within a minute: Write Error",
			make: end(6, "Write Error", time.Second), near: end(50, "Client Closed", time.Second), blind: gap, why: "timed out",
		},
		{
			check: "conn.reconnect-churn", name: "by itself", severity: inspect.Info, object: `"import"`, fact: "closed its connection 6 times within a minute",
			make: end(6, "Client Closed", time.Second), near: end(3, "Client Closed", time.Second),
		},
		{
			check: "conn.per-request", severity: inspect.Warn, object: "server n1", fact: `20/s new connections, median life 100ms, most by "import" of account APP`,
			make: opened(100, 100*time.Millisecond), near: opened(100, time.Minute), blind: restart, why: "server n1 has restarted",
		},
		{
			check: "conn.tls-handshakes", severity: inspect.Warn, object: "server n1", fact: "20/s connections with TLS, median life 100ms",
			make: opened(100, 100*time.Millisecond),
			near: func(w *ward) {
				opened(100, 100*time.Millisecond)(w)
				for i := range w.last().Closed {
					w.last().Closed[i].TLSVersion = ""
				}
			},
			blind: gap, why: "timed out",
		},
	}
}

func subscriptionTroubles() []trouble {
	subs := func(name string, f func(i int, c *inspect.Connection) []inspect.Subscription) func(*ward) {
		return who(name, func(i int, c *inspect.Connection) {
			c.Subs = f(i, c)
			c.NumSubs = len(c.Subs)
		})
	}
	one := func(subject, queue string, msgs int64) func(int, *inspect.Connection) []inspect.Subscription {
		return func(i int, _ *inspect.Connection) []inspect.Subscription {
			return []inspect.Subscription{{Subject: subject, Queue: queue, Msgs: 1000 + msgs*int64(i)}}
		}
	}
	unlisted := who("import", func(_ int, c *inspect.Connection) { c.NumSubs = 3 })
	noStats := func(w *ward) { w.server("n1", func(_ int, s *inspect.Server) { s.Subs = nil }) }
	return []trouble{
		{
			check: "sub.wildcard", severity: inspect.Warn, object: `subscription ">" of connection 3 "import"`, fact: "got 1k messages",
			make: subs("import", one(">", "", 0)), near: subs("import", one("orders.>", "", 0)), blind: unlisted, why: "subscriptions of some connections",
		},
		{
			check: "sub.wildcard", name: "first token", severity: inspect.Info, object: `subscription "*.created" of connection 3 "import"`, fact: "got",
			make: func(w *ward) {
				subs("import", one("*.created", "", 0))(w)
				w.client("NATS CLI Version 0.3.0", func(_ int, c *inspect.Connection) { c.Name, c.Account = "x", "$SYS" })
			},
		},
		{
			check: "sub.no-queue-group", severity: inspect.Warn, object: `subject "pay.done" of account APP`, fact: `each of 2 connections called "cache" got 500 messages within 5s, and published about as many`,
			make: who("cache", func(i int, c *inspect.Connection) { c.InMsgs = 500 * int64(i) }),
			near: func(w *ward) { // each gets its own part
				w.client("cache", func(i int, c *inspect.Connection) { c.InMsgs, c.Subs[0].Msgs = 500*int64(i), int64(c.CID)*200*int64(i) })
			},
			blind: unlisted, why: "subscriptions of some connections",
		},
		{
			check: "sub.lone-worker", severity: inspect.Info, object: `queue group "q" on "work.do" of account APP`, fact: `its only member is connection 3 "import"`,
			make: subs("import", one("work.do", "q", 10)), blind: unlisted, why: "subscriptions of some connections",
		},
		{
			check: "sub.uneven-queue", severity: inspect.Warn, object: `queue group "q" on "work.do"`, fact: "got 20 messages within 5s, the busiest member 980",
			make: subs("billing", func(i int, c *inspect.Connection) []inspect.Subscription {
				return []inspect.Subscription{{Subject: "work.do", Queue: "q", Msgs: int64(i) * (20 + 960*int64(c.CID-1))}}
			}),
			near: subs("billing", func(i int, c *inspect.Connection) []inspect.Subscription { // on different servers
				c.Server = fmt.Sprintf("n%d", c.CID)
				return []inspect.Subscription{{Subject: "work.do", Queue: "q", Msgs: int64(i) * (20 + 960*int64(c.CID-1))}}
			}),
			blind: unlisted, why: "subscriptions of some connections",
		},
		{
			check: "sub.uneven-queue", name: "one has only just come", severity: inspect.Warn, object: `queue group "q" on "work.do"`, fact: "got 20 messages",
			make: subs("billing", func(i int, c *inspect.Connection) []inspect.Subscription {
				return []inspect.Subscription{{Subject: "work.do", Queue: "q", Msgs: int64(i) * (20 + 960*int64(c.CID-1))}}
			}),
			near: func(w *ward) {
				subs("billing", func(i int, c *inspect.Connection) []inspect.Subscription {
					return []inspect.Subscription{{Subject: "work.do", Queue: "q", Msgs: int64(i) * (20 + 960*int64(c.CID-1))}}
				})(w)
				w.window[0].Connections = w.window[0].Connections[1:]
			},
		},
		{
			check: "sub.stream-overlap", severity: inspect.Info, object: `queue group "q" on "orders.*" of account APP`, fact: "2 members, and stream ORDERS of account APP stores",
			make: subs("billing", one("orders.*", "q", 10)), blind: unlisted, why: "subscriptions of some connections",
		},
		{
			check: "sub.cache-misses", severity: inspect.Warn, object: "server n1", fact: "finds 10% of subjects in its cache, at 20k/s messages",
			make: func(w *ward) { w.server("n1", func(_ int, s *inspect.Server) { s.Subs.CacheHitRate = 0.1 }) },
			near: func(w *ward) {
				w.server("n1", func(_ int, s *inspect.Server) { s.Subs.CacheHitRate, s.Varz.InMsgs = 0.1, 0 })
			},
			blind: noStats, why: "server n1 did not tell of its subscriptions",
		},
		{
			check: "sub.fan-out", severity: inspect.Info, object: "server n1", fact: "up to 5k receivers",
			make:  func(w *ward) { w.server("n1", func(_ int, s *inspect.Server) { s.Subs.MaxFanout = 5000 }) },
			blind: noStats, why: "server n1 did not tell of its subscriptions",
		},
	}
}
