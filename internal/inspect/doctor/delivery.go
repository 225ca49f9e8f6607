package doctor

import (
	"fmt"
	"slices"
	"time"

	"github.com/natsops/natsops/internal/inspect"
)

func deliveryChecks() []Check {
	need := inspect.Need{Consumers: true}
	events := inspect.Need{Consumers: true, Events: true}
	return []Check{
		{
			ID: "consumer.ack-wait", Title: "ack_wait that is too short for the work", Of: "consumer", Needs: events, Twice: true, run: shortAckWait,
			Why: "A message that is not acknowledged within ack_wait is delivered again, while the first worker is still at it: the work is done twice, and there is more of it.",
			Do:  "Raise ack_wait well above the time that a message takes, waiting in the client included; or report progress with InProgress; or fetch smaller batches.",
		},
		{
			ID: "consumer.unlimited-deliveries", Title: "messages that are delivered again without end", Of: "consumer", Needs: need, Twice: true, run: unlimitedDeliveries,
			Why: "With max_deliver unlimited, a message that no worker can process comes back for ever, takes a place in the window, and costs work each time.",
			Do:  "Set max_deliver (5, say) and backoff, and keep what is given up: see check consumer.dead-letters-unseen.",
		},
		{
			ID: "consumer.naks", Title: "workers that refuse messages, which come back at once", Of: "consumer", Needs: events, Routes: listening(), Twice: true, run: refusing,
			Why: "A message that is refused with Nak is redelivered immediately: while a database is down, that is a busy loop. The backoff of the consumer does not apply to it.",
			Do:  "Refuse with a delay (NakWithDelay) that grows, or terminate what can never succeed.",
		},
	}
}

// ackWait is how long a consumer waits for the first acknowledgement.
func ackWait(c *inspect.ConsumerConfig) time.Duration {
	if len(c.BackOff) > 0 {
		return c.BackOff[0]
	}
	return c.AckWait
}

func shortAckWait(p *patient) []symptom {
	measured := map[inspect.Key][]time.Duration{}
	for _, e := range p.events(inspect.EventAck) {
		measured[e.Key] = append(measured[e.Key], e.AckTime)
	}
	var found []symptom
	for _, c := range p.configuredConsumers() {
		last := c.last()
		wait := ackWait(last.Config)
		if !last.Config.Acks() || wait <= 0 {
			continue
		}
		took, how := p.processing(last, measured[last.Key()])
		if float64(took) <= p.cfg.AckWaitShare*float64(wait) {
			continue
		}
		s := symptom{
			object: consumerName(last), key: last.Key(), severity: inspect.Warn, weight: float64(took) / float64(wait),
			fact: fmt.Sprintf("a message takes %s (%s), ack_wait is %s", duration(took), how, duration(wait)),
		}
		if again := p.again(c); took > wait && again > 0 {
			s.severity = inspect.Crit
			s.fact += fmt.Sprintf(", %s more are redelivered than before", number(again))
		}
		found = append(found, s)
	}
	return found
}

// processing returns how long a message takes, and how that is known; 0: it is
// not known.
func (p *patient) processing(c *inspect.Consumer, measured []time.Duration) (took time.Duration, how string) {
	if len(measured) >= p.cfg.AckSamples {
		slices.Sort(measured)
		return measured[len(measured)*95/100], fmt.Sprintf("p95 of %d", len(measured))
	}
	v := p.verdict(c)
	if v == nil || !v.ProcessTime.Known || v.ProcessTime.Value > time.Hour.Seconds() {
		return 0, ""
	}
	return time.Duration(v.ProcessTime.Value * float64(time.Second)), "on average, by Little's law"
}

// again returns how many redeliveries there were within the window, at least.
func (p *patient) again(c course[inspect.Consumer]) float64 {
	grown, _ := growth(c, func(c *inspect.Consumer) int { return c.NumRedelivered })
	if v := p.verdict(c.last()); v != nil && v.Redeliver.Known {
		grown = max(grown, v.Redeliver.Value*c.elapsed().Seconds())
	}
	return grown
}

func unlimitedDeliveries(p *patient) []symptom {
	var found []symptom
	for _, c := range p.configuredConsumers() {
		last := c.last()
		if !last.Config.Acks() || last.Config.MaxDeliver > 0 || last.NumRedelivered == 0 {
			continue
		}
		s := symptom{
			object: consumerName(last), key: last.Key(), severity: inspect.Info, weight: float64(last.NumRedelivered),
			fact: fmt.Sprintf("max_deliver is unlimited, %s in flight more than once", are(last.NumRedelivered, "message")),
		}
		if last.NumRedelivered >= p.cfg.RedeliveredMsgs || p.again(c) >= float64(p.cfg.RedeliveredMsgs) {
			s.severity = inspect.Warn
		}
		found = append(found, s)
	}
	return found
}

func refusing(p *patient) []symptom {
	p.missGaps("events")
	naks := map[inspect.Key]int{}
	for _, e := range p.events(inspect.EventNak) {
		naks[e.Key]++
	}
	var found []symptom
	for _, c := range p.configuredConsumers() {
		last := c.last()
		refused := float64(naks[last.Key()])
		delivered, ok := growth(c, func(c *inspect.Consumer) uint64 { return c.Delivered.Consumer })
		if !ok || refused < float64(p.cfg.RedeliveredMsgs) || refused <= p.cfg.NakShare*delivered {
			continue
		}
		found = append(found, symptom{
			object: consumerName(last), key: last.Key(), severity: inspect.Warn, weight: refused,
			fact: fmt.Sprintf("%s refusals for %s deliveries within %s", number(refused), number(delivered), duration(c.elapsed())),
		})
	}
	return found
}
