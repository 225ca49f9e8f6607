package doctor

import (
	"fmt"

	"github.com/natsops/natsops/internal/inspect"
)

func jetStreamChecks() []Check {
	need := inspect.Need{Servers: true}
	return []Check{
		{
			ID: "js.storage", Title: "servers whose JetStream storage runs out", Of: "server", Needs: need, Routes: servers(), run: fullStores,
			Why: "When it is full the server disables JetStream, or refuses to store: all streams on it fail, not only the one that filled it.",
			Do:  "Give streams max_bytes or max_age, purge what is not needed, add disk and raise max_file_store, or move streams to other servers.",
		},
		{
			ID: "js.api-inflight", Title: "JetStream API requests that pile up", Of: "server", Needs: need, Routes: servers(), Twice: true, run: inflight,
			Why: "Requests wait for the server. When the queue is full it is emptied: everybody's requests are lost, and time out.",
			Do:  "Find who asks so much: check js.api-rate.",
		},
		{
			ID: "js.api-limit", Title: "JetStream API requests that were thrown away", Of: "server", Needs: inspect.Need{Events: true, Consumers: true}, Twice: true, run: apiLimit,
			Why: "The queue of API requests was full and has been emptied (info_queue_limit, request_queue_limit). Clients, tools and exporters time out.",
			Do:  "Stop what asks for the state of consumers all the time: monitors should use JSZ, clients should keep their consumer and not look it up for each message.",
		},
		{
			ID: "js.sync", Title: "how messages reach the disk", Of: "server", Needs: need, Routes: servers(), run: syncing,
			Why: "With sync_interval: always each publish waits for the disk. Without it, a machine that loses power loses up to sync_interval (2 minutes) of what only it has.",
			Do:  "Rely on replicas on machines that do not fail together, and keep always for those that do.",
		},
	}
}

func fullStores(p *patient) []symptom {
	var found []symptom
	for _, s := range p.jetStreams() {
		j := s.last().JetStream
		blank := symptom{object: "server " + serverName(s.last())}
		found = append(found, p.nearLimit(blank, "file storage", float64(j.Storage), float64(j.Config.MaxStorage))...)
		found = append(found, p.nearLimit(blank, "memory storage", float64(j.Memory), float64(j.Config.MaxMemory))...)
	}
	return found
}

func inflight(p *patient) []symptom {
	var found []symptom
	for _, s := range p.jetStreams() {
		if s.always(func(s *inspect.Server) bool { return s.JetStream.API.Inflight > p.cfg.APIInflight }) {
			n := s.last().JetStream.API.Inflight
			found = append(found, symptom{
				object: "server " + serverName(s.last()), severity: inspect.Warn, weight: float64(n), fact: number(n) + " requests wait, in all samples",
			})
		}
	}
	return found
}

func apiLimit(p *patient) []symptom {
	p.missGaps("events")
	dropped := p.events(inspect.EventAPILimit)
	if len(dropped) == 0 {
		return nil
	}
	s := symptom{object: "the JetStream API", severity: inspect.Crit, fact: "emptied its queue " + times(len(dropped)) + " within " + duration(p.elapsed)}
	if reason := dropped[0].Reason; reason != "" {
		s.fact += ": " + reason
	}
	return []symptom{s}
}

func syncing(p *patient) []symptom {
	var found []symptom
	for _, s := range p.jetStreams() {
		if s.last().JetStream.Config.SyncAlways {
			found = append(found, symptom{
				object: "server " + serverName(s.last()), severity: inspect.Info, fact: "sync_interval is always",
			})
		}
	}
	return found
}

func accountChecks() []Check {
	need := inspect.Need{Accounts: true}
	return []Check{
		{
			ID: "account.limits", Title: "accounts near a JetStream limit", Of: "limit", Needs: need, run: accountLimits,
			Why: "At the limit the account can store nothing more, or make no more streams and consumers, and its programs fail at run time.",
			Do:  "Raise the limit of the account, or remove what is not needed.",
		},
		{
			ID: "account.slow-consumers", Title: "accounts with slow consumers", Of: "account", Needs: need, Twice: true, run: slowAccounts,
			Why: "Clients of the account were disconnected because they did not read fast enough, and lost messages.",
			Do:  "Check conn.slow-consumer names them, if the servers still remember.",
		},
		{
			ID: "js.api-rate", Title: "accounts that ask the JetStream API all the time", Of: "account", Needs: need, Twice: true, run: apiRate,
			Why: "Asking for the state of consumers costs the server far more than delivering messages does, and may crowd out everybody else's requests.",
			Do:  "Keep consumers and streams that were looked up once; let exporters ask JSZ once instead of each consumer; watch instead of polling.",
		},
		{
			ID: "js.api-errors", Title: "accounts whose JetStream API requests fail", Of: "account", Needs: need, Twice: true, run: apiErrors,
			Why: "A program asks again and again for what does not exist, or what it may not do.",
			Do:  "Look at its log, or at the advisories on $JS.EVENT.ADVISORY.API.",
		},
	}
}

func accountLimits(p *patient) []symptom {
	var found []symptom
	for _, a := range p.allAccounts() {
		j := a.last().JetStream
		if j == nil {
			continue
		}
		for _, l := range []struct {
			of          string
			used, limit int64
		}{
			{"file storage", j.Storage, j.MaxStorage},
			{"memory storage", j.Memory, j.MaxMemory},
			{"streams", j.Streams, j.MaxStreams},
			{"consumers", j.Consumers, j.MaxConsumers},
		} {
			blank := symptom{object: l.of + " of account " + a.last().Name}
			found = append(found, p.nearLimit(blank, l.of, float64(l.used), float64(l.limit))...)
		}
	}
	return found
}

func slowAccounts(p *patient) []symptom {
	var found []symptom
	for _, a := range p.allAccounts() {
		if n, ok := growth(a, func(a *inspect.Account) int64 { return a.SlowConsumers }); !ok {
			p.miss("the counters of account %s have begun anew", a.last().Name)
		} else if n > 0 {
			found = append(found, symptom{
				object: "account " + a.last().Name, severity: inspect.Crit, weight: n,
				fact: fmt.Sprintf("%s clients disconnected within %s", number(n), duration(a.elapsed())),
			})
		}
	}
	return found
}

// asked returns by how much counters of an account's API requests grew; ok is
// false when that is not known.
func (p *patient) asked(a course[inspect.Account], counter func(*inspect.AccountJetStream) uint64) (grown float64, ok bool) {
	for _, sample := range a.samples {
		if sample.JetStream == nil {
			return 0, false
		}
	}
	grown, ok = growth(a, func(a *inspect.Account) uint64 { return counter(a.JetStream) })
	if !ok {
		p.miss("the counters of account %s have begun anew", a.last().Name)
	}
	return grown, ok
}

func apiRate(p *patient) []symptom {
	ours := 0
	for _, s := range p.window[1:] {
		ours += s.Cost.Requests
	}
	var found []symptom
	for _, a := range p.allAccounts() {
		total, ok := p.asked(a, func(j *inspect.AccountJetStream) uint64 { return j.APITotal })
		if total = max(0, total-float64(ours)); ok && total/a.elapsed().Seconds() > p.cfg.APIPerSecond {
			found = append(found, symptom{
				object: "account " + a.last().Name, severity: inspect.Warn, weight: total,
				fact: perSecond(total, a.elapsed()) + " requests to the JetStream API",
			})
		}
	}
	return found
}

func apiErrors(p *patient) []symptom {
	var found []symptom
	for _, a := range p.allAccounts() {
		total, ok := p.asked(a, func(j *inspect.AccountJetStream) uint64 { return j.APITotal })
		failed, known := p.asked(a, func(j *inspect.AccountJetStream) uint64 { return j.APIErrors })
		if ok && known && failed > p.cfg.APIErrorShare*total && failed >= a.elapsed().Seconds() {
			found = append(found, symptom{
				object: "account " + a.last().Name, severity: inspect.Info, weight: failed,
				fact: fmt.Sprintf("%s of %s requests failed within %s", number(failed), number(total), duration(a.elapsed())),
			})
		}
	}
	return found
}
