package doctor

import (
	"fmt"
	"strings"

	"github.com/natsops/natsops/internal/inspect"
)

func replicaChecks() []Check {
	need := inspect.Need{Consumers: true}
	return []Check{
		{
			ID: "stream.no-leader", Title: "streams without a leader", Of: "stream", Needs: need, run: leaderless,
			Why: "Nothing can be written to the stream or read from it, and publishers wait in vain for acknowledgements.",
			Do:  "Bring back the servers that keep its replicas. Do not delete it: the data is still on them.",
		},
		{
			ID: "stream.replicas", Title: "replicas of streams that are gone or behind", Of: "stream", Needs: need, run: streamReplicas,
			Why: "A replica that is behind or offline protects nothing: the next failure may cost the majority, and what only the leader has.",
			Do:  "Look at the server that keeps it. It catches up by itself once it is back. Only if it never comes back: nats stream cluster peer-remove.",
		},
		{
			ID: "consumer.replicas", Title: "replicas of consumers that are gone or behind", Of: "consumer", Needs: need, run: consumerReplicas,
			Why: "After a failure a consumer without current replicas delivers again what was acknowledged, or stands still.",
			Do:  "Look at the server that keeps it; most often the replica of its stream is behind as well.",
		},
		{
			ID: "stream.quorum-lost", Title: "groups that lost their majority", Of: "group", Needs: inspect.Need{Events: true, Consumers: true}, Twice: true, run: quorumLost,
			Why: "A leader that does not hear a majority of its group steps down: writes fail until it is back.",
			Do:  "Look at the network between the servers, and at their CPU and disks: a server that is too busy misses heartbeats.",
		},
		{
			ID: "stream.unreplicated", Title: "streams with one replica, in a cluster", Of: "stream", Needs: need, run: unreplicated,
			Why: "When the server that has it is down, the stream is; when its disk is lost, so are the messages.",
			Do:  "nats stream edit --replicas 3, if the messages matter.",
		},
		{
			ID: "stream.even-replicas", Title: "streams with an even number of replicas", Of: "stream", Needs: need, run: evenReplicas,
			Why: "Two replicas need both for a majority: twice the cost, and a failure of either stops the stream. Four survive no more than three do.",
			Do:  "Use 3 or 5 replicas, or 1.",
		},
		{
			ID: "consumer.unreplicated", Title: "consumers that are kept less safely than their stream", Of: "consumer", Needs: need, run: unreplicatedConsumers,
			Why: "When its server is lost, a consumer without replicas forgets what was acknowledged, and delivers it again or not at all.",
			Do:  "Leave num_replicas of durable consumers at 0, so that it follows the stream.",
		},
	}
}

func leaderless(p *patient) []symptom {
	var found []symptom
	for _, s := range p.allStreams() {
		if g := s.last().Cluster; g != nil && g.Leader == "" {
			found = append(found, symptom{
				object: streamName(s.last()), key: s.last().Key(), severity: inspect.Crit, fact: "its raft group has no leader",
			})
		}
	}
	return found
}

// ailing says what is wrong with a member of a group; "": nothing.
func (p *patient) ailing(peer inspect.Peer) string {
	switch {
	case peer.Offline:
		return "offline, last heard " + duration(peer.Active) + " ago"
	case peer.Active > p.cfg.ReplicaSilent:
		return "last heard " + duration(peer.Active) + " ago"
	case peer.Lag > p.cfg.ReplicaLag:
		return number(peer.Lag) + " operations behind"
	case !peer.Current:
		return "not current"
	}
	return ""
}

// replicas says which replicas of a group ail, in all samples of it.
func (p *patient) replicas(groups []*inspect.Group) (fact string, severity inspect.Severity) {
	last := groups[len(groups)-1]
	if last == nil {
		return "", inspect.OK
	}
	var ailing []string
	lost := 0
	for _, peer := range last.Replicas {
		wrong := p.ailing(peer)
		for _, g := range groups {
			if wrong != "" && !p.ailed(g, peer.Name) {
				wrong = ""
			}
		}
		if wrong == "" {
			continue
		}
		if peer.Offline {
			lost++
		}
		ailing = append(ailing, fmt.Sprintf("replica on %s: %s", peer.Name, wrong))
	}
	return strings.Join(ailing, "; "), margin(lost, len(last.Replicas)+1)
}

// ailed reports whether a member of a group ailed in an earlier sample.
func (p *patient) ailed(g *inspect.Group, name string) bool {
	if g == nil {
		return false
	}
	for _, peer := range g.Replicas {
		if peer.Name == name {
			return p.ailing(peer) != ""
		}
	}
	return false
}

func streamReplicas(p *patient) []symptom {
	var found []symptom
	for _, s := range p.allStreams() {
		var groups []*inspect.Group
		for _, sample := range s.samples {
			groups = append(groups, sample.Cluster)
		}
		if fact, severity := p.replicas(groups); fact != "" {
			found = append(found, symptom{object: streamName(s.last()), key: s.last().Key(), severity: severity, fact: fact})
		}
	}
	return found
}

func consumerReplicas(p *patient) []symptom {
	var found []symptom
	for _, c := range p.configuredConsumers() {
		var groups []*inspect.Group
		for _, sample := range c.samples {
			groups = append(groups, sample.Cluster)
		}
		if fact, severity := p.replicas(groups); fact != "" {
			found = append(found, symptom{object: consumerName(c.last()), key: c.last().Key(), severity: severity, fact: fact})
		}
	}
	return found
}

func quorumLost(p *patient) []symptom {
	p.missGaps("events")
	lost := map[inspect.Key]int{}
	for _, e := range p.events(inspect.EventQuorumLost) {
		lost[e.Key]++
	}
	var found []symptom
	for key, n := range lost {
		found = append(found, symptom{
			object: "group of " + key.String() + inAccount(key.Account), key: key, severity: inspect.Crit, weight: float64(n),
			fact: "lost its majority " + times(n) + " within " + duration(p.elapsed),
		})
	}
	return found
}

func unreplicated(p *patient) []symptom {
	if len(p.servers) == 1 {
		return nil // a server of its own also names itself as the leader
	}
	var found []symptom
	for _, s := range p.configuredStreams() {
		last := s.last()
		if last.Cluster != nil && last.Config.Replicas == 1 {
			found = append(found, symptom{
				object: streamName(last), key: last.Key(), severity: inspect.Info, weight: float64(last.State.Messages),
				fact: fmt.Sprintf("1 replica, on %s, with %s messages", last.Cluster.Leader, number(last.State.Messages)),
			})
		}
	}
	return found
}

func evenReplicas(p *patient) []symptom {
	var found []symptom
	for _, s := range p.configuredStreams() {
		last := s.last()
		if n := last.Config.Replicas; n > 0 && n%2 == 0 {
			s := symptom{object: streamName(last), key: last.Key(), severity: inspect.Info, fact: fmt.Sprintf("%d replicas", n)}
			if n == 2 {
				s.severity, s.fact = inspect.Warn, "2 replicas, of which none may fail"
			}
			found = append(found, s)
		}
	}
	return found
}

func unreplicatedConsumers(p *patient) []symptom {
	replicas := map[inspect.Key]int{}
	for _, s := range p.configuredStreams() {
		replicas[s.last().Key()] = s.last().Config.Replicas
	}
	var found []symptom
	for _, c := range p.configuredConsumers() {
		last := c.last()
		of := replicas[inspect.Key{Account: last.Account, Stream: last.Stream}]
		if last.Config.Durable != "" && last.Config.Acks() && last.Config.Replicas == 1 && of > 1 {
			found = append(found, symptom{
				object: consumerName(last), key: last.Key(), severity: inspect.Info,
				fact: fmt.Sprintf("1 replica, its stream has %d", of),
			})
		}
	}
	return found
}
