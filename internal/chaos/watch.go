package chaos

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/natsops/natsops/internal/inspect"
)

const (
	watchEvery = 250 * time.Millisecond
	leverEvery = time.Second
	// afloat is the backlog, in messages, below which a consumer has caught up.
	afloat = 100
	// staleAfter is how long a replica may be unheard of: its leader speaks to it
	// every second (hbInterval in raft.go of nats-server).
	staleAfter = 3 * time.Second
)

// A watch looks at a system while it is broken: at the backlog of a consumer, at
// replicas and leaders, and at what ends the drill early.
type watch struct {
	r      *run
	cancel context.CancelFunc
	done   sync.WaitGroup
	subs   []*nats.Subscription

	mu      sync.Mutex
	down    []string // servers that are broken now
	hit     []string // that ever were
	backlog []backlog
	current []currency
}

// A backlog is how much a consumer had yet to finish at a moment.
type backlog struct {
	at       time.Duration
	messages uint64
}

// A currency is the share of the replicas that were known to be current at a
// moment.
type currency struct {
	at    time.Duration
	ratio float64
}

// newWatch begins to look.
func newWatch(ctx context.Context, r *run) *watch {
	w := &watch{r: r}
	ctx, w.cancel = context.WithCancel(context.WithoutCancel(ctx)) // it looks on while all is healed
	w.listen()
	w.done.Go(func() { w.every(ctx, watchEvery, w.look) })
	w.done.Go(func() { w.every(ctx, leverEvery, w.guard) })
	w.done.Go(func() { w.every(ctx, alarmEvery, (&sentry{r: r}).look) })
	return w
}

func (w *watch) close() {
	w.cancel()
	for _, s := range w.subs {
		_ = s.Unsubscribe()
	}
	w.done.Wait()
}

func (w *watch) every(ctx context.Context, d time.Duration, do func(context.Context)) {
	for sleep(ctx, d) {
		do(ctx)
	}
}

// broken notes that these servers are down.
func (w *watch) broken(servers []string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.down = append(w.down, servers...)
	w.hit = append(w.hit, servers...)
}

// mended notes that no server is.
func (w *watch) mended() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.down = nil
}

// victims are the servers that were ever broken.
func (w *watch) victims() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	slices.Sort(w.hit)
	return slices.Compact(slices.Clone(w.hit))
}

// listen puts elections and the like on the timeline.
func (w *watch) listen() {
	if w.r.arena == nil {
		return
	}
	for subject, kind := range map[string]string{
		"$JS.EVENT.ADVISORY.STREAM.LEADER_ELECTED." + StreamName:                        "leader",
		"$JS.EVENT.ADVISORY.STREAM.QUORUM_LOST." + StreamName:                           "quorum-lost",
		"$JS.EVENT.ADVISORY.CONSUMER.LEADER_ELECTED." + StreamName + "." + consumerName: "consumer-leader",
		"$JS.EVENT.ADVISORY.CONSUMER.QUORUM_LOST." + StreamName + "." + consumerName:    "consumer-quorum-lost",
		"$JS.EVENT.ADVISORY.CONSUMER.MAX_DELIVERIES." + StreamName + "." + consumerName: "max-deliveries",
	} {
		sub, err := w.r.env.App.Subscribe(subject, func(m *nats.Msg) {
			var a struct {
				Leader string `json:"leader"`
			}
			_ = json.Unmarshal(m.Data, &a) // an advisory of another form has no leader
			w.r.note(kind, a.Leader, "")
		})
		if err == nil { // without permission there are fewer lines
			w.subs = append(w.subs, sub)
		}
	}
}

// look takes note of the backlog and the replicas.
func (w *watch) look(ctx context.Context) {
	stream, consumer := w.r.subject()
	if consumer == "" {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, 4*watchEvery)
	defer cancel()
	c, err := w.r.env.JS.Consumer(ctx, stream, consumer)
	if err == nil {
		info := c.CachedInfo()
		w.mu.Lock()
		w.backlog = append(w.backlog, backlog{w.r.since(), info.NumPending + uint64(info.NumAckPending)})
		w.mu.Unlock()
	}
	ratio, _ := currentReplicas(ctx, w.r.env.JS, stream, w.r.behind()) // none is known to be, where nobody answers
	w.mu.Lock()
	w.current = append(w.current, currency{w.r.since(), ratio})
	w.mu.Unlock()
}

// currentReplicas is the share of the replicas of a stream that are current, as
// its leader says; false: it did not answer, or there is none. Under load a
// healthy replica is always a few messages behind, and the server's own word for
// it then changes from one moment to the next (Peers in raft.go of nats-server):
// here one is current that is at most so many messages behind.
func currentReplicas(ctx context.Context, js jetstream.JetStream, stream string, behind uint64) (float64, bool) {
	s, err := js.Stream(ctx, stream)
	if err != nil {
		return 0, false
	}
	info := s.CachedInfo()
	if info.Cluster == nil || info.Config.Replicas == 1 {
		return 1, true
	}
	if info.Cluster.Leader == "" {
		return 0, false
	}
	current := 1 // the leader
	for _, p := range info.Cluster.Replicas {
		if !p.Offline && p.Lag <= behind && p.Active < staleAfter {
			current++
		}
	}
	return float64(current) / float64(info.Config.Replicas), true
}

// behind is how many messages a replica may be behind and count as current: what
// is sent in a second.
func (r *run) behind() uint64 {
	l := r.drill.Load
	return uint64(l.Rate * float64(l.PerServer*len(r.servers)+l.Any))
}

// guard ends the drill when it must not go on.
func (w *watch) guard(ctx context.Context) {
	if why := w.r.bystanders(w.standing()); why != "" {
		w.r.abort(abortion{errors.New(why)})
	}
	if pulled, err := lever(ctx, w.r.env.JS); err == nil && pulled {
		w.r.abort(abortion{errLever})
	}
	w.guardOthers(ctx)
}

// standing are the servers that nothing was done to.
func (w *watch) standing() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	var names []string
	for _, s := range w.r.servers {
		if !slices.Contains(w.down, s.Name) {
			names = append(names, s.Name)
		}
	}
	return names
}

// guardOthers ends the drill when streams of others stay without a leader.
func (w *watch) guardOthers(ctx context.Context) {
	limit := w.r.drill.Abort.Leaderless
	if limit == 0 || w.r.env.Eye == nil || w.r.env.Owned {
		return
	}
	missing := func() []string {
		now, err := w.r.env.Eye.Collect(ctx, w.r.env.Eye.Route().Can(inspect.Need{Consumers: true}))
		if err != nil {
			return nil
		}
		return leaderless(now)
	}
	if first := missing(); len(first) > 0 && sleep(ctx, limit) {
		still := slices.DeleteFunc(missing(), func(name string) bool { return !slices.Contains(first, name) })
		if len(still) > 0 {
			w.r.abort(abortion{fmt.Errorf("streams of others have had no leader for %s: %s", limit, strings.Join(still, ", "))})
		}
	}
}

// subject is the consumer that a drill is about: that of its first fault, or
// that of the load.
func (r *run) subject() (stream, consumer string) {
	for _, f := range r.drill.Faults {
		if f.Victim.Consumer != "" {
			return f.Victim.Stream, f.Victim.Consumer
		}
	}
	if r.arena == nil {
		return "", ""
	}
	return StreamName, r.consumer()
}
