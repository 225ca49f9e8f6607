package fault

import (
	"cmp"
	"context"
	"math"
	"math/rand/v2"
	"slices"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/natsops/natsops/internal/hint"
)

// servers returns the names of the servers that are selected now, in order. What
// is usual is the role of a victim that says nothing of servers; one that says
// only which part of them is of all. None is [ErrNoVictim].
func (a aim) servers(ctx context.Context, usual string, dice *rand.Rand) ([]string, error) {
	pool, err := a.pool()
	if err != nil {
		return nil, err
	}
	role := a.Victim.Role
	if role == "" {
		role = usual
		if len(a.Victim.Servers) > 0 || a.Victim.Tag != "" || a.Victim.Percent > 0 {
			role = AllServers
		}
	}
	some, err := a.inRole(ctx, role, pool, dice)
	if err != nil {
		return nil, err
	}
	some = a.Victim.part(some, dice)
	if len(some) == 0 {
		return nil, refuse(ErrNoVictim, "no server is %s among %s", role, list(pool))
	}
	slices.Sort(some)
	return some, nil
}

// everyone are the names of all servers that can be known, in order.
func (s Site) everyone() []string {
	names := s.serverNames()
	if len(names) == 0 {
		for _, n := range s.Nodes {
			names = append(names, n.Name())
		}
	}
	if len(names) == 0 && s.Links != nil {
		names = s.Links.Nodes()
	}
	slices.Sort(names)
	return names
}

// pool are the servers that a victim's names and tag admit.
func (a aim) pool() ([]string, error) {
	all := a.everyone()
	for _, name := range a.Victim.Servers {
		if !slices.Contains(all, name) {
			return nil, hint.Wrap(refuse(ErrNoVictim, "there is no server %q", name), oneOf(name, all))
		}
	}
	pool := slices.DeleteFunc(all, func(name string) bool {
		return len(a.Victim.Servers) > 0 && !slices.Contains(a.Victim.Servers, name) || a.Victim.Tag != "" && !a.tagged(name)
	})
	if len(pool) == 0 && a.Victim.Tag != "" {
		return nil, refuse(ErrNoVictim, "no server has the tag %q", a.Victim.Tag)
	}
	return pool, nil
}

func (a aim) tagged(name string) bool {
	return slices.ContainsFunc(a.Servers, func(k Server) bool {
		return k.Name == name && slices.Contains(k.Tags, a.Victim.Tag)
	})
}

// inRole returns those of the pool that have a role.
func (a aim) inRole(ctx context.Context, role string, pool []string, dice *rand.Rand) ([]string, error) {
	switch role {
	case AllServers:
		return pool, nil
	case AnyServer:
		return one(pool, dice), nil
	case MetaLeader:
		leader, err := a.metaLeader(ctx)
		return only(pool, leader), err
	case ConsumerLeader:
		c, err := a.consumer(ctx)
		if err != nil {
			return nil, err
		}
		return only(pool, a.leads(c.CachedInfo().Cluster)), nil
	}
	s, err := a.stream(ctx)
	if err != nil {
		return nil, err
	}
	group := s.CachedInfo().Cluster
	switch role {
	case StreamLeader:
		return only(pool, a.leads(group)), nil
	case StreamFollower:
		return one(only(pool, followers(group)...), dice), nil
	default: // of Roles
		return a.minority(group, pool, dice), nil
	}
}

// leads is the leader of a group; without a cluster it is the only server.
func (a aim) leads(group *jetstream.ClusterInfo) string {
	if group != nil {
		return group.Leader
	}
	return cmp.Or(append(a.everyone(), "")...)
}

func followers(group *jetstream.ClusterInfo) []string {
	if group == nil {
		return nil
	}
	var names []string
	for _, r := range group.Replicas {
		names = append(names, r.Name)
	}
	return names
}

// minority chooses as many as can be lost: of all servers, which are the meta
// group, and of those that have the stream.
func (a aim) minority(group *jetstream.ClusterInfo, pool []string, dice *rand.Rand) []string {
	behind := followers(group)
	all, replicas := (len(a.everyone())-1)/2, len(behind)/2
	pool = slices.Clone(pool)
	slices.Sort(pool)
	dice.Shuffle(len(pool), func(i, j int) { pool[i], pool[j] = pool[j], pool[i] })
	var some []string
	for _, name := range pool {
		has := slices.Contains(behind, name)
		if name == a.leads(group) || len(some) == all || has && replicas == 0 {
			continue
		}
		if has {
			replicas--
		}
		some = append(some, name)
	}
	return some
}

// metaLeader asks who leads the cluster. Only the leader answers.
func (s Site) metaLeader(ctx context.Context) (string, error) {
	if s.System == nil {
		err := refuse(ErrNeeds, "who the meta leader is is told to the system account only")
		return "", hint.Wrap(err, "credentials of the system account, or another role")
	}
	var answer struct {
		Server peer `json:"server"`
	}
	err := ask(ctx, s.System, "$SYS.REQ.SERVER.PING.JSZ", map[string]bool{"leader_only": true}, &answer)
	return answer.Server.Name, err
}

// part returns the part of servers that is wanted, by the seed.
func (v Victim) part(some []string, dice *rand.Rand) []string {
	n := len(some)
	if v.Percent > 0 {
		n = int(math.Ceil(float64(n) * v.Percent / 100))
	}
	if v.Max > 0 {
		n = min(n, v.Max)
	}
	if n < len(some) {
		some = slices.Clone(some)
		dice.Shuffle(len(some), func(i, j int) { some[i], some[j] = some[j], some[i] })
	}
	return some[:n]
}

// one is one of names.
func one(names []string, dice *rand.Rand) []string {
	if len(names) == 0 {
		return nil
	}
	i := dice.IntN(len(names))
	return names[i : i+1]
}

// only are those of the pool that are wanted.
func only(pool []string, wanted ...string) []string {
	return slices.DeleteFunc(slices.Clone(pool), func(name string) bool { return !slices.Contains(wanted, name) })
}

// except are those of all that are not among some.
func except(all, some []string) []string {
	return slices.DeleteFunc(slices.Clone(all), func(name string) bool { return slices.Contains(some, name) })
}
