package doctor

import (
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/natsops/natsops/internal/inspect"
)

func linkChecks() []Check {
	need := inspect.Need{Links: true, Servers: true}
	return []Check{
		{
			ID: "link.partition", Title: "servers of one cluster without a route between them", Of: "pair", Needs: need, Routes: servers(), run: partitions,
			Why: "Servers pass messages on over one route only. Clients on the one do not hear those on the other, and raft groups that need both have no quorum.",
			Do:  "Check firewalls and the routes and cluster_advertise of both: each must be able to reach the other's cluster port.",
		},
		{
			ID: "link.rtt", Title: "slow routes", Of: "link", Needs: need, Routes: servers(), run: slowRoutes,
			Why: "A publish to a replicated stream waits for a majority of servers: the round trip between them is the least that it takes.",
			Do:  "Keep the servers of a cluster within one region. Join regions with gateways or leaf nodes, and mirror streams between them.",
		},
		{
			ID: "link.pending", Title: "links that do not keep up", Of: "link", Needs: need, Routes: servers(), Twice: true, run: pendingLinks,
			Why: "What waits on a link delays everything that shares it, raft among it. At max_pending the link is cut as a slow consumer.",
			Do:  "Look at the bandwidth between the two, at the CPU of the one that receives, and use compression on slow networks.",
		},
		{
			ID: "link.reconnected", Title: "links that were set up anew", Of: "link", Needs: need, Routes: servers(), run: freshLinks,
			Why: "Between two servers that have both been up for longer, a new link means that the old one broke.",
			Do:  "Look at the network between the two, and at their logs for \"Slow Consumer\" or \"Stale Connection\".",
		},
		{
			ID: "link.uncompressed", Title: "long links without compression", Of: "link", Needs: need, Routes: servers(), run: plainLinks,
			Why: "Over a long distance bandwidth is dear, and compression costs less than it saves.",
			Do:  "Set compression: s2_auto for routes and leaf nodes. Gateways have none.",
		},
	}
}

// A cable is a link and where it begins.
type cable struct {
	from *inspect.Server
	kind string // route, gateway, leaf node
	inspect.Link
}

func (c *cable) String() string {
	return fmt.Sprintf("%s from %s to %s%s", c.kind, serverName(c.from), c.Remote, inAccount(c.Account))
}

// links returns all links with their course; those that servers did not tell of
// are noted.
func (p *patient) links() []course[cable] {
	list := func(s *inspect.Snapshot) []cable {
		var all []cable
		for i := range s.Servers {
			from := &s.Servers[i]
			for _, l := range from.Routes {
				all = append(all, cable{from, "route", l})
			}
			for _, l := range from.Gateways {
				all = append(all, cable{from, "gateway", l})
			}
			for _, l := range from.Leafs {
				all = append(all, cable{from, "leaf node", l})
			}
		}
		return all
	}
	p.missGaps("route", "gateway", "leaf", "link")
	p.allServers()
	links := follow(p.window, plan[cable]{
		list: list,
		name: func(c *cable) string { // between two servers there are several routes
			return fmt.Sprintf("%s/%d", c, c.Start.UnixNano())
		},
		read: func(c *cable) inspect.Reading { return c.from.Reading },
	})
	if len(links) == 0 {
		p.none("there are no links between servers")
	}
	return links
}

func partitions(p *patient) []symptom {
	var found []symptom
	for _, members := range clusters(p.allServers()) {
		for i, a := range members {
			for _, b := range members[i+1:] {
				switch {
				case a.last().Routes == nil || b.last().Routes == nil:
					p.miss("the routes of some servers are not known")
				case !reaches(a.last(), b.last()) && !reaches(b.last(), a.last()):
					found = append(found, symptom{
						object: serverName(a.last()) + " and " + serverName(b.last()), severity: inspect.Crit, fact: "neither has a route to the other",
					})
				}
			}
		}
	}
	return found
}

func reaches(a, b *inspect.Server) bool {
	for _, r := range a.Routes {
		if r.Remote == b.Name || r.Remote == b.ID {
			return true
		}
	}
	return false
}

// A distance is how far two servers are from each other: the shortest round trip
// of all links between them, either way. One link alone proves little: its round
// trip was measured once in two minutes, perhaps while a server was busy.
type distance struct {
	kind, a, b  string
	compression string
	rtt         time.Duration
}

func (d distance) String() string { return fmt.Sprintf("%s between %s and %s", d.kind, d.a, d.b) }

// distances returns those that have been measured since the links were set up,
// when servers are busy with other things.
func (p *patient) distances() []distance {
	nearest := map[[3]string]distance{}
	for _, l := range p.links() {
		last := l.last()
		ends := []string{serverName(last.from), last.Remote}
		slices.Sort(ends)
		pair := [3]string{last.kind, ends[0], ends[1]}
		if last.RTT <= 0 || p.now(last.from.Name).Sub(last.Start) < p.cfg.RTTAfter {
			continue
		}
		if d, known := nearest[pair]; !known || last.RTT < d.rtt {
			nearest[pair] = distance{last.kind, ends[0], ends[1], last.Compression, last.RTT}
		}
	}
	return slices.Collect(maps.Values(nearest))
}

func slowRoutes(p *patient) []symptom {
	routes := slices.DeleteFunc(p.distances(), func(d distance) bool { return d.kind != "route" })
	var all []time.Duration
	for _, d := range routes {
		all = append(all, d.rtt)
	}
	usual := median(all)
	var found []symptom
	for _, d := range routes {
		if d.rtt > p.cfg.LinkRTT && float64(d.rtt) > p.cfg.FarFactor*float64(usual) || d.rtt > p.cfg.AwayRTT {
			found = append(found, symptom{
				object: d.String(), severity: inspect.Warn, weight: float64(d.rtt),
				fact: fmt.Sprintf("round trip %s, the median of all pairs is %s", duration(d.rtt), duration(usual)),
			})
		}
	}
	return found
}

func pendingLinks(p *patient) []symptom {
	var found []symptom
	for _, l := range p.links() {
		if l.always(func(c *cable) bool { return c.PendingOut > p.cfg.LinkPending }) {
			found = append(found, symptom{
				object: l.last().String(), severity: inspect.Warn, weight: float64(l.last().PendingOut),
				fact: size(l.last().PendingOut) + " wait to be sent, in all samples",
			})
		}
	}
	return found
}

func freshLinks(p *patient) []symptom {
	up := map[string]time.Duration{} // of servers by name and ID
	for _, s := range p.varz() {
		v := s.last().Varz
		up[s.last().Name], up[s.last().ID] = v.Now.Sub(v.Start), v.Now.Sub(v.Start)
	}
	var found []symptom
	for _, l := range p.links() {
		last := l.last()
		if last.Start.IsZero() {
			continue
		}
		age := max(0, p.now(last.from.Name).Sub(last.Start))
		here, known := up[last.from.Name]
		there, seen := up[last.Remote]
		settled := 2 * p.cfg.RestartedFor
		if age > p.cfg.RestartedFor || !known || here < settled || seen && there < settled {
			continue
		}
		s := symptom{
			object: last.String(), severity: inspect.Info, weight: -float64(age), fact: "set up " + duration(age) + " ago",
		}
		if seen { // the other end has been there all the time
			s.severity = inspect.Warn
			s.fact += fmt.Sprintf(", both servers have been up for %s", duration(min(here, there)))
		}
		found = append(found, s)
	}
	return found
}

func plainLinks(p *patient) []symptom {
	var found []symptom
	for _, d := range p.distances() {
		if d.kind != "gateway" && d.rtt > p.cfg.FarLink && (d.compression == "" || d.compression == "off") {
			found = append(found, symptom{
				object: d.String(), severity: inspect.Info, weight: float64(d.rtt),
				fact: fmt.Sprintf("round trip %s, compression off", duration(d.rtt)),
			})
		}
	}
	return found
}
