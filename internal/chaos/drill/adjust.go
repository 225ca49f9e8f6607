package drill

import (
	"slices"
	"time"

	"github.com/natsops/natsops/internal/slo"
)

// Holding returns the drill with every fault that lasts, lasting for a time.
func (d Drill) Holding(hold time.Duration) Drill {
	d.Faults = slices.Clone(d.Faults)
	for i := range d.Faults {
		if d.Faults[i].For > 0 {
			d.Faults[i].For = hold
		}
	}
	return d
}

// ParseExpect reads objectives as they stand in a file under expect.
func ParseExpect(text string) ([]slo.Objective, error) { return slo.Parse(text, Objectives()) }

// Unloaded reports whether the drill has no traffic of its own: it breaks
// something of others, and gives no account of messages.
func (d Drill) Unloaded() bool { return d.Load == Load{} }

// Servers is how many the cluster has.
func (l Lab) Servers() int {
	if l.Nodes == 0 {
		return 3
	}
	return l.Nodes
}
