package main

import (
	"context"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"github.com/natsops/natsops/internal/bench"
	"github.com/natsops/natsops/internal/natsconn"
)

// newBenchCommand returns bench and its workloads.
func newBenchCommand(w world) *cobra.Command {
	var opts benchOptions
	cmd := &cobra.Command{
		Use:   "bench",
		Short: "Measure how much NATS can take, and how fast it answers",
		Long: `Measures throughput and latency, and accounts for every message.

Without a workload it makes a short tour of about 15 seconds: one publisher to
one subscriber, a fan-out, requests at a fixed rate, and publishing alone.

If no server is named (--server, --context, NATS_URL, NATS_CONTEXT) the load
goes to a throwaway server that natsops starts on this machine. A selected
context is never used: it may be production.

Latency counts from the moment an operation was due, so that a stall is charged
to every operation that it held up (no coordinated omission).`,
		Example: `  natsops bench
  natsops bench pubsub --subscribers 10 --size 1KiB
  natsops bench request --rate 5k --duration 5s --slo 'p99<50ms,errors==0'
  natsops bench pub orders.new -s nats://127.0.0.1:4222 --msgs 10M`,
		Args:              noCommand,
		PersistentPreRunE: func(cmd *cobra.Command, _ []string) error { return refuseEmpty(cmd) },
		RunE: func(cmd *cobra.Command, _ []string) error {
			return benchTour(cmd.Context(), w, opts)
		},
	}
	addConnectionFlags(cmd, &opts.conn)
	opts.add(cmd)
	for _, wl := range workloads() {
		cmd.AddCommand(newWorkloadCommand(w, &opts, wl))
	}
	return cmd
}

// A workloadCommand describes the command of a workload.
type workloadCommand struct {
	workload             bench.Workload
	use                  string
	least                int // arguments
	short, long, example string
}

func workloads() []workloadCommand {
	return slices.Concat(oneWay(), roundTrips())
}

// oneWay lists the workloads in which messages are only passed on.
func oneWay() []workloadCommand {
	return []workloadCommand{
		{
			bench.Pub, "pub [SUBJECT]", 0,
			"Publish: throughput of the write path",
			`Publishes as fast as the connection takes it, or at --rate, and reports the
rate at which the server has read the messages.

Publishing to core NATS is a write into a buffer: it has no answer to wait for,
so no latency is reported. Use pubsub or request for that.

Messages that have room for it carry a stamp in their last 24 bytes, so that
natsops bench sub, in another place, can account for them.`,
			`  natsops bench pub --size 16 --msgs 10M
  natsops bench pub orders.new -s nats://127.0.0.1:4222 --clients 4
  natsops bench pub events --subjects 100 --rate 50k --duration 1m`,
		},
		{
			bench.Sub, "sub SUBJECT", 1,
			"Receive what others publish",
			`Receives until --msgs have come, --duration has passed, no message came for
--idle, or Ctrl-C. Messages that natsops bench pub has stamped are accounted for
(lost, duplicated, reordered), with their one-way latency; across hosts the
difference of the two clocks is in it.`,
			`  natsops bench sub orders.* -s nats://127.0.0.1:4222
  natsops bench sub events --clients 4 --queue workers --msgs 1M`,
		},
		{
			bench.PubSub, "pubsub [SUBJECT]", 0,
			"Publish and receive: latency end to end, no message unaccounted",
			`Publishes and subscribes from separate connections. Each message carries a
stamp, so the result says what was lost, duplicated, reordered or damaged.

Without --rate it is a closed loop: it runs as fast as the subscribers receive,
with at most --in-flight messages of each publisher on their way. With --rate it
is an open loop: messages are published when they are due, come what may.`,
			`  natsops bench pubsub
  natsops bench pubsub --rate 10k --slo 'p99<5ms,lost==0'
  natsops bench pubsub --publishers 2 --subscribers 10
  natsops bench pubsub --subscribers 4 --queue workers`,
		},
	}
}

// roundTrips lists the workloads in which messages are answered.
func roundTrips() []workloadCommand {
	return []workloadCommand{
		{
			bench.Request, "request [SUBJECT]", 0,
			"Request and reply: response time, errors, retries",
			`Sends requests and waits for replies. Responders are started on separate
connections, unless --external says that somebody else answers.

By default it is an open loop at --rate 1k: requests are sent when they are due,
whatever became of earlier ones, and response time counts from then. With
--closed each client sends the next request when one was answered, as fast as
that goes, or at --rate if that is given; --in-flight 1000 pipelines requests.

A request that was given up counts in the percentiles with the time it took.`,
			`  natsops bench request --rate 10k --slo 'p99<5ms,errors==0'
  natsops bench request --closed --clients 10
  natsops bench request --closed --in-flight 1000
  natsops bench request orders.get --external -s nats://127.0.0.1:4222`,
		},
		{
			bench.Reply, "reply SUBJECT", 1,
			"Answer requests, for natsops bench request --external elsewhere",
			`Answers every request with its own payload, or with --size bytes, until Ctrl-C,
--msgs or --duration. Responders share the requests as a queue group.`,
			`  natsops bench reply orders.get -s nats://127.0.0.1:4222
  natsops bench reply orders.get --clients 4 --size 1KiB`,
		},
	}
}

func newWorkloadCommand(w world, opts *benchOptions, wl workloadCommand) *cobra.Command {
	var flags benchFlags
	cmd := &cobra.Command{
		Use:     wl.use,
		Short:   wl.short,
		Long:    wl.long,
		Example: wl.example,
		Args:    between(wl.least, 1),
		RunE: func(cmd *cobra.Command, args []string) error {
			cfg, header, err := flags.config(wl.workload, args)
			if err != nil {
				return err
			}
			return runBench(cmd.Context(), w, *opts, []benchJob{{cfg, header}})
		},
	}
	flags.add(cmd, wl.workload)
	if wl.workload != bench.Sub && wl.workload != bench.Reply {
		completeChoices(cmd, "schedule")
	}
	return cmd
}

// benchTour measures the four things that people ask first.
func benchTour(ctx context.Context, w world, opts benchOptions) error {
	const each = 3 * time.Second
	base := bench.Config{
		Subjects: 1, Senders: 1, Receivers: 1, Duration: each, Warmup: each / 6,
		Rate: maxRate, Size: 128, Payload: bench.Payload{Kind: bench.RandomPayload},
		Timeout: natsconn.DefaultTimeout, Seed: 1,
	}
	var jobs []benchJob
	for _, change := range []func(*bench.Config){
		func(c *bench.Config) { c.Workload = bench.PubSub },
		func(c *bench.Config) { c.Workload, c.Receivers = bench.PubSub, 10 },
		func(c *bench.Config) {
			c.Workload, c.Rate, c.Schedule = bench.Request, "5k", bench.Constant(5000)
		},
		func(c *bench.Config) { c.Workload, c.Receivers = bench.Pub, 0 },
	} {
		cfg := base
		change(&cfg)
		cfg.Subject = temporarySubject()
		jobs = append(jobs, benchJob{config: cfg})
	}
	return runBench(ctx, w, opts, jobs)
}
