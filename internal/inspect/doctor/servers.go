package doctor

import (
	"fmt"
	"time"

	"github.com/natsops/natsops/internal/inspect"
)

func serverChecks() []Check {
	need := inspect.Need{Servers: true}
	return []Check{
		{
			ID: "server.cpu", Title: "servers short of CPU", Of: "server", Needs: need, Routes: servers(), Twice: true, run: busyServers,
			Why: "Latency grows long before all cores are busy, and a server that cannot keep up with heartbeats loses its leaderships.",
			Do:  "Find who costs it: many new connections (conn.per-request), fan-out, API requests (js.api-rate). Otherwise add cores or servers.",
		},
		{
			ID: "server.memory", Title: "servers near their memory limit", Of: "server", Needs: need, Routes: servers(), run: fullMemory,
			Why: "Near GOMEMLIMIT the garbage collector runs all the time; at the limit of the container the kernel kills the server.",
			Do:  "Raise the limits, GOMEMLIMIT to some 90 % of the container's, or find what fills the memory: pending bytes, memory streams, subscriptions.",
		},
		{
			ID: "server.clock-skew", Title: "clocks that disagree", Of: "server", Needs: need, run: skewedClocks,
			Why: "Ages, rates, max_age and expiry of credentials are computed from clocks. Where they disagree, messages live too long or too short after a change of leader.",
			Do:  "Run NTP or chrony on the host, and look at virtual machines that were paused.",
		},
		{
			ID: "server.restarted", Title: "servers that have restarted lately", Of: "server", Needs: need, Routes: servers(), run: restarted,
			Why: "Counters begin anew and last activities are forgotten, so that less is known; and nobody may have meant it to happen.",
			Do:  "If it was not an upgrade, look at the end of the previous log, and for the kernel's out-of-memory killer.",
		},
		{
			ID: "server.tls-expiry", Title: "certificates that expire", Of: "server", Needs: need, Routes: servers(), run: expiringCertificates,
			Why: "From that moment on no client can connect, and no server join: connections that are open stay, so that it shows at the next restart, everywhere at once.",
			Do:  "Renew the certificate and reload the server: nats-server --signal reload.",
		},
		{
			ID: "server.no-auth", Title: "servers that let everybody in", Of: "server", Needs: need, Routes: servers(), run: openServers,
			Why: "Whoever reaches the port can read and delete everything in the account.",
			Do:  "Set up users, nkeys or JWT with an operator, unless the network is closed.",
		},
	}
}

func busyServers(p *patient) []symptom {
	var found []symptom
	for _, s := range p.varz() {
		if !s.always(func(s *inspect.Server) bool {
			return usableCores(s.Varz) > 0 && s.Varz.CPUPercent > p.cfg.CPUShare*100*usableCores(s.Varz)
		}) {
			continue
		}
		v := s.last().Varz
		fact := fmt.Sprintf("%s of %s cores, in all %d samples", number(v.CPUPercent/100), number(usableCores(v)), len(s.samples))
		if v.MaxProcs > 0 && v.MaxProcs < v.Cores {
			fact += fmt.Sprintf(" (GOMAXPROCS leaves %d of %d cores)", v.MaxProcs, v.Cores)
		}
		found = append(found, symptom{
			object: "server " + serverName(s.last()), severity: inspect.Warn, weight: v.CPUPercent / usableCores(v), fact: fact,
		})
	}
	return found
}

// usableCores is how many cores a server may use; 0: not known.
func usableCores(v *inspect.Varz) float64 {
	if v.MaxProcs > 0 && (v.MaxProcs < v.Cores || v.Cores <= 0) {
		return float64(v.MaxProcs)
	}
	return float64(max(0, v.Cores))
}

func fullMemory(p *patient) []symptom {
	var found []symptom
	for _, s := range p.varz() {
		v := s.last().Varz
		if v.MemLimit > 0 && float64(v.MemBytes) > p.cfg.MemoryShare*float64(v.MemLimit) {
			found = append(found, symptom{
				object: "server " + serverName(s.last()), severity: inspect.Warn, weight: float64(v.MemBytes) / float64(v.MemLimit),
				fact: fmt.Sprintf("%s of GOMEMLIMIT %s used (%s)", size(v.MemBytes), size(v.MemLimit), share(float64(v.MemBytes), float64(v.MemLimit))),
			})
		}
	}
	return found
}

func skewedClocks(p *patient) []symptom {
	var clocks []*inspect.Server
	var offsets []time.Duration
	for _, s := range p.allServers() {
		if last := s.last(); last.OffsetError > 0 { // an answer always takes time
			clocks, offsets = append(clocks, last), append(offsets, last.Offset)
		} else {
			p.miss("the clock of server %s is not known", serverName(last))
		}
	}
	if len(clocks) == 0 {
		return nil
	}
	usual := median(offsets)
	var doubt time.Duration // of the usual clock
	for _, s := range clocks {
		if s.Offset == usual {
			doubt = s.OffsetError
		}
	}
	var found []symptom
	for _, s := range clocks {
		if off := (s.Offset - usual).Abs(); off > p.cfg.ClockSkew+s.OffsetError+doubt {
			found = append(found, symptom{
				object: "server " + serverName(s), severity: inspect.Warn, weight: float64(off),
				fact: fmt.Sprintf("its clock is %s %s the others, give or take %s", duration(off), direction(s.Offset-usual), duration(s.OffsetError+doubt)),
			})
		}
	}
	if usual.Abs() > p.cfg.ClockSkew+doubt {
		found = append(found, symptom{
			object: "this machine", severity: inspect.Info, weight: float64(usual.Abs()),
			fact: fmt.Sprintf("the servers' clocks are %s %s ours", duration(usual.Abs()), direction(usual)),
		})
	}
	return found
}

func direction(offset time.Duration) string {
	if offset < 0 {
		return "behind"
	}
	return "ahead of"
}

func restarted(p *patient) []symptom {
	var found []symptom
	for _, s := range p.varz() {
		v := s.last().Varz
		up := v.Now.Sub(v.Start)
		symptom := symptom{object: "server " + serverName(s.last()), weight: -float64(up), fact: "started " + duration(max(0, up)) + " ago"}
		switch {
		case v.Start.IsZero() || v.Now.IsZero():
			p.miss("when server %s started is not known", serverName(s.last()))
			continue
		case !s.first().Varz.Start.Equal(v.Start):
			symptom.severity, symptom.fact = inspect.Warn, symptom.fact+", within the examination"
		case up < p.cfg.RestartedFor:
			symptom.severity = inspect.Info
		default:
			continue
		}
		found = append(found, symptom)
	}
	return found
}

func expiringCertificates(p *patient) []symptom {
	var found []symptom
	for _, s := range p.varz() {
		v := s.last().Varz
		if v.TLSCertNotAfter.IsZero() {
			if v.TLSRequired && len(p.since("2.12", []course[inspect.Server]{s})) > 0 {
				p.miss("server %s does not tell when its certificate expires", serverName(s.last()))
			}
			continue
		}
		left := v.TLSCertNotAfter.Sub(v.Now)
		if v.Now.IsZero() || left > p.cfg.CertWarning {
			continue
		}
		symptom := symptom{
			object: "server " + serverName(s.last()), severity: inspect.Warn, weight: -float64(left),
			fact: fmt.Sprintf("expires in %s, at %s", duration(left), v.TLSCertNotAfter.UTC().Format(time.RFC3339)),
		}
		if left <= p.cfg.CertCritical {
			symptom.severity = inspect.Crit
		}
		if left <= 0 {
			symptom.fact = "expired at " + v.TLSCertNotAfter.UTC().Format(time.RFC3339)
		}
		found = append(found, symptom)
	}
	return found
}

func openServers(p *patient) []symptom {
	var found []symptom
	for _, s := range p.varz() {
		if !s.last().Varz.AuthRequired {
			found = append(found, symptom{
				object: "server " + serverName(s.last()), severity: inspect.Info, fact: "auth_required is false",
			})
		}
	}
	return found
}
