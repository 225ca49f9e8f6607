package fault

import (
	"context"
	"slices"
	"time"

	"github.com/natsops/natsops/internal/chaos/proxy"
	"github.com/natsops/natsops/internal/hint"
)

// linkFault is how long faults of links last: isolated leaders notice after 10 s
// (nats-server, raft.go: lostQuorumInterval), and others elect meanwhile.
const linkFault = 20 * time.Second

// linkKinds are the faults of links through proxies.
func linkKinds() []Kind {
	return []Kind{partitionKind(), oneWayKind(), linkKind(), splitKind(), degradeKind(), clientLinkKind()}
}

func cutParam(words ...proxy.Cut) Param {
	p := Param{Name: "cut", Default: string(proxy.CutFreeze), Unit: Word, About: "freeze: what is sent arrives once it is healed; drop: never"}
	for _, w := range words {
		p.Words = append(p.Words, string(w))
		if w == proxy.CutReset {
			p.About += "; reset: connections are reset and refused"
		}
	}
	return p
}

func (s settings) cut() proxy.Cut { return proxy.Cut(s.text("cut")) }

func partitionKind() Kind {
	return Kind{
		Name:    "partition",
		About:   "The victims are parted from all other servers, not from their clients.",
		Expect:  "The larger side writes on, after an election if the leader was on the other; clients of the smaller side get no answer until it is healed.",
		Class:   DiesToo,
		Needs:   Need{Links: true},
		Default: linkFault,
		Selects: SelectServers | SelectStream | SelectConsumer,
		Params:  []Param{cutParam(proxy.CutFreeze, proxy.CutDrop, proxy.CutReset)},
		aim: func(ctx context.Context, a aim) (*Strike, error) {
			some, rest, err := a.sides(ctx, StreamLeader)
			if err != nil {
				return nil, err
			}
			return a.sever(between(a.Links, a.settings.cut(), some, rest), some, smaller(some, rest))
		},
	}
}

func oneWayKind() Kind {
	return Kind{
		Name:    "partition-oneway",
		About:   "The victims are parted from all other servers in one direction.",
		Expect:  "A leader that cannot hear steps down after 10 s, one that cannot be heard is replaced within 4 to 9 s; then writes go on.",
		Class:   DiesToo,
		Needs:   Need{Links: true},
		Default: 30 * time.Second,
		Selects: SelectServers | SelectStream | SelectConsumer,
		Params: []Param{
			cutParam(proxy.CutFreeze, proxy.CutDrop),
			{Name: "mute", Default: "hears", Unit: Word, Words: []string{"says", "hears"}, About: "what is lost of the victims: what they say, or what they would hear"},
		},
		aim: func(ctx context.Context, a aim) (*Strike, error) {
			some, rest, err := a.sides(ctx, StreamLeader)
			if err != nil {
				return nil, err
			}
			from, to := some, rest
			if a.settings.text("mute") == "hears" {
				from, to = rest, some
			}
			return a.sever(oneWay(a.Links, proxy.Toxic{Flow: proxy.Flow(a.settings.cut())}, from, to), some, smaller(some, rest))
		},
	}
}

func linkKind() Kind {
	return Kind{
		Name:    "partition-link",
		About:   "One server is parted from one other; both still have all the rest.",
		Expect:  "All three find a leader whom a majority hears; clients of the two may wait longer than others.",
		Class:   DiesToo,
		Needs:   Need{Links: true},
		Default: 30 * time.Second,
		Selects: SelectServers | SelectStream | SelectConsumer,
		Params: []Param{
			cutParam(proxy.CutFreeze, proxy.CutDrop, proxy.CutReset),
			{Name: "with", Unit: Text, About: "the other server, by name; none: one by the seed"},
		},
		aim: aimLink,
	}
}

func aimLink(ctx context.Context, a aim) (*Strike, error) {
	dice := a.dice()
	some, err := a.servers(ctx, StreamLeader, dice)
	if err != nil {
		return nil, err
	}
	if len(some) > 1 {
		return nil, refuse(ErrNoVictim, "it is about one server, and %s are selected", list(some))
	}
	others := except(a.Links.Nodes(), some)
	with := one(others, dice)
	if name := a.settings.text("with"); name != "" {
		if with = only(others, name); len(with) == 0 {
			return nil, hint.Wrap(refuse(ErrNoVictim, "there is no other server %q", name), oneOf(name, others))
		}
	}
	return a.sever(between(a.Links, a.settings.cut(), some, with), slices.Concat(some, with), nil)
}

func splitKind() Kind {
	return Kind{
		Name:    "split",
		About:   "All servers are parted from each other, not from their clients.",
		Expect:  "No write is acknowledged until it is healed, and then within seconds; nothing is lost.",
		Class:   DiesToo,
		Needs:   Need{Links: true},
		Default: linkFault,
		Params:  []Param{cutParam(proxy.CutFreeze, proxy.CutDrop, proxy.CutReset)},
		aim: func(_ context.Context, a aim) (*Strike, error) {
			all := a.Links.Nodes()
			return a.sever(between(a.Links, a.settings.cut(), all, all), all, all)
		},
	}
}

func degradeKind() Kind {
	return Kind{
		Name:    "degrade",
		About:   "The links between the victims and all other servers are slow, in both directions.",
		Expect:  "Writes take as much longer as a majority is far away; no election, and nothing is lost.",
		Class:   DiesToo,
		Needs:   Need{Links: true},
		Default: 30 * time.Second,
		Selects: SelectServers | SelectStream | SelectConsumer,
		Params:  slowParams("100ms", "30ms"),
		aim: func(ctx context.Context, a aim) (*Strike, error) {
			some, err := a.servers(ctx, AllServers, a.dice())
			if err != nil {
				return nil, err
			}
			s := between(a.Links, proxy.CutFreeze, some, a.Links.Nodes())
			for l := range s.links {
				toxic := a.settings.slow()
				s.links[l] = proxy.Toxics{Up: toxic, Down: toxic}
			}
			return a.sever(s, some, nil)
		},
	}
}

// slowParams are what slows a link.
func slowParams(latency, jitter string) []Param {
	return []Param{
		{Name: "latency", Default: latency, Unit: Duration, About: "each way", Most: float64(time.Minute)},
		{Name: "jitter", Default: jitter, Unit: Duration, About: "so much more or less", Most: float64(time.Minute)},
		{Name: "rate", Default: "0", Unit: ByteRate, About: "of each connection and direction; 0: no limit"},
	}
}

func (s settings) slow() proxy.Toxic {
	return proxy.Toxic{Latency: s.duration("latency"), Jitter: s.duration("jitter"), Rate: s.size("rate")}
}

func clientLinkKind() Kind {
	return Kind{
		Name:    "client-link",
		About:   "The connections of clients to the victims are held, lost, slowed or reset.",
		Expect:  "Clients notice by their pings and go elsewhere, or wait; what they retry with the same message ID is stored once.",
		Class:   DiesToo,
		Needs:   Need{Doors: true},
		Default: linkFault,
		Selects: SelectServers | SelectStream | SelectConsumer,
		Params: append(slowParams("150ms", "50ms"),
			Param{
				Name: "flow", Default: "pass", Unit: Word, Words: []string{"pass", "freeze", "drop", "half-open"},
				About: "freeze: what is sent arrives once it is healed; drop: never; half-open: the servers are gone, and clients are not told",
			},
			Param{Name: "slice", Default: "0", Unit: Size, About: "of the largest piece that arrives at once; 0: any"},
			Param{Name: "reset", Default: "no", Unit: Word, Words: []string{"no", "yes"}, About: "connections that are open, at the beginning"},
			Param{Name: "refuse", Default: "no", Unit: Word, Words: []string{"no", "yes"}, About: "new connections"},
		),
		aim: aimClientLink,
	}
}

func aimClientLink(ctx context.Context, a aim) (*Strike, error) {
	some, err := a.servers(ctx, StreamLeader, a.dice())
	if err != nil {
		return nil, err
	}
	toxic := a.settings.slow()
	toxic.Slice = int(a.settings.size("slice"))
	set := proxy.Toxics{Up: toxic, Down: toxic, Refuse: a.settings.text("refuse") == "yes"}
	switch flow := proxy.Flow(a.settings.text("flow")); flow {
	case "pass":
	case proxy.HalfOpen:
		set.Down.Flow = flow
	default:
		set.Up.Flow, set.Down.Flow = flow, flow
	}
	s := &severing{fabric: a.Links, links: map[proxy.Link]proxy.Toxics{}, reset: a.settings.text("reset") == "yes"}
	if set == (proxy.Toxics{}) && !s.reset {
		return nil, hint.Wrap(refuse(ErrSpec, "nothing is done to the connections"), "flow=freeze, or a latency")
	}
	for l := range a.Links.Links() {
		if l.From == "" && slices.Contains(some, l.To) {
			s.links[l] = set
		}
	}
	return a.sever(s, some, nil)
}

// sides are the victims, and all other servers.
func (a aim) sides(ctx context.Context, usual string) (some, rest []string, err error) {
	if some, err = a.servers(ctx, usual, a.dice()); err != nil {
		return nil, nil, err
	}
	if rest = except(a.Links.Nodes(), some); len(rest) == 0 {
		return nil, nil, hint.Wrap(refuse(ErrNoVictim, "all servers are selected, and nothing is left to part them from"), "the fault split")
	}
	return some, rest, nil
}

// smaller is the side that cannot go on alone; of halves, neither can.
func smaller(a, b []string) []string {
	switch {
	case len(a) < len(b):
		return a
	case len(a) > len(b):
		return b
	}
	return slices.Concat(a, b)
}

// sever is a severing as a strike, unless there is nothing to sever.
func (a aim) sever(s *severing, victims, down []string) (*Strike, error) {
	if len(s.links) == 0 {
		return nil, refuse(ErrNeeds, "no proxy of ours is on a link of %s that it is about", list(victims))
	}
	return s.strike(victims, down), nil
}
