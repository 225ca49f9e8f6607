package doctor

import (
	"fmt"
	"strings"
	"time"

	"github.com/natsops/natsops/internal/inspect"
)

func closedChecks() []Check {
	need := inspect.Need{Closed: true, Servers: true, Events: true}
	return []Check{
		{
			ID: "conn.slow-consumer", Title: "clients that were disconnected as slow consumers", Of: "client", Needs: need, run: slowConsumers,
			Why: "They did not read what was sent to them, and lost what waited for them: core messages are not sent again.",
			Do:  "Make their callbacks hand work over instead of doing it, share the subject among more clients with a queue group, or read it through a JetStream pull consumer.",
		},
		{
			ID: "conn.slow-counter", Title: "slow consumers that the servers counted", Of: "server",
			Needs: inspect.Need{Servers: true}, Routes: servers(), Twice: true, run: slowCounters,
			Why: "The servers count slow clients, routes, gateways and leaf nodes, also when the list of closed connections no longer names them. A slow route or gateway delays whole servers.",
			Do:  "For clients see check conn.slow-consumer. For routes, gateways and leaf nodes look at the network between the servers: check link.pending.",
		},
		{
			ID: "conn.stale", Title: "connections that stopped answering", Of: "client", Needs: inspect.Need{Closed: true, Servers: true}, run: staleClients,
			Why: "A client that misses two PINGs is closed: its machine sleeps, its process hangs, or a firewall dropped the connection without telling.",
			Do:  "Look for long pauses in the client and for middle boxes with idle time-outs; a shorter ping_interval keeps connections through them alive.",
		},
		{
			ID: "conn.refused", Title: "clients that are refused", Of: "client", Needs: inspect.Need{Closed: true, Servers: true}, run: refusedClients,
			Why: "A program that cannot log in tries again and again. It does not do its work, and each attempt costs the server a handshake.",
			Do:  "Check its credentials, whether they have expired, and the limits of its account.",
		},
	}
}

// ended counts connections of one client that ended for the same kind of reason.
type ended struct {
	client, reason, server string
	n                      int
	ago                    time.Duration // the last one
	pending                int64         // the most that waited for one of them
}

// endings returns how connections ended of which the reason matches, within a
// time up to now, by client and reason.
func (p *patient) endings(within time.Duration, matches func(reason string) bool) []*ended {
	type key struct{ client, reason string }
	var (
		list  []*ended
		known = map[key]*ended{}
	)
	for _, c := range p.closed() {
		ago := max(0, p.now(c.Server).Sub(c.Stop))
		if ago > within || !matches(c.Reason) {
			continue
		}
		k := key{clientName(c), c.Reason}
		if known[k] == nil {
			known[k] = &ended{client: k.client, reason: k.reason, server: c.Server, ago: ago}
			list = append(list, known[k])
		}
		e := known[k]
		e.n++
		e.ago, e.pending = min(e.ago, ago), max(e.pending, c.PendingBytes)
	}
	return list
}

func slowConsumers(p *patient) []symptom {
	var found []symptom
	for _, e := range p.endings(p.cfg.Recent, func(reason string) bool { return strings.HasPrefix(reason, "Slow Consumer") }) {
		s := symptom{
			object: e.client, severity: inspect.Warn, weight: float64(e.n),
			fact: fmt.Sprintf("%s by server %s, the last one %s ago, up to %s waiting (%s)",
				times(e.n), e.server, duration(e.ago), size(e.pending), e.reason),
		}
		if e.ago <= p.elapsed { // under our eyes
			s.severity = inspect.Crit
		}
		found = append(found, s)
	}
	if n := len(p.events(inspect.EventSlowConsumer)); n > 0 && len(found) == 0 {
		found = append(found, symptom{
			object: "clients unknown by name", severity: inspect.Crit, fact: times(n) + " within " + duration(p.elapsed),
		})
	}
	return found
}

func times(n int) string {
	if n == 1 {
		return "once"
	}
	return fmt.Sprintf("%d times", n)
}

func slowCounters(p *patient) []symptom {
	var found []symptom
	for _, s := range p.varz() {
		grown, ok := p.counted(s, func(v *inspect.Varz) int64 { return v.SlowConsumers })
		if !ok || grown == 0 {
			continue
		}
		fact := fmt.Sprintf("%s within %s", number(grown), duration(s.elapsed()))
		if a, b := s.first().Varz.SlowKinds, s.last().Varz.SlowKinds; a != nil && b != nil {
			fact += fmt.Sprintf(": %d clients, %d routes, %d gateways, %d leaf nodes",
				sub(b.Clients, a.Clients), sub(b.Routes, a.Routes), sub(b.Gateways, a.Gateways), sub(b.Leafs, a.Leafs))
		}
		found = append(found, symptom{
			object: "server " + serverName(s.last()), severity: inspect.Crit, weight: grown, fact: fact,
		})
	}
	return found
}

// sub subtracts and does not go below 0.
func sub(a, b uint64) uint64 { return a - min(a, b) }

func staleClients(p *patient) []symptom {
	var found []symptom
	for _, e := range p.endings(p.cfg.Recent, func(reason string) bool { return reason == "Stale Connection" }) {
		found = append(found, symptom{
			object: e.client, severity: inspect.Warn, weight: float64(e.n),
			fact: fmt.Sprintf("closed %s within %s, the last one %s ago", times(e.n), duration(p.cfg.Recent), duration(e.ago)),
		})
	}
	return found
}

func refusedClients(p *patient) []symptom {
	var found []symptom
	for _, e := range p.endings(p.cfg.Recent, refusal) {
		if e.n >= p.cfg.Refusals {
			found = append(found, symptom{
				object: e.client, severity: inspect.Warn, weight: float64(e.n),
				fact: fmt.Sprintf("refused %s within %s: %s", times(e.n), duration(p.cfg.Recent), e.reason),
			})
		}
	}
	return found
}

// refusal reports whether a reason means that a client was not let in, or not
// let on; the texts are those of server/monitor.go.
func refusal(reason string) bool {
	switch reason {
	case "Authentication Timeout", "Authentication Failure", "Authentication Expired", "Credentials Revoked", "TLS Handshake Failure",
		"Maximum Connections Exceeded", "Maximum Account Connections Exceeded", "Maximum Subscriptions Exceeded",
		"Maximum Message Payload Exceeded", "Missing Account", "Minimum Version Required", "Protocol Violation":
		return true
	}
	return false
}
