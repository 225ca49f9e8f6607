package doctor

import (
	"strings"
	"time"

	"github.com/natsops/natsops/internal/inspect"
	"github.com/natsops/natsops/internal/inspect/lag"
)

func noStreams(w *ward) {
	w.snapshots(func(_ int, s *inspect.Snapshot) { s.Streams = nil })
}

func noConsumers(w *ward) {
	w.snapshots(func(_ int, s *inspect.Snapshot) { s.Consumers = nil })
	w.verdicts = nil
}

func streamTroubles() []trouble {
	stream := func(name string, f func(i int, s *inspect.Stream)) func(*ward) {
		return func(w *ward) { w.stream(name, f) }
	}
	loss := func(status lag.Status, left float64) func(*ward) {
		return func(w *ward) {
			w.judge("billing", func(v *lag.Verdict) { v.Status, v.ToLoss = status, w.known(left) })
		}
	}
	return []trouble{
		{
			check: "stream.nearly-full", severity: inspect.Warn, object: "stream KV_config of account APP", fact: "bytes used (91%)",
			make:  stream("KV_config", func(_ int, s *inspect.Stream) { s.State.Bytes = 977_105_060 }),
			near:  stream("KV_config", func(_ int, s *inspect.Stream) { s.State.Bytes = 955_000_000 }),
			blind: stream("KV_config", func(_ int, s *inspect.Stream) { s.Config = nil }), why: "configuration of some streams",
		},
		{
			check: "stream.nearly-full", name: "a work queue drops work", severity: inspect.Crit, object: "stream WORK", fact: "old messages are dropped",
			make: stream("WORK", func(_ int, s *inspect.Stream) { s.State.Messages = 1000 }),
			near: stream("WORK", func(_ int, s *inspect.Stream) { s.State.Messages, s.Config.Sealed = 1000, true }),
		},
		{
			check: "stream.loss-ahead", severity: inspect.Warn, object: "consumer ORDERS/billing", fact: "50m of messages left",
			make: loss(lag.FallingBehind, 3000), near: loss(lag.OK, 3),
			blind: func(w *ward) { w.verdicts = nil }, why: "lag of some consumers was not judged",
		},
		{
			check: "stream.loss-ahead", name: "soon", severity: inspect.Crit, object: "consumer ORDERS/billing", fact: "1m of messages left",
			make: loss(lag.NoClients, 60), near: loss(lag.NoClients, 3700),
		},
		{
			check: "stream.duplicate-window", severity: inspect.Info, object: "stream ORDERS", fact: "message IDs",
			make:  stream("ORDERS", func(_ int, s *inspect.Stream) { s.Config.Duplicates = 10 * time.Hour }),
			blind: noStreams, why: "no streams",
		},
		{
			check: "stream.no-ack", severity: inspect.Info, object: "stream ORDERS", fact: "no_ack",
			make:  stream("ORDERS", func(_ int, s *inspect.Stream) { s.Config.NoAck = true }),
			blind: noStreams, why: "no streams",
		},
		{
			check: "stream.uncompressed", severity: inspect.Info, object: "stream ORDERS", fact: "on disk",
			make:  stream("ORDERS", func(_ int, s *inspect.Stream) { s.State.Bytes = 60 << 30 }),
			near:  stream("ORDERS", func(_ int, s *inspect.Stream) { s.State.Bytes, s.Config.Compression = 60<<30, "s2" }),
			blind: noStreams, why: "no streams",
		},
		{
			check: "stream.copy-lag", severity: inspect.Warn, object: "stream COPY of account APP from ORDERS", fact: "5k messages behind",
			make:  stream("COPY", func(_ int, s *inspect.Stream) { s.Mirror.Lag = 5000 }),
			near:  stream("COPY", func(i int, s *inspect.Stream) { s.Mirror.Lag = 5000 * uint64(i) }),
			blind: noStreams, why: "no streams",
		},
		{
			check: "stream.copy-lag", name: "silence", severity: inspect.Warn, object: "COPY", fact: "heard nothing for 1m",
			make: stream("COPY", func(_ int, s *inspect.Stream) { s.Mirror.Active = time.Minute }),
		},
		{
			check: "stream.copy-lag", name: "never", severity: inspect.Warn, object: "COPY", fact: "never heard of its origin",
			make: stream("COPY", func(_ int, s *inspect.Stream) { s.Mirror.Active = -1 }),
		},
		{
			check: "stream.copy-stuck", severity: inspect.Crit, object: "stream COPY of account APP from ORDERS", fact: "1k new messages in the origin within 5s, none in the copy, which claims to be 0 behind",
			make:  stream("COPY", func(_ int, s *inspect.Stream) { s.State.LastSeq, s.Mirror.Lag = 900_000, 0 }),
			near:  stream("COPY", func(_ int, s *inspect.Stream) { s.State.LastSeq = 1e6 }), // the rest is under way
			blind: noStreams, why: "no streams",
		},
		{
			check: "stream.copy-stuck", name: "set back", severity: inspect.Crit, object: "stream COPY", fact: "none in the copy",
			make: stream("COPY", func(_ int, s *inspect.Stream) { s.State.LastSeq = 7 }),
			near: stream("COPY", func(i int, s *inspect.Stream) { s.State.LastSeq = 900_000 - 7*uint64(i) }), // what it copied is not known
		},
		{
			check: "stream.copy-stuck", name: "a source", severity: inspect.Warn, object: "COPY", fact: "1k new messages",
			make: stream("COPY", func(_ int, s *inspect.Stream) {
				s.Mirror, s.Sources, s.State.LastSeq = nil, []inspect.Source{{Name: "ORDERS"}}, 7
			}),
			near: stream("COPY", func(_ int, s *inspect.Stream) { // what passes the filter is not known
				s.Mirror, s.Sources, s.State.LastSeq = nil, []inspect.Source{{Name: "ORDERS", Filter: "orders.eu"}}, 7
			}),
		},
	}
}

func replicaTroubles() []trouble {
	peer := func(f func(i int, p *inspect.Peer)) func(*ward) {
		return func(w *ward) { w.stream("ORDERS", func(i int, s *inspect.Stream) { f(i, &s.Cluster.Replicas[0]) }) }
	}
	return []trouble{
		{
			check: "stream.no-leader", severity: inspect.Crit, object: "stream ORDERS", fact: "no leader",
			make: func(w *ward) { w.stream("ORDERS", func(_ int, s *inspect.Stream) { s.Cluster.Leader = "" }) },
			near: func(w *ward) { w.stream("ORDERS", func(_ int, s *inspect.Stream) { s.Cluster = nil }) },
			blind: func(w *ward) {
				w.stream("ORDERS", func(_ int, s *inspect.Stream) { s.State = inspect.StreamState{}; s.Reading.State = 0 })
			}, why: "1 stream is not known",
		},
		{
			check: "stream.replicas", severity: inspect.Warn, object: "stream ORDERS", fact: "replica on n2: offline",
			make:  peer(func(_ int, p *inspect.Peer) { p.Offline = true }),
			near:  peer(func(i int, p *inspect.Peer) { p.Lag = 5000 * uint64(i) }), // a moment
			blind: noStreams, why: "no streams",
		},
		{
			check: "stream.replicas", name: "behind", severity: inspect.Warn, object: "stream ORDERS", fact: "5k operations behind",
			make: peer(func(_ int, p *inspect.Peer) { p.Lag = 5000 }),
			near: peer(func(_ int, p *inspect.Peer) { p.Lag = 1000 }),
		},
		{
			check: "stream.replicas", name: "no majority", severity: inspect.Crit, object: "stream ORDERS", fact: "replica on n3: offline",
			make: func(w *ward) {
				w.stream("ORDERS", func(_ int, s *inspect.Stream) {
					s.Cluster.Replicas[0].Offline, s.Cluster.Replicas[1].Offline = true, true
				})
			},
		},
		{
			check: "consumer.replicas", severity: inspect.Warn, object: "consumer ORDERS/billing", fact: "replica on n1: not current",
			make: func(w *ward) {
				w.consumer("billing", func(_ int, c *inspect.Consumer) { c.Cluster.Replicas[0].Current = false })
			},
			near: func(w *ward) {
				w.consumer("billing", func(i int, c *inspect.Consumer) { c.Cluster.Replicas[0].Current = i == 0 })
			},
			blind: noConsumers, why: "no consumers",
		},
		{
			check: "stream.quorum-lost", severity: inspect.Crit, object: "group of ORDERS", fact: "lost its majority 2 times",
			make: func(w *ward) {
				w.tell(2, inspect.Event{Kind: inspect.EventQuorumLost, Key: inspect.Key{Account: app, Stream: "ORDERS"}})
			},
			near:  func(w *ward) { w.tell(2, inspect.Event{Kind: inspect.EventLeader}) },
			blind: func(w *ward) { w.gap("events", "no permission") }, why: "events",
		},
		{
			check: "stream.unreplicated", severity: inspect.Info, object: "stream ORDERS", fact: "1 replica, on n1",
			make:  func(w *ward) { w.stream("ORDERS", func(_ int, s *inspect.Stream) { s.Config.Replicas = 1 }) },
			blind: noStreams, why: "no streams",
		},
		{
			check: "stream.even-replicas", severity: inspect.Warn, object: "stream ORDERS", fact: "none may fail",
			make:  func(w *ward) { w.stream("ORDERS", func(_ int, s *inspect.Stream) { s.Config.Replicas = 2 }) },
			near:  func(w *ward) { w.stream("ORDERS", func(_ int, s *inspect.Stream) { s.Config.Replicas = 4 }) },
			blind: noStreams, why: "no streams",
		},
		{
			check: "consumer.unreplicated", severity: inspect.Info, object: "consumer ORDERS/billing", fact: "its stream has 3",
			make:  func(w *ward) { w.consumer("billing", func(_ int, c *inspect.Consumer) { c.Config.Replicas = 1 }) },
			blind: noConsumers, why: "no consumers",
		},
	}
}

func lagTroubles() []trouble {
	var all []trouble
	for _, c := range lagChecks() {
		status := lag.Status(strings.ToUpper(strings.ReplaceAll(strings.TrimPrefix(c.ID, "lag."), "-", "_")))
		judge := func(severity inspect.Severity) func(*ward) {
			return func(w *ward) {
				w.judge("billing", func(v *lag.Verdict) {
					v.Status, v.Severity, v.Advice, v.Backlog = status, severity, "Do this now.", w.known(12345)
					v.Evidence = []lag.Evidence{{What: "num_pending", Value: "12345 in all samples"}}
				})
			}
		}
		all = append(all, trouble{
			check: c.ID, severity: inspect.Warn, object: "consumer ORDERS/billing of account APP", fact: "num_pending 12345 in all samples, backlog 12.3k",
			make: judge(inspect.Warn), near: judge(inspect.Info),
			blind: func(w *ward) { w.judge("billing", func(v *lag.Verdict) { v.Status = lag.Unsampled }) }, why: "another sample",
		})
	}
	return all
}
