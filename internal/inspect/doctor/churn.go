package doctor

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/natsops/natsops/internal/inspect"
)

func churnChecks() []Check {
	need := inspect.Need{Closed: true, Servers: true}
	return []Check{
		{
			ID: "conn.reconnect-churn", Title: "clients that keep reconnecting", Of: "client", Needs: need, run: churning,
			Why: "A client that loses its connection every few seconds misses core messages meanwhile, sets up all its subscriptions again, and may give up for good: after 60 attempts by default.",
			Do:  "The reason tells where to look: network, proxy, time-out, or a crash loop of the program. Let clients reconnect without end and with jitter.",
		},
		{
			ID: "conn.per-request", Title: "one connection per request", Of: "server", Needs: need, Routes: servers(), Twice: true, run: perRequest,
			Why: "A connection costs several round trips and, with TLS, a handshake; a request over an open one costs one round trip. Servers spend their time on welcomes.",
			Do:  "Open one connection when the program starts and share it: clients are made for concurrent use.",
		},
		{
			ID: "conn.tls-handshakes", Title: "many short connections with TLS", Of: "server", Needs: need, Routes: servers(), Twice: true, run: handshakes,
			Why: "Each new connection costs the server a TLS handshake, some 1 ms of CPU with RSA keys: a few hundred per second keep a core busy.",
			Do:  "Keep connections open. Where that is impossible, use ECDSA certificates and TLS 1.3.",
		},
		{
			ID: "conn.tls-weak", Title: "outdated encryption", Of: "client", Needs: inspect.Need{Connections: true}, run: weakTLS,
			Why: "TLS before 1.2, RSA key exchange, RC4 and 3DES are broken or lack forward secrecy.",
			Do:  "Update the client's TLS library; set min_version: \"1.2\" and no weak cipher_suites in the tls block of the server.",
		},
	}
}

func churning(p *patient) []symptom {
	var found []symptom
	for _, e := range p.endings(time.Minute, func(reason string) bool { return reason != "Server Shutdown" && !refusal(reason) }) {
		if e.n <= p.cfg.ChurnPerMinute {
			continue
		}
		s := symptom{
			object: e.client, severity: inspect.Warn, weight: float64(e.n),
			fact: fmt.Sprintf("lost its connection %s within a minute: %s", times(e.n), e.reason),
		}
		if e.reason == "Client Closed" { // short commands end so too, as does a client that restarts or gives up its network
			s.severity, s.fact = inspect.Info, fmt.Sprintf("closed its connection %s within a minute", times(e.n))
		}
		found = append(found, s)
	}
	return found
}

// brief are the connections to a server that ended within the window, and their
// median life.
func (p *patient) brief(server string, counts func(*inspect.Connection) bool) (list []*inspect.Connection, life time.Duration) {
	var lives []time.Duration
	for _, c := range p.closed() {
		if c.Server == server && p.now(server).Sub(c.Stop) <= p.elapsed && counts(c) {
			list, lives = append(list, c), append(lives, c.Stop.Sub(c.Start))
		}
	}
	return list, median(lives)
}

func perRequest(p *patient) []symptom {
	var found []symptom
	for _, s := range p.varz() {
		opened, ok := p.counted(s, func(v *inspect.Varz) int64 { return int64(v.TotalConnections) })
		if !ok || opened/s.elapsed().Seconds() < p.cfg.NewPerSecond {
			continue
		}
		list, life := p.brief(s.last().Name, func(*inspect.Connection) bool { return true })
		if len(list) == 0 || life > p.cfg.ShortLife {
			continue
		}
		found = append(found, symptom{
			object: "server " + serverName(s.last()), severity: inspect.Warn, weight: opened,
			fact: fmt.Sprintf("%s new connections, median life %s, most by %s",
				perSecond(opened, s.elapsed()), duration(life), busiest(list)),
		})
	}
	return found
}

func handshakes(p *patient) []symptom {
	var found []symptom
	for _, s := range p.varz() {
		list, life := p.brief(s.last().Name, func(c *inspect.Connection) bool { return c.TLSVersion != "" })
		if n := float64(len(list)); n > 0 && n/p.elapsed.Seconds() >= p.cfg.TLSPerSecond && life <= p.cfg.ShortLife {
			found = append(found, symptom{
				object: "server " + serverName(s.last()), severity: inspect.Warn, weight: n,
				fact: fmt.Sprintf("%s connections with TLS, median life %s, most by %s; CPU %s of one core",
					perSecond(n, p.elapsed), duration(life), busiest(list), share(s.last().Varz.CPUPercent, 100)),
			})
		}
	}
	return found
}

// busiest names the client with the most connections; there is one.
func busiest(list []*inspect.Connection) string {
	counts := map[string]int{}
	for _, c := range list {
		counts[clientName(c)]++
	}
	best := slices.MaxFunc(list, func(a, b *inspect.Connection) int {
		na, nb := clientName(a), clientName(b)
		return cmp.Or(cmp.Compare(counts[na], counts[nb]), cmp.Compare(nb, na))
	})
	return clientName(best)
}

func weakTLS(p *patient) []symptom {
	type weakness struct{ client, tls, cipher string }
	users := map[weakness]int{}
	for _, c := range p.clients() {
		last := c.last()
		users[weakness{clientName(last), last.TLSVersion, last.TLSCipher}]++
	}
	var found []symptom
	for w, n := range users {
		s := symptom{object: w.client, severity: inspect.Warn, weight: float64(n)}
		switch {
		case w.tls == "1.0" || w.tls == "1.1":
			s.severity, s.fact = inspect.Crit, fmt.Sprintf("%s with TLS %s", count(n, "connection"), w.tls)
		case weakCipher(w.cipher):
			s.fact = fmt.Sprintf("%s with cipher suite %s", count(n, "connection"), w.cipher)
		default:
			continue
		}
		found = append(found, s)
	}
	return found
}

// weakCipher reports whether a suite exchanges keys with RSA or encrypts with
// RC4 or 3DES.
func weakCipher(suite string) bool {
	return strings.HasPrefix(suite, "TLS_RSA_") || strings.Contains(suite, "RC4") || strings.Contains(suite, "3DES")
}
