package doctor

import (
	"strings"

	"github.com/natsops/natsops/internal/inspect"
	"github.com/natsops/natsops/internal/inspect/lag"
)

// lagChecks are the statuses of consumers that are worth a warning, one check
// each. Their words are those of the judge.
func lagChecks() []Check {
	var checks []Check
	for _, status := range lag.Statuses() {
		if max(status.Severity, status.Worst) < inspect.Warn {
			continue
		}
		checks = append(checks, Check{
			ID:    "lag." + strings.ReplaceAll(strings.ToLower(string(status.Status)), "_", "-"),
			Title: "consumers in status " + string(status.Status), Of: "consumer",
			Why: status.Meaning, Do: status.Do,
			Needs: inspect.Need{Consumers: true},
			run:   func(p *patient) []symptom { return judged(p, status.Status) },
		})
	}
	return checks
}

func judged(p *patient, status lag.Status) []symptom {
	p.missGaps("consumer", "stream")
	if len(p.last.Consumers) == 0 {
		p.none("there are no consumers")
	}
	var found []symptom
	for i := range p.last.Consumers {
		c := &p.last.Consumers[i]
		v := p.verdict(c)
		switch {
		case v == nil:
		case v.Status == lag.Unsampled:
			p.miss("the lag of some consumers takes another sample to judge")
		case v.Status == status && v.Severity >= inspect.Warn:
			found = append(found, symptomOf(c, v))
		}
	}
	return found
}

// symptomOf puts a verdict in the form of a symptom.
func symptomOf(c *inspect.Consumer, v *lag.Verdict) symptom {
	s := symptom{
		object: consumerName(c), key: v.Key, severity: v.Severity, advice: v.Advice, next: v.Next, fact: "status " + string(v.Status),
	}
	if len(v.Evidence) > 0 {
		s.fact = v.Evidence[0].What + " " + v.Evidence[0].Value
	}
	if v.Backlog.Known {
		s.weight = v.Backlog.Value
		if !strings.Contains(s.fact, "backlog") {
			s.fact += ", backlog " + number(v.Backlog.Value)
		}
	}
	return s
}
