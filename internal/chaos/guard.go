package chaos

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/natsops/natsops/internal/chaos/drill"
	"github.com/natsops/natsops/internal/hint"
	"github.com/natsops/natsops/internal/inspect"
)

// The safety lever: while this key of this bucket has a value, in the account of
// the load, no drill begins, and one that runs stops and heals.
const (
	LeverBucket = "natsops_chaos"
	LeverKey    = "halt"
)

var errLever = errors.New("the safety lever was pulled (key " + LeverKey + " of bucket " + LeverBucket + ")")

// lever reports whether the safety lever is pulled. Where there is no bucket it
// is not.
func lever(ctx context.Context, js jetstream.JetStream) (pulled bool, err error) {
	bucket, err := js.KeyValue(ctx, LeverBucket)
	switch {
	case errors.Is(err, jetstream.ErrBucketNotFound), errors.Is(err, jetstream.ErrJetStreamNotEnabled),
		errors.Is(err, jetstream.ErrJetStreamNotEnabledForAccount), errors.Is(err, nats.ErrNoResponders):
		return false, nil
	case err != nil:
		return false, err
	}
	e, err := bucket.Get(ctx, LeverKey)
	if errors.Is(err, jetstream.ErrKeyNotFound) {
		return false, nil
	}
	return err == nil && len(e.Value()) > 0, err
}

// PullLever pulls the safety lever, or lets it go. It makes the bucket where
// there is none.
func PullLever(ctx context.Context, js jetstream.JetStream, pull bool) error {
	bucket, err := js.KeyValue(ctx, LeverBucket)
	switch {
	case errors.Is(err, jetstream.ErrBucketNotFound) && !pull:
		return nil
	case errors.Is(err, jetstream.ErrBucketNotFound):
		bucket, err = js.CreateKeyValue(ctx, jetstream.KeyValueConfig{Bucket: LeverBucket, Description: "stops the drills of natsops chaos"})
	}
	if err != nil {
		return err
	}
	if !pull {
		return bucket.Purge(ctx, LeverKey)
	}
	_, err = bucket.PutString(ctx, LeverKey, "yes")
	return err
}

// admit refuses a target that must not be broken now.
func admit(ctx context.Context, env Env) error {
	pulled, err := lever(ctx, env.JS)
	switch {
	case silent(err) && ctx.Err() == nil:
		return hint.Wrap(fmt.Errorf("%w: it is not steady: nobody tells whether the safety lever is pulled, as when there is no meta leader", ErrRefused),
			"natsops doctor, and the drill again when it is whole")
	case err != nil:
		return fmt.Errorf("%w: read the safety lever: %w", ErrTarget, err)
	case pulled:
		return hint.Wrap(fmt.Errorf("%w: %w", ErrRefused, errLever), "natsops chaos halt --release, once whoever pulled it agrees")
	case env.Owned || env.Eye == nil:
		return nil
	}
	now, err := env.Eye.Collect(ctx, env.Eye.Route().Can(inspect.Need{Consumers: true}))
	if err != nil {
		return fmt.Errorf("%w: look whether it is well: %w", ErrTarget, err)
	}
	if weak := weaknesses(now); len(weak) > 0 {
		return hint.Wrap(fmt.Errorf("%w: the system is not whole: %s", ErrRefused, strings.Join(weak, "; ")),
			"natsops doctor, and the drill again when it is")
	}
	return nil
}

// weaknesses tells which servers are silent and which streams have no leader, or
// replicas that are away or behind; the first three.
func weaknesses(now *inspect.Snapshot) []string {
	var weak []string
	for _, gap := range now.Gaps {
		if strings.HasPrefix(gap.What, "server ") {
			weak = append(weak, gap.What+": "+gap.Why)
		}
	}
	for _, s := range now.Streams {
		g := s.Cluster
		switch {
		case g == nil:
		case g.Leader == "":
			weak = append(weak, "stream "+s.Name+" has no leader")
		case slices.ContainsFunc(g.Replicas, lags):
			weak = append(weak, "a replica of stream "+s.Name+" is away or behind")
		}
	}
	return weak[:min(len(weak), 3)]
}

// farBehind is how many operations a replica may be behind. Under load a healthy
// one is not current for moments, see [currentReplicas].
const farBehind = 1000

// lags reports whether a replica is away or far behind.
func lags(p inspect.Peer) bool {
	return p.Offline || p.Active > staleAfter || !p.Current && p.Lag > farBehind
}

// leaderless returns the streams of others that have no leader.
func leaderless(now *inspect.Snapshot) []string {
	var names []string
	for _, s := range now.Streams {
		if s.Name != StreamName && s.Cluster != nil && s.Cluster.Leader == "" {
			names = append(names, s.Name)
		}
	}
	return names
}

// within refuses faults that take more than the drill may. The replicas are the
// servers that keep the stream of the load.
func within(limits drill.Limits, t Target, replicas []string, strikes []Planned) error {
	victims := 0
	for _, s := range strikes {
		victims += len(s.Victims)
	}
	if limits.MaxVictims > 0 && victims > limits.MaxVictims {
		return hint.Wrap(fmt.Errorf("%w: it has %d victims, and may have %d", ErrRefused, victims, limits.MaxVictims), "a narrower selection, or --max-victims")
	}
	for i := range strikes {
		down := downWith(strikes, i)
		if n := len(t.Servers); limits.MaxPercent > 0 && float64(len(down))*100 > limits.MaxPercent*float64(n) {
			return hint.Wrap(fmt.Errorf("%w: %d of %d servers would be hit, more than %g %%", ErrRefused, len(down), n, limits.MaxPercent), "fewer victims, or limits.max_percent")
		}
		for _, group := range [][]string{t.Servers, replicas} {
			left := slices.DeleteFunc(slices.Clone(group), func(name string) bool { return slices.Contains(down, name) })
			if limits.KeepQuorum && len(left) < len(group) && 2*len(left) <= len(group) {
				return hint.Wrap(fmt.Errorf("%w: without %s there is no majority of %s", ErrRefused, strings.Join(down, ", "), strings.Join(group, ", ")),
					"fewer victims, or keep_quorum: false among the limits of the drill if that is what you want to see")
			}
		}
	}
	return nil
}

// downWith is which servers are down at once while strike i lasts.
func downWith(strikes []Planned, i int) []string {
	begin, end := strikes[i].Spec.At, strikes[i].Spec.At+strikes[i].Spec.For
	var down []string
	for _, s := range strikes {
		if s.Spec.At <= end && s.Spec.At+s.Spec.For >= begin {
			down = append(down, s.Down[:s.AtOnce]...)
		}
	}
	slices.Sort(down)
	return slices.Compact(down)
}
