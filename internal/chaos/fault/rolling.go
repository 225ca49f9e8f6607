package fault

import (
	"context"
	"fmt"
	"time"

	"github.com/nats-io/nats.go/jetstream"
)

func rollingRestartKind() Kind {
	return Kind{
		Name:    "rolling-restart",
		About:   "Servers are restarted in good order, each only when all replicas of the stream are current again after the one before.",
		Expect:  "Writes go on within a client's first retry, each time, and nothing is lost.",
		Class:   Remains,
		Needs:   Need{Nodes: true},
		Selects: SelectServers | SelectStream,
		Params: []Param{
			{Name: "pause", Default: "0", Unit: Duration, About: "between a stream that is current and the next restart", Most: float64(time.Minute)},
			{Name: "limit", Default: "2m", Unit: Duration, About: "how long the stream may take to be current", Least: float64(time.Second)},
		},
		aim: aimRolling,
	}
}

// A rolling is a raid that takes one node after the other.
type rolling struct {
	*raid
	stream jetstream.Stream
}

func aimRolling(ctx context.Context, a aim) (*Strike, error) {
	r, err := a.raid(ctx, AllServers)
	if err != nil {
		return nil, err
	}
	stream, err := a.stream(ctx)
	if err != nil {
		return nil, err
	}
	w := &rolling{raid: r, stream: stream}
	s := r.strike(blow{back: r.start})
	s.AtOnce = 1
	s.Inject = func(ctx context.Context) error { return w.inject(ctx, w.roll) }
	for _, n := range r.nodes {
		s.Steps = append(s.Steps, signalStep(n, "SIGTERM"), startStep(n, "at once"),
			Step{Do: "wait", Object: "stream " + stream.CachedInfo().Config.Name, Payload: "until all replicas are current"})
	}
	return s, nil
}

func (w *rolling) roll(ctx context.Context) error {
	for i, n := range w.nodes {
		if i > 0 {
			if err := wait(ctx, w.settings.duration("pause")); err != nil {
				return err
			}
		}
		if err := w.one(ctx, n); err != nil {
			return fmt.Errorf("%s: %w", n.Name(), err)
		}
	}
	return nil
}

func (w *rolling) one(ctx context.Context, n Node) error {
	w.mu.Lock()
	w.struck = append(w.struck, n)
	w.mu.Unlock()
	if err := n.Stop(); err != nil {
		return err
	}
	if err := w.restart(ctx, n); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, w.settings.duration("limit"))
	defer cancel()
	back := time.Now()
	why := "nothing is known"
	err := until(ctx, func(ctx context.Context) bool {
		why = w.missing(ctx, n.Name(), back)
		return why == ""
	})
	if err != nil {
		return fmt.Errorf("wait for stream %s: %w: %s", w.stream.CachedInfo().Config.Name, err, why)
	}
	return nil
}

// missing tells what keeps the stream from being whole after a node was back;
// "": nothing. For some time after a replica has gone its leader calls it
// current, so one that was restarted counts when the leader has heard of it
// since.
func (w *rolling) missing(ctx context.Context, restarted string, back time.Time) string {
	ctx, cancel := context.WithTimeout(ctx, askLimit)
	defer cancel()
	info, err := w.stream.Info(ctx)
	if err != nil {
		return err.Error()
	}
	group := info.Cluster
	switch {
	case group == nil:
		return ""
	case group.Leader == "":
		return "it has no leader"
	case len(group.Replicas) != info.Config.Replicas-1:
		return fmt.Sprintf("it has %d of %d replicas", len(group.Replicas)+1, info.Config.Replicas)
	}
	for _, r := range group.Replicas {
		if !r.Current || r.Offline || r.Name == restarted && r.Active > time.Since(back) {
			return r.Name + " is not current"
		}
	}
	return ""
}
