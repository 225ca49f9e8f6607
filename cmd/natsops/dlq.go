package main

import (
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/natsops/natsops/internal/bench"
	"github.com/natsops/natsops/internal/deadletter"
	"github.com/natsops/natsops/internal/inspect"
	"github.com/natsops/natsops/internal/inspectreport"
	"github.com/natsops/natsops/internal/natsconn"
)

// dlqFlags is what the commands of natsops dlq have in common.
type dlqFlags struct {
	conn   natsconn.Config
	output string
}

func newDLQCommand(w world) *cobra.Command {
	var f dlqFlags
	cmd := &cobra.Command{
		Use:   "dlq",
		Short: "Dead letters: messages that consumers gave up",
		Long: `Finds the messages that consumers gave up, because they were delivered
max_deliver times or because a client terminated them; shows them; and sends
them again.

NATS keeps no list of them. A consumer that gives a message up says so once, in
an advisory, which is lost unless a stream captures it. Without one, natsops
finds them on work-queue and interest streams, where what was given up is still
stored; on other streams it can only say how many there are.`,
		Example: `  natsops dlq ls
  natsops dlq show ORDERS/billing/4711
  natsops dlq redrive ORDERS/billing --dry-run`,
		Args:              noCommand,
		PersistentPreRunE: func(cmd *cobra.Command, _ []string) error { return refuseVoid(cmd) },
		RunE:              func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	addConnectionFlags(cmd, &f.conn)
	cmd.AddCommand(newDLQListCommand(w, &f), newDLQShowCommand(w, &f), newDLQRedriveCommand(w, &f))
	return cmd
}

// addOutput adds the flag for the form of the result.
func (f *dlqFlags) addOutput(cmd *cobra.Command, formats ...string) {
	cmd.Flags().VarP(choice(&f.output, formats...), "output", "o", "print the result as `FORMAT`: "+strings.Join(formats, ", "))
	completeChoices(cmd, "output")
}

// dlqListFlags is what the command line of natsops dlq ls says.
type dlqListFlags struct {
	*dlqFlags
	since  time.Duration
	limit  int
	budget int
	listen time.Duration
}

func newDLQListCommand(w world, common *dlqFlags) *cobra.Command {
	f := dlqListFlags{dlqFlags: common}
	cmd := &cobra.Command{
		Use:   "ls [STREAM[/CONSUMER]]",
		Short: "List messages that were given up",
		Long: `Lists messages that were given up, the latest first: by the advisories that
streams have captured, and on work-queue and interest streams also by looking at
what is stored though its consumer is done with it. Nothing is altered.

With --listen it also waits for what is given up from now on.`,
		Example: `  natsops dlq ls
  natsops dlq ls 'ORDERS/*' --since 24h
  natsops dlq ls ORDERS/billing -o json
  natsops dlq ls --listen 1h`,
		Args: atMostOne,
		RunE: func(cmd *cobra.Command, args []string) error {
			q, err := f.query(args)
			if err != nil {
				return err
			}
			return listLetters(cmd.Context(), w, f, q)
		},
	}
	flags := cmd.Flags()
	flags.Var(durationFlag(&f.since, ""), "since", "only what was given up within the last `DURATION`")
	flags.Var(countFlag(&f.limit, deadletter.DefaultLimit), "limit", "list the latest `N` only")
	flags.Var(countFlag(&f.budget, deadletter.DefaultBudget), "budget", "read at most `N` messages and advisories to find them")
	flags.Var(durationFlag(&f.listen, ""), "listen", "afterwards wait `DURATION` for more, and print them as they come")
	f.addOutput(cmd, inspectreport.LetterFormats()...)
	return cmd
}

func (f *dlqListFlags) query(args []string) (deadletter.Query, error) {
	q := deadletter.Query{Limit: f.limit, Budget: f.budget}
	if f.since > 0 {
		q.Since = time.Now().Add(-f.since)
	}
	if f.listen > 0 && f.output != "table" && f.output != "json" {
		return q, usagef("--listen goes with -o table or -o json, not %s", f.output)
	}
	if len(args) == 0 {
		return q, nil
	}
	pattern, err := lagPattern(args[0])
	q.Stream, q.Consumer, _ = strings.Cut(pattern, "/")
	return q, err
}

// letterID reads STREAM/CONSUMER/SEQUENCE.
func letterID(text string) (key inspect.Key, seq uint64, err error) {
	parts := strings.Split(text, "/")
	if len(parts) == 3 && parts[0] != "" && parts[1] != "" && !strings.ContainsAny(text, notInNames+"*") {
		if seq, err = strconv.ParseUint(parts[2], 10, 64); err == nil && seq > 0 {
			return inspect.Key{Stream: parts[0], Consumer: parts[1]}, seq, nil
		}
	}
	return key, 0, usagef("%q names no message; give STREAM/CONSUMER/SEQUENCE, as natsops dlq ls prints it", text)
}

// dlqShowFlags is what the command line of natsops dlq show says.
type dlqShowFlags struct {
	*dlqFlags
	raw bool
}

func newDLQShowCommand(w world, common *dlqFlags) *cobra.Command {
	f := dlqShowFlags{dlqFlags: common}
	cmd := &cobra.Command{
		Use:   "show STREAM/CONSUMER/SEQUENCE",
		Short: "Show one message that was given up",
		Long: `Shows one message with its headers and its payload, why and when the consumer
gave it up, and after how many deliveries. If it is gone, it says by what it may
have been. Nothing is altered.`,
		Example: `  natsops dlq show ORDERS/billing/4711
  natsops dlq show ORDERS/billing/4711 --raw`,
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) != 1 {
				return usagef("natsops dlq show needs one message (usage: %s)", cmd.UseLine())
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			key, seq, err := letterID(args[0])
			if err != nil {
				return err
			}
			if f.raw && f.output == "json" {
				return usagef("--raw and -o json exclude each other")
			}
			return showLetter(cmd.Context(), w, f, key, seq)
		},
	}
	cmd.Flags().BoolVar(&f.raw, "raw", false, "print the payload and nothing else, byte for byte")
	f.addOutput(cmd, "table", "json")
	return cmd
}

// dlqRedriveFlags is what the command line of natsops dlq redrive says.
type dlqRedriveFlags struct {
	*dlqFlags
	since          time.Duration
	limit          int
	to             string
	deleteOriginal bool
	rate           float64
	dryRun         bool
	confirm        string
}

func newDLQRedriveCommand(w world, common *dlqFlags) *cobra.Command {
	f := dlqRedriveFlags{dlqFlags: common}
	cmd := &cobra.Command{
		Use:   "redrive STREAM[/CONSUMER[/SEQUENCE]] ...",
		Short: "Send messages that were given up again",
		Long: `Publishes messages that were given up once more, to the subject that they had,
with their headers, and with a Nats-Msg-Id made of where they were: within the
stream's duplicate window, doing it twice stores nothing twice.

First it shows what would be done, message by message, and who else would get
them. Then it asks for the name of the consumer; in a script --confirm gives it.
What is done goes into the audit log, or is not done.

The server must be named (--server, --context, NATS_URL, NATS_CONTEXT), unless
it is a --dry-run: a selected context is never changed by accident.`,
		Example: `  natsops dlq redrive ORDERS/billing --dry-run
  natsops dlq redrive ORDERS/billing/4711 --context prod
  natsops dlq redrive EU/tax --context prod --rate 10/s --confirm EU/tax
  natsops dlq redrive ORDERS/billing --to orders.retry --context prod`,
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				return usagef("natsops dlq redrive needs to know which messages (usage: %s)", cmd.UseLine())
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			wanted, err := redriveSelections(args)
			if err != nil {
				return err
			}
			if f.dryRun && f.confirm != "" {
				return usagef("--dry-run and --confirm exclude each other")
			}
			if f.to != "" {
				if err := bench.CheckSubject(f.to, false); err != nil {
					return usagef("--to: %w", err)
				}
			}
			return redrive(cmd.Context(), w, f, wanted)
		},
	}
	flags := cmd.Flags()
	flags.Var(durationFlag(&f.since, ""), "since", "only what was given up within the last `DURATION`")
	flags.Var(countFlag(&f.limit, deadletter.DefaultLimit), "limit", "at most `N` messages, the latest")
	flags.StringVar(&f.to, "to", "", "publish to `SUBJECT` instead of the subject that a message had")
	flags.BoolVar(&f.deleteOriginal, "delete-original", false, "delete the originals once their copies are stored (work-queue streams)")
	flags.Var(rateFlag(&f.rate), "rate", "publish at most `RATE`, for example 10/s")
	flags.BoolVar(&f.dryRun, "dry-run", false, "show what would be done, and do nothing")
	flags.StringVar(&f.confirm, "confirm", "", "the answer to the question, for scripts: the `NAME` that is to be typed")
	f.addOutput(cmd, "table", "json")
	return cmd
}

// A redriveSelection is what one argument of natsops dlq redrive names.
type redriveSelection struct {
	stream, consumer string
	seq              uint64 // 0: all
}

func redriveSelections(args []string) ([]redriveSelection, error) {
	var all []redriveSelection
	for _, arg := range args {
		if strings.Count(arg, "/") == 2 {
			key, seq, err := letterID(arg)
			if err != nil {
				return nil, err
			}
			all = append(all, redriveSelection{key.Stream, key.Consumer, seq})
			continue
		}
		pattern, err := lagPattern(arg)
		if err != nil {
			return nil, err
		}
		stream, consumer, _ := strings.Cut(pattern, "/")
		all = append(all, redriveSelection{stream, consumer, 0})
	}
	return all, nil
}

func atMostOne(cmd *cobra.Command, args []string) error {
	if len(args) > 1 {
		return usagef("unexpected argument %q (usage: %s)", args[1], cmd.UseLine())
	}
	return nil
}
