package main

import (
	"context"
	"errors"
	"strings"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/rogpeppe/go-internal/testscript"
)

// asks lets a command of a script use JetStream, as the user of the stage.
func asks(ts *testscript.TestScript, do func(ctx context.Context, js jetstream.JetStream) error) {
	js, err := jetstream.New(stageOf(ts).connection(ts))
	ts.Check(err)
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	ts.Check(do(ctx, js))
}

func cmdStream(ts *testscript.TestScript, args []string) {
	asks(ts, func(ctx context.Context, js jetstream.JetStream) error {
		_, err := js.CreateStream(ctx, jetstream.StreamConfig{Name: args[0], Subjects: args[1:]})
		return err
	})
}

func cmdConsumer(ts *testscript.TestScript, args []string) {
	asks(ts, func(ctx context.Context, js jetstream.JetStream) error {
		_, err := js.CreateConsumer(ctx, args[0], jetstream.ConsumerConfig{Durable: args[1], AckPolicy: jetstream.AckExplicitPolicy})
		return err
	})
}

func cmdEphemerals(ts *testscript.TestScript, args []string) {
	asks(ts, func(ctx context.Context, js jetstream.JetStream) error {
		cfg := jetstream.ConsumerConfig{AckPolicy: jetstream.AckExplicitPolicy, InactiveThreshold: patience, MemoryStorage: true}
		const atOnce = 20 // one after the other takes ten times as long
		made := make(chan error, atOnce)
		n := number(ts, args[1])
		for i := range atOnce {
			go func() {
				var err error
				for range (n + i) / atOnce {
					if _, err = js.CreateConsumer(ctx, args[0], cfg); err != nil {
						break
					}
				}
				made <- err
			}()
		}
		var err error
		for range atOnce {
			err = errors.Join(err, <-made)
		}
		return err
	})
}

func cmdPublish(ts *testscript.TestScript, args []string) {
	asks(ts, func(ctx context.Context, js jetstream.JetStream) error {
		for range number(ts, args[1]) {
			if _, err := js.PublishMsg(ctx, nats.NewMsg(args[0])); err != nil {
				return err
			}
		}
		return nil
	})
}

func cmdGiveUp(ts *testscript.TestScript, args []string) {
	asks(ts, func(ctx context.Context, js jetstream.JetStream) error {
		c, err := js.Consumer(ctx, args[0], args[1])
		if err != nil {
			return err
		}
		m, err := c.Next(jetstream.FetchMaxWait(patience))
		if err != nil {
			return err
		}
		return m.TermWithReason("it makes no sense")
	})
}

func cmdDelete(ts *testscript.TestScript, args []string) {
	asks(ts, func(ctx context.Context, js jetstream.JetStream) error {
		stream, consumer, both := strings.Cut(args[0], "/")
		if both {
			return js.DeleteConsumer(ctx, stream, consumer)
		}
		return js.DeleteStream(ctx, stream)
	})
}
