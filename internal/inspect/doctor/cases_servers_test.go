package doctor

import (
	"time"

	"github.com/natsops/natsops/internal/inspect"
)

func sightTroubles() []trouble {
	return []trouble{
		{
			check: "server.silent", severity: inspect.Crit, object: "server n3", fact: "no answer: timed out",
			make: func(w *ward) {
				w.server("n3", func(_ int, s *inspect.Server) { s.Reading = inspect.Reading{State: inspect.Stale, Why: "timed out"} })
				w.gap("server n3", "timed out")
			},
			blind: func(w *ward) { w.snapshots(func(_ int, s *inspect.Snapshot) { s.Servers = nil }) }, why: "not known",
		},
		{
			check: "server.silent", name: "nobody knows its name", severity: inspect.Crit, object: "1 more server", fact: "no answer: silent for 2s",
			make: func(w *ward) { w.gap("1 more server", "silent for 2s") },
			near: func(w *ward) { w.gap("connections of server n1", "silent for 2s") },
		},
		{
			check: "sight.account-only", severity: inspect.Info, object: "account", fact: "cannot be run",
			make: func(w *ward) { w.snapshots(func(_ int, s *inspect.Snapshot) { s.Route = inspect.RouteAccount }) },
		},
		{
			check: "sight.gaps", name: "in an account", severity: inspect.Info, object: "connections", fact: "no permission",
			make: func(w *ward) {
				w.snapshots(func(_ int, s *inspect.Snapshot) { s.Route = inspect.RouteAccount })
				w.gap("connections", "no permission")
			},
		},
		{
			check: "sight.gaps", severity: inspect.Info, object: "events", fact: "no permission",
			make: func(w *ward) { w.gap("events", "no permission") },
			near: func(w *ward) { w.gap("server n9", "timed out") },
		},
	}
}

func serverTroubles() []trouble {
	varz := func(w *ward, name string, f func(v *inspect.Varz)) {
		w.server(name, func(_ int, s *inspect.Server) { f(s.Varz) })
	}
	noVarz := func(w *ward) { w.server("n2", func(_ int, s *inspect.Server) { s.Varz = nil }) }
	return []trouble{
		{
			check: "server.cpu", severity: inspect.Warn, object: "server n2", fact: "3.5 of 4 cores",
			make:  func(w *ward) { varz(w, "n2", func(v *inspect.Varz) { v.CPUPercent = 350 }) },
			near:  func(w *ward) { w.last().Servers[1].Varz.CPUPercent = 400 },
			blind: noVarz, why: "server n2 did not tell",
		},
		{
			check: "server.cpu", name: "limited by GOMAXPROCS", severity: inspect.Warn, object: "server n1", fact: "GOMAXPROCS leaves 1 of 4 cores",
			make: func(w *ward) { varz(w, "n1", func(v *inspect.Varz) { v.MaxProcs = 1 }) },
			near: func(w *ward) { varz(w, "n1", func(v *inspect.Varz) { v.MaxProcs, v.Cores, v.CPUPercent = 0, 0, 400 }) },
		},
		{
			check: "server.memory", severity: inspect.Warn, object: "server n2", fact: "of GOMEMLIMIT",
			make:  func(w *ward) { varz(w, "n2", func(v *inspect.Varz) { v.MemBytes = 39 << 30 / 10 }) },
			near:  func(w *ward) { varz(w, "n2", func(v *inspect.Varz) { v.MemBytes, v.MemLimit = 100<<30, 0 }) },
			blind: noVarz, why: "server n2 did not tell",
		},
		{
			check: "server.clock-skew", severity: inspect.Warn, object: "server n3", fact: "ahead of the others",
			make: func(w *ward) { w.server("n3", func(_ int, s *inspect.Server) { s.Offset = 2 * time.Second }) },
			near: func(w *ward) {
				w.server("n3", func(_ int, s *inspect.Server) { s.Offset, s.OffsetError = 2*time.Second, 3*time.Second })
			},
			blind: func(w *ward) { w.server("n3", func(_ int, s *inspect.Server) { s.OffsetError = 0 }) }, why: "clock of server n3",
		},
		{
			check: "server.clock-skew", name: "behind", severity: inspect.Warn, object: "server n3", fact: "its clock is 2.02s behind the others",
			make: func(w *ward) {
				w.server("n3", func(_ int, s *inspect.Server) { s.Offset = -2 * time.Second; s.OffsetError = 1 })
				w.server("n1", func(_ int, s *inspect.Server) { s.Offset = 20 * time.Millisecond })
			},
			near: func(w *ward) { // what the others are measured by is itself not certain
				w.server("n3", func(_ int, s *inspect.Server) { s.Offset = 2 * time.Second })
				w.server("n2", func(_ int, s *inspect.Server) { s.OffsetError = 3 * time.Second })
			},
		},
		{
			check: "server.clock-skew", name: "ours is wrong", severity: inspect.Info, object: "this machine", fact: "behind ours",
			make: func(w *ward) { w.server("*", func(_ int, s *inspect.Server) { s.Offset -= time.Hour }) },
		},
		{
			check: "server.restarted", severity: inspect.Warn, object: "server n2", fact: "within the examination",
			make:  func(w *ward) { v := w.last().Servers[1].Varz; v.Start = v.Now.Add(-time.Second) },
			near:  func(w *ward) { varz(w, "n2", func(v *inspect.Varz) { v.Start = start().Add(-time.Hour) }) },
			blind: func(w *ward) { varz(w, "n2", func(v *inspect.Varz) { v.Start = time.Time{} }) }, why: "when server n2 started",
		},
		{
			check: "server.restarted", name: "a while ago", severity: inspect.Info, object: "server n2", fact: "started 5m05s ago",
			make: func(w *ward) { varz(w, "n2", func(v *inspect.Varz) { v.Start = start().Add(-5 * time.Minute) }) },
		},
		{
			check: "server.tls-expiry", severity: inspect.Warn, object: "server n2", fact: "expires in 19 days",
			make: func(w *ward) { varz(w, "n2", func(v *inspect.Varz) { v.TLSCertNotAfter = start().Add(20 * day) }) },
			near: func(w *ward) {
				varz(w, "n2", func(v *inspect.Varz) { v.TLSCertNotAfter, v.TLSRequired = time.Time{}, false })
			},
			blind: func(w *ward) {
				w.server("n2", func(_ int, s *inspect.Server) { s.Version, s.Varz.TLSCertNotAfter = "2.10.29", time.Time{} })
			},
			why: "needs nats-server 2.12 (n2 runs 2.10.29)",
		},
		{
			check: "server.tls-expiry", name: "not told", severity: inspect.Crit, object: "server n2", fact: "expires in 6 days",
			make:  func(w *ward) { varz(w, "n2", func(v *inspect.Varz) { v.TLSCertNotAfter = start().Add(7 * day) }) },
			blind: func(w *ward) { varz(w, "n2", func(v *inspect.Varz) { v.TLSCertNotAfter = time.Time{} }) }, why: "server n2 does not tell when",
		},
		{
			check: "server.tls-expiry", name: "in days", severity: inspect.Crit, object: "server n2", fact: "expires in 2 days",
			make: func(w *ward) { varz(w, "n2", func(v *inspect.Varz) { v.TLSCertNotAfter = start().Add(3 * day) }) },
		},
		{
			check: "server.tls-expiry", name: "expired", severity: inspect.Crit, object: "server n2", fact: "expired at 2026-02-28T12:00:00Z",
			make: func(w *ward) { varz(w, "n2", func(v *inspect.Varz) { v.TLSCertNotAfter = start().Add(-day) }) },
		},
		{
			check: "server.no-auth", severity: inspect.Info, object: "server n2", fact: "auth_required is false",
			make:  func(w *ward) { varz(w, "n2", func(v *inspect.Varz) { v.AuthRequired = false }) },
			blind: noVarz, why: "server n2 did not tell",
		},
	}
}

func settingTroubles() []trouble {
	version := func(v string) func(*ward) {
		return func(w *ward) { w.server("n2", func(_ int, s *inspect.Server) { s.Version = v }) }
	}
	varz := func(f func(v *inspect.Varz)) func(*ward) {
		return func(w *ward) { w.server("n2", func(_ int, s *inspect.Server) { f(s.Varz) }) }
	}
	return []trouble{
		{
			check: "server.limits", severity: inspect.Warn, object: "server n2", fact: "max_payload is",
			make: varz(func(v *inspect.Varz) { v.MaxPayload = 64 << 20 }),
			near: varz(func(v *inspect.Varz) { v.MaxPayload = 8 << 20 }),
		},
		{
			check: "server.limits", name: "impatient", severity: inspect.Warn, object: "server n2", fact: "write_deadline is 500ms",
			make: varz(func(v *inspect.Varz) { v.WriteDeadline = 500 * time.Millisecond }),
			near: varz(func(v *inspect.Varz) { v.WriteDeadline = 2 * time.Second }),
		},
		{
			check: "server.config-drift", severity: inspect.Warn, object: "max_payload in cluster C1", fact: "1 MiB on n1, n3; 2 MiB on n2",
			make: varz(func(v *inspect.Varz) { v.MaxPayload = 2 << 20 }),
			near: func(w *ward) {
				w.server("n2", func(_ int, s *inspect.Server) { s.Cluster, s.Varz.MaxPayload = "", 2<<20 }) // a server of its own
			},
			blind: varz2nil("n2"), why: "server n2 did not tell",
		},
		{
			check: "server.config-drift", name: "unequal disks", severity: inspect.Info, object: "max_file_store in cluster C1", fact: "on n2",
			make: func(w *ward) {
				w.server("n2", func(_ int, s *inspect.Server) { s.JetStream.Config.MaxStorage = 10 << 30 })
			},
			near: func(w *ward) { // one has none, of the other it is not known
				w.server("n2", func(_ int, s *inspect.Server) { s.JetStream.Disabled, s.JetStream.Config.MaxStorage = true, 10<<30 })
				w.server("n3", func(_ int, s *inspect.Server) { s.JetStream = nil })
			},
		},
		{
			check: "server.unsupported", severity: inspect.Warn, object: "server n2", fact: "runs 2.12.9",
			make: version("2.12.9"), near: version("v2.14.0-RC.1"),
			blind: func(w *ward) { w.server("n2", func(_ int, s *inspect.Server) { s.State = inspect.Unknown }) }, why: "server n2 did not answer",
		},
		{
			check: "server.known-bad", severity: inspect.Warn, object: "server n2", fact: "fixed in 2.12.7",
			make: version("2.12.6"), near: version("2.12.7"),
		},
		{
			check: "server.known-bad", name: "an old one", severity: inspect.Warn, object: "server n2", fact: "nats-server#6526",
			make: version("2.10.25"), near: version("2.11.16"),
		},
		{
			check: "server.mixed-versions", severity: inspect.Warn, object: "cluster C1", fact: "from 2.14.3 to 2.15.2",
			make: version("2.14.3"), near: version("2.15.1"),
		},
		{
			check: "server.mixed-versions", name: "patches", severity: inspect.Info, object: "cluster C1", fact: "from 2.15.1 to 2.15.2",
			make: version("2.15.1"),
		},
	}
}

func varz2nil(name string) func(*ward) {
	return func(w *ward) { w.server(name, func(_ int, s *inspect.Server) { s.Varz = nil }) }
}

func linkTroubles() []trouble {
	route := func(f func(i int, l *inspect.Link)) func(*ward) {
		return func(w *ward) { w.server("n1", func(i int, s *inspect.Server) { f(i, &s.Routes[0]) }) }
	}
	routes := func(f func(l *inspect.Link)) func(*ward) { // between n1 and n2, both ways
		return func(w *ward) {
			for here, there := range map[string]string{"n1": "n2", "n2": "n1"} {
				w.server(here, func(_ int, s *inspect.Server) {
					for i := range s.Routes {
						if s.Routes[i].Remote == there {
							f(&s.Routes[i])
						}
					}
				})
			}
		}
	}
	noLinks := func(w *ward) {
		w.server("*", func(_ int, s *inspect.Server) { s.Routes, s.Gateways, s.Leafs = nil, nil, nil })
	}
	return []trouble{
		{
			check: "link.partition", severity: inspect.Crit, object: "n2 and n3", fact: "neither has a route",
			make: func(w *ward) {
				w.server("n2", func(_ int, s *inspect.Server) { s.Routes = s.Routes[:1] })
				w.server("n3", func(_ int, s *inspect.Server) { s.Routes = s.Routes[:1] })
			},
			near:  func(w *ward) { w.server("n2", func(_ int, s *inspect.Server) { s.Routes = s.Routes[:1] }) }, // the other one tells
			blind: noLinks, why: "routes of some servers",
		},
		{
			check: "link.rtt", severity: inspect.Warn, object: "between n1 and n2", fact: "round trip 20ms, the median of all pairs is 1ms",
			make:  routes(func(l *inspect.Link) { l.RTT = 20 * time.Millisecond }),
			near:  route(func(_ int, l *inspect.Link) { l.RTT = 20 * time.Millisecond }), // the other way it is short
			blind: noLinks, why: "no links",
		},
		{
			check: "link.rtt", name: "all are far", severity: inspect.Warn, object: "between n1 and n2", fact: "round trip 150ms",
			make: routes(func(l *inspect.Link) { l.RTT = 150 * time.Millisecond }),
			near: routes(func(l *inspect.Link) { l.RTT, l.Start = 150*time.Millisecond, start().Add(-time.Minute) }),
		},
		{
			check: "link.pending", severity: inspect.Warn, object: "route from n1 to n2", fact: "wait to be sent",
			make:  route(func(_ int, l *inspect.Link) { l.PendingOut = 2 << 20 }),
			near:  route(func(i int, l *inspect.Link) { l.PendingOut = int64(i) * 100 << 20 }),
			blind: noLinks, why: "no links",
		},
		{
			check: "link.reconnected", severity: inspect.Warn, object: "route from n1 to n2", fact: "both servers have been up for 30 days",
			make: route(func(_ int, l *inspect.Link) { l.Start = start().Add(-time.Minute) }),
			near: func(w *ward) {
				route(func(_ int, l *inspect.Link) { l.Start = start().Add(-time.Minute) })(w)
				w.server("n2", func(_ int, s *inspect.Server) { s.Varz.Start = start().Add(-2 * time.Minute) })
			},
			blind: noLinks, why: "no links",
		},
		{
			check: "link.reconnected", name: "after a restart of this end", severity: inspect.Warn, object: "route from n1 to n2", fact: "set up 1m",
			make: route(func(_ int, l *inspect.Link) { l.Start = start().Add(-time.Minute) }),
			near: func(w *ward) {
				route(func(_ int, l *inspect.Link) { l.Start = start().Add(-time.Minute) })(w)
				w.server("n1", func(_ int, s *inspect.Server) { s.Varz.Start = start().Add(-2 * time.Minute) })
			},
		},
		{
			check: "link.reconnected", name: "the other end is not known", severity: inspect.Info, object: "leaf node from n1 to edge", fact: "set up 1m",
			make: func(w *ward) {
				w.server("n1", func(_ int, s *inspect.Server) {
					s.Leafs = []inspect.Link{{Remote: "edge", Start: start().Add(-time.Minute)}}
				})
			},
		},
		{
			check: "link.uncompressed", severity: inspect.Info, object: "between n1 and n2", fact: "compression off",
			make:  routes(func(l *inspect.Link) { l.RTT = 50 * time.Millisecond }),
			near:  routes(func(l *inspect.Link) { l.RTT, l.Compression = 50*time.Millisecond, "s2_fast" }),
			blind: noLinks, why: "no links",
		},
	}
}
