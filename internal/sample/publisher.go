package sample

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/nats-io/nats.go/jetstream"
)

const (
	burst       = 500             // messages of a backlog in flight
	refillCheck = 5 * time.Second // how often
	ackLimit    = 5 * time.Second // for one published message
)

// publisher returns the application that publishes to f.
func publisher(f feed) client {
	return client{name: f.client, run: func(ctx context.Context, c *conn) error {
		js, err := jetstream.New(c.Conn, jetstream.WithPublishAsyncTimeout(ackLimit))
		if err != nil {
			return err
		}
		p := &publishing{feed: f, js: js}
		if err := p.begin(ctx, c.scaled(f.backlog)); err != nil {
			return err
		}
		if f.rate == 0 && f.every == 0 {
			return nil
		}
		return p.flow(ctx, c)
	}}
}

// A publishing is one life of a publisher.
type publishing struct {
	feed
	js   jetstream.JetStream
	sent int
}

// begin publishes what is missing of the first backlog.
func (p *publishing) begin(ctx context.Context, backlog int) error {
	if backlog == 0 {
		return nil
	}
	state, err := p.state(ctx)
	if err != nil {
		return err
	}
	p.sent = int(state.LastSeq)
	return p.fill(ctx, backlog-p.sent)
}

func (p *publishing) state(ctx context.Context) (jetstream.StreamState, error) {
	s, err := p.js.Stream(ctx, p.Name)
	if err != nil {
		return jetstream.StreamState{}, err
	}
	return s.CachedInfo().State, nil
}

// fill publishes n messages as fast as they are stored.
func (p *publishing) fill(ctx context.Context, n int) error {
	for n > 0 {
		var acks []jetstream.PubAckFuture
		for range min(n, burst) {
			ack, err := p.send()
			if err != nil {
				return err
			}
			acks = append(acks, ack)
		}
		for _, ack := range acks {
			select {
			case <-ack.Ok():
			case err := <-ack.Err():
				return fmt.Errorf("publish to %s: %w", p.Name, err)
			case <-ctx.Done():
				return ctx.Err()
			}
		}
		n -= len(acks)
	}
	return nil
}

// flow publishes at the feed's rate until ctx ends.
func (p *publishing) flow(ctx context.Context, c *conn) error {
	pace := &pacer{every: p.every}
	if p.every == 0 {
		pace = perSecond(p.rate * c.scale)
	}
	checked := time.Now()
	for {
		if err := pace.wait(ctx); err != nil {
			return err
		}
		if c.IsClosed() {
			return errClosed
		}
		if _, err := p.send(); err != nil {
			return err
		}
		if p.refill == 0 || time.Since(checked) < refillCheck {
			continue
		}
		checked = time.Now()
		if err := p.top(ctx, c); err != nil {
			return err
		}
		pace.next = time.Time{}
	}
}

// top fills the stream again when it is nearly empty.
func (p *publishing) top(ctx context.Context, c *conn) error {
	state, err := p.state(ctx)
	if err != nil || int(state.Msgs) >= c.scaled(p.refill) {
		return err
	}
	return p.fill(ctx, c.scaled(p.backlog)-int(state.Msgs))
}

// send publishes one message. That it was refused, as by a full stream, is for
// whoever reads the future to care.
func (p *publishing) send() (jetstream.PubAckFuture, error) {
	subject := p.publish[p.sent%len(p.publish)]
	p.sent++
	body := fmt.Appendf(nil, `{"id":%d,"kind":%q,"sent":%q,"note":"sample traffic of natsops"}`,
		p.sent, subject, time.Now().UTC().Format(time.RFC3339Nano))
	return p.js.PublishAsync(subject, body)
}

var errClosed = errors.New("the connection was closed")
