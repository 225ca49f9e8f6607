package doctor

import (
	"fmt"
	"slices"
	"strings"

	"github.com/natsops/natsops/internal/inspect"
)

func metaChecks() []Check {
	need := inspect.Need{Servers: true}
	return []Check{
		{
			ID: "js.meta-leader", Title: "a cluster that cannot agree on its JetStream", Of: "server", Needs: need, Routes: servers(), run: metaLeaders,
			Why: "Without a meta leader no stream or consumer can be made, changed or moved, and new leaders are not found after a failure.",
			Do:  "Bring back a majority of the JetStream servers. Take servers that are gone for good out of the group: nats server cluster peer-remove.",
		},
		{
			ID: "js.meta-pending", Title: "a meta group that does not keep up", Of: "server", Needs: need, Routes: servers(), Twice: true, run: metaPending,
			Why: "Making a consumer waits for the meta group. Thousands of short-lived consumers, or slow disks, make everybody wait.",
			Do:  "Find who makes consumers all the time (consumer.churn, js.api-rate), and look at the disks of the meta leader.",
		},
		{
			ID: "js.meta-peers", Title: "members of the meta group that are gone or behind", Of: "member", Needs: need, Routes: servers(), run: metaPeers,
			Why: "The meta group counts them, dead or not: with too many of them gone, the next failure costs the majority.",
			Do:  "Start the server again, or take it out of the group for good: nats server cluster peer-remove.",
		},
		{
			ID: "js.leaders", Title: "leaders that gather on one server", Of: "cluster", Needs: inspect.Need{Servers: true, Consumers: true}, run: leaders,
			Why: "All reads and writes of a stream go through its leader. After a rolling restart the first servers lead everything.",
			Do:  "Spread them: nats stream cluster balance, nats consumer cluster balance.",
		},
	}
}

// metaMembers are the servers that are in a meta group.
func (p *patient) metaMembers() []course[inspect.Server] {
	list := slices.DeleteFunc(p.jetStreams(), func(s course[inspect.Server]) bool { return s.last().JetStream.Meta == nil })
	if len(list) == 0 {
		p.none("there is no JetStream cluster")
	}
	return list
}

func metaLeaders(p *patient) []symptom {
	var found []symptom
	leaders := map[string]map[string]string{} // by domain: leader and who says so
	for _, s := range p.metaMembers() {
		last := s.last()
		leader := last.JetStream.Meta.Leader
		if leader == "" {
			found = append(found, symptom{
				object: "server " + serverName(last), severity: inspect.Crit,
				fact: fmt.Sprintf("knows no leader of the meta group %s of %d", last.JetStream.Meta.Name, last.JetStream.Meta.Size),
			})
			continue
		}
		if leaders[last.Domain] == nil {
			leaders[last.Domain] = map[string]string{}
		}
		leaders[last.Domain][leader] = serverName(last)
	}
	for domain, said := range leaders {
		if len(said) < 2 {
			continue
		}
		var claims []string
		for leader, by := range said {
			claims = append(claims, fmt.Sprintf("%s for %s", leader, by))
		}
		slices.Sort(claims)
		found = append(found, symptom{
			object: strings.TrimSpace("the meta group " + domain), severity: inspect.Warn, fact: "has several leaders: " + few(claims, "; "),
		})
	}
	return found
}

func metaPending(p *patient) []symptom {
	var found []symptom
	for _, s := range p.metaMembers() {
		if s.always(func(s *inspect.Server) bool { m := s.JetStream.Meta; return m != nil && m.Pending > p.cfg.MetaPending }) {
			pending := s.last().JetStream.Meta.Pending
			found = append(found, symptom{
				object: "server " + serverName(s.last()), severity: inspect.Warn, weight: float64(pending),
				fact: number(pending) + " operations of the meta group wait, in all samples",
			})
		}
	}
	return found
}

func metaPeers(p *patient) []symptom {
	var found []symptom
	for _, s := range p.metaMembers() {
		meta := s.last().JetStream.Meta
		if meta.Leader != s.last().Name { // only the leader knows
			continue
		}
		lost := 0
		for _, peer := range meta.Replicas {
			if peer.Offline {
				lost++
			}
		}
		for _, peer := range meta.Replicas {
			if fact := p.ailing(peer); fact != "" {
				found = append(found, symptom{
					object: "member " + peer.Name, severity: margin(lost, len(meta.Replicas)+1), weight: float64(peer.Active), fact: fact,
				})
			}
		}
	}
	return found
}

// margin says how bad it is that so many members of a group are lost: when it
// has no majority left, it does not work.
func margin(lost, members int) inspect.Severity {
	if members-lost < members/2+1 {
		return inspect.Crit
	}
	return inspect.Warn
}

// A tally counts who leads what, in one cluster.
type tally struct {
	total int
	by    map[string]int
}

func leaders(p *patient) []symptom {
	clusters := map[string]*tally{}
	add := func(g *inspect.Group) {
		if g == nil || g.Leader == "" || len(g.Replicas) == 0 { // who has no replica cannot move
			return
		}
		if clusters[g.Name] == nil {
			clusters[g.Name] = &tally{by: map[string]int{}}
		}
		clusters[g.Name].total++
		clusters[g.Name].by[g.Leader]++
	}
	for _, s := range p.allStreams() {
		add(s.last().Cluster)
	}
	for _, c := range p.consumers {
		add(c.last().Cluster)
	}
	var found []symptom
	for name, t := range clusters {
		found = append(found, p.gathered(name, t)...)
	}
	return found
}

// gathered says which server leads most of a cluster.
func (p *patient) gathered(cluster string, t *tally) []symptom {
	var found []symptom
	for leader, n := range t.by {
		part := float64(n) / float64(t.total)
		if t.total < p.cfg.LeadersLeast || part <= p.cfg.LeadersShare {
			continue
		}
		s := symptom{
			object: "cluster " + cluster, severity: inspect.Info, weight: part,
			fact: fmt.Sprintf("server %s leads %d of %d replicated streams and consumers (%s)", leader, n, t.total, share(part, 1)),
		}
		if part > p.cfg.LeadersCritical && t.total >= 3*p.cfg.LeadersLeast {
			s.severity = inspect.Warn
		}
		found = append(found, s)
	}
	return found
}
