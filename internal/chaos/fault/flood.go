package fault

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/natsops/natsops/internal/hint"
	"github.com/natsops/natsops/internal/quantity"
)

// The words of the flood's param "what".
const (
	floodStream = "jetstream"
	floodCore   = "core"
)

// floodWindow is how many messages of a flood may wait for their answer.
const floodWindow = 4_000

func floodKind() Kind {
	return Kind{
		Name:    "publish-flood",
		About:   "A client publishes as fast as it may, to subjects that nobody reads.",
		Expect:  "Publishing takes others longer, and no message is lost.",
		Class:   DiesToo,
		Default: 15 * time.Second,
		Params: []Param{
			{Name: "what", Default: floodStream, Unit: Word, Words: []string{floodStream, floodCore}, About: "whether the stream of the load stores the messages"},
			rateParam("20k/s", 500_000, "messages at most"),
			{Name: "size", Default: "128B", Unit: Size, Least: 1, Most: 1 << 20, About: "of a message"},
			{Name: "bytes", Default: "256MiB", Unit: Size, Least: 1, Most: 8 << 30, About: "sent at most, then it pauses until it is healed"},
		},
		aim: aimFlood,
	}
}

// A flood publishes to a subject of the mark's.
type flood struct {
	aim
	course
	stream  string // "": nobody stores it
	subject string

	nc     *nats.Conn
	failed atomic.Uint64
}

func aimFlood(ctx context.Context, a aim) (*Strike, error) {
	f := &flood{aim: a}
	var err error
	if a.settings.text("what") == floodCore {
		f.subject = a.Mark + ".flood"
		err = a.unstored(ctx, f.subject)
	} else {
		f.stream, f.subject = a.Stream, a.Scratch+".flood"
		err = a.roomy(ctx, f.subject)
	}
	if err != nil {
		return nil, err
	}
	limit, rate := a.settings.number("bytes"), a.settings.number("rate")
	s := &Strike{
		Victims: []string{f.victim()},
		Steps: []Step{
			{Do: "connect", Object: a.ownName(), Payload: "1 connection"},
			{
				Do: "publish", Object: f.subject,
				Payload: fmt.Sprintf("messages of %s%s, %s and %s in all, at most",
					quantity.FormatSize(a.settings.number("size")), f.storedIn(), quantity.FormatRate(rate), quantity.FormatSize(limit)),
			},
		},
		Inject: func(ctx context.Context) error { return f.inject(ctx, f.start) },
		Heal:   func(ctx context.Context) error { return f.heal(ctx, f.leave) },
		Healed: nothing,
		Counts: f.tally,
	}
	if f.stream != "" {
		undo := Undo{Kind: UndoFill, Stream: f.stream, Subject: f.subject}
		s.Undo = []Undo{undo}
		s.Steps = append(s.Steps, purgeStep(a.Site, undo))
		s.Healed = func(ctx context.Context) error { return empty(ctx, a.Site, undo) }
	}
	return s, nil
}

func (f *flood) victim() string {
	if f.stream == "" {
		return "all servers"
	}
	return "stream " + f.stream
}

func (f *flood) storedIn() string {
	if f.stream == "" {
		return ""
	}
	return " for stream " + f.stream
}

// purgeStep is what a heal does to messages that were stored.
func purgeStep(s Site, u Undo) Step {
	return Step{Do: "request", Object: s.api("STREAM.PURGE." + u.Stream), Payload: fmt.Sprintf(`{"filter":%q} at the heal`, u.Subject)}
}

// unstored refuses a subject that a stream takes.
func (a aim) unstored(ctx context.Context, subject string) error {
	stream, err := a.JS.StreamNameBySubject(ctx, subject)
	switch {
	case err == nil:
		return refuse(ErrNeeds, "stream %s would store what is sent to %s", stream, subject)
	case errors.Is(err, jetstream.ErrStreamNotFound):
		return nil
	}
	return err
}

// roomy refuses the site's stream if it does not take the subject, or would throw
// messages of others away for it.
func (a aim) roomy(ctx context.Context, subject string) error {
	stream, err := a.JS.Stream(ctx, a.Stream)
	if gone(err) {
		return refuse(ErrNoVictim, "there is no stream %q", a.Stream)
	}
	if err != nil {
		return err
	}
	cfg := stream.CachedInfo().Config
	takes, err := a.JS.StreamNameBySubject(ctx, subject)
	switch {
	case errors.Is(err, jetstream.ErrStreamNotFound) || (err == nil && takes != cfg.Name):
		return refuse(ErrNeeds, "stream %s does not take %s", cfg.Name, subject)
	case err != nil:
		return err
	case cfg.Discard == jetstream.DiscardOld && (cfg.MaxBytes > 0 || cfg.MaxMsgs > 0):
		err := refuse(ErrNeeds, "stream %s would throw old messages away to make room", cfg.Name)
		return hint.Wrap(err, "a stream without limits, or with discard new")
	}
	return nil
}

// start connects, and has the flood sent.
func (f *flood) start(ctx context.Context) error {
	var err error
	if f.nc, err = f.connect(ctx, nil, nats.MaxReconnects(-1)); err != nil {
		return err
	}
	send, settle := f.core()
	if f.stream != "" {
		if send, settle, err = f.stored(); err != nil {
			return err
		}
	}
	f.keep(func(ctx context.Context) {
		f.pour(ctx, send)
		settle()
		f.count("failed", float64(f.failed.Load()))
	})
	return nil
}

// pour sends until all bytes are sent, or it is healed.
func (f *flood) pour(ctx context.Context, send func(payload []byte) error) {
	payload := make([]byte, f.settings.size("size"))
	rate := newBucket(f.settings.number("rate"))
	for left := int(f.settings.size("bytes")) / len(payload); left > 0; {
		n, err := rate.take(ctx, left)
		if err != nil {
			return
		}
		for range n {
			if send(payload) != nil {
				f.failed.Add(1)
			}
		}
		left -= n
		f.count("sent", float64(n))
		if f.nc.IsConnected() {
			_ = flush(ctx, f.nc) // what a broken server does not take is what others do not get stored either
		}
	}
}

// core publishes without an answer.
func (f *flood) core() (send func([]byte) error, settle func()) {
	return func(payload []byte) error { return f.nc.Publish(f.subject, payload) }, func() {}
}

// stored publishes to JetStream. settle waits for the answers that are due.
func (f *flood) stored() (send func([]byte) error, settle func(), err error) {
	js, err := f.jetStream(
		f.nc,
		jetstream.WithPublishAsyncMaxPending(floodWindow),
		jetstream.WithPublishAsyncErrHandler(func(jetstream.JetStream, *nats.Msg, error) { f.failed.Add(1) }),
		jetstream.WithPublishAsyncTimeout(askLimit),
	)
	if err != nil {
		return nil, nil, err
	}
	send = func(payload []byte) error {
		_, err := js.PublishAsync(f.subject, payload)
		return err
	}
	settle = func() {
		select {
		case <-js.PublishAsyncComplete():
		case <-time.After(askLimit):
		}
		js.CleanupPublisher()
	}
	return send, settle, nil
}

// leave closes the connection, and purges what was stored.
func (f *flood) leave(ctx context.Context) error {
	if f.nc == nil {
		return nil
	}
	f.nc.Close()
	if f.stream == "" {
		return nil
	}
	return purge(ctx, f.Site, Undo{Stream: f.stream, Subject: f.subject})
}
