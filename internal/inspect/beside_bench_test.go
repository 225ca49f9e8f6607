package inspect_test

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/natsops/natsops/internal/inspect"
)

// BenchmarkPublishBesideSamples times acknowledgements of messages that are
// published 1,000 times a second, with and without somebody who takes a snapshot
// of 10,000 consumers each second.
func BenchmarkPublishBesideSamples(b *testing.B) {
	_, app, sys := tenThousand(b)
	js, err := jetstream.New(app)
	if err != nil {
		b.Fatal(err)
	}
	if _, err := js.CreateStream(b.Context(), jetstream.StreamConfig{Name: "LOAD", Subjects: []string{"load"}, Storage: jetstream.MemoryStorage, MaxMsgs: 1000}); err != nil {
		b.Fatal(err)
	}
	for name, nc := range map[string]*nats.Conn{"nobody": nil, "system": sys, "account": app} {
		b.Run(name, func(b *testing.B) {
			ctx, cancel := context.WithCancel(b.Context())
			ended := make(chan struct{})
			go func() {
				defer close(ended)
				if nc != nil {
					sampleEverySecond(ctx, b, nc)
				}
			}()
			acks := publishPaced(b, js)
			cancel()
			<-ended
			slices.Sort(acks)
			for _, q := range []struct {
				name string
				of   float64
			}{{"p50-µs", 0.5}, {"p99-µs", 0.99}, {"p99.9-µs", 0.999}} {
				b.ReportMetric(float64(acks[int(q.of*float64(len(acks)-1))].Microseconds()), q.name)
			}
		})
	}
}

// publishPaced publishes b.N messages, one a millisecond, and returns how long each
// took to be acknowledged. It counts from sending, since timers are late by half a
// millisecond; what a stall held up beyond its own message is not counted.
func publishPaced(b *testing.B, js jetstream.JetStream) []time.Duration {
	b.Helper()
	const every = time.Millisecond
	acks := make([]time.Duration, 0, b.N)
	begin := time.Now()
	for i := range b.N {
		due := begin.Add(time.Duration(i) * every)
		<-time.After(time.Until(due))
		sent := time.Now()
		if _, err := js.Publish(b.Context(), "load", []byte("message")); err != nil {
			b.Fatal(err)
		}
		acks = append(acks, time.Since(sent))
	}
	return acks
}

func sampleEverySecond(ctx context.Context, b *testing.B, nc *nats.Conn) {
	b.Helper()
	c, err := inspect.Open(ctx, nc, inspect.Options{})
	if err != nil {
		if ctx.Err() == nil {
			b.Error(err)
		}
		return
	}
	defer c.Close()
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		if s, err := c.Collect(ctx, inspect.Need{Consumers: true}); ctx.Err() == nil && (err != nil || len(s.Consumers) < 10_000) {
			b.Errorf("%v", err)
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
	}
}

// BenchmarkPeer asks for the same 10,000 consumers with the nats CLI, stream by
// stream, as it knows no other way.
func BenchmarkPeer(b *testing.B) {
	cli := os.Getenv("NATS_CLI")
	if cli == "" {
		b.Skip("NATS_CLI does not name the nats CLI")
	}
	server, _, _ := tenThousand(b)
	for b.Loop() {
		for i := range 1000 {
			stream := fmt.Sprintf("STREAM-%04d", i)
			if out, err := exec.CommandContext(b.Context(), cli, "-s", server.URL(), "consumer", "report", stream).CombinedOutput(); err != nil {
				b.Fatalf("%v\n%s", err, out)
			}
		}
	}
}
