package doctor

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/natsops/natsops/internal/inspect"
)

func configChecks() []Check {
	need := inspect.Need{Servers: true}
	return []Check{
		{
			ID: "server.limits", Title: "limits that were changed for the worse", Of: "server", Needs: need, Routes: servers(), run: riskyLimits,
			Why: "Payloads above 8 MB make slow consumers of everybody who shares a connection or a route with them; a short write_deadline disconnects clients for a moment's pause.",
			Do:  "Put large data in an object store or send it in chunks; leave write_deadline at 10 s.",
		},
		{
			ID: "server.config-drift", Title: "servers of one cluster with different settings", Of: "setting", Needs: need, Routes: servers(), run: drift,
			Why: "A client works with one server and fails with the next one that it reconnects to: a payload that is too large there, a login that is not asked for here.",
			Do:  "Give all servers of a cluster the same configuration, from one template, and reload or restart those that differ.",
		},
	}
}

func riskyLimits(p *patient) []symptom {
	var found []symptom
	for _, s := range p.varz() {
		v := s.last().Varz
		name := "server " + serverName(s.last())
		if v.MaxPayload > p.cfg.MaxPayload {
			found = append(found, symptom{
				object: name, severity: inspect.Warn, weight: float64(v.MaxPayload),
				fact: fmt.Sprintf("max_payload is %s, recommended are at most %s", size(v.MaxPayload), size(p.cfg.MaxPayload)),
			})
		}
		if v.WriteDeadline > 0 && v.WriteDeadline < p.cfg.WriteDeadline {
			found = append(found, symptom{
				object: name, severity: inspect.Warn,
				fact: fmt.Sprintf("write_deadline is %s, below %s", duration(v.WriteDeadline), duration(p.cfg.WriteDeadline)),
			})
		}
	}
	return found
}

// A setting is one that servers of a cluster should share.
type setting struct {
	name     string
	severity inspect.Severity
	value    func(*inspect.Varz) string
}

func settings() []setting {
	return []setting{
		{"max_payload", inspect.Warn, func(v *inspect.Varz) string { return size(v.MaxPayload) }},
		{"auth_required", inspect.Warn, func(v *inspect.Varz) string { return strconv.FormatBool(v.AuthRequired) }},
		{"tls_required", inspect.Warn, func(v *inspect.Varz) string { return strconv.FormatBool(v.TLSRequired) }},
		{"system_account", inspect.Warn, func(v *inspect.Varz) string { return v.SystemAccount }},
		{"max_connections", inspect.Info, func(v *inspect.Varz) string { return strconv.Itoa(v.MaxConnections) }},
		{"max_pending", inspect.Info, func(v *inspect.Varz) string { return size(v.MaxPending) }},
		{"write_deadline", inspect.Info, func(v *inspect.Varz) string { return duration(v.WriteDeadline) }},
		{"ping_interval", inspect.Info, func(v *inspect.Varz) string { return duration(v.PingInterval) }},
		{"gomaxprocs", inspect.Info, func(v *inspect.Varz) string { return strconv.Itoa(v.MaxProcs) }},
	}
}

func drift(p *patient) []symptom {
	var found []symptom
	for cluster, members := range clusters(p.varz()) {
		for _, setting := range settings() {
			values := map[string][]string{} // who has a value
			for _, s := range members {
				value := setting.value(s.last().Varz)
				values[value] = append(values[value], serverName(s.last()))
			}
			if len(values) > 1 {
				found = append(found, symptom{
					object: setting.name + " in cluster " + cluster, severity: setting.severity, fact: differing(values),
				})
			}
		}
		found = append(found, unequalStores(cluster, members, p.cfg.CapacityFactor)...)
	}
	return found
}

// differing lists values and who has them, the most common one first.
func differing(values map[string][]string) string {
	var list []string
	for value := range values {
		list = append(list, value)
	}
	slices.SortFunc(list, func(a, b string) int {
		return cmp.Or(cmp.Compare(len(values[b]), len(values[a])), cmp.Compare(a, b))
	})
	for i, value := range list {
		who := values[value]
		slices.Sort(who)
		list[i] = value + " on " + few(who, ", ")
	}
	return few(list, "; ")
}

// unequalStores compares the limits of JetStream. Where none is configured it
// is what the disk or the memory has, so that they are never quite equal.
func unequalStores(cluster string, members []course[inspect.Server], factor float64) []symptom {
	var found []symptom
	limits := map[string]func(*inspect.JetStream) int64{
		"max_file_store":   func(j *inspect.JetStream) int64 { return j.Config.MaxStorage },
		"max_memory_store": func(j *inspect.JetStream) int64 { return j.Config.MaxMemory },
	}
	for name, limit := range limits {
		var least, most *inspect.Server
		for _, s := range members {
			j := s.last().JetStream
			if j == nil || j.Disabled || limit(j) <= 0 {
				continue
			}
			if least == nil || limit(j) < limit(least.JetStream) {
				least = s.last()
			}
			if most == nil || limit(j) > limit(most.JetStream) {
				most = s.last()
			}
		}
		if least != nil && float64(limit(most.JetStream)) > factor*float64(limit(least.JetStream)) {
			found = append(found, symptom{
				object: name + " in cluster " + cluster, severity: inspect.Info,
				fact: strings.Join([]string{
					size(limit(least.JetStream)) + " on " + serverName(least), size(limit(most.JetStream)) + " on " + serverName(most),
				}, ", "),
			})
		}
	}
	return found
}
