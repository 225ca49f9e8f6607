package doctor

import (
	"fmt"
	"slices"
	"strings"

	"github.com/natsops/natsops/internal/inspect"
)

func sightChecks() []Check {
	return []Check{
		{
			ID: "server.silent", Title: "servers that do not answer", Of: "server", Needs: inspect.Need{Servers: true}, run: silentServers,
			Why: "A server that answers nobody is down, frozen or cut off. What it leads has no leader, or numbers that nobody knows.",
			Do:  "Look at its host and its log. While it is silent the other checks know nothing of its clients.",
		},
		{
			ID: "sight.account-only", Title: "what these credentials cannot see", Of: "route", run: accountOnly,
			Why: "In an account of an application the servers do not tell of themselves: no CPU, no memory, no links between servers, no other accounts.",
			Do:  "Run the examination again with a user of the system account, or with the monitoring endpoints of the servers.",
		},
		{
			ID: "sight.gaps", Title: "questions that were not answered", Of: "question", run: gaps,
			Why: "What is not known cannot be judged: it is left out, and not taken to be in order.",
			Do:  "Look at the reason: a permission that the user lacks, or a time-out that is too short.",
		},
	}
}

func silentServers(p *patient) []symptom {
	var found []symptom
	for i := range p.last.Servers {
		s := &p.last.Servers[i]
		if s.State == inspect.Fresh {
			continue
		}
		fact := "no answer"
		if s.Why != "" {
			fact += ": " + s.Why
		}
		found = append(found, symptom{object: "server " + serverName(s), severity: inspect.Crit, fact: fact})
	}
	for _, g := range silences(p.last) {
		found = append(found, symptom{object: g.What, severity: inspect.Crit, fact: "no answer: " + g.Why, advice: g.Remedy})
	}
	if len(p.last.Servers) == 0 && len(found) == 0 {
		p.miss("which servers there are is not known")
	}
	return found
}

func accountOnly(p *patient) []symptom {
	if p.last.Route != inspect.RouteAccount {
		return nil
	}
	return []symptom{{
		object: "the account of an application", severity: inspect.Info,
		fact: fmt.Sprintf("%d of %d checks look at servers, and cannot be run", blindFor(inspect.RouteAccount), len(Checks())),
	}}
}

// blindFor counts the checks that cannot be run by a route.
func blindFor(route inspect.Route) int {
	n := 0
	for _, c := range Checks() {
		if (&chart{last: &inspect.Snapshot{Route: route}, window: make([]*inspect.Snapshot, 2), elapsed: 1}).unfit(c) != "" {
			n++
		}
	}
	return n
}

func gaps(p *patient) []symptom {
	servers := silences(p.last) // of which server.silent tells
	for i := range p.last.Servers {
		servers = append(servers, inspect.Gap{What: "server " + serverName(&p.last.Servers[i])})
	}
	var found []symptom
	for _, g := range p.last.Gaps {
		if p.last.Route == inspect.RouteAccount && strings.HasSuffix(g.What, " of the servers") {
			continue // of which sight.account-only tells
		}
		if !slices.ContainsFunc(servers, func(s inspect.Gap) bool { return s.What == g.What }) {
			found = append(found, symptom{object: g.What, severity: inspect.Info, fact: g.Why, advice: g.Remedy})
		}
	}
	return found
}
