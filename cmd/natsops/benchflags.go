package main

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"math"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/spf13/cobra"

	"github.com/natsops/natsops/internal/bench"
	"github.com/natsops/natsops/internal/ledger"
	"github.com/natsops/natsops/internal/natsconn"
)

// benchFlags is what the flags of a workload say. config makes it a
// bench.Config; nothing else reads it.
type benchFlags struct {
	clients, receivers int
	queue              string
	msgs               uint64
	duration, warmup   time.Duration
	rate, schedule     string
	closed             bool
	size               int
	subjects           int
	headers            []string
	payload            string
	inFlight           int
	retries            int
	idle               time.Duration
	external           bool
	seed               uint64

	changed func(name string) bool
	read    func(file string) ([]byte, error)
}

const (
	defaultDuration = 10 * time.Second
	defaultWarmup   = time.Second
)

// add adds the flags that fit the workload.
func (f *benchFlags) add(cmd *cobra.Command, w bench.Workload) {
	f.changed = cmd.Flags().Changed
	f.read = readPayload
	f.addClients(cmd, w)
	f.addLength(cmd, w)
	flags := cmd.Flags()
	switch w {
	case bench.PubSub, bench.Sub:
		flags.StringVar(&f.queue, "queue", "", "subscribers share the messages as queue group `NAME`")
	case bench.Request, bench.Reply:
		flags.StringVar(&f.queue, "queue", "", "responders share the requests as queue group `NAME` (default natsops)")
	case bench.Pub:
	}
	if w == bench.Sub || w == bench.Reply {
		flags.Var(durationFlag(&f.idle, f.idleDefault(w)), "idle", "end `DURATION` after the last message (0: never)")
	} else {
		f.addLoad(cmd, w)
	}
	if w == bench.Reply {
		flags.Var(sizeFlag(&f.size, ""), "size", "answer with `SIZE` bytes (default: what the request held)")
	}
	flags.Var(countFlag(&f.subjects, 1), "subjects", "spread over `N` subjects: SUBJECT.0, SUBJECT.1, …")
}

func (f *benchFlags) idleDefault(w bench.Workload) string {
	if w == bench.Sub {
		return "5s"
	}
	return "0"
}

func (f *benchFlags) addClients(cmd *cobra.Command, w bench.Workload) {
	flags := cmd.Flags()
	switch w {
	case bench.PubSub:
		flags.Var(countFlag(&f.clients, 1), "publishers", "publish from `N` connections")
		flags.Var(countFlag(&f.receivers, 1), "subscribers", "subscribe from `N` connections; each gets every message, unless --queue is given")
	case bench.Request:
		flags.Var(countFlag(&f.clients, 1), "clients", "request from `N` connections")
		flags.Var(countFlag(&f.receivers, 1), "responders", "answer from `N` connections")
		flags.BoolVar(&f.external, "external", false, "a service, or natsops bench reply, answers; start no responders")
	case bench.Pub:
		flags.Var(countFlag(&f.clients, 1), "clients", "publish from `N` connections")
	case bench.Sub, bench.Reply:
		flags.Var(countFlag(&f.receivers, 1), "clients", "receive from `N` connections")
	}
}

func (f *benchFlags) addLength(cmd *cobra.Command, w bench.Workload) {
	flags := cmd.Flags()
	flags.Var(msgsFlag(&f.msgs), "msgs", "end after `N` messages, for example 10k or 1.5M")
	if w == bench.Sub || w == bench.Reply {
		flags.Var(durationFlag(&f.duration, ""), "duration", "end after `DURATION` (default: with Ctrl-C)")
		return
	}
	flags.Var(durationFlag(&f.duration, ""), "duration", "measure for `DURATION` (default 10s, unless --msgs is given)")
	flags.Var(durationFlag(&f.warmup, ""), "warmup", "load for `DURATION` first, without measuring (default 1s, none with --msgs)")
}

func (f *benchFlags) addLoad(cmd *cobra.Command, w bench.Workload) {
	flags := cmd.Flags()
	flags.StringVar(&f.rate, "rate", f.rateDefault(w), "begin `N` operations per second, all clients together: 10k, 100k/s or max; FROM..TO for a ramp, A,B,C for steps")
	flags.Var(choice(&f.schedule, "constant", "poisson", "ramp", "steps"), "schedule", "let operations follow each other as `KIND`: constant, poisson, ramp or steps")
	flags.Var(sizeFlag(&f.size, "128"), "size", "messages of `SIZE`, for example 128 or 4KiB")
	flags.StringVar(&f.payload, "payload", "random", "fill messages with `WHAT`: random (bytes), zero (bytes) or the contents of a file")
	flags.StringArrayVarP(&f.headers, "header", "H", nil, "send the header `KEY:VALUE` with every message (repeatable)")
	flags.Var(numberFlag(&f.seed, 1, 0, math.MaxInt64), "seed", "replay payloads and the poisson schedule from seed `N`")
	if w == bench.Pub {
		return
	}
	flags.Var(countFlag(&f.inFlight, 0), "in-flight", "let each client have at most `N` outstanding (default: 1 in a closed loop of requests, otherwise chosen to fit)")
	flags.BoolVar(&f.closed, "closed", false, "closed loop: a client begins the next operation when an earlier one has ended")
	if w == bench.Request {
		flags.Var(numberFlag(&f.retries, 0, 0, bench.MaxRetries), "retries", "send a failed request again up to `N` times, with exponential backoff and jitter")
	}
}

func (f *benchFlags) rateDefault(w bench.Workload) string {
	if w == bench.Request {
		return "1k"
	}
	return maxRate
}

// config makes the flags and arguments of a workload into a configuration. Its
// timeout is the default until it is known what the target says.
func (f *benchFlags) config(w bench.Workload, args []string) (bench.Config, nats.Header, error) {
	c := bench.Config{
		Workload: w, Subject: temporarySubject(), Subjects: f.subjects, Queue: f.queue,
		Senders: f.clients, Receivers: f.receivers,
		Msgs: f.msgs, Duration: f.duration, Warmup: f.warmup,
		Rate: f.rate, Closed: f.closed,
		Size: f.size, InFlight: f.inFlight, Timeout: natsconn.DefaultTimeout, Retries: f.retries,
		Idle: f.idle, External: f.external, Seed: f.seed,
	}
	if len(args) > 0 {
		c.Subject = args[0]
	}
	if err := f.contradiction(w, args); err != nil {
		return c, nil, err
	}
	if w == bench.Sub || w == bench.Reply {
		c.Payload.Kind = bench.ZeroPayload
		return c, nil, c.Check()
	}
	if c.Msgs == 0 && !f.changed("duration") {
		c.Duration = defaultDuration
	}
	if c.Msgs == 0 && !f.changed("warmup") {
		c.Warmup = defaultWarmup
	}
	return f.load(c)
}

// load fills in what is sent, and when.
func (f *benchFlags) load(c bench.Config) (bench.Config, nats.Header, error) {
	var err error
	if c.Payload, err = f.fill(); err != nil {
		return c, nil, err
	}
	if c.Payload.Kind == bench.FilePayload {
		c.Size = len(c.Payload.Data)
		if c.Workload == bench.PubSub {
			c.Size += ledger.StampSize
		}
	}
	if c.Closed && !f.changed("rate") {
		c.Rate = maxRate
	}
	if c.Schedule, err = schedule(f.schedule, c.Rate, c.Warmup+c.Duration, f.seed); err != nil {
		return c, nil, err
	}
	header, err := parseHeaders(f.headers)
	if err != nil {
		return c, nil, err
	}
	c.Headers = slices.Sorted(maps.Keys(header))
	return c, header, c.Check()
}

// contradiction returns an error for flags that exclude each other or say
// nothing that can be done.
func (f *benchFlags) contradiction(w bench.Workload, args []string) error {
	loads := w != bench.Sub && w != bench.Reply
	for _, rule := range []struct {
		broken bool
		says   string
	}{
		{loads && f.msgs > 0 && f.changed("duration"), "--msgs and --duration exclude each other; give one of them"},
		{f.changed("duration") && f.duration <= 0, fmt.Sprintf("--duration %v is no time to measure; give for example 10s", f.duration)},
		{f.external && len(args) == 0, "--external needs the subject of the service: natsops bench request SUBJECT --external"},
		{f.external && (f.changed("responders") || f.queue != ""), "--external means that somebody else answers: leave out --responders and --queue"},
		{loads && f.changed("size") && !f.madeUp(), fmt.Sprintf("--size and --payload %s exclude each other; a file has its own size", f.payload)},
	} {
		if rule.broken {
			return usagef("%s", rule.says)
		}
	}
	return nil
}

// madeUp reports whether the payload comes from no file.
func (f *benchFlags) madeUp() bool { return f.payload == "random" || f.payload == "zero" }

func (f *benchFlags) fill() (bench.Payload, error) {
	switch f.payload {
	case "random":
		return bench.Payload{Kind: bench.RandomPayload}, nil
	case "zero":
		return bench.Payload{Kind: bench.ZeroPayload}, nil
	}
	data, err := f.read(f.payload)
	if err != nil {
		return bench.Payload{}, usagef("cannot read --payload %q: %w; give random, zero or a file", f.payload, cause(err))
	}
	if len(data) == 0 {
		return bench.Payload{}, usagef("the payload file %s is empty", f.payload)
	}
	return bench.Payload{Kind: bench.FilePayload, Name: f.payload, Data: data}, nil
}

// readPayload reads a file that is one: a device may have no end.
func readPayload(file string) ([]byte, error) {
	info, err := os.Stat(file)
	if err != nil {
		return nil, err
	}
	switch {
	case info.IsDir():
		return nil, errors.New("it is a directory")
	case !info.Mode().IsRegular():
		return nil, errors.New("it is no regular file")
	}
	return os.ReadFile(file)
}

// cause leaves out of an error the name of the file, which was said already.
func cause(err error) error {
	if e, ok := errors.AsType[*fs.PathError](err); ok {
		return e.Err
	}
	return err
}

// parseHeaders reads KEY:VALUE pairs. Errors do not show values, which may be
// secrets.
func parseHeaders(pairs []string) (nats.Header, error) {
	var header nats.Header
	for _, pair := range pairs {
		key, value, ok := strings.Cut(pair, ":")
		if !ok {
			return nil, usagef("header %q has no colon; write KEY:VALUE", pair)
		}
		key = strings.TrimSpace(key)
		unprintable := func(r rune) bool { return r <= ' ' || r >= 0x7f }
		if key == "" || strings.ContainsFunc(key, unprintable) {
			return nil, usagef("header %q has an unusable name; write KEY:VALUE", key+":…")
		}
		if strings.ContainsAny(value, "\r\n") {
			return nil, usagef("header %q has a line break in its value; write KEY:VALUE on one line", key+":…")
		}
		if header == nil {
			header = nats.Header{}
		}
		header.Add(key, strings.TrimSpace(value))
	}
	return header, nil
}

// temporarySubject returns a subject that nobody else uses. It is short, since
// every message carries it: 36 characters cost half of the rate at 16 bytes.
func temporarySubject() string { return "natsops." + strings.ToLower(rand.Text()[:6]) }
