package main

import (
	"errors"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/natsops/natsops/internal/hint"
	"github.com/natsops/natsops/internal/inspect"
	"github.com/natsops/natsops/internal/inspect/lag"
	"github.com/natsops/natsops/internal/inspectreport"
)

// lagFlags is what the command line of natsops lag says.
type lagFlags struct {
	inspectFlags

	all        bool
	only       []string
	sort       string
	top        int
	maxBacklog int
	maxAge     time.Duration
	lasting    time.Duration
	watch      time.Duration
	verify     bool
	noAge      bool
	explain    bool
	failOn     string
	output     string
}

func newLagCommand(w world) *cobra.Command {
	var f lagFlags
	cmd := &cobra.Command{
		Use:   "lag [STREAM[/CONSUMER] ...]",
		Short: "Who is behind, why, and what to do about it",
		Long: `Watches consumers for a few seconds and says which of them are behind, why, how
fast that changes, and what to do: worst first, a line and a piece of advice
each. Consumers that are well are only counted, unless --all is given or one is
named. Names may have wildcards: 'ORDERS/*', 'EU-*/billing'.

It only reads. With credentials of the system account it sees all accounts with
one question to all servers; with those of an application it sees its account;
with --monitor it asks the monitoring endpoints that are named.

Numbers come from the leader of a consumer only. What could not be learnt is
shown as ?, and what is missing is named; then the exit code is 8, unless
something worse was found. An estimate is shown with ~.`,
		Example: `  natsops lag
  natsops lag ORDERS/billing --explain
  natsops lag --context prod-system --all-accounts --fail-on warn
  natsops lag --max-backlog 10000 --for 5m --fail-on warn
  natsops lag 'ORDERS/*' --watch 2s
  natsops lag -o nagios --max-age 1m`,
		PersistentPreRunE: func(cmd *cobra.Command, _ []string) error { return refuseVoid(cmd) },
		RunE: func(cmd *cobra.Command, args []string) error {
			cfg, err := f.config(args)
			if err != nil {
				return err
			}
			return runLag(cmd.Context(), w, cfg)
		},
	}
	f.inspectFlags.add(cmd, "5s")
	f.add(cmd)
	return cmd
}

func (f *lagFlags) add(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.BoolVar(&f.all, "all", false, "show the consumers that are well, too")
	flags.StringSliceVar(&f.only, "only", nil, "look only at consumers with these `STATUSES` or tags, for example falling_behind,exhausted")
	flags.Var(choice(&f.sort, lagOrders()...), "sort", "worst first by `ORDER`: "+strings.Join(lagOrders(), ", "))
	flags.Var(countFlag(&f.top, 0), "top", "show the `N` worst only")
	flags.Var(countFlag(&f.maxBacklog, 100), "max-backlog", "a consumer is behind with more than `N` unprocessed messages")
	flags.Var(durationFlag(&f.maxAge, "30s"), "max-age", "a consumer is behind when its oldest unprocessed message is older than `DURATION`")
	flags.Var(durationFlag(&f.lasting, ""), "for", "alarm only after `DURATION`; between runs it is remembered in the state directory")
	flags.Var(durationFlag(&f.watch, ""), "watch", "look again every `DURATION`, until Ctrl-C or, with --for, an alarm")
	flags.BoolVar(&f.verify, "verify", false, "check pending counts against the stream: one more request per consumer")
	flags.BoolVar(&f.noAge, "no-age", false, "do not look up how old the oldest message is where that takes a request")
	flags.BoolVar(&f.explain, "explain", false, "show the evidence, the rule and the next commands for each consumer")
	flags.Var(choice(&f.failOn, "crit", "warn", "never"), "fail-on", "exit with 5 for consumers that are `SEVERITY` or worse: crit, warn, never")
	flags.VarP(choice(&f.output, inspectreport.LagFormats()...), "output", "o", "print the result as `FORMAT`: "+strings.Join(inspectreport.LagFormats(), ", "))
	completeChoices(cmd, "sort", "fail-on", "output")
	_ = cmd.RegisterFlagCompletionFunc("only", cobra.FixedCompletions(lagWords(), cobra.ShellCompDirectiveNoFileComp))
}

// A lagConfig is what is to be done.
type lagConfig struct {
	inspectFlags

	patterns   []string // STREAM/CONSUMER
	showAll    bool
	only       []string // upper case
	order      lag.Order
	top        int
	thresholds lag.Thresholds
	lasting    time.Duration
	watch      time.Duration
	lookups    int // how many consumers the age of whose oldest message may be asked for
	verify     bool
	explain    bool
	failOn     failOn
	output     string
}

// As many lookups as stay cheap: on a huge stream with a wildcard filter one
// can take tens of milliseconds.
const mostLookups = 200

func (f *lagFlags) config(args []string) (lagConfig, error) {
	c := lagConfig{
		inspectFlags: f.inspectFlags, showAll: f.all, order: lag.Order(f.sort), top: f.top,
		thresholds: lag.Thresholds{Backlog: uint64(f.maxBacklog), Age: f.maxAge},
		lasting:    f.lasting, watch: f.watch, lookups: mostLookups, verify: f.verify, explain: f.explain, output: f.output,
	}
	if err := errors.Join(f.check(), f.conflicts()); err != nil {
		return c, err
	}
	if f.noAge {
		c.lookups = 0
	}
	var err error
	if c.failOn, err = parseFailOn(f.failOn); err != nil {
		return c, err
	}
	if c.only, err = parseOnly(f.only); err != nil {
		return c, err
	}
	for _, arg := range args {
		pattern, err := lagPattern(arg)
		if err != nil {
			return c, err
		}
		c.patterns = append(c.patterns, pattern)
	}
	return c, nil
}

// conflicts says which flags do not go together.
func (f *lagFlags) conflicts() error {
	if f.explain && f.output != "table" && f.output != "json" {
		return usagef("--explain goes with -o table or -o json, not %s", f.output)
	}
	if f.watch > 0 && !slices.Contains([]string{"table", "json"}, f.output) {
		return usagef("--watch goes with -o table or -o json, not %s", f.output)
	}
	if f.watch > 0 && f.watch < 100*time.Millisecond {
		return usagef("--watch %s asks too often; give at least 100ms", f.watch)
	}
	return nil
}

// parseOnly reads statuses and tags, in any case and with - for _.
func parseOnly(words []string) ([]string, error) {
	var only []string
	for _, typed := range words {
		word := strings.ToLower(strings.ReplaceAll(typed, "-", "_"))
		if !slices.Contains(lagWords(), word) {
			if near, found := hint.Nearest(word, lagWords()); found {
				return nil, usagef("--only %q is neither a status nor a tag; did you mean %s?", typed, near)
			}
			return nil, usagef("--only %q is neither a status nor a tag; there are %s", typed, strings.Join(lagWords(), ", "))
		}
		only = append(only, strings.ToUpper(word))
	}
	return only, nil
}

// lagPattern completes STREAM to STREAM/*.
func lagPattern(arg string) (string, error) {
	stream, consumer, both := strings.Cut(arg, "/")
	if !both {
		consumer = "*"
	}
	if stream == "" || consumer == "" || strings.Contains(consumer, "/") {
		return "", usagef("%q names no consumers; give STREAM or STREAM/CONSUMER, with wildcards if you like", arg)
	}
	if i := strings.IndexAny(arg, notInNames); i >= 0 {
		return "", usagef("%q names no consumers: no name has %q in it; give STREAM or STREAM/CONSUMER, with the wildcards * and ?", arg, arg[i:i+1])
	}
	if _, err := path.Match(stream+"/"+consumer, ""); err != nil {
		return "", usagef("%q has a [ without a ]; put a \\ before it if it belongs to the name", arg)
	}
	return stream + "/" + consumer, nil
}

// What no name of a stream or a consumer has in it (nats-server, stream.go:
// isValidName), besides the wildcards.
const notInNames = " .>\t\r\n\f"

// wantsStream reports whether the consumers of a stream are asked for.
func (c *lagConfig) wantsStream(stream string) bool {
	return len(c.patterns) == 0 || slices.ContainsFunc(c.patterns, func(p string) bool {
		first, _, _ := strings.Cut(p, "/")
		return fits(first, stream)
	})
}

func (c *lagConfig) wants(k inspect.Key) bool {
	return len(c.patterns) == 0 || slices.ContainsFunc(c.patterns, func(p string) bool { return fits(p, k.Stream+"/"+k.Consumer) })
}

// fits reports whether a pattern stands for a name, which may look like a pattern
// itself.
func fits(pattern, name string) bool {
	ok, _ := path.Match(pattern, name)
	return ok || pattern == name
}

// names reports whether a consumer was named without a wildcard.
func (c *lagConfig) names(k inspect.Key) bool {
	name := k.Stream + "/" + k.Consumer
	return slices.Contains(c.patterns, name) || slices.ContainsFunc(c.patterns, func(p string) bool {
		return strings.ReplaceAll(p, `\`, "") == name // what matches nothing else
	})
}

func lagOrders() []string {
	var words []string
	for _, o := range lag.Orders() {
		words = append(words, string(o))
	}
	return words
}

// lagWords lists statuses and tags as --only takes them.
func lagWords() []string {
	var words []string
	for _, s := range lag.Statuses() {
		words = append(words, strings.ToLower(string(s.Status)))
	}
	for _, t := range lag.Tags() {
		words = append(words, strings.ToLower(string(t.Name)))
	}
	return words
}
