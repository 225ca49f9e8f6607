package inspect

import (
	"maps"
	"slices"
	"strconv"
	"time"

	"github.com/natsops/natsops/internal/inspect/wire"
)

// A memory is what a collector keeps of the snapshots before.
type memory struct {
	servers   map[string]Server // as they last answered, by name
	streams   []Stream
	consumers []Consumer
	weights   map[string]weight // of servers' answers, by ID
	tags      map[string]string // ID of the account that has a name
	cost      wire.Cost

	configsAt      time.Time // when configurations were last asked for
	configsMissing bool      // something has come into being since
}

func newMemory() memory {
	return memory{servers: map[string]Server{}, weights: map[string]weight{}, tags: map[string]string{}}
}

const (
	// configsLast is how long configurations are believed. They can be changed
	// at any time, and rarely are.
	configsLast = 30 * time.Second
	// configsPause bounds how often they are asked for because of something new:
	// ephemeral consumers may come by the thousand.
	configsPause = 5 * time.Second
)

// wantsConfigs reports whether configurations, which double the size of an
// answer, are to be asked for at a time.
func (m *memory) wantsConfigs(at time.Time) bool {
	age := at.Sub(m.configsAt)
	return m.configsAt.IsZero() || age >= configsLast || m.configsMissing && age >= configsPause
}

// remember keeps what the next round needs of s.
func (r *round) remember(s *Snapshot, cost wire.Cost) {
	m := &r.c.memory
	m.cost = cost
	for _, server := range s.Servers {
		if server.State == Fresh {
			m.servers[server.Name] = server
		}
	}
	if r.missing == 0 {
		maps.DeleteFunc(m.servers, func(name string, server Server) bool {
			return r.servers[server.ID] == nil && r.expected[name] == ""
		})
	}
	if r.need.Consumers {
		r.rememberStreams(s)
	}
}

func (r *round) rememberStreams(s *Snapshot) {
	m := &r.c.memory
	m.streams, m.consumers = s.Streams, s.Consumers
	if r.configs {
		m.configsAt = r.at
	}
	m.configsMissing = slices.ContainsFunc(s.Consumers, func(c Consumer) bool { return c.State == Fresh && c.Config == nil }) ||
		slices.ContainsFunc(s.Streams, func(s Stream) bool { return s.Reading.State == Fresh && s.Config == nil })
}

// accountName returns what to call an account: its name, or its ID when it has
// none or another account has the same. Call it with the round's lock held.
func (m *memory) accountName(id, tag string) string {
	switch {
	case id == "":
		return tag
	case tag == "" || tag == id:
		return id
	}
	if owner, taken := m.tags[tag]; taken && owner != id {
		return id
	}
	m.tags[tag] = id
	return tag
}

// count says how many there are of something.
func count(n int, of string) string {
	if n == 1 {
		return "1 " + of
	}
	return strconv.Itoa(n) + " " + of + "s"
}
