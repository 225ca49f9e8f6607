package fault

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"hash/fnv"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/natsops/natsops/internal/hint"
	"github.com/natsops/natsops/internal/quantity"
)

func pauseKind() Kind {
	return Kind{
		Name:    "consumer-pause",
		About:   "The server delivers nothing of a consumer, until a deadline that it keeps itself.",
		Expect:  "The backlog grows and is worked off afterwards; clients see nothing but silence.",
		Class:   Expires,
		Since:   "2.11.0",
		Default: 15 * time.Second,
		Selects: SelectConsumer,
		aim:     aimPause,
	}
}

// pauseGrace is how much later than asked for a pause may end, when nobody lives
// to end it. It is also how long a strike may wait between aim and injection.
const pauseGrace = 2 * time.Minute

// A pauser pauses a consumer.
type pauser struct {
	aim
	course
	undo Undo
}

func aimPause(ctx context.Context, a aim) (*Strike, error) {
	info, err := a.pausable(ctx)
	if err != nil {
		return nil, err
	}
	p := &pauser{aim: a}
	p.undo = Undo{
		Kind: UndoPause, Stream: info.Stream, Consumer: info.Name,
		Expires: signed(time.Now().Add(a.At+a.For+pauseGrace), a.Mark),
	}
	if err := p.free(info); err != nil {
		return nil, err
	}
	name := info.Stream + "/" + info.Name
	return &Strike{
		Victims: []string{"consumer " + name},
		Steps: []Step{{
			Do:      "request",
			Object:  a.api("CONSUMER.PAUSE." + info.Stream + "." + info.Name),
			Payload: fmt.Sprintf(`{"pause_until":"<%s from then>"}`, quantity.FormatDuration(a.For)),
		}},
		Undo:   []Undo{p.undo},
		Inject: func(ctx context.Context) error { return p.inject(ctx, p.pause) },
		Heal: func(ctx context.Context) error {
			return p.heal(ctx, func(ctx context.Context) error {
				return persist(ctx, func(ctx context.Context) error { return resume(ctx, p.Site, p.undo) })
			})
		},
		Healed: p.healed,
		Counts: p.tally,
	}, nil
}

// pausable returns the consumer, which may be one that pushes.
func (a aim) pausable(ctx context.Context) (*jetstream.ConsumerInfo, error) {
	c, err := a.consumer(ctx)
	if err == nil {
		return c.CachedInfo(), nil
	}
	if !errors.Is(err, jetstream.ErrNotPullConsumer) {
		return nil, err
	}
	stream, err := a.stream(ctx)
	if err != nil {
		return nil, err
	}
	push, err := stream.PushConsumer(ctx, a.consumerName())
	if err != nil {
		return nil, err
	}
	return push.CachedInfo(), nil
}

// free refuses a consumer that somebody else has paused.
func (p *pauser) free(info *jetstream.ConsumerInfo) error {
	if !info.Paused {
		return nil
	}
	err := refuse(ErrNeeds, "consumer %s/%s is already paused, until %s", info.Stream, info.Name, info.Config.PauseUntil.Format(time.RFC3339))
	return hint.Wrap(err, "again when it is not, or another consumer")
}

// pause pauses the consumer for as long as was asked, counted from now.
func (p *pauser) pause(ctx context.Context) error {
	info, err := consumerInfo(ctx, p.Site, p.undo)
	if err != nil {
		return err
	}
	if err := p.free(info); err != nil {
		return err
	}
	end := signed(time.Now().Add(p.For), p.Mark)
	if end.After(p.undo.Expires) {
		return hint.Wrap(errors.New("it was aimed too long ago"), "to aim it again")
	}
	answer, err := p.JS.PauseConsumer(ctx, p.undo.Stream, p.undo.Consumer, end)
	if err != nil {
		return err
	}
	if !answer.Paused {
		return fmt.Errorf("consumer %s/%s was told to pause, and does not", p.undo.Stream, p.undo.Consumer)
	}
	return nil
}

func (p *pauser) healed(ctx context.Context) error {
	info, err := consumerInfo(ctx, p.Site, p.undo)
	switch {
	case gone(err):
		return nil
	case err != nil:
		return err
	case pausedByUs(info, p.undo):
		return fmt.Errorf("consumer %s/%s is still paused, until %s", info.Stream, info.Name, info.Config.PauseUntil.Format(time.RFC3339))
	}
	return nil
}

// signed returns a time next to t that bears the sign of mark, in the fraction of
// its millisecond: the server keeps all digits of a deadline, so a pause
// that is ours can be told from one that somebody else set meanwhile.
func signed(t time.Time, mark string) time.Time {
	hash := fnv.New32a()
	_, _ = hash.Write([]byte(mark)) // never fails
	sign := 1 + time.Duration(hash.Sum32())%(time.Millisecond-1)
	return t.UTC().Truncate(time.Millisecond).Add(sign)
}

// pausedByUs tells whether a consumer is paused by the strike of an undo.
func pausedByUs(info *jetstream.ConsumerInfo, u Undo) bool {
	if !info.Paused || info.Config.PauseUntil == nil {
		return false
	}
	return info.Config.PauseUntil.Nanosecond()%int(time.Millisecond) == u.Expires.Nanosecond()%int(time.Millisecond)
}

// resume ends the pause of an undo, if it is still there.
func resume(ctx context.Context, s Site, u Undo) error {
	info, err := consumerInfo(ctx, s, u)
	if gone(err) {
		return nil
	}
	if err != nil || !pausedByUs(info, u) {
		return err
	}
	answer, err := s.JS.ResumeConsumer(ctx, u.Stream, u.Consumer)
	switch {
	case gone(err):
		return nil
	case err != nil:
		return err
	case answer.Paused:
		return fmt.Errorf("consumer %s/%s was told to resume, and does not", u.Stream, u.Consumer)
	}
	return nil
}

// gone tells whether the error is that there is no such stream or consumer.
func gone(err error) bool {
	return errors.Is(err, jetstream.ErrConsumerNotFound) || errors.Is(err, jetstream.ErrStreamNotFound)
}

// consumerInfo is the consumer of an undo now, whether it pushes or is pulled.
func consumerInfo(ctx context.Context, s Site, u Undo) (*jetstream.ConsumerInfo, error) {
	var answer struct {
		*jetstream.ConsumerInfo
		Error *jetstream.APIError `json:"error"`
	}
	ctx, cancel := context.WithTimeout(ctx, askLimit)
	defer cancel()
	subject := s.api("CONSUMER.INFO." + u.Stream + "." + u.Consumer)
	msg, err := s.App.RequestWithContext(ctx, subject, nil)
	if err != nil {
		return nil, fmt.Errorf("ask %s: %w", subject, err)
	}
	if err := json.Unmarshal(msg.Data, &answer); err != nil {
		return nil, fmt.Errorf("read the answer to %s: %w", subject, err)
	}
	switch {
	case answer.Error == nil && answer.ConsumerInfo != nil:
		return answer.ConsumerInfo, nil
	case answer.Error == nil:
		return nil, fmt.Errorf("the answer to %s is none", subject)
	case answer.Error.ErrorCode == jetstream.JSErrCodeConsumerNotFound:
		return nil, jetstream.ErrConsumerNotFound
	case answer.Error.ErrorCode == jetstream.JSErrCodeStreamNotFound:
		return nil, jetstream.ErrStreamNotFound
	}
	return nil, answer.Error
}
