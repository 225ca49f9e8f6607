package fault

import (
	"context"
	"fmt"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/natsops/natsops/internal/quantity"
)

const (
	slowPayload = 8 << 10 // bytes of a message that the slow subscriber does not read
	slowWindow  = 64      // messages between two looks at whether it is closed
)

func slowSubscriberKind() Kind {
	return Kind{
		Name:   "slow-subscriber",
		About:  "A client subscribes to a subject of our own and stops reading, while that subject is flooded.",
		Expect: "The server closes the connection as a slow consumer, and publishers to other subjects notice little.",
		Class:  DiesToo,
		// At 64 MiB that wait for it the server gives it up, and closes it when the
		// write that is stuck reaches its deadline of 10 s.
		Default: 30 * time.Second,
		Selects: SelectServers | SelectStream | SelectConsumer,
		Params: []Param{
			{Name: "bytes", Default: "128MiB", Unit: Size, Least: slowPayload, Most: 4 << 30, About: "sent to it at most"},
			{Name: "rate", Default: "50MiB/s", Unit: ByteRate, Least: slowPayload, Most: 1 << 30, About: "sent to it per second at most"},
		},
		aim: aimSlowSubscriber,
	}
}

// A slowSubscriber reads nothing of what its server sends.
type slowSubscriber struct {
	aim
	course
	server  Server
	subject string

	gate   *gate
	nc     *nats.Conn // that does not read
	sender *nats.Conn
}

func aimSlowSubscriber(ctx context.Context, a aim) (*Strike, error) {
	s := &slowSubscriber{aim: a, subject: a.Mark + ".slow-subscriber"}
	err := a.unstored(ctx, s.subject)
	if err != nil {
		return nil, err
	}
	if s.server, err = a.oneServer(ctx); err != nil {
		return nil, err
	}
	if s.gate, err = newGate(s.server.URL); err != nil {
		return nil, err
	}
	limit := quantity.FormatSize(float64(a.settings.size("bytes")))
	return &Strike{
		Victims: []string{s.server.Name},
		Steps: []Step{
			{Do: "connect", Object: a.ownName(), Payload: "2 connections to " + s.server.Name + ", one of which subscribes to " + s.subject + " and does not read"},
			{Do: "publish", Object: s.subject, Payload: fmt.Sprintf("messages of %s, %s at most", quantity.FormatSize(slowPayload), limit)},
		},
		Inject: func(ctx context.Context) error { return s.inject(ctx, s.start) },
		Heal:   func(ctx context.Context) error { return s.heal(ctx, s.leave) },
		Healed: nothing, // a connection that does not exist any more
		Counts: s.tally,
	}, nil
}

// oneServer is the server that a bad client connects to.
func (a aim) oneServer(ctx context.Context) (Server, error) {
	a.Victim.Max = 1
	names, err := a.servers(ctx, AnyServer, a.dice())
	if err != nil {
		return Server{}, err
	}
	for _, k := range a.Servers {
		if k.Name == names[0] {
			return k, nil
		}
	}
	return Server{}, refuse(ErrNeeds, "the address of %s is not known", names[0])
}

// start subscribes, stops reading, and has the flood sent.
func (s *slowSubscriber) start(ctx context.Context) (err error) {
	at := []string{s.server.URL}
	s.nc, err = s.connect(ctx, at, nats.InProcessServer(s.gate), nats.NoReconnect(), nats.PingInterval(time.Hour))
	if err != nil {
		return err
	}
	if _, err := s.nc.Subscribe(s.subject, func(*nats.Msg) {}); err != nil {
		return err
	}
	if err := flush(ctx, s.nc); err != nil {
		return err
	}
	if s.sender, err = s.connect(ctx, at); err != nil {
		return err
	}
	s.gate.close()
	s.keep(s.flood)
	return nil
}

// flood sends until the server closes the subscriber, or enough was sent.
func (s *slowSubscriber) flood(ctx context.Context) {
	rate := newBucket(s.settings.number("rate") / slowPayload)
	payload := make([]byte, slowPayload)
	for left := int(s.settings.size("bytes") / slowPayload); left > 0 && !s.lost(); {
		n, err := rate.take(ctx, min(left, slowWindow))
		if err != nil {
			return
		}
		for range n {
			if s.sender.Publish(s.subject, payload) != nil {
				return
			}
		}
		left -= n
		s.count("sent_bytes", float64(n*slowPayload))
		if err := flush(ctx, s.sender); err != nil && ctx.Err() != nil {
			return
		}
	}
	if until(ctx, func(context.Context) bool { return s.lost() }) == nil {
		s.count("closed_by_server", 1)
	}
}

// lost tells whether the subscriber's connection is closed. Who does not read
// notices only when it writes, so it does.
func (s *slowSubscriber) lost() bool {
	select {
	case <-s.gate.lost:
		return true
	default:
		return s.nc.Publish(s.subject+".probe", nil) != nil
	}
}

// flush waits until the server has everything that was sent.
func flush(ctx context.Context, nc *nats.Conn) error {
	ctx, cancel := context.WithTimeout(ctx, askLimit)
	defer cancel()
	return nc.FlushWithContext(ctx)
}

// leave closes both connections.
func (s *slowSubscriber) leave(context.Context) error {
	for _, nc := range []*nats.Conn{s.nc, s.sender} {
		if nc != nil {
			nc.Close()
		}
	}
	return nil
}
