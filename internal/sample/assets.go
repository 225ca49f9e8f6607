package sample

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/natsops/natsops/internal/hint"
)

const (
	ownerKey = "natsops.owner"
	kindKey  = "natsops.kind"
	kind     = "sample"

	// removeLimit bounds the removal of all streams, on a server that may be gone.
	removeLimit = 30 * time.Second
	pausedFor   = 24 * time.Hour
	patience    = 5 // questions without an answer, each of which takes some seconds
)

// prepare makes the streams and then the consumers: nothing is published yet that
// an interest stream could drop, or an advisory that nobody captures.
func (t *Traffic) prepare(ctx context.Context) error {
	nc, js, err := t.admin(ctx)
	if err != nil {
		return err
	}
	defer nc.Close()
	for _, f := range t.feeds() {
		if err := patiently(ctx, func() error { return t.makeStream(ctx, js, f) }); err != nil {
			return err
		}
	}
	for _, s := range t.scenarios {
		if err := patiently(ctx, func() error { return t.makeConsumer(ctx, js, s) }); err != nil {
			return fmt.Errorf("make consumer %s on stream %s: %w", s.Consumer, s.Stream, err)
		}
	}
	return nil
}

// patiently makes a thing, again when a busy cluster did not answer or could not
// do it yet. That the same thing is made twice does no harm.
func patiently(ctx context.Context, do func() error) error {
	var err error
	for range patience {
		err = do()
		if !passing(err) || pause(ctx, longestPause) != nil {
			break
		}
	}
	return err
}

// passing reports whether an error may be gone in a moment.
func passing(err error) bool {
	const noPeers, notReady jetstream.ErrorCode = 10005, 10008 // JSClusterNoPeersErrF, JSClusterNotAvailErr
	if e, ok := errors.AsType[*jetstream.APIError](err); ok {
		return e.ErrorCode == noPeers || e.ErrorCode == notReady
	}
	return errors.Is(err, context.DeadlineExceeded) || errors.Is(err, nats.ErrNoResponders)
}

func (t *Traffic) makeStream(ctx context.Context, js jetstream.JetStream, f feed) error {
	config := f.StreamConfig
	config.Replicas, config.Storage, config.Metadata = t.options.Replicas, t.options.Storage, t.metadata()
	if config.MaxMsgs > 0 {
		config.MaxMsgs = int64(scaled(int(config.MaxMsgs), t.options.Scale))
	}
	t.streams = append(t.streams, f.Name) // it may exist although there was no answer; remove knows whose it is
	_, err := js.CreateStream(ctx, config)
	if err == nil {
		return nil
	}
	err = fmt.Errorf("make stream %s: %w", f.Name, err)
	if !errors.Is(err, jetstream.ErrStreamNameAlreadyInUse) {
		return err
	}
	if s, e := js.Stream(ctx, f.Name); e == nil && s.CachedInfo().Config.Metadata[kindKey] == kind {
		return hint.Wrap(err, "again when the other sample traffic has ended; if none runs, its streams were left behind: delete them")
	}
	return hint.Wrap(err, "a server that has no stream of this name, such as a lab")
}

// makeConsumer makes the consumer of s, unless its client does.
func (t *Traffic) makeConsumer(ctx context.Context, js jetstream.JetStream, s Scenario) error {
	if s.named() {
		return nil
	}
	config := t.consumerConfig(s)
	var err error
	if config.DeliverSubject == "" {
		_, err = js.CreateConsumer(ctx, s.Stream, config)
	} else {
		_, err = js.CreatePushConsumer(ctx, s.Stream, config)
	}
	if err == nil && s.Want == "PAUSED" {
		_, err = js.PauseConsumer(ctx, s.Stream, s.Consumer, time.Now().Add(pausedFor))
	}
	return err
}

// named reports whether the client gives the consumer its name.
func (s Scenario) named() bool { return strings.Contains(s.Consumer, "*") }

func (t *Traffic) consumerConfig(s Scenario) jetstream.ConsumerConfig {
	config := s.consumer
	config.Durable, config.Description, config.Metadata = s.Consumer, s.About, t.metadata()
	return config
}

func (t *Traffic) metadata() map[string]string {
	return map[string]string{ownerKey: t.owner, kindKey: kind}
}

// remove deletes the streams that were made, with their consumers, if they are
// still those. The end of ctx does not keep it from that.
func (t *Traffic) remove(ctx context.Context) error {
	if len(t.streams) == 0 {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), removeLimit)
	defer cancel()
	nc, js, err := t.admin(ctx)
	if err != nil {
		return fmt.Errorf("remove the sample's streams: %w", err)
	}
	defer nc.Close()
	for _, name := range t.streams {
		s, e := js.Stream(ctx, name)
		if e == nil && s.CachedInfo().Config.Metadata[ownerKey] == t.owner {
			e = js.DeleteStream(ctx, name)
		}
		if e != nil && !errors.Is(e, jetstream.ErrStreamNotFound) {
			err = errors.Join(err, fmt.Errorf("remove stream %s: %w", name, e))
		}
	}
	return err
}
