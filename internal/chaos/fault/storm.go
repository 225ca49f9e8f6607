package fault

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/nats-io/nats.go"
)

// stormWidth is how many connections are opened, or kicked, at the same time.
const stormWidth = 64

func connectionsParam() Param {
	return Param{Name: "connections", Default: "200", Unit: Count, Least: 1, Most: 5_000, About: "how many are opened"}
}

func connectionStormKind() Kind {
	return Kind{
		Name:    "connection-storm",
		About:   "Many clients connect at once, and stay.",
		Expect:  "All are let in, and the publishers that were there before notice little.",
		Class:   DiesToo,
		Default: 15 * time.Second,
		Params:  []Param{connectionsParam(), rateParam("2k/s", 10_000, "connections at most")},
		aim:     aimConnectionStorm,
	}
}

func reconnectStormKind() Kind {
	return Kind{
		Name:    "reconnect-storm",
		About:   "Clients of our own connect, and are kicked all at once.",
		Expect:  "All are back within seconds, and the publishers that were there before notice little.",
		Class:   DiesToo,
		Needs:   Need{System: true},
		Since:   "2.10.0",
		Default: 15 * time.Second,
		Params: []Param{
			connectionsParam(),
			rateParam("2k/s", 10_000, "connections that are opened before it, at most"),
			{Name: "wait", Default: "100ms", Unit: Duration, Most: float64(time.Minute), About: "how long a client waits between attempts at the same server"},
		},
		aim: aimReconnectStorm,
	}
}

// A storm is many connections of our own.
type storm struct {
	aim
	course

	mu     sync.Mutex
	conns  []*nats.Conn
	kicked time.Time
	back   map[*nats.Conn]time.Duration // after the kick, the first time
}

func (s *storm) size() int { return s.settings.count("connections") }

func (s *storm) strike(start func(context.Context) error, steps ...Step) *Strike {
	what := fmt.Sprintf("%d connections of our own, called %s", s.size(), s.ownName())
	opened := Step{
		Do: "connect", Object: s.ownName(),
		Payload: fmt.Sprintf("%s, %s at most", what, Rate.format(s.settings.number("rate"))),
	}
	return &Strike{
		Victims: []string{what},
		Steps:   append([]Step{opened}, steps...),
		Inject:  func(ctx context.Context) error { return s.inject(ctx, start) },
		Heal:    func(ctx context.Context) error { return s.heal(ctx, s.leave) },
		Healed:  s.healed,
		Counts:  s.summary,
	}
}

func aimConnectionStorm(_ context.Context, a aim) (*Strike, error) {
	s := &storm{aim: a, back: map[*nats.Conn]time.Duration{}}
	return s.strike(func(ctx context.Context) error { return s.open(ctx, nats.NoReconnect()) }), nil
}

func aimReconnectStorm(_ context.Context, a aim) (*Strike, error) {
	s := &storm{aim: a, back: map[*nats.Conn]time.Duration{}}
	return s.strike(s.kickAll, Step{
		Do: "request", Object: kickSubject("<server>", "KICK"),
		Payload: fmt.Sprintf(`{"cid":<n>} for each of the connections called %s`, s.ownName()),
	}), nil
}

// open opens the connections. That some are refused is what a storm may show;
// that all are is an error.
func (s *storm) open(ctx context.Context, opts ...nats.Option) error {
	var (
		rate    = newBucket(s.settings.number("rate"))
		slots   = make(chan struct{}, stormWidth)
		wg      sync.WaitGroup
		refused error
	)
	for range s.size() {
		if _, err := rate.take(ctx, 1); err != nil {
			break
		}
		slots <- struct{}{}
		wg.Go(func() {
			defer func() { <-slots }()
			nc, err := s.connect(ctx, nil, opts...)
			s.mu.Lock()
			defer s.mu.Unlock()
			if err != nil {
				refused = err
				s.count("connections_refused", 1)
				return
			}
			s.conns = append(s.conns, nc)
			s.count("connections_opened", 1)
		})
	}
	wg.Wait()
	if len(s.conns) == 0 {
		return refused
	}
	return ctx.Err()
}

// kickAll opens the connections, and has the servers close them.
func (s *storm) kickAll(ctx context.Context) error {
	err := s.open(
		ctx, nats.MaxReconnects(-1), nats.ReconnectWait(s.settings.duration("wait")),
		nats.ReconnectHandler(s.returned),
	)
	if err != nil {
		return err
	}
	s.mu.Lock()
	all := slices.Clone(s.conns)
	s.kicked = time.Now()
	s.mu.Unlock()
	slots := make(chan struct{}, stormWidth)
	var wg sync.WaitGroup
	for _, nc := range all {
		if ctx.Err() != nil {
			break
		}
		slots <- struct{}{}
		wg.Go(func() {
			defer func() { <-slots }()
			s.kick(ctx, nc)
		})
	}
	wg.Wait()
	return ctx.Err()
}

// kick has the server close a connection.
func (s *storm) kick(ctx context.Context, nc *nats.Conn) {
	at := ownSeat(nc)
	if err := s.call(ctx, kickSubject(at.server, "KICK"), at.cid); err != nil {
		s.count(notDone(ctx, err), 1)
		return
	}
	s.count("kicked", 1)
}

// returned notes how long a connection was away.
func (s *storm) returned(nc *nats.Conn) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, before := s.back[nc]; !before && !s.kicked.IsZero() {
		s.back[nc] = time.Since(s.kicked)
	}
}

// leave closes the connections.
func (s *storm) leave(context.Context) error {
	s.mu.Lock()
	all := s.conns
	s.mu.Unlock()
	for _, nc := range all {
		if nc.IsClosed() {
			s.count("connections_lost", 1)
		}
		nc.Close()
	}
	return nil
}

func (s *storm) healed(context.Context) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	open := slices.IndexFunc(s.conns, func(nc *nats.Conn) bool { return !nc.IsClosed() })
	if open >= 0 {
		return fmt.Errorf("connections of %s are still open", s.ownName())
	}
	return nil
}

// summary adds how long the kicked needed to be back: reconnect_p50_ns and
// reconnect_max_ns.
func (s *storm) summary() map[string]float64 {
	all := s.tally()
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.back) == 0 {
		return all
	}
	back := slices.Sorted(maps.Values(s.back))
	all["reconnected"] = float64(len(back))
	all["reconnect_p50_ns"] = float64(back[(len(back)-1)/2])
	all["reconnect_max_ns"] = float64(back[len(back)-1])
	return all
}
