package doctor

import (
	"time"

	"github.com/natsops/natsops/internal/inspect"
)

func metaTroubles() []trouble {
	meta := func(name string, f func(i int, m *inspect.Meta)) func(*ward) {
		return func(w *ward) { w.server(name, func(i int, s *inspect.Server) { f(i, s.JetStream.Meta) }) }
	}
	alone := func(w *ward) { w.server("*", func(_ int, s *inspect.Server) { s.JetStream.Meta = nil }) }
	return []trouble{
		{
			check: "js.meta-leader", severity: inspect.Crit, object: "3 servers", fact: "server n1: knows no leader",
			make:  meta("*", func(_ int, m *inspect.Meta) { m.Leader = "" }),
			blind: alone, why: "no JetStream cluster",
		},
		{
			check: "js.meta-leader", name: "two claim it", severity: inspect.Warn, object: "the meta group", fact: "several leaders: n1 for n3; n2 for n2",
			make: meta("n2", func(_ int, m *inspect.Meta) { m.Leader = "n2" }),
			near: func(w *ward) { // a domain of its own has a leader of its own
				w.server("n2", func(_ int, s *inspect.Server) { s.Domain, s.JetStream.Meta.Leader = "edge", "n2" })
			},
		},
		{
			check: "js.meta-pending", severity: inspect.Warn, object: "server n2", fact: "500 operations",
			make:  meta("n2", func(_ int, m *inspect.Meta) { m.Pending = 500 }),
			near:  meta("n2", func(i int, m *inspect.Meta) { m.Pending = 500 * i }),
			blind: alone, why: "no JetStream cluster",
		},
		{
			check: "js.meta-peers", severity: inspect.Warn, object: "member n3", fact: "offline",
			make:  meta("n1", func(_ int, m *inspect.Meta) { m.Replicas[1].Offline = true }),
			near:  meta("n1", func(_ int, m *inspect.Meta) { m.Replicas[1].Lag, m.Replicas[1].Active = 1000, 5*time.Second }),
			blind: alone, why: "no JetStream cluster",
		},
		{
			check: "js.meta-peers", name: "no majority", severity: inspect.Crit, object: "2 members", fact: "offline",
			make: meta("n1", func(_ int, m *inspect.Meta) { m.Replicas[0].Offline, m.Replicas[1].Offline = true, true }),
		},
		{
			check: "js.leaders", severity: inspect.Info, object: "cluster C1", fact: "server n2 leads 17 of 17",
			make: func(w *ward) { w.stream("*", func(_ int, s *inspect.Stream) { s.Cluster.Leader = "n2" }) },
			blind: func(w *ward) {
				w.snapshots(func(_ int, s *inspect.Snapshot) { s.Streams, s.Consumers = nil, nil })
			},
			why: "no streams",
		},
		{
			check: "js.leaders", name: "many", severity: inspect.Warn, object: "cluster C1", fact: "server n2 leads",
			make: func(w *ward) {
				w.snapshots(func(_ int, s *inspect.Snapshot) {
					for n := range 40 {
						c := s.Consumers[0]
						c.Name += string(rune('A' + n))
						s.Consumers = append(s.Consumers, c)
					}
				})
			},
		},
	}
}

func jetStreamTroubles() []trouble {
	js := func(f func(i int, j *inspect.JetStream)) func(*ward) {
		return func(w *ward) { w.server("n2", func(i int, s *inspect.Server) { f(i, s.JetStream) }) }
	}
	off := func(w *ward) { w.server("*", func(_ int, s *inspect.Server) { s.JetStream.Disabled = true }) }
	return []trouble{
		{
			check: "js.storage", severity: inspect.Warn, object: "server n2", fact: "file storage used",
			make:  js(func(_ int, j *inspect.JetStream) { j.Storage = 95 << 30 }),
			near:  js(func(_ int, j *inspect.JetStream) { j.Storage = 91 << 30 }),
			blind: off, why: "not enabled",
		},
		{
			check: "js.storage", name: "memory", severity: inspect.Crit, object: "server n2", fact: "4 GiB of 4 GiB memory storage used (100%)",
			make: js(func(_ int, j *inspect.JetStream) { j.Memory = 4 << 30 }),
		},
		{
			check: "js.api-inflight", severity: inspect.Warn, object: "server n2", fact: "5k requests wait",
			make:  js(func(_ int, j *inspect.JetStream) { j.API.Inflight = 5000 }),
			near:  js(func(i int, j *inspect.JetStream) { j.API.Inflight = 5000 * uint64(i) }),
			blind: off, why: "not enabled",
		},
		{
			check: "js.api-limit", severity: inspect.Crit, object: "JetStream API", fact: "emptied its queue once within 5s: info queue",
			make: func(w *ward) { w.tell(1, inspect.Event{Kind: inspect.EventAPILimit, Reason: "info queue"}) },
			near: func(w *ward) { // before the window
				w.window[0].Events = []inspect.Event{{Kind: inspect.EventAPILimit}}
			},
			blind: func(w *ward) { w.gap("events", "no permission") }, why: "events: no permission",
		},
		{
			check: "js.sync", severity: inspect.Info, object: "server n2", fact: "always",
			make:  js(func(_ int, j *inspect.JetStream) { j.Config.SyncAlways = true }),
			blind: off, why: "not enabled",
		},
	}
}

func accountTroubles() []trouble {
	none := func(w *ward) { w.snapshots(func(_ int, s *inspect.Snapshot) { s.Accounts = nil }) }
	return []trouble{
		{
			check: "account.limits", severity: inspect.Warn, object: "streams of account APP", fact: "95 of 100 streams used (95%)",
			make:  func(w *ward) { w.account(func(_ int, a *inspect.Account) { a.JetStream.Streams = 95 }) },
			near:  func(w *ward) { w.account(func(_ int, a *inspect.Account) { a.JetStream.Consumers = 1e6 }) }, // without limit
			blind: none, why: "no accounts",
		},
		{
			check: "account.slow-consumers", severity: inspect.Crit, object: "account APP", fact: "3 clients disconnected within 5s",
			make:  func(w *ward) { w.account(func(i int, a *inspect.Account) { a.SlowConsumers = 1 + 3*int64(i) }) },
			near:  func(w *ward) { w.account(func(_ int, a *inspect.Account) { a.SlowConsumers = 1e6 }) },
			blind: func(w *ward) { w.account(func(i int, a *inspect.Account) { a.SlowConsumers = 10 - int64(i) }) }, why: "begun anew",
		},
		{
			check: "js.api-rate", severity: inspect.Warn, object: "account APP", fact: "requests to the JetStream API",
			make: func(w *ward) {
				w.account(func(i int, a *inspect.Account) { a.JetStream.APITotal = 5000 + uint64(i)*600 })
			},
			near: func(w *ward) {
				w.account(func(i int, a *inspect.Account) { a.JetStream.APITotal = 5000 + uint64(i)*505 })
			}, // some are ours
			blind: none, why: "no accounts",
		},
		{
			check: "js.api-errors", severity: inspect.Info, object: "account APP", fact: "20 of 40 requests failed within 5s",
			make:  func(w *ward) { w.account(func(i int, a *inspect.Account) { a.JetStream.APIErrors = uint64(i) * 20 }) },
			blind: func(w *ward) { w.account(func(i int, a *inspect.Account) { a.JetStream.APIErrors = 20 - uint64(i) }) }, why: "begun anew",
		},
	}
}
