package sample

import (
	"context"
	"fmt"
	"math"
	"sync"
	"sync/atomic"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// A client is an application: a connection and what it does with it.
type client struct {
	name string
	// run returns nil when its work is done for good. After any error it is
	// started again, with a new connection.
	run func(ctx context.Context, c *conn) error
}

// A conn is the connection of a client, and what it has to know.
type conn struct {
	*nats.Conn
	js               jetstream.JetStream
	dial             Dial
	scale            float64
	stream, consumer string
	config           jetstream.ConsumerConfig
	reached          func() // to be called when a habit shows
}

func (c *conn) scaled(n int) int { return scaled(n, c.scale) }

// scaled returns n by scale, and no less than one of it.
func scaled(n int, scale float64) int {
	return max(min(n, 1), int(math.Round(float64(n)*scale)))
}

// The pauses between two lives of a client.
const (
	shortestPause = 100 * time.Millisecond
	longestPause  = 2 * time.Second
)

// launch starts all clients.
func (t *Traffic) launch(ctx context.Context) {
	for _, f := range t.feeds() {
		if len(f.publish) > 0 {
			t.clients.Go(func() { t.live(ctx, publisher(f), conn{stream: f.Name}) })
		}
	}
	for _, s := range t.scenarios {
		for _, c := range s.clients {
			about := conn{stream: s.Stream, consumer: s.Consumer, config: t.consumerConfig(s)}
			t.clients.Go(func() { t.live(ctx, c, about) })
		}
	}
	for _, h := range t.habits {
		var (
			shows   = make(chan struct{})
			clients atomic.Int64
		)
		clients.Store(int64(len(h.clients)))
		t.shows[h.Name] = shows
		for _, c := range h.clients {
			about := conn{reached: sync.OnceFunc(func() {
				if clients.Add(-1) == 0 {
					close(shows)
				}
			})}
			t.clients.Go(func() { t.live(ctx, c, about) })
		}
	}
}

// live runs a client until it is done or ctx ends.
func (t *Traffic) live(ctx context.Context, c client, about conn) {
	wait := shortestPause
	for {
		began := time.Now()
		err := t.once(ctx, c, about)
		if err == nil || ctx.Err() != nil {
			return
		}
		t.mu.Lock()
		t.last[c.name] = err
		t.mu.Unlock()
		if time.Since(began) > longestPause {
			wait = shortestPause
		}
		if pause(ctx, wait) != nil {
			return
		}
		wait = min(2*wait, longestPause)
	}
}

// once is one life of a client.
func (t *Traffic) once(ctx context.Context, c client, about conn) error {
	nc, err := t.dial(ctx, c.name)
	if err != nil {
		return err
	}
	defer nc.Close()
	about.Conn, about.dial, about.scale = nc, t.dial, t.options.Scale
	if about.js, err = jetstream.New(nc); err != nil {
		return err
	}
	return c.run(ctx, &about)
}

// admin opens a connection for the assets of all.
func (t *Traffic) admin(ctx context.Context) (*nats.Conn, jetstream.JetStream, error) {
	nc, err := t.dial(ctx, "natsops-sample")
	if err != nil {
		return nil, nil, fmt.Errorf("connect the sample traffic: %w", err)
	}
	js, err := jetstream.New(nc)
	if err != nil {
		nc.Close()
	}
	return nc, js, err
}
