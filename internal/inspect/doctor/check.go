// Package doctor looks for what is wrong with a NATS system, or will be: traps
// in the configuration, clients that misbehave, servers near their limits. All
// of it are pure functions of snapshots: the package asks nobody and reads no
// clock.
package doctor

import (
	"fmt"
	"path"
	"slices"

	"github.com/natsops/natsops/internal/inspect"
)

// A Check looks for one kind of trouble.
type Check struct {
	ID    string // "consumer.ack-wait"; interface: people name it on the command line and in scripts
	Title string // what is looked for, as a noun phrase
	Why   string // why it matters
	Do    string // what to do about it
	Of    string // what its findings are about, in the singular: "connection"

	Needs  inspect.Need    // what the snapshots must have been asked for
	Routes []inspect.Route // by which servers can be asked; nil: all
	Twice  bool            // it takes two snapshots, seconds apart

	run func(*patient) []symptom
}

// A symptom is what a check saw of one object.
type symptom struct {
	object   string // "connection 12 \"billing\" of server n1"
	key      inspect.Key
	severity inspect.Severity
	weight   float64  // among those of one severity: more comes first
	fact     string   // what was measured, with units: "3.2 MiB wait to be sent"
	advice   string   // instead of the check's; "": the check's fits
	next     []string // commands that look closer
}

// Checks returns all checks, grouped, in the order in which they are run and
// listed.
func Checks() []Check {
	return slices.Concat(
		sightChecks(),
		serverChecks(), configChecks(), versionChecks(), linkChecks(),
		metaChecks(), jetStreamChecks(), accountChecks(),
		streamChecks(), copyChecks(), replicaChecks(),
		lagChecks(), consumerChecks(), deliveryChecks(), deadLetterChecks(), unusedChecks(),
		connectionChecks(), libraryChecks(), closedChecks(), churnChecks(), subscriptionChecks(), queueChecks(),
	)
}

// Select returns the checks that match one of the patterns only, or all when
// there is none, and none of ignore. A pattern is an ID in which * stands for
// anything: "conn.*". One that matches no check is an error: it would select
// something else than was meant.
func Select(checks []Check, only, ignore []string) ([]Check, error) {
	for _, pattern := range slices.Concat(only, ignore) {
		if !slices.ContainsFunc(checks, func(c Check) bool { return matches(pattern, c) }) {
			return nil, fmt.Errorf("no check is called %q", pattern)
		}
	}
	var selected []Check
	for _, c := range checks {
		named := func(pattern string) bool { return matches(pattern, c) }
		if (len(only) == 0 || slices.ContainsFunc(only, named)) && !slices.ContainsFunc(ignore, named) {
			selected = append(selected, c)
		}
	}
	return selected, nil
}

func matches(pattern string, c Check) bool {
	ok, err := path.Match(pattern, c.ID)
	return ok && err == nil
}

// Needs returns what snapshots for the checks must be asked for.
func Needs(checks []Check) inspect.Need {
	var n inspect.Need
	for _, c := range checks {
		n = n.Or(c.Needs)
	}
	return n
}

// listening are the routes on which the advisories of an account are heard.
func listening() []inspect.Route { return []inspect.Route{inspect.RouteAccount} }

// servers are the routes by which a server tells of itself, and not only of one
// account.
func servers() []inspect.Route { return []inspect.Route{inspect.RouteSystem, inspect.RouteMonitor} }
