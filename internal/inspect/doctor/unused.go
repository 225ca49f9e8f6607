package doctor

import (
	"fmt"
	"time"

	"github.com/natsops/natsops/internal/inspect"
)

func unusedChecks() []Check {
	need := inspect.Need{Consumers: true, Servers: true}
	return []Check{
		{
			ID: "consumer.unused", Title: "durable consumers that nobody uses", Of: "consumer", Needs: need, Twice: true, run: unused,
			Why: "The server keeps their state, on all replicas, and reports on them for ever.",
			Do:  "nats consumer rm, if it is of a program that is gone; inactive_threshold removes them by itself.",
		},
		{
			ID: "stream.held-by-unused", Title: "messages that are kept for a consumer that nobody uses", Of: "consumer", Needs: need, Twice: true, run: holding,
			Why: "A stream with retention interest or workqueue keeps a message until all consumers, or the one whose it is, are done with it: one that is abandoned fills the disk.",
			Do:  "nats consumer rm, if it is of a program that is gone: what only it waited for is deleted with it.",
		},
		{
			ID: "consumer.pile-up", Title: "streams on which abandoned consumers pile up", Of: "stream", Needs: inspect.Need{Consumers: true}, Twice: true, run: pilingUp,
			Why: "Each consumer costs the server work for every message. Ephemeral ones that nobody listens to have been left behind by clients that did not delete them.",
			Do:  "Delete consumers when done with them, and give them a short inactive_threshold.",
		},
		{
			ID: "consumer.churn", Title: "streams on which consumers come and go all the time", Of: "stream",
			Needs: inspect.Need{Consumers: true, Events: true}, Twice: true, run: consumerChurn,
			Why: "Making a consumer is a decision of the meta group and costs far more than getting a message: a consumer per request does not scale.",
			Do:  "Keep one consumer and fetch from it. To read single messages use direct gets.",
		},
	}
}

// idleSince says since when nobody has used a durable consumer; ok is false when
// it is used, may be, or was within [Config.UnusedAfter].
func (p *patient) idleSince(c course[inspect.Consumer]) (since time.Time, ok bool) {
	last := c.last()
	abandoned := c.always(func(c *inspect.Consumer) bool {
		return c.NumWaiting == 0 && !c.PushBound && !c.Paused && c.Delivered.Consumer == last.Delivered.Consumer
	})
	if last.Config.Durable == "" || !abandoned {
		return time.Time{}, false
	}
	since, ok = p.lastUsed(last)
	now := last.Timestamp
	if now.IsZero() {
		now = p.last.At
	}
	return since, ok && now.Sub(since) > p.cfg.UnusedAfter
}

// lastUsed is when a consumer delivered, or was acknowledged, or made. Servers
// forget the first two when they restart; it is noted when that is all that is
// known.
func (p *patient) lastUsed(c *inspect.Consumer) (at time.Time, ok bool) {
	var used time.Time
	for _, active := range []*time.Time{c.Delivered.Last, c.AckFloor.Last} {
		if active != nil {
			used = later(used, *active)
		}
	}
	if !used.IsZero() || c.Delivered.Consumer == 0 {
		return later(used, c.Created), true
	}
	leader := ""
	if c.Cluster != nil {
		leader = c.Cluster.Leader
	}
	started := p.started(leader) // it was used before that
	if started.IsZero() {
		p.miss("when some consumers were used last has been forgotten by a restart")
		return time.Time{}, false
	}
	return later(c.Created, started), true
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// started is when a server started; "" stands for the only one. Zero: not known.
func (p *patient) started(server string) time.Time {
	for _, s := range p.servers {
		if v := s.last().Varz; v != nil && (s.last().Name == server || server == "" && len(p.servers) == 1) {
			return v.Start
		}
	}
	return time.Time{}
}

// idle are the durable consumers that nobody uses, with a symptom of each.
func (p *patient) idle(severity inspect.Severity) []symptom {
	var found []symptom
	for _, c := range p.configuredConsumers() {
		last := c.last()
		if since, ok := p.idleSince(c); ok {
			fact := "last used " + duration(p.last.At.Sub(since)) + " ago"
			if last.Delivered.Consumer == 0 {
				fact = "never used since it was made " + duration(p.last.At.Sub(since)) + " ago"
			}
			found = append(found, symptom{
				object: consumerName(last), key: last.Key(), severity: severity, fact: fact,
				weight: float64(last.NumPending) + float64(last.NumAckPending),
			})
		}
	}
	return found
}

func unused(p *patient) []symptom { return p.idle(inspect.Info) }

func holding(p *patient) []symptom {
	kept := p.retention()
	var found []symptom
	for _, s := range p.idle(inspect.Warn) {
		retention := kept[inspect.Key{Account: s.key.Account, Stream: s.key.Stream}]
		if s.weight > 0 && (retention == "interest" || retention == "workqueue") {
			s.fact += fmt.Sprintf("; the stream keeps %s messages for it", number(s.weight))
			found = append(found, s)
		}
	}
	return found
}

func pilingUp(p *patient) []symptom {
	abandoned := map[inspect.Key]int{}
	for _, c := range p.configuredConsumers() {
		last := c.last()
		if last.Config.Durable == "" && c.always(func(c *inspect.Consumer) bool { return c.NumWaiting == 0 && !c.PushBound }) {
			abandoned[inspect.Key{Account: last.Account, Stream: last.Stream}]++
		}
	}
	var found []symptom
	for stream, n := range abandoned {
		if n > p.cfg.IdleEphemerals {
			found = append(found, symptom{
				object: "stream " + stream.Stream + inAccount(stream.Account), key: stream, severity: inspect.Warn, weight: float64(n),
				fact: count(n, "ephemeral consumer") + " without a listener",
			})
		}
	}
	return found
}

func consumerChurn(p *patient) []symptom {
	p.missGaps("events")
	made := map[inspect.Key]int{}
	for _, e := range p.events(inspect.EventCreated) {
		if e.Key.Consumer != "" {
			made[inspect.Key{Account: e.Key.Account, Stream: e.Key.Stream}]++
		}
	}
	var found []symptom
	for stream, n := range made {
		if float64(n)/p.elapsed.Seconds() > p.cfg.ChurnConsumers {
			found = append(found, symptom{
				object: "stream " + stream.Stream + inAccount(stream.Account), key: stream, severity: inspect.Warn, weight: float64(n),
				fact: perSecond(float64(n), p.elapsed) + " new consumers",
			})
		}
	}
	return found
}
