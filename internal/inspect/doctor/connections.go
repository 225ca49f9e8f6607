package doctor

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/natsops/natsops/internal/inspect"
)

func connectionChecks() []Check {
	need := inspect.Need{Connections: true, Servers: true}
	return []Check{
		{
			ID: "conn.rtt", Title: "clients far from their server", Of: "connection", Needs: need, run: farClients,
			Why: "Every request and every acknowledgement costs at least a round trip. A client far from its server, or too busy to answer a PING, is slow whatever the server does.",
			Do:  "Connect it to a server in its own zone, or look at what keeps the client from reading: its CPU, its garbage collector, a blocking callback. The server measures at each PING, every 2 minutes by default.",
		},
		{
			ID: "conn.pending", Title: "messages that wait for a client to read", Of: "connection", Needs: need, run: pendingClients,
			Why: "What a client does not read fast enough waits in the server's memory. At 75 % of max_pending the server holds publishers back, at 100 % it disconnects the client as a slow consumer, and core messages are lost.",
			Do:  "Take work out of the subscription's callback, share the subject among more clients with a queue group, or read it through a JetStream pull consumer, which asks for what it can take.",
		},
		{
			ID: "conn.stalled-publisher", Title: "publishers that the server holds back", Of: "connection", Needs: need, Twice: true, run: stalledPublishers,
			Why: "When a subscriber nears max_pending, the server delays whoever publishes to it, up to 10 ms per read. Publishers are slow because somebody else is.",
			Do:  "Find the slow subscriber (check conn.pending), not the publisher. The option no_fast_producer_stall ends the delays, and the slow subscriber is disconnected instead.",
		},
		{
			ID: "conn.many-subscriptions", Title: "connections with very many subscriptions", Of: "connection", Needs: need, run: manySubscriptions,
			Why: "Each subscription costs memory on every server of the cluster that hears of it, and is set up again after each reconnect.",
			Do:  "Subscribe to a wildcard and dispatch in the client, and unsubscribe what is done with.",
		},
		{
			ID: "conn.subscription-leak", Title: "connections whose subscriptions only grow", Of: "connection",
			Needs: inspect.Need{Connections: true, Subscriptions: true}, Twice: true, run: leakingSubscriptions,
			Why: "A client that subscribes for each request and never unsubscribes slows down matching for everybody, until it hits max_subscriptions or runs out of memory.",
			Do:  "Unsubscribe inboxes, or use the request call of the client library, which shares one inbox among all requests.",
		},
		{
			ID: "conn.unnamed", Title: "connections without a name", Of: "client", Needs: inspect.Need{Connections: true}, run: unnamedClients,
			Why: "When a client misbehaves, its name is what leads to the program and the team. An address of a container does not.",
			Do:  "Give each connection the name of its program: nats.Name(\"billing\") in Go.",
		},
		{
			ID: "conn.limit", Title: "servers that run out of connections", Of: "server",
			Needs: inspect.Need{Servers: true}, Routes: servers(), run: connectionLimit,
			Why: "At max_connections the server refuses everybody. When one server of a cluster fails, the others must take its clients as well.",
			Do:  "Raise max_connections, and the limit of open files of the process with it, or spread clients over more servers.",
		},
	}
}

func farClients(p *patient) []symptom {
	clients := p.clients()
	var all []time.Duration
	for _, c := range clients {
		if rtt := c.last().RTT; rtt > 0 {
			all = append(all, rtt)
		}
	}
	usual := median(all)
	var found []symptom
	for _, c := range clients {
		last := c.last()
		if p.now(last.Server).Sub(last.Start) < p.cfg.RTTAfter {
			continue
		}
		s := symptom{
			object: connectionName(last), severity: inspect.Info, weight: float64(last.RTT),
			fact: fmt.Sprintf("round trip %s, the median of all clients is %s", duration(last.RTT), duration(usual)),
		}
		switch {
		case last.RTT > p.cfg.FarRTT && float64(last.RTT) > p.cfg.FarFactor*float64(usual):
			s.severity = inspect.Warn
		case last.RTT <= p.cfg.AwayRTT:
			continue
		}
		found = append(found, s)
	}
	return found
}

// median returns the lower median; 0 when there is nothing.
func median[N int | int64 | time.Duration](list []N) N {
	if len(list) == 0 {
		return 0
	}
	slices.Sort(list)
	return list[(len(list)-1)/2]
}

func pendingClients(p *patient) []symptom {
	limits := map[string]int64{} // max_pending of each server
	for _, s := range p.servers {
		if v := s.last().Varz; v != nil {
			limits[s.last().Name] = v.MaxPending
		}
	}
	var found []symptom
	for _, c := range p.clients() {
		last := c.last()
		limit := float64(limits[last.Server])
		much := func(c *inspect.Connection) bool {
			return c.PendingBytes > p.cfg.PendingBytes || limit > 0 && float64(c.PendingBytes) > p.cfg.PendingShare*limit
		}
		s := symptom{
			object: connectionName(last), severity: inspect.Warn, weight: float64(last.PendingBytes),
			fact: size(last.PendingBytes) + " wait to be sent",
		}
		if limit > 0 {
			s.fact += ", " + share(float64(last.PendingBytes), limit) + " of max_pending"
		}
		switch {
		case limit > 0 && float64(last.PendingBytes) > p.cfg.PendingCritical*limit:
			s.severity = inspect.Crit
		case !c.always(much):
			continue
		}
		found = append(found, s)
	}
	return found
}

func stalledPublishers(p *patient) []symptom {
	version := map[string]string{}
	for i := range p.last.Servers {
		version[p.last.Servers[i].Name] = serverVersion(&p.last.Servers[i])
	}
	var found []symptom
	for _, c := range p.clients() {
		last := c.last()
		switch v := version[last.Server]; {
		case last.Stalls == 0 && v == "":
			p.miss("the version of server %s is not known", last.Server)
		case last.Stalls == 0 && older(v, "2.12"):
			p.miss("needs nats-server 2.12 (%s runs %s)", last.Server, v)
		}
		if stalls, ok := growth(c, func(c *inspect.Connection) int64 { return c.Stalls }); ok && stalls > 0 {
			found = append(found, symptom{
				object: connectionName(last), severity: inspect.Warn, weight: stalls,
				fact: fmt.Sprintf("held back %s times in %s", number(stalls), duration(c.elapsed())),
			})
		}
	}
	return found
}

func manySubscriptions(p *patient) []symptom {
	var found []symptom
	for _, c := range p.clients() {
		if last := c.last(); last.NumSubs > p.cfg.ManySubs {
			found = append(found, symptom{
				object: connectionName(last), severity: inspect.Warn, weight: float64(last.NumSubs),
				fact: number(last.NumSubs) + " subscriptions",
			})
		}
	}
	return found
}

func leakingSubscriptions(p *patient) []symptom {
	var found []symptom
	for _, c := range p.subscribers() {
		last := c.last()
		grown, known := growth(c, func(c *inspect.Connection) int { return c.NumSubs })
		settled := p.now(last.Server).Sub(last.Start) > p.cfg.SettledAfter
		inboxes := 0
		for _, s := range last.Subs {
			if strings.HasPrefix(s.Subject, "_INBOX.") {
				inboxes++
			}
		}
		s := symptom{object: connectionName(last), severity: inspect.Warn, weight: float64(last.NumSubs)}
		switch {
		case inboxes > p.cfg.ManyInboxes:
			s.fact = fmt.Sprintf("%s of its %s subscriptions are inboxes", number(inboxes), number(last.NumSubs))
		case known && settled && grown >= float64(p.cfg.SubsGrowth):
			s.fact = fmt.Sprintf("%s more subscriptions within %s, now %s", number(grown), duration(c.elapsed()), number(last.NumSubs))
		default:
			continue
		}
		found = append(found, s)
	}
	return found
}

func unnamedClients(p *patient) []symptom {
	unnamed := map[string]int{}
	for _, c := range p.clients() {
		if last := c.last(); last.Name == "" && !p.system[last.Account] && !strings.EqualFold(last.Type, "mqtt") {
			unnamed[clientName(last)]++
		}
	}
	var found []symptom
	for name, n := range unnamed {
		found = append(found, symptom{
			object: name, severity: inspect.Info, weight: float64(n), fact: count(n, "connection") + " without a name",
		})
	}
	return found
}

func connectionLimit(p *patient) []symptom {
	var found []symptom
	for _, s := range p.varz() {
		v := s.last().Varz
		found = append(found, p.nearLimit(symptom{object: "server " + serverName(s.last())},
			"connections", float64(v.Connections), float64(v.MaxConnections))...)
	}
	return found
}

// nearLimit completes a symptom when most of a limit is used; a limit of 0 or
// less is none.
func (p *patient) nearLimit(s symptom, of string, used, limit float64) []symptom {
	if limit <= 0 || used < p.cfg.FullShare*limit {
		return nil
	}
	s.severity, s.weight = inspect.Warn, used/limit
	if used >= p.cfg.FullCritical*limit {
		s.severity = inspect.Crit
	}
	show := number[float64]
	if strings.Contains(of, "storage") || strings.Contains(of, "memory") || strings.Contains(of, "bytes") {
		show = size[float64]
	}
	s.fact = fmt.Sprintf("%s of %s %s used (%s)", show(used), show(limit), of, share(used, limit))
	return []symptom{s}
}
