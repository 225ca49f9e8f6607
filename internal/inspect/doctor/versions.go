package doctor

import (
	"cmp"
	"fmt"
	"strconv"
	"strings"

	"github.com/natsops/natsops/internal/inspect"
)

func versionChecks() []Check {
	need := inspect.Need{Servers: true}
	return []Check{
		{
			ID: "server.unsupported", Title: "servers that no longer get fixes", Of: "server", Needs: need, run: unsupported,
			Why: "Only the latest release line of nats-server and the one before it get patches, security fixes among them (docs.nats.io/release-notes).",
			Do:  "Upgrade one minor version at a time, a server at a time, and read the upgrade guide of each.",
		},
		{
			ID: "server.known-bad", Title: "servers with known defects", Of: "server", Needs: need, run: knownBad,
			Why: "These versions have published security holes, or lose data under known circumstances.",
			Do:  "Upgrade to the latest patch of a supported version; patches of one minor version can be mixed while rolling.",
		},
		{
			ID: "server.mixed-versions", Title: "servers of one cluster with different versions", Of: "cluster", Needs: need, run: mixedVersions,
			Why: "A cluster can be upgraded while it runs, but a mixture is not what anybody tests for long: features are off until all servers have them, and a downgrade may no longer be possible.",
			Do:  "Finish the upgrade.",
		},
	}
}

func libraryChecks() []Check {
	return []Check{{
		ID: "conn.old-client", Title: "client libraries with known defects", Of: "client",
		Needs: inspect.Need{Connections: true}, run: oldClients,
		Why: "These versions of the client library have defects that look like faults of the servers: consumers that stop, acknowledgements that get mixed up, storms of requests after a reconnect.",
		Do:  "Update the client library and roll the program out again.",
	}}
}

// A defect is something wrong with the versions from (inclusive; "": all) to
// the one that has the fix.
type defect struct {
	from, fixed string
	severity    inspect.Severity
	what        string // and its source
}

// serverDefects are defects of nats-server, the worst first.
func serverDefects() []defect {
	return []defect{
		{"2.10.25", "2.10.26", inspect.Warn, "interest streams have a regression (nats-server#6526)"},
		{"2.10.19", "2.10.20", inspect.Warn, "compare-and-set on key-value buckets with one replica is broken (nats-server#5841)"},
		{"", "2.11.16", inspect.Warn, "routes and leaf nodes can be joined without credentials when no_auth_user is set, and queue subscriptions pass denied subjects (NATS advisories 2026-16 and 2026-18)"},
		{"2.12.0", "2.12.7", inspect.Warn, "routes and leaf nodes can be joined without credentials when no_auth_user is set, and queue subscriptions pass denied subjects (NATS advisories 2026-16 and 2026-18)"},
	}
}

// clientDefects are defects of client libraries by the language that they tell
// the server, the worst first.
func clientDefects() map[string][]defect {
	return map[string][]defect{
		"go": {
			{"", "1.36.0", inspect.Warn, "asks for every consumer's state after each reconnect, all at once, and ordered consumers can go wrong (nats.go#1643, #1646)"},
			{"", "1.40.0", inspect.Warn, "asynchronous publishing can mix up acknowledgements, and ordered consumers may not restart (nats.go#1812, #1827)"},
			{"", "1.51.0", inspect.Info, "Consume can hang when it is stopped from its error handler (nats.go#2059)"},
		},
	}
}

// defectOf returns the worst defect that a version has; nil: none is known.
func defectOf(version string, defects []defect) *defect {
	for _, d := range defects {
		if older(version, d.fixed) && !older(version, d.from) {
			return &d
		}
	}
	return nil
}

func unsupported(p *patient) []symptom {
	var found []symptom
	for _, s := range p.allServers() {
		if v := serverVersion(s.last()); older(v, p.cfg.OldestVersion) {
			found = append(found, symptom{
				object: "server " + serverName(s.last()), severity: inspect.Warn,
				fact: fmt.Sprintf("runs %s, the oldest supported is %s", v, p.cfg.OldestVersion),
			})
		}
	}
	return found
}

func knownBad(p *patient) []symptom {
	var found []symptom
	for _, s := range p.allServers() {
		v := serverVersion(s.last())
		if d := defectOf(v, serverDefects()); d != nil {
			found = append(found, symptom{
				object: "server " + serverName(s.last()), severity: d.severity,
				fact: fmt.Sprintf("runs %s: %s; fixed in %s", v, d.what, d.fixed),
			})
		}
	}
	return found
}

func mixedVersions(p *patient) []symptom {
	var found []symptom
	for _, members := range clusters(p.allServers()) {
		var lowest, highest string
		for _, s := range members {
			v := serverVersion(s.last())
			if lowest == "" || older(v, lowest) {
				lowest = v
			}
			if older(highest, v) || highest == "" {
				highest = v
			}
		}
		if !older(lowest, highest) {
			continue
		}
		s := symptom{
			object: "cluster " + members[0].last().Cluster, severity: inspect.Info,
			fact: fmt.Sprintf("versions from %s to %s", lowest, highest),
		}
		if line(lowest) != line(highest) {
			s.severity = inspect.Warn
		}
		found = append(found, s)
	}
	return found
}

func oldClients(p *patient) []symptom {
	type library struct{ client, lang, version string }
	users := map[library]int{}
	for _, c := range p.clients() {
		last := c.last()
		users[library{clientName(last), strings.ToLower(last.Lang), last.Version}]++
	}
	var found []symptom
	for l, n := range users {
		if d := defectOf(l.version, clientDefects()[l.lang]); d != nil {
			found = append(found, symptom{
				object: l.client, severity: d.severity, weight: float64(n),
				fact: fmt.Sprintf("%s with nats.%s %s: %s; fixed in %s", count(n, "connection"), l.lang, l.version, d.what, d.fixed),
			})
		}
	}
	return found
}

// clusters groups servers by the cluster that they say they are in.
func clusters(list []course[inspect.Server]) map[string][]course[inspect.Server] {
	groups := map[string][]course[inspect.Server]{}
	for _, s := range list {
		if name := s.last().Cluster; name != "" {
			groups[name] = append(groups[name], s)
		}
	}
	return groups
}

// older reports whether version a is before b. It is false when one of them is
// not a version. A pre-release counts as the release.
func older(a, b string) bool {
	va, oka := parseVersion(a)
	vb, okb := parseVersion(b)
	return oka && okb && cmp.Or(cmp.Compare(va[0], vb[0]), cmp.Compare(va[1], vb[1]), cmp.Compare(va[2], vb[2])) < 0
}

// line is the release line of a version: its first two numbers.
func line(version string) [2]int {
	v, _ := parseVersion(version)
	return [2]int{v[0], v[1]}
}

// parseVersion reads "2.12.1", "v2.12" and "2.12.1-RC.2".
func parseVersion(s string) (v [3]int, ok bool) {
	s, _, _ = strings.Cut(strings.TrimPrefix(s, "v"), "-")
	s, _, _ = strings.Cut(s, "+")
	parts := strings.Split(s, ".")
	if len(parts) < 2 || len(parts) > len(v) {
		return v, false
	}
	for i, part := range parts {
		n, err := strconv.Atoi(part)
		if err != nil || n < 0 {
			return v, false
		}
		v[i] = n
	}
	return v, true
}
