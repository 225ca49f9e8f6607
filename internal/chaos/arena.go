package chaos

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/natsops/natsops/internal/chaos/drill"
	"github.com/natsops/natsops/internal/chaos/fault"
	"github.com/natsops/natsops/internal/hint"
)

// StreamName is the stream of the load. There is one in an account at most, so
// that it is also the lock: who cannot make it is not the only one who drills.
const StreamName = "NATSOPS_CHAOS"

// consumerName is the consumer of the load.
const consumerName = "load"

const (
	// makeLimit bounds the wait for a stream or a consumer, and onceLimit for one
	// answer about it.
	makeLimit = 30 * time.Second
	onceLimit = 3 * time.Second
)

// An arena is what a drill makes at the target: a stream and a consumer, marked
// as ours.
type arena struct {
	js     jetstream.JetStream
	mark   string // natsops-chaos-ID
	prefix string // of subjects: natsops.chaos.ID
	stream jetstream.StreamConfig
}

func newArena(d drill.Drill, env Env, servers int) *arena {
	a := &arena{js: env.JS, mark: "natsops-chaos-" + env.ID, prefix: "natsops.chaos." + env.ID}
	total := d.Steady.Limit + d.Observe + d.Limits.MaxTime
	a.stream = jetstream.StreamConfig{
		Name:        StreamName,
		Description: "drill " + d.Name + " of natsops; goes with it",
		Subjects:    []string{a.loadSubject() + ".>", a.fillSubject() + ".>"},
		Replicas:    min(3, servers),
		Discard:     jetstream.DiscardNew, // a limit must not look like a loss
		MaxBytes:    storage(d, servers, total),
		Duplicates:  max(2*time.Minute, total), // the last retry must meet the first attempt
		Metadata:    a.metadata(),
		AllowDirect: true,
	}
	if d.Load.Replicas > 0 {
		a.stream.Replicas = d.Load.Replicas
	}
	if d.Load.Memory {
		a.stream.Storage = jetstream.MemoryStorage
	}
	return a
}

// storage is room for twice what the load can send, in bytes.
func storage(d drill.Drill, servers int, over time.Duration) int64 {
	publishers := d.Load.PerServer*servers + d.Load.Any
	const headers, room = 256, 64 << 20
	perSecond := d.Load.Rate * float64(publishers) * float64(d.Load.Size+headers)
	return room + int64(2*perSecond*over.Seconds())
}

func (a *arena) loadSubject() string { return a.prefix + ".load" }

// fillSubject begins the subjects of messages that nobody reads.
func (a *arena) fillSubject() string { return a.prefix + ".fill" }

func (a *arena) metadata() map[string]string {
	return map[string]string{fault.MetaOwner: a.mark, fault.MetaKind: "chaos"}
}

// imitate takes the shape of another stream.
func (a *arena) imitate(ctx context.Context, name string) error {
	s, err := a.js.Stream(ctx, name)
	if err != nil {
		return hint.Wrap(fmt.Errorf("%w: stream %s, which the drill is to imitate: %w", ErrTarget, name, err), "nats stream ls")
	}
	like := s.CachedInfo().Config
	a.stream.Replicas, a.stream.Storage = like.Replicas, like.Storage
	a.stream.Placement, a.stream.Compression = like.Placement, like.Compression
	return nil
}

// make makes the stream and its consumer.
func (a *arena) make(ctx context.Context, l drill.Load) error {
	err := insist(ctx, func(ctx context.Context) error {
		if _, err := a.js.AccountInfo(ctx); err != nil {
			return fmt.Errorf("ask for the account: %w", err)
		}
		_, err := a.js.CreateStream(ctx, a.stream) // which makes no second one when it is repeated
		return err
	})
	switch {
	case errors.Is(err, jetstream.ErrStreamNameAlreadyInUse):
		return hint.Wrap(fmt.Errorf("%w: stream %s exists", ErrBusy, StreamName), "natsops chaos status, and if nothing runs natsops chaos heal")
	case errors.Is(err, jetstream.ErrJetStreamNotEnabled), errors.Is(err, jetstream.ErrJetStreamNotEnabledForAccount):
		return hint.Wrap(fmt.Errorf("%w: it has no JetStream for this account", ErrTarget), "a user of an account with JetStream")
	case silent(err) && ctx.Err() == nil:
		return hint.Wrap(fmt.Errorf("%w: it is not steady: nobody makes a stream within %s, as when there is no meta leader", ErrRefused, makeLimit),
			"natsops doctor, and the drill again when it is whole")
	case err != nil:
		return fmt.Errorf("%w: make stream %s: %w", ErrTarget, StreamName, err)
	}
	// A request that comes right after the stream was made can go unanswered.
	err = insist(ctx, func(ctx context.Context) error {
		_, err := a.js.CreateConsumer(ctx, StreamName, jetstream.ConsumerConfig{
			Durable:       consumerName,
			FilterSubject: a.loadSubject() + ".>",
			AckPolicy:     jetstream.AckExplicitPolicy,
			AckWait:       l.ConsumerAckWait,
			MaxAckPending: l.MaxAckPending,
			MaxDeliver:    l.MaxDeliver,
			Metadata:      a.metadata(),
		})
		return err
	})
	if err != nil {
		return fmt.Errorf("%w: make a consumer of %s: %w", ErrTarget, StreamName, err)
	}
	return nil
}

// insist repeats a request that can be repeated, until there is an answer other
// than that nobody is there to answer.
func insist(ctx context.Context, request func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(ctx, makeLimit)
	defer cancel()
	for {
		once, cancel := context.WithTimeout(ctx, onceLimit)
		err := request(once)
		cancel()
		if !silent(err) || !sleep(ctx, 2*tick) {
			return err
		}
	}
}

// silent reports whether err says that nobody answered.
func silent(err error) bool {
	return errors.Is(err, context.DeadlineExceeded) || errors.Is(err, nats.ErrTimeout) || errors.Is(err, nats.ErrNoResponders)
}

// remove removes the stream, if it is there and ours: whether it was made is not
// always known, and another drill may have made one of that name.
func (a *arena) remove(ctx context.Context) error {
	s, err := a.js.Stream(ctx, StreamName)
	if errors.Is(err, jetstream.ErrStreamNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	if s.CachedInfo().Config.Metadata[fault.MetaOwner] != a.mark {
		return nil
	}
	return a.js.DeleteStream(ctx, StreamName)
}

// undo is what has to be done when nobody could remove it.
func (a *arena) undo() []fault.Undo {
	return []fault.Undo{{Kind: fault.UndoStream, Stream: StreamName}}
}

// discover finds the servers behind the addresses that a connection knows, by
// asking each for its name.
func discover(ctx context.Context, env Env) (servers []fault.Server, t Target, err error) {
	t = Target{Name: env.Name, Lab: env.Owned, Cluster: env.App.ConnectedClusterName()}
	var versions []string
	for _, url := range env.App.Servers() {
		nc, err := env.Dial(ctx, []string{url}, "natsops-chaos-"+env.ID+" look", nats.IgnoreDiscoveredServers(), nats.NoReconnect())
		if err != nil {
			if ctx.Err() != nil {
				return nil, t, context.Cause(ctx)
			}
			continue // a cluster may advertise more than can be reached from here
		}
		s := fault.Server{Name: nc.ConnectedServerName(), ID: nc.ConnectedServerId(), URL: url}
		version := nc.ConnectedServerVersion()
		nc.Close()
		if slices.ContainsFunc(servers, func(known fault.Server) bool { return known.ID == s.ID }) {
			continue
		}
		servers = append(servers, s)
		if !slices.Contains(versions, version) {
			versions = append(versions, version)
		}
	}
	if len(servers) == 0 {
		return nil, t, fmt.Errorf("%w: none of its servers answers", ErrTarget)
	}
	slices.SortFunc(servers, func(a, b fault.Server) int { return strings.Compare(a.Name, b.Name) })
	for _, s := range servers {
		t.Servers = append(t.Servers, s.Name)
	}
	slices.Sort(versions)
	t.Version = strings.Join(versions, ", ")
	return servers, t, nil
}
