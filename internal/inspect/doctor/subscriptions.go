package doctor

import (
	"fmt"
	"strings"

	"github.com/natsops/natsops/internal/inspect"
)

func subscriptionChecks() []Check {
	need := inspect.Need{Connections: true, Subscriptions: true, Servers: true}
	return []Check{
		{
			ID: "sub.wildcard", Title: "subscriptions to everything", Of: "subscription", Needs: need, run: everything,
			Why: "A subscriber to \">\" or \"*\" gets every message of its account, over every route and gateway, and grows with the whole system until it is a slow consumer.",
			Do:  "Subscribe to what is needed, with the first token spelled out. For looking around there are `nats sub` and streams.",
		},
		{
			ID: "sub.no-queue-group", Title: "instances that all do the same work", Of: "subject", Needs: need, Twice: true, run: sameWork,
			Why: "Without a queue group every instance of a program gets every message: work is done several times, and more instances make nothing faster.",
			Do:  "Subscribe with a queue group, the same in all instances. If each is meant to get every message (cache invalidation, configuration), ignore this check.",
		},
		{
			ID: "sub.cache-misses", Title: "subjects that the server cannot remember", Of: "server",
			Needs: inspect.Need{Servers: true, Interest: true}, Routes: servers(), Twice: true, run: cacheMisses,
			Why: "A server remembers who gets a subject. With ever new subjects (an ID in each) it searches for each message, which costs CPU and locks.",
			Do:  "Put what varies without end into a header or the payload, not the subject; keep the number of subjects published to within the cache.",
		},
		{
			ID: "sub.fan-out", Title: "messages with very many receivers", Of: "server",
			Needs: inspect.Need{Servers: true, Interest: true}, Routes: servers(), run: fanOut,
			Why: "The connection that publishes pays for writing to every receiver: one message becomes thousands of writes before the next one is read.",
			Do:  "Split the subject by tenant or region, or let edge servers (leaf nodes) fan out to their own clients.",
		},
	}
}

// visible are subscriptions that programs made for their own purposes.
func visible(s inspect.Subscription) bool { return !private(s.Subject) }

func everything(p *patient) []symptom {
	var found []symptom
	for _, c := range p.subscribers() {
		last := c.last()
		for _, sub := range last.Subs {
			wild, all := wildcards(sub.Subject)
			if !visible(sub) || wild == 0 || !strings.ContainsAny(sub.Subject[:1], "*>") {
				continue
			}
			s := symptom{
				object: fmt.Sprintf("subscription %q of %s", sub.Subject, connectionName(last)), severity: inspect.Info,
				weight: float64(sub.Msgs), fact: "got " + number(sub.Msgs) + " messages",
			}
			// Who looks around with a tool leaves again.
			if wild == all && strings.HasSuffix(sub.Subject, ">") && sub.Msgs > 0 && !strings.HasPrefix(last.Name, "NATS CLI") {
				s.severity = inspect.Warn
			}
			found = append(found, s)
		}
	}
	return found
}

// taken returns by how much the messages grew that a connection got on a
// subject.
func taken(c course[inspect.Connection], subject, queue string) (float64, bool) {
	return growth(c, func(c *inspect.Connection) int64 {
		var n int64
		for _, s := range c.Subs {
			if s.Subject == subject && s.Queue == queue {
				n += s.Msgs
			}
		}
		return n
	})
}

// An audience are the connections of one program on one subject without a queue
// group.
type audience struct {
	account, program, subject string
}

func sameWork(p *patient) []symptom {
	members := map[audience][]course[inspect.Connection]{}
	for _, c := range p.subscribers() {
		last, seen := c.last(), map[string]bool{}
		for _, s := range last.Subs {
			if last.Name == "" || s.Queue != "" || !visible(s) || seen[s.Subject] {
				continue
			}
			seen[s.Subject] = true
			a := audience{last.Account, last.Name, s.Subject}
			members[a] = append(members[a], c)
		}
	}
	var found []symptom
	for a, list := range members {
		if len(list) < 2 {
			continue
		}
		if each, published, same := p.same(a.subject, list); same {
			s := symptom{
				object: fmt.Sprintf("subject %q%s", a.subject, inAccount(a.account)), severity: inspect.Info, weight: each * float64(len(list)),
				fact: fmt.Sprintf("each of %d connections called %q got %s messages within %s", len(list), a.program, number(each), duration(p.elapsed)),
			}
			if published {
				s.severity = inspect.Warn
				s.fact += ", and published about as many"
			}
			found = append(found, s)
		}
	}
	return found
}

// same reports whether each of several connections got the same messages, how
// many, and whether each published about as many: then it answers or passes on
// what it gets, and does not just take note of it.
func (p *patient) same(subject string, list []course[inspect.Connection]) (each float64, published, same bool) {
	published = true
	for i, c := range list {
		got, ok := taken(c, subject, "")
		sent, known := growth(c, func(c *inspect.Connection) int64 { return c.InMsgs })
		switch {
		case !ok || got < p.cfg.SameWorkMsgs:
			return 0, false, false
		case i == 0:
			each = got
		case got < 0.9*each || got > each/0.9:
			return 0, false, false
		}
		published = published && known && sent >= got/2 && sent <= 2*got
	}
	return each, published, true
}

func cacheMisses(p *patient) []symptom {
	var found []symptom
	for _, s := range p.varz() {
		stats := s.last().Subs
		if stats == nil {
			p.miss("server %s did not tell of its subscriptions", serverName(s.last()))
			continue
		}
		msgs, ok := p.counted(s, func(v *inspect.Varz) int64 { return v.InMsgs })
		if ok && stats.CacheHitRate < p.cfg.CacheHitRate && msgs/s.elapsed().Seconds() > p.cfg.CacheMsgRate {
			found = append(found, symptom{
				object: "server " + serverName(s.last()), severity: inspect.Warn, weight: msgs,
				fact: fmt.Sprintf("finds %s of subjects in its cache, at %s messages", share(stats.CacheHitRate, 1), perSecond(msgs, s.elapsed())),
			})
		}
	}
	return found
}

func fanOut(p *patient) []symptom {
	var found []symptom
	for _, s := range p.allServers() {
		stats := s.last().Subs
		switch {
		case stats == nil:
			p.miss("server %s did not tell of its subscriptions", serverName(s.last()))
		case stats.MaxFanout > p.cfg.FanOut:
			found = append(found, symptom{
				object: "server " + serverName(s.last()), severity: inspect.Info, weight: float64(stats.MaxFanout),
				fact: fmt.Sprintf("one message goes to up to %s receivers, on average to %s", number(stats.MaxFanout), number(stats.AvgFanout)),
			})
		}
	}
	return found
}
