package doctor

import (
	"fmt"

	"github.com/natsops/natsops/internal/inspect"
)

func queueChecks() []Check {
	need := inspect.Need{Connections: true, Subscriptions: true, Servers: true}
	return []Check{
		{
			ID: "sub.lone-worker", Title: "queue groups with one member", Of: "queue group", Needs: need, run: loneWorkers,
			Why: "While the only member restarts, requests get \"no responders\", and other messages go nowhere.",
			Do:  "Run a second instance with the same queue group, on another machine.",
		},
		{
			ID: "sub.uneven-queue", Title: "queue groups that share work unevenly", Of: "queue group", Needs: need, Twice: true, run: unevenQueues,
			Why: "The server chooses among members of a group at random. One that gets far less than the others on the same server has a problem, or another subscription than was meant.",
			Do:  "Look at the member that gets the least: it may be draining, limited by max messages, or subscribed a moment ago.",
		},
		{
			ID: "sub.stream-overlap", Title: "queue groups on subjects that a stream stores too", Of: "queue group",
			Needs: inspect.Need{Connections: true, Subscriptions: true, Servers: true, Consumers: true}, run: streamOverlap,
			Why: "The message goes to the queue group once, at most, and stays in the stream as well: whoever thinks the group reads the stream has no redelivery.",
			Do:  "If the work must not get lost, read it with a consumer of the stream. If both are meant, ignore this check.",
		},
	}
}

// A group is a queue group on a subject.
type group struct{ account, subject, queue string }

func (g group) String() string {
	return fmt.Sprintf("queue group %q on %q%s", g.queue, g.subject, inAccount(g.account))
}

// groups returns the members of each queue group.
func (p *patient) groups() map[group][]course[inspect.Connection] {
	members := map[group][]course[inspect.Connection]{}
	for _, c := range p.subscribers() {
		seen := map[group]bool{}
		for _, s := range c.last().Subs {
			g := group{c.last().Account, s.Subject, s.Queue}
			if s.Queue == "" || !visible(s) || seen[g] {
				continue
			}
			seen[g] = true
			members[g] = append(members[g], c)
		}
	}
	return members
}

func loneWorkers(p *patient) []symptom {
	var found []symptom
	for g, members := range p.groups() {
		if len(members) == 1 {
			found = append(found, symptom{
				object: g.String(), severity: inspect.Info, fact: "its only member is " + connectionName(members[0].last()),
			})
		}
	}
	return found
}

func unevenQueues(p *patient) []symptom {
	var found []symptom
	for g, members := range p.groups() {
		// Between servers the shares may differ: each prefers its own clients.
		local := map[string][]course[inspect.Connection]{}
		for _, c := range members {
			local[c.last().Server] = append(local[c.last().Server], c)
		}
		for server, list := range local {
			if fact, ok := p.uneven(g, list); ok {
				found = append(found, symptom{object: g.String(), severity: inspect.Warn, fact: fact + " on server " + server})
			}
		}
	}
	return found
}

// uneven says how unevenly members of a group on one server share the work.
func (p *patient) uneven(g group, list []course[inspect.Connection]) (fact string, ok bool) {
	var (
		total, least, most float64
		worst              *inspect.Connection
	)
	for _, c := range list {
		got, known := taken(c, g.subject, g.queue)
		if !known || len(c.samples) < len(p.window) { // it came within the window
			continue
		}
		if worst == nil || got < least {
			worst, least = c.last(), got
		}
		total, most = total+got, max(most, got)
	}
	if worst == nil || total < p.cfg.UnevenMsgs*float64(len(list)) || most <= least*p.cfg.UnevenFactor {
		return "", false
	}
	return fmt.Sprintf("%s got %s messages within %s, the busiest member %s", connectionName(worst), number(least), duration(p.elapsed), number(most)), true
}

func streamOverlap(p *patient) []symptom {
	streams := map[string][]*inspect.Stream{}
	for _, s := range p.configuredStreams() {
		streams[s.last().Account] = append(streams[s.last().Account], s.last())
	}
	var found []symptom
	for g, members := range p.groups() {
		for _, s := range streams[g.account] {
			if captures(s, g.subject) {
				found = append(found, symptom{
					object: g.String(), severity: inspect.Info, weight: float64(len(members)),
					fact: fmt.Sprintf("%s, and %s stores what they get", count(len(members), "member"), streamName(s)),
				})
				break
			}
		}
	}
	return found
}

// captures reports whether a stream stores messages that the pattern matches.
func captures(s *inspect.Stream, pattern string) bool {
	for _, subject := range s.Config.Subjects {
		if overlap(subject, pattern) {
			return true
		}
	}
	return false
}
