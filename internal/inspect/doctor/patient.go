package doctor

import (
	"fmt"
	"slices"
	"strings"

	"github.com/natsops/natsops/internal/inspect"
	"github.com/natsops/natsops/internal/inspect/lag"
)

// A patient is the chart as one check reads it. It notes what the check could
// not see: a check that did not see everything must not pass.
type patient struct {
	*chart
	unseen []string
	absent []string // what there is none of, so that there was nothing to see
}

// none notes that there is nothing of a kind to look at.
func (p *patient) none(what string) {
	if !slices.Contains(p.absent, what) {
		p.absent = append(p.absent, what)
	}
}

// miss notes why something could not be seen.
func (p *patient) miss(format string, args ...any) {
	if why := fmt.Sprintf(format, args...); !slices.Contains(p.unseen, why) {
		p.unseen = append(p.unseen, why)
	}
}

// missServers notes the servers that did not answer.
func (p *patient) missServers() {
	for i := range p.last.Servers {
		if s := &p.last.Servers[i]; s.State != inspect.Fresh {
			p.miss("server %s did not answer", serverName(s))
		}
	}
	for _, g := range silences(p.last) {
		p.miss("%s did not answer", g.What)
	}
}

// silences are the gaps that are servers, without those that the snapshot lists
// as servers.
func silences(s *inspect.Snapshot) []inspect.Gap {
	listed := map[string]bool{}
	for i := range s.Servers {
		listed["server "+serverName(&s.Servers[i])] = true
	}
	var list []inspect.Gap
	for _, g := range s.Gaps {
		silent := strings.HasPrefix(g.What, "server") || strings.Contains(g.What, " more server")
		if silent && !listed[g.What] {
			list = append(list, g)
		}
	}
	return list
}

// missGaps notes what was asked for and not answered, of the things that have
// one of the words in their names.
func (p *patient) missGaps(words ...string) {
	for _, g := range p.last.Gaps {
		if g.What == "everything" || slices.ContainsFunc(words, func(w string) bool { return strings.Contains(g.What, w) }) {
			p.miss("%s: %s", g.What, g.Why)
		}
	}
}

// allServers are those that answered; the silent ones are noted.
func (p *patient) allServers() []course[inspect.Server] {
	p.missServers()
	if len(p.servers) == 0 {
		p.miss("no server told of itself")
	}
	return p.servers
}

// varz are the servers that told of themselves as a whole, in all samples.
func (p *patient) varz() []course[inspect.Server] {
	return p.telling("itself as a whole", func(s *inspect.Server) bool { return s.Varz != nil })
}

// jetStreams are the servers that told of their JetStream, in all samples, and
// have it enabled.
func (p *patient) jetStreams() []course[inspect.Server] {
	p.missGaps("JetStream")
	told := p.telling("its JetStream", func(s *inspect.Server) bool { return s.JetStream != nil })
	enabled := slices.DeleteFunc(slices.Clone(told), func(s course[inspect.Server]) bool { return s.last().JetStream.Disabled })
	if len(told) > 0 && len(enabled) == 0 {
		p.none("JetStream is not enabled")
	}
	return enabled
}

// telling returns the servers with the samples in which they told of something.
func (p *patient) telling(what string, tells func(*inspect.Server) bool) []course[inspect.Server] {
	var told []course[inspect.Server]
	for _, s := range p.allServers() {
		if !tells(s.last()) {
			p.miss("server %s did not tell of %s", serverName(s.last()), what)
			continue
		}
		var full course[inspect.Server]
		for i, sample := range s.samples {
			if tells(sample) {
				full.samples = append(full.samples, sample)
				full.at = append(full.at, s.at[i])
			}
		}
		told = append(told, full)
	}
	return told
}

// counted returns by how much a counter of a server grew. It is noted when that
// is not known: a restart begins all counters anew.
func (p *patient) counted(s course[inspect.Server], counter func(*inspect.Varz) int64) (float64, bool) {
	from, to := s.first(), s.last()
	grown, ok := growth(s, func(s *inspect.Server) int64 { return counter(s.Varz) })
	if !ok || from.ID != to.ID || !from.Varz.Start.Equal(to.Varz.Start) {
		p.miss("server %s has restarted, or was seen only once", serverName(to))
		return 0, false
	}
	return grown, true
}

// since keeps the servers that run at least a version; the others are noted.
func (p *patient) since(version string, list []course[inspect.Server]) []course[inspect.Server] {
	return slices.DeleteFunc(slices.Clone(list), func(s course[inspect.Server]) bool {
		old := older(serverVersion(s.last()), version)
		if old {
			p.miss("needs nats-server %s (%s runs %s)", version, serverName(s.last()), serverVersion(s.last()))
		}
		return old
	})
}

// clients are the connections of clients, without our own.
func (p *patient) clients() []course[inspect.Connection] {
	p.missGaps("connection")
	p.missServers()
	if len(p.connections) == 0 {
		p.miss("no connections were reported")
	}
	return slices.DeleteFunc(slices.Clone(p.connections), func(c course[inspect.Connection]) bool {
		last := c.last()
		return own(last) || (last.Kind != "" && !strings.EqualFold(last.Kind, "client")) || !last.Stop.IsZero()
	})
}

// closed are the connections that were closed lately, without our own.
func (p *patient) closed() []*inspect.Connection {
	p.missGaps("closed")
	p.missServers()
	var list []*inspect.Connection
	for i := range p.last.Closed {
		if c := &p.last.Closed[i]; !own(c) && !c.Stop.IsZero() {
			list = append(list, c)
		}
	}
	return list
}

// subscribers are the clients of which the subscriptions are known, without
// those of the system account and of MQTT, whose subscriptions others chose.
func (p *patient) subscribers() []course[inspect.Connection] {
	p.missGaps("subscriptions")
	var list []course[inspect.Connection]
	for _, c := range p.clients() {
		last := c.last()
		switch {
		case p.system[last.Account] || strings.EqualFold(last.Type, "mqtt"):
		case last.NumSubs > 0 && len(last.Subs) == 0:
			p.miss("the subscriptions of some connections are not known")
		default:
			list = append(list, c)
		}
	}
	return list
}

// configuredStreams are those of which the configuration is known.
func (p *patient) configuredStreams() []course[inspect.Stream] {
	list := p.allStreams()
	return slices.DeleteFunc(slices.Clone(list), func(s course[inspect.Stream]) bool {
		if s.last().Config == nil {
			p.miss("the configuration of some streams is not known")
		}
		return s.last().Config == nil
	})
}

// allStreams are those of which the state is known.
func (p *patient) allStreams() []course[inspect.Stream] {
	p.missGaps("stream")
	if len(p.last.Streams) == 0 {
		p.none("there are no streams")
	}
	if unknown := len(p.last.Streams) - len(p.streams); unknown > 0 {
		p.miss("%s not known", are(unknown, "stream"))
	}
	return p.streams
}

// configuredConsumers are those of which state and configuration are known,
// without those that MQTT makes for itself.
func (p *patient) configuredConsumers() []course[inspect.Consumer] {
	p.missGaps("consumer", "stream")
	if len(p.last.Consumers) == 0 {
		p.none("there are no consumers")
	}
	if unknown := len(p.last.Consumers) - len(p.consumers); unknown > 0 {
		p.miss("%s not known", are(unknown, "consumer"))
	}
	return slices.DeleteFunc(slices.Clone(p.consumers), func(c course[inspect.Consumer]) bool {
		if c.last().Config == nil {
			p.miss("the configuration of some consumers is not known")
		}
		return c.last().Config == nil || mqtt(c.last().Stream)
	})
}

// allAccounts are the accounts.
func (p *patient) allAccounts() []course[inspect.Account] {
	p.missGaps("account")
	if len(p.accounts) == 0 {
		p.miss("no accounts were reported")
	}
	return p.accounts
}

// verdict is what the judge of lag says of a consumer; nil, which is noted, when
// it says nothing.
func (p *patient) verdict(c *inspect.Consumer) *lag.Verdict {
	v := p.verdicts[c.Key()]
	if v == nil {
		p.miss("the lag of some consumers was not judged")
	}
	return v
}

// events are the advisories within the window, of some kinds. That there are
// none means little when nobody listened: see missGaps.
func (p *patient) events(kinds ...inspect.EventKind) []inspect.Event {
	var list []inspect.Event
	for _, s := range p.window[1:] { // those of the first are from before it
		for _, e := range s.Events {
			if slices.Contains(kinds, e.Kind) {
				list = append(list, e)
			}
		}
	}
	return list
}

// mqtt reports whether the MQTT layer of the server made a stream.
func mqtt(stream string) bool { return strings.HasPrefix(stream, "$MQTT_") }
