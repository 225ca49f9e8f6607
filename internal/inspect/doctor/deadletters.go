package doctor

import (
	"fmt"

	"github.com/natsops/natsops/internal/inspect"
	"github.com/natsops/natsops/internal/inspect/lag"
)

// The subject of the advisories that say that a message was given up.
const maxDeliveries = "$JS.EVENT.ADVISORY.CONSUMER.MAX_DELIVERIES."

func deadLetterChecks() []Check {
	return []Check{
		{
			ID: "consumer.exhausted", Title: "messages that were given up", Of: "consumer", Needs: inspect.Need{Consumers: true, Events: true}, run: exhausted,
			Why: "They were delivered max_deliver times and never acknowledged. They are still in the stream, and nobody will ever get them from this consumer.",
			Do:  "Find out what is wrong with them, then publish them again, or delete them from a work queue, where they take up space.",
		},
		{
			ID: "consumer.dead-letters-unseen", Title: "messages that are given up in silence", Of: "consumer",
			Needs: inspect.Need{Consumers: true, Connections: true, Subscriptions: true}, run: deadLettersUnseen,
			Why: "When max_deliver is used up the server publishes an advisory, once, to whoever listens at that moment. Nobody does: no stream stores it, no client subscribes to it.",
			Do:  "Store the advisories: nats stream add DLQ --subjects '$JS.EVENT.ADVISORY.CONSUMER.MAX_DELIVERIES.>', and let a worker copy what they point to.",
		},
	}
}

// deadLetters returns how many messages a consumer has given up, at least.
// Those that were delivered again and are no longer in flight have been.
func (p *patient) deadLetters(c *inspect.Consumer) int {
	if c.Config.MaxDeliver <= 1 { // then the server does not count
		return 0
	}
	n := max(0, c.NumRedelivered-c.NumAckPending)
	if v := p.verdicts[c.Key()]; v != nil && v.DeadLetters.Known {
		n = max(n, int(v.DeadLetters.Value))
	}
	return n
}

func exhausted(p *patient) []symptom {
	lately := map[inspect.Key]int{}
	for _, e := range p.events(inspect.EventMaxDeliver) {
		lately[e.Key]++
	}
	var found []symptom
	for _, c := range p.configuredConsumers() {
		last := c.last()
		n := max(p.deadLetters(last), lately[last.Key()])
		if n == 0 {
			continue
		}
		s := symptom{
			object: consumerName(last), key: last.Key(), severity: inspect.Warn, weight: float64(n),
			fact: fmt.Sprintf("at least %s given up after %d deliveries", count(n, "message"), last.Config.MaxDeliver),
		}
		s.next = append(look(last.Key()), "natsops dlq ls "+lag.Quote(last.Key().String()))
		if now := lately[last.Key()]; now > 0 {
			s.fact += fmt.Sprintf(", %d of them within %s", now, duration(p.elapsed))
		}
		found = append(found, s)
	}
	return found
}

func deadLettersUnseen(p *patient) []symptom {
	var giving []course[inspect.Consumer]
	for _, c := range p.configuredConsumers() {
		if last := c.last(); last.Config.Acks() && last.Config.MaxDeliver > 1 {
			giving = append(giving, c)
		}
	}
	if len(giving) == 0 {
		return nil // whoever might listen
	}
	heard := p.listeners()
	blind := len(p.unseen) > 0
	var found []symptom
	for _, c := range giving {
		last := c.last()
		if listens(heard[last.Account], maxDeliveries+last.Stream+"."+last.Name) {
			continue
		}
		if blind { // somebody may listen
			continue
		}
		s := symptom{
			object: consumerName(last), key: last.Key(), severity: inspect.Warn, weight: float64(p.deadLetters(last)),
			fact: fmt.Sprintf("max_deliver is %d, and nobody in the account hears of it", last.Config.MaxDeliver),
		}
		if n := p.deadLetters(last); n > 0 {
			s.fact += fmt.Sprintf("; at least %s given up already", count(n, "message"))
		}
		found = append(found, s)
	}
	return found
}

// listeners returns the subjects by which advisories of given up messages are
// stored or heard, by account.
func (p *patient) listeners() map[string][]string {
	heard := map[string][]string{}
	hear := func(account, subject string) {
		if overlap(subject, maxDeliveries+">") {
			heard[account] = append(heard[account], subject)
		}
	}
	for _, s := range p.configuredStreams() {
		for _, subject := range s.last().Config.Subjects {
			hear(s.last().Account, subject)
		}
	}
	for _, c := range p.subscribers() {
		for _, s := range c.last().Subs {
			hear(c.last().Account, s.Subject)
		}
	}
	return heard
}

func listens(subjects []string, to string) bool {
	for _, subject := range subjects {
		if overlap(subject, to) {
			return true
		}
	}
	return false
}
