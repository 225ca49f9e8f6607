package doctor

import (
	"fmt"
	"math"
	"strings"

	"github.com/natsops/natsops/internal/inspect"
)

func consumerChecks() []Check {
	need := inspect.Need{Consumers: true}
	return []Check{
		{
			ID: "consumer.ack-window-small", Title: "consumers with too few messages in flight", Of: "consumer", Needs: need, Twice: true, run: smallWindows,
			Why: "No more than max_ack_pending messages are with workers at a time. Throughput is at most max_ack_pending divided by the time that a message takes (Little's law), however many workers there are.",
			Do:  "Raise max_ack_pending to what arrives per second times the seconds that a message takes, and half as much again; or make the handler faster.",
		},
		{
			ID: "consumer.ack-window-huge", Title: "consumers with no limit on messages in flight", Of: "consumer", Needs: need, run: hugeWindows,
			Why: "The server keeps a record of each message in flight. When its workers hang, a consumer floods them, and redelivers all of it at once after ack_wait.",
			Do:  "Set max_ack_pending to what arrives per second times the seconds that a message takes, and half as much again: mostly hundreds, not hundreds of thousands.",
		},
		{
			ID: "consumer.ack-none", Title: "consumers that take messages for done when they are sent", Of: "consumer", Needs: need, run: unacknowledged,
			Why: "On a stream that keeps messages only while somebody wants them, a message is deleted as soon as it is sent: a crash of the worker loses it.",
			Do:  "Use ack_policy explicit, and acknowledge after the work is done.",
		},
		{
			ID: "consumer.ack-all", Title: "consumers of several workers with one acknowledgement for all", Of: "consumer", Needs: need, run: acknowledgedForOthers,
			Why: "With ack_policy all, a worker's acknowledgement covers all earlier messages, those that other workers still hold among them: when they fail, nothing is redelivered.",
			Do:  "Use ack_policy explicit when more than one worker shares a consumer.",
		},
		{
			ID: "consumer.push", Title: "push consumers without flow control", Of: "consumer", Needs: need, run: pushing,
			Why: "The server sends as fast as it can: a slow client is disconnected. Without idle_heartbeat the client cannot tell silence from a broken subscription.",
			Do:  "Prefer pull consumers: they ask for what they can take. Otherwise set flow_control and idle_heartbeat; a deliver_group allows neither.",
		},
		{
			ID: "consumer.pull-queue-full", Title: "consumers with as many open requests as they may have", Of: "consumer", Needs: need, Twice: true, run: fullPullQueues,
			Why: "Further requests are refused with 409 \"Exceeded MaxWaiting\": some workers get nothing, whatever is in the stream.",
			Do:  "Raise max_waiting, which cannot be changed afterwards, or have fewer workers ask for larger batches.",
		},
		{
			ID: "consumer.filter", Title: "filters that are costly to follow", Of: "consumer", Needs: need, run: costlyFilters,
			Why: "With several wildcards, in a stream with very many subjects, the server searches long for the next message that fits.",
			Do:  "Put what is filtered by first in the subject, or keep a stream of its own for it.",
		},
	}
}

func smallWindows(p *patient) []symptom {
	var found []symptom
	for _, c := range p.configuredConsumers() {
		last := c.last()
		limit := last.Config.MaxAckPending
		if !last.Config.Acks() || limit <= 0 {
			continue
		}
		s := symptom{object: consumerName(last), key: last.Key(), severity: inspect.Warn}
		if limit == 1 && c.always(func(c *inspect.Consumer) bool { return c.NumAckPending == 1 && c.NumPending > 0 }) {
			s.fact, s.weight = fmt.Sprintf("max_ack_pending is 1, and %s messages wait", number(last.NumPending)), math.MaxFloat64
			s.advice = "One message at a time is only needed where order matters above all. Otherwise raise max_ack_pending."
			found = append(found, s)
			continue
		}
		v := p.verdict(last)
		if v == nil || !v.In.Known || !v.ProcessTime.Known || v.ProcessTime.Value > last.Config.AckWait.Seconds() {
			continue
		}
		if inFlight := v.In.Value * v.ProcessTime.Value; inFlight > float64(limit) {
			s.weight = inFlight / float64(limit)
			s.fact = fmt.Sprintf("max_ack_pending is %d; %s/s that take %s each need %s, better %s",
				limit, number(v.In.Value), seconds(v.ProcessTime.Value), number(math.Ceil(inFlight)), number(math.Ceil(p.cfg.WindowReserve*inFlight)))
			found = append(found, s)
		}
	}
	return found
}

func hugeWindows(p *patient) []symptom {
	var found []symptom
	for _, c := range p.configuredConsumers() {
		last := c.last()
		limit := last.Config.MaxAckPending
		if !last.Config.Acks() || limit > 0 && limit <= p.cfg.HugeAckPending {
			continue
		}
		s := symptom{
			object: consumerName(last), key: last.Key(), severity: inspect.Info, weight: float64(last.NumAckPending),
			fact: fmt.Sprintf("max_ack_pending is %d, %s messages in flight", limit, number(last.NumAckPending)),
		}
		if last.NumAckPending > p.cfg.HugeAckPending {
			s.severity = inspect.Warn
		}
		found = append(found, s)
	}
	return found
}

// retention returns how the stream of each consumer keeps messages.
func (p *patient) retention() map[inspect.Key]string {
	kept := map[inspect.Key]string{}
	for _, s := range p.configuredStreams() {
		kept[s.last().Key()] = s.last().Config.Retention
	}
	return kept
}

func unacknowledged(p *patient) []symptom {
	kept := p.retention()
	var found []symptom
	for _, c := range p.configuredConsumers() {
		last := c.last()
		retention := kept[inspect.Key{Account: last.Account, Stream: last.Stream}]
		if last.Config.Durable != "" && !last.Config.Acks() && (retention == "interest" || retention == "workqueue") {
			found = append(found, symptom{
				object: consumerName(last), key: last.Key(), severity: inspect.Warn,
				fact: "ack_policy none on a stream with retention " + retention,
			})
		}
	}
	return found
}

func acknowledgedForOthers(p *patient) []symptom {
	var found []symptom
	for _, c := range p.configuredConsumers() {
		last := c.last()
		if last.Config.AckPolicy != "all" {
			continue
		}
		s := symptom{object: consumerName(last), key: last.Key(), severity: inspect.Warn}
		// A client has up to two requests open at a time.
		several := c.always(func(c *inspect.Consumer) bool { return c.NumWaiting > 2 })
		switch {
		case last.Config.DeliverGroup != "":
			s.fact = fmt.Sprintf("ack_policy all, delivered to group %q", last.Config.DeliverGroup)
		case !last.Push() && several:
			s.severity, s.fact = inspect.Info, fmt.Sprintf("ack_policy all, %d open requests", last.NumWaiting)
		default:
			continue
		}
		found = append(found, s)
	}
	return found
}

func pushing(p *patient) []symptom {
	var found []symptom
	for _, c := range p.configuredConsumers() {
		last := c.last()
		if cfg := last.Config; last.Push() && (!cfg.FlowControl || cfg.Heartbeat <= 0) {
			fact := "no flow_control"
			switch {
			case cfg.DeliverGroup != "":
				fact = fmt.Sprintf("delivers to group %q, which cannot have flow control", cfg.DeliverGroup)
			case cfg.FlowControl:
				fact = "no idle_heartbeat"
			case cfg.Heartbeat <= 0:
				fact += ", no idle_heartbeat"
			}
			found = append(found, symptom{object: consumerName(last), key: last.Key(), severity: inspect.Info, fact: fact})
		}
	}
	return found
}

func fullPullQueues(p *patient) []symptom {
	var found []symptom
	for _, c := range p.configuredConsumers() {
		last := c.last()
		limit := last.Config.MaxWaiting
		if last.Push() || limit <= 0 || !c.always(func(c *inspect.Consumer) bool { return c.NumWaiting >= limit }) {
			continue
		}
		s := symptom{
			object: consumerName(last), key: last.Key(), severity: inspect.Warn, weight: float64(limit),
			fact: fmt.Sprintf("%d open requests, max_waiting is %d, in all samples", last.NumWaiting, limit),
		}
		if limit < p.cfg.PullQueueAtLeast {
			s.severity = inspect.Info
		}
		found = append(found, s)
	}
	return found
}

func costlyFilters(p *patient) []symptom {
	subjects := map[inspect.Key]int{}
	for _, s := range p.allStreams() {
		subjects[s.last().Key()] = s.last().State.NumSubjects
	}
	var found []symptom
	for _, c := range p.configuredConsumers() {
		last := c.last()
		n := subjects[inspect.Key{Account: last.Account, Stream: last.Stream}]
		for _, filter := range last.Config.Filters() {
			if wild, _ := wildcards(strings.TrimSuffix(filter, ".>")); n > p.cfg.ManySubjects && wild > 1 {
				found = append(found, symptom{
					object: consumerName(last), key: last.Key(), severity: inspect.Info, weight: float64(n),
					fact: fmt.Sprintf("filter %q, in a stream with %s subjects", filter, number(n)),
				})
				break
			}
		}
	}
	return found
}
