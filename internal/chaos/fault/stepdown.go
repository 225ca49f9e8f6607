package fault

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/natsops/natsops/internal/hint"
)

// The words of the param "what" of a step-down.
const (
	stepStream   = "stream"
	stepConsumer = "consumer"
	stepMeta     = "meta"
)

// preferredSince is the oldest nats-server that lets who asks choose the next
// leader.
const preferredSince = "2.11.0"

// The waits for a new leader. nats-server begins an election 4 to 9 s after it
// last heard of a leader (raft.go), and the first may fail.
const (
	electionTime  = 10 * time.Second // after that, who leads will go on to
	electionLimit = 40 * time.Second // of all
	// lookLimit bounds one look at who leads: a question that comes while nobody
	// does is never answered.
	lookLimit = 500 * time.Millisecond
)

func stepDownKind() Kind {
	return Kind{
		Name:    "step-down",
		About:   "The leader of a stream, of a consumer, or of the meta group hands over to another server.",
		Expect:  "A new leader is there within a fraction of a second, and what was on its way is answered after a retry.",
		Class:   Expires,
		Selects: SelectConsumer,
		Params: []Param{
			{Name: "what", Default: stepStream, Unit: Word, Words: []string{stepStream, stepConsumer, stepMeta}, About: "whose leader; meta needs the system account"},
			{Name: "to", Unit: Text, About: "server that is to lead, since nats-server " + preferredSince + "; none: any"},
		},
		aim: aimStepDown,
	}
}

// A stepDown has a leader hand over.
type stepDown struct {
	aim
	course
	what    string // in words
	subject string
	body    any // nil: empty
	old     string
	leader  func(context.Context) (leader string, err error)
}

func aimStepDown(ctx context.Context, a aim) (*Strike, error) {
	d := &stepDown{aim: a}
	group, err := d.group(ctx)
	if err != nil {
		return nil, err
	}
	if err := d.check(ctx, group); err != nil {
		return nil, err
	}
	d.old = group.leader
	payload := ""
	if to := a.settings.text("to"); to != "" {
		d.body = map[string]any{"placement": map[string]string{"preferred": to}}
		payload = fmt.Sprintf(`{"placement":{"preferred":%q}}`, to)
	}
	return &Strike{
		Victims: []string{fmt.Sprintf("leader %s of %s", d.old, d.what)},
		Steps:   []Step{{Do: "request", Object: d.subject, Payload: payload}},
		Inject:  func(ctx context.Context) error { return d.inject(ctx, d.strike) },
		Heal:    func(ctx context.Context) error { return d.heal(ctx, nothing) },
		Healed:  nothing,
		Counts:  d.tally,
	}, nil
}

// A group is what elects a leader.
type group struct {
	leader string
	others []string
}

// group finds out what it is about, and who leads it.
func (d *stepDown) group(ctx context.Context) (group, error) {
	switch d.settings.text("what") {
	case stepMeta:
		return d.meta(ctx)
	case stepConsumer:
		return d.ofConsumer(ctx)
	default:
		return d.ofStream(ctx)
	}
}

func (d *stepDown) ofStream(ctx context.Context) (group, error) {
	stream, err := d.stream(ctx)
	if err != nil {
		return group{}, err
	}
	name := stream.CachedInfo().Config.Name
	d.what, d.subject = "stream "+name, d.api("STREAM.LEADER.STEPDOWN."+name)
	d.leader = func(ctx context.Context) (string, error) {
		info, err := stream.Info(ctx)
		if err != nil {
			return "", err
		}
		return groupOf(info.Cluster).leader, nil
	}
	return groupOf(stream.CachedInfo().Cluster), nil
}

func (d *stepDown) ofConsumer(ctx context.Context) (group, error) {
	info, err := d.pausable(ctx)
	if err != nil {
		return group{}, err
	}
	at := Undo{Stream: info.Stream, Consumer: info.Name}
	d.what = "consumer " + info.Stream + "/" + info.Name
	d.subject = d.api("CONSUMER.LEADER.STEPDOWN." + info.Stream + "." + info.Name)
	d.leader = func(ctx context.Context) (string, error) {
		info, err := consumerInfo(ctx, d.Site, at)
		if err != nil {
			return "", err
		}
		return groupOf(info.Cluster).leader, nil
	}
	return groupOf(info.Cluster), nil
}

func groupOf(c *jetstream.ClusterInfo) group {
	if c == nil {
		return group{}
	}
	g := group{leader: c.Leader}
	for _, p := range c.Replicas {
		g.others = append(g.others, p.Name)
	}
	return g
}

// meta asks any server who leads the meta group. Its calls from an application's
// account get no answer.
func (d *stepDown) meta(ctx context.Context) (group, error) {
	if d.System == nil {
		err := refuse(ErrNeeds, "the leader of the meta group steps down for the system account only: from another one the call gets no answer")
		return group{}, hint.Wrap(err, "credentials of the system account")
	}
	there, err := d.roster(ctx)
	if err != nil {
		return group{}, err
	}
	d.what, d.subject = "the meta group", "$JS.API.META.LEADER.STEPDOWN"
	d.leader = func(ctx context.Context) (string, error) { return d.metaAgreed(ctx, there) }
	g := group{}
	if g.leader, err = d.metaAgreed(ctx, there); err != nil {
		return g, err
	}
	for _, p := range there {
		if p.Name != g.leader && len(there) > 1 {
			g.others = append(g.others, p.Name)
		}
	}
	return g, nil
}

// metaAgreed is whom the servers hold for the leader; "" while they do not agree
// or one of them has none.
func (d *stepDown) metaAgreed(ctx context.Context, there []peer) (string, error) {
	leader := ""
	for i, p := range there {
		var answer struct {
			Data struct {
				Meta struct {
					Leader string `json:"leader"`
				} `json:"meta_cluster"`
			} `json:"data"`
		}
		if err := ask(ctx, d.System, "$SYS.REQ.SERVER."+p.ID+".JSZ", struct{}{}, &answer); err != nil {
			return "", err
		}
		if l := answer.Data.Meta.Leader; i > 0 && l != leader {
			return "", nil
		}
		leader = answer.Data.Meta.Leader
	}
	return leader, nil
}

// check refuses what would have no effect, or an error as the answer.
func (d *stepDown) check(ctx context.Context, g group) error {
	to := d.settings.text("to")
	switch {
	case len(g.others) == 0:
		return refuse(ErrNeeds, "%s is on one server only: its leader would step down in favour of itself", d.what)
	case g.leader == "":
		return refuse(ErrNoVictim, "%s has no leader now", d.what)
	case to == "":
		return nil
	case to == g.leader:
		return refuse(ErrNoVictim, "%s leads %s already", to, d.what)
	case !slices.Contains(g.others, to):
		return hint.Wrap(refuse(ErrNoVictim, "%s is not on server %q", d.what, to), oneOf(to, g.others))
	}
	return d.needVersion(ctx, preferredSince)
}

// strike asks the leader to hand over, until another one leads: one that none of
// the others can follow at the moment, as just after an election, is elected
// again. For the same reason another than the preferred one may be.
func (d *stepDown) strike(ctx context.Context) error {
	began, to := time.Now(), d.settings.text("to")
	ctx, cancel := context.WithTimeout(ctx, electionLimit)
	defer cancel()
	for {
		if err := d.once(ctx); err != nil {
			return err
		}
		now, err := d.waitForAnother(ctx)
		switch {
		case err == nil && (to == "" || now == to):
			d.count("election_ns", float64(time.Since(began)))
			return nil
		case err == nil && wait(ctx, lookLimit) == nil:
			d.old = now
		case ctx.Err() != nil:
			return fmt.Errorf("%s of %s stepped down, and %s does not lead: %w", d.old, d.what, cmp.Or(to, "no other"), ctx.Err())
		}
	}
}

// once asks once.
func (d *stepDown) once(ctx context.Context) error {
	var answer struct {
		Success bool     `json:"success"`
		Error   apiError `json:"error"`
	}
	nc := d.App
	if d.settings.text("what") == stepMeta {
		nc = d.System
	}
	if err := ask(ctx, nc, d.subject, d.body, &answer); err != nil {
		return err
	}
	if !answer.Success {
		return errors.New(answer.Error.Description)
	}
	d.count("step_downs", 1)
	return nil
}

// waitForAnother waits as long as an election takes.
func (d *stepDown) waitForAnother(ctx context.Context) (now string, err error) {
	ctx, cancel := context.WithTimeout(ctx, electionTime)
	defer cancel()
	err = until(ctx, func(ctx context.Context) bool {
		ctx, cancel := context.WithTimeout(ctx, lookLimit)
		defer cancel()
		leader, err := d.leader(ctx)
		now = leader
		return err == nil && now != "" && now != d.old
	})
	return now, err
}
