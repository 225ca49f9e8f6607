package main

import (
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/natsops/natsops/internal/chaos/drill"
	"github.com/natsops/natsops/internal/chaos/fault"
	"github.com/natsops/natsops/internal/quantity"
)

func newChaosKillCommand(w world) *cobra.Command {
	var f chaosFlags
	var v fault.Victim
	var every, lasting time.Duration
	var withLoad bool
	cmd := &cobra.Command{
		Use:   "kill-connections",
		Short: "Close connections of clients, and watch them come back",
		Long: `Closes connections of clients that are selected by name, user, account, subject
or number, once or again and again, as an operator's kick does. It needs the
system account. At least one selection must be made, all that are made must
hold, and a selection that nobody matches is an error. The connections of
natsops itself are never closed.

On a cluster of its own the victims are its own publishers, unless others are
selected.

` + chaosSafety,
		Example: `  natsops chaos kill-connections
  natsops chaos kill-connections --client 'billing-*' --system-context sys
  natsops chaos kill-connections --client-account APP --percent 25 --dry-run
  natsops chaos kill-connections --client-account APP --every 5s --for 1m`,
		Args: between(0, 0),
		RunE: func(cmd *cobra.Command, _ []string) error {
			d, err := killDrill(v, every, lasting)
			if err != nil {
				return err
			}
			if !withLoad && selects(v) {
				d.Load, d.Steady, d.Expect = drill.Load{}, drill.Steady{}, nil
				d.Hypothesis = "The clients that were disconnected come back."
			}
			return f.run(cmd, w, []drill.Drill{d})
		},
	}
	f.addRun(cmd)
	flags := cmd.Flags()
	flags.StringVar(&v.Client, "client", "", "of clients whose name matches `PATTERN`")
	flags.StringVar(&v.User, "client-user", "", "of clients that logged in as user `NAME`")
	flags.StringVar(&v.Account, "client-account", "", "of clients in account `NAME`")
	flags.StringVar(&v.Subject, "client-subject", "", "of clients that subscribe to `SUBJECT`, or to a part of it")
	flags.Var(numberFlag(&v.CID, 0, 0, 1<<62), "cid", "the connection with number `N`; with --on, since each server counts for itself")
	flags.StringSliceVar(&v.Servers, "on", nil, "of clients of the servers `NAMES`")
	flags.Var(percentFlag(&v.Percent), "percent", "so many of them, for example 25%, chosen by the seed")
	flags.Var(durationFlag(&every, ""), "every", "again each `DURATION`, with those that match then")
	flags.Var(durationFlag(&lasting, "10s"), "for", "for `DURATION`, with --every")
	flags.BoolVar(&withLoad, "with-load", false, "publish and consume meanwhile, and give an account of every message")
	return cmd
}

// selects reports whether somebody said whom.
func selects(v fault.Victim) bool {
	return v.Client != "" || v.User != "" || v.Account != "" || v.Subject != "" || v.CID != 0 || len(v.Servers) > 0
}

// killDrill is the drill that kicks connections.
func killDrill(v fault.Victim, every, lasting time.Duration) (drill.Drill, error) {
	d, err := drill.Builtin("kick")
	if err != nil {
		return d, err
	}
	d.Name, d.Title = "kill-connections", "connections of clients are closed"
	f := &d.Faults[0]
	if selects(v) || v.Percent > 0 {
		f.Victim = v
		f.Params = nil
	}
	if every > 0 {
		f.Params = map[string]string{"every": quantity.FormatDuration(every)}
		f.For = lasting
	} else if selects(v) {
		f.For = 0
	}
	return d, nil
}

func newChaosStallCommand(w world) *cobra.Command {
	var f chaosFlags
	var how string
	var lasting time.Duration
	cmd := &cobra.Command{
		Use:   "stall-consumer [STREAM/CONSUMER]",
		Short: "Keep a consumer from getting messages, and watch its backlog",
		Long: `Keeps a consumer from getting messages for a while, and watches how its backlog
grows and drains.

  pause     the server delivers nothing until a deadline; it ends by itself,
            whatever happens to natsops (nats-server 2.11 and newer)
  ack-hold  natsops takes as many messages as may be unacknowledged
            (max_ack_pending) and acknowledges none, as hung workers do

On a cluster of its own it stalls its own consumer.

` + chaosSafety,
		Example: `  natsops chaos stall-consumer
  natsops chaos stall-consumer ORDERS/billing --for 1m --context staging
  natsops chaos stall-consumer ORDERS/billing --how ack-hold --dry-run`,
		Args: atMostOne,
		RunE: func(cmd *cobra.Command, args []string) error {
			d, err := stallDrill(args, how, lasting)
			if err != nil {
				return err
			}
			return f.run(cmd, w, []drill.Drill{d})
		},
	}
	f.addRun(cmd)
	flags := cmd.Flags()
	flags.Var(choice(&how, "pause", "ack-hold"), "how", "stall it by `MEANS`: pause or ack-hold")
	flags.Var(durationFlag(&lasting, "15s"), "for", "for `DURATION`")
	completeChoices(cmd, "how")
	return cmd
}

// stallDrill is the drill that stalls a consumer: one that is named, or that of
// the drill itself.
func stallDrill(args []string, how string, lasting time.Duration) (drill.Drill, error) {
	name := map[string]string{"pause": "stall-consumer", "ack-hold": "ack-hold"}[how]
	d, err := drill.Builtin(name)
	if err != nil {
		return d, err
	}
	d.Faults[0].For = lasting
	if len(args) == 0 {
		return d, nil
	}
	stream, consumer, found := strings.Cut(args[0], "/")
	if !found || stream == "" || consumer == "" || strings.ContainsAny(args[0], notInNames+"*") {
		return d, usagef("%q names no consumer; give STREAM/CONSUMER", args[0])
	}
	d.Name, d.Title = "stall-consumer", "a consumer gets no messages"
	d.Faults[0].Victim = fault.Victim{Stream: stream, Consumer: consumer}
	d.Load, d.Steady, d.Expect = drill.Load{}, drill.Steady{}, nil
	d.Hypothesis = "The backlog grows while the consumer stands still, and drains afterwards."
	return d, nil
}
