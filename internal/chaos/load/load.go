// Package load is the traffic of a drill: publishers that send a message each
// few milliseconds whatever happens to the ones before, and consumers that
// receive them. It keeps the history of every message. It also reads back what
// was stored, and compares what the servers have of it.
package load

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/natsops/natsops/internal/chaos/history"
)

// A Load is running traffic. Its methods may be called concurrently. It goes on
// until [Load.Finish], and its consumers until [Load.Close].
type Load struct {
	cfg        Config
	diary      *diary
	publishers []*publisher
	workers    []*worker
	deliveries deliveries

	end     context.CancelFunc // of all that runs
	running sync.WaitGroup
	closed  sync.Once
	mu      sync.Mutex
	stopped time.Duration // 0: not yet
}

// Start opens all connections, makes sure that they work and that a publisher
// with one server is connected to it, and starts the traffic. ctx ends only the
// attempt.
func Start(ctx context.Context, cfg Config, dial Dial) (*Load, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	l := &Load{cfg: cfg, diary: new(diary)}
	run, end := context.WithCancel(context.WithoutCancel(ctx))
	l.end = end
	if err := l.open(ctx, dial); err != nil {
		l.Close()
		return nil, err
	}
	l.diary.begin()
	for _, p := range l.publishers {
		l.running.Go(func() { p.run(run) })
	}
	for _, w := range l.workers {
		l.running.Go(func() { w.run(run) })
	}
	return l, nil
}

// open makes publishers and workers with a connection each.
func (l *Load) open(ctx context.Context, dial Dial) error {
	for i, p := range l.cfg.Publishers {
		nc, err := connect(ctx, dial, l.diary, caller{who: p.Name, name: l.cfg.Mark + "-" + p.Name, urls: p.URLs, server: p.Server})
		if err != nil {
			return fmt.Errorf("publisher %s: %w", p.Name, err)
		}
		made, err := newPublisher(&l.cfg, uint16(i), nc, l.diary.now)
		if err == nil {
			made.conn = nc
			l.publishers = append(l.publishers, made)
			err = made.listen(ctx, nc)
		} else {
			nc.Close()
		}
		if err != nil {
			return fmt.Errorf("publisher %s: %w", p.Name, err)
		}
	}
	if l.cfg.Consumer == "" {
		return nil
	}
	for i := range max(1, l.cfg.Workers) {
		who := "consumer-" + strconv.Itoa(i+1)
		nc, err := connect(ctx, dial, l.diary, caller{who: who, name: l.cfg.Mark + "-" + who})
		if err == nil {
			var w *worker
			if w, err = newWorker(l, who, i, nc); err == nil {
				l.workers = append(l.workers, w)
			}
		}
		if err != nil {
			return fmt.Errorf("%s: %w", who, err)
		}
	}
	return nil
}

// Run is the mark of the messages, see ledger.Stamp.
func (l *Load) Run() uint16 { return l.cfg.Run }

// Zero is the moment that all times of the history count from.
func (l *Load) Zero() time.Time { return l.diary.zero }

// Since is how long the load has been running.
func (l *Load) Since() time.Duration { return l.diary.now() }

// Finish has the publishers begin no new message, and waits until each message
// is acknowledged or, with [NoRetry], its attempt has ended. When ctx ends
// before, nothing is tried again, and an error tells how many are left; an
// acknowledgement that still comes counts. A further call only waits.
func (l *Load) Finish(ctx context.Context) error {
	l.mu.Lock()
	if l.stopped == 0 {
		l.stopped = max(1, l.diary.now())
	}
	l.mu.Unlock()
	for _, p := range l.publishers {
		p.stop()
	}
	left := 0
	for _, p := range l.publishers {
		select {
		case <-p.quiet:
			continue
		default:
		}
		select {
		case <-p.quiet:
		case <-ctx.Done():
			left += p.giveUp()
		}
	}
	if left > 0 {
		return fmt.Errorf("%d messages were not acknowledged in time: %w", left, context.Cause(ctx))
	}
	return nil
}

// Close ends all traffic and its connections, and returns when nothing runs any
// more. Further calls do nothing. The history stays.
func (l *Load) Close() {
	l.closed.Do(func() {
		l.diary.end()
		l.end()
		l.running.Wait()
		for _, p := range l.publishers {
			p.stop()
			p.giveUp()
			p.conn.Close()
		}
		for _, w := range l.workers {
			w.conn.Close()
		}
	})
}

// Record copies the history so far. Stored, Replicas and EqualAt are for others
// to fill in. An attempt that has not ended yet has 0 for its end.
func (l *Load) Record() history.Record {
	r := history.Record{Period: l.cfg.period(), Events: l.diary.events()}
	for i, p := range l.publishers {
		r.Publishers = append(r.Publishers, history.Publisher{Name: p.name, Server: l.cfg.Publishers[i].Server})
		r.Attempts = p.appendTo(r.Attempts)
	}
	slices.SortStableFunc(r.Attempts, func(a, b history.Attempt) int { return int(a.Began - b.Began) })
	if l.cfg.Consumer != "" {
		r.Consumers = []string{l.cfg.Consumer}
		r.Deliveries = l.deliveries.all()
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	r.Stopped = l.stopped
	return r
}
