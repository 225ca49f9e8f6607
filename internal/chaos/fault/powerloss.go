package fault

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/natsops/natsops/internal/chaos/proxy"
	"github.com/natsops/natsops/internal/hint"
	"github.com/natsops/natsops/internal/quantity"
)

// How power is lost, see [powerLossKind].
const (
	howRollback = "rollback"
	howPart     = "part"
)

func powerLossKind() Kind {
	return Kind{
		Name: "power-loss",
		About: "Servers lose what they wrote in the last seconds and had not synced, as after a loss of power: the files are copied, " +
			"the process is killed (SIGKILL), and all but what nats-server syncs at once is put back. It is an emulation, and the worst case.",
		Expect: "What was acknowledged is lost where all replicas lost it, and nothing where a majority kept it, unless the others are those " +
			"that had not got it yet (how=part): then it is lost although one server lost power.",
		Class:   Remains,
		Needs:   Need{Nodes: true},
		Default: election,
		Selects: SelectServers | SelectStream | SelectConsumer,
		Params: []Param{
			{Name: "unsynced", Default: "12s", Unit: Duration, About: "of writes are lost; nats-server syncs every 2 min by default", Most: float64(longest)},
			{
				Name: "how", Default: howRollback, Unit: Word, Words: []string{howRollback, howPart},
				About: "rollback: the victims lose it, all at once; part: of one victim, while others had not got it and are the majority then",
			},
		},
		aim: aimPowerLoss,
	}
}

// A powerLoss is a raid that takes back what nodes have written.
type powerLoss struct {
	*raid
	copies map[string]*stored // by the node's name
	parted *parted            // nil: not howPart
}

// A parted is how the servers are parted of [howPart].
type parted struct {
	behind, rest []string  // who does not get what is lost, and who has it
	late         *severing // those behind from the victim
	fresh        *severing // those behind from the rest
	crashed      *severing // the victim from the rest
}

func aimPowerLoss(ctx context.Context, a aim) (*Strike, error) {
	r, err := a.raid(ctx, StreamLeader)
	if err != nil {
		return nil, err
	}
	p := &powerLoss{raid: r, copies: map[string]*stored{}}
	for _, n := range r.nodes {
		p.copies[n.Name()] = &stored{dir: n.StoreDir()}
	}
	if a.settings.text("how") == howPart {
		if err := p.part(ctx); err != nil {
			return nil, err
		}
	}
	s := r.strike(blow{})
	s.Steps = p.steps()
	if p.parted != nil {
		s.Down = p.everyone() // for a moment: those behind and a victim that is not yet back
	}
	s.Inject = func(ctx context.Context) error { return p.inject(ctx, p.lose) }
	s.Heal = func(ctx context.Context) error { return p.heal(ctx, p.undo) }
	s.Healed = func(ctx context.Context) error { return errors.Join(p.parted.left(), p.healed(ctx)) }
	return s, nil
}

// part chooses who is behind: as many as can be lost, which with the victim are
// a majority. They lead nothing, so that the cluster writes on without them.
func (p *powerLoss) part(ctx context.Context) error {
	if p.Links == nil {
		return hint.Wrap(refuse(ErrNeeds, "how=%s needs links between servers that go through proxies of ours", howPart), "how=rollback")
	}
	others := except(p.everyone(), p.names())
	many := (len(p.everyone()) - 1) / 2
	if len(p.nodes) != 1 || len(others) < 2*many || many == 0 {
		return refuse(ErrNoVictim, "how=%s is about one victim of three servers or more", howPart)
	}
	s, err := p.stream(ctx)
	if err != nil {
		return err
	}
	candidates := except(others, []string{p.leads(s.CachedInfo().Cluster)})
	dice := p.dice()
	dice.Shuffle(len(candidates), func(i, j int) { candidates[i], candidates[j] = candidates[j], candidates[i] })
	t := &parted{behind: candidates[:many]}
	t.rest = except(others, t.behind)
	t.late = between(p.Links, proxy.CutReset, t.behind, p.names())
	t.fresh = between(p.Links, proxy.CutReset, t.behind, t.rest)
	t.crashed = between(p.Links, proxy.CutReset, p.names(), t.rest)
	for _, s := range t.all() {
		if len(s.links) == 0 {
			return refuse(ErrNeeds, "how=%s needs links between servers that go through proxies of ours", howPart)
		}
	}
	p.parted = t
	return nil
}

func (t *parted) all() []*severing {
	if t == nil {
		return nil
	}
	return []*severing{t.late, t.fresh, t.crashed}
}

func (t *parted) heal() error {
	var failed []error
	for _, s := range t.all() {
		failed = append(failed, s.heal())
	}
	return errors.Join(failed...)
}

// left tells what is not healed.
func (t *parted) left() error {
	var all []error
	for _, s := range t.all() {
		all = append(all, s.left())
	}
	return errors.Join(all...)
}

func (p *powerLoss) steps() []Step {
	var all []Step
	t, when := p.parted, whenHealed
	if t != nil {
		all = append(t.late.steps(), t.fresh.steps()...)
		when = "at once"
	}
	for _, n := range p.nodes {
		all = append(all, Step{Do: "files", Object: n.StoreDir(), Payload: "copied"})
	}
	all = append(all, Step{Do: "wait", Object: quantity.FormatDuration(p.unsynced()), Payload: "while it is written to"})
	for _, n := range p.nodes {
		all = append(all, signalStep(n, "SIGKILL"), Step{Do: "files", Object: n.StoreDir(), Payload: "put back, but for " + list(synced())})
	}
	if t != nil {
		all = append(all, t.crashed.steps()...)
		all = append(all, Step{Do: "link", Object: list(t.behind) + " and " + list(p.names()), Payload: "healed"})
	}
	for _, n := range p.nodes {
		all = append(all, startStep(n, when))
	}
	return all
}

func (p *powerLoss) unsynced() time.Duration { return p.settings.duration("unsynced") }

// lose lets writes build up and takes them back.
func (p *powerLoss) lose(ctx context.Context) error {
	t := p.parted
	if t != nil {
		if err := errors.Join(t.late.cut(), t.fresh.cut()); err != nil {
			return err
		}
	}
	if err := each(p.nodes, func(n Node) error { return p.copies[n.Name()].save() }); err != nil {
		return fmt.Errorf("copy the store: %w", err)
	}
	if err := wait(ctx, p.unsynced()); err != nil {
		return err
	}
	if err := p.hitAll(ctx, func(_ context.Context, n Node) error { return n.Kill() }); err != nil {
		return err
	}
	if err := each(p.nodes, p.putBack); err != nil || t == nil {
		return err
	}
	// In this order, so that those behind never hear of what they lack.
	if err := t.crashed.cut(); err != nil {
		return err
	}
	if err := t.late.heal(); err != nil {
		return err
	}
	return p.bring(ctx, p.start)
}

func (p *powerLoss) putBack(n Node) error {
	lost, err := p.copies[n.Name()].putBack()
	p.count("bytes_lost", float64(lost))
	if err != nil {
		return fmt.Errorf("take back what it wrote: %w", err)
	}
	return nil
}

// undo ends it. What was lost stays lost.
func (p *powerLoss) undo(ctx context.Context) error {
	err := errors.Join(p.parted.heal(), p.bring(ctx, p.start))
	if err != nil {
		return err
	}
	return each(p.nodes, func(n Node) error { return p.copies[n.Name()].remove() })
}
