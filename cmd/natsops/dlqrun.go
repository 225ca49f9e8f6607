package main

import (
	"bufio"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/natsops/natsops/internal/action"
	"github.com/natsops/natsops/internal/deadletter"
	"github.com/natsops/natsops/internal/hint"
	"github.com/natsops/natsops/internal/inspect"
	"github.com/natsops/natsops/internal/inspectreport"
	"github.com/natsops/natsops/internal/natsconn"
)

// A letterbox is a connection to where the dead letters are.
type letterbox struct {
	target natsconn.Target
	conn   *nats.Conn
	js     jetstream.JetStream
}

func openLetterbox(ctx context.Context, w world, c natsconn.Config, policy natsconn.Policy) (letterbox, error) {
	var b letterbox
	var err error
	if b.target, err = natsconn.Resolve(c, w.getenv, policy); err != nil {
		return b, err
	}
	prefix, err := apiPrefix(b.target)
	if err != nil {
		return b, err
	}
	if b.conn, err = b.target.Connect(ctx, "natsops "+w.version); err != nil {
		return b, err
	}
	timeout := jetstream.WithDefaultTimeout(b.target.Timeout())
	if prefix == "" {
		b.js, err = jetstream.New(b.conn, timeout)
	} else {
		b.js, err = jetstream.NewWithAPIPrefix(b.conn, prefix, timeout)
	}
	if err != nil {
		b.conn.Close()
	}
	return b, err
}

func listLetters(ctx context.Context, w world, f dlqListFlags, q deadletter.Query) error {
	b, err := openLetterbox(ctx, w, f.conn, natsconn.MayUseSelectedContext)
	if err != nil {
		return err
	}
	defer b.conn.Close()
	found, err := deadletter.Find(ctx, b.js, q)
	if err != nil && len(found.Letters) == 0 {
		return named(err, q.Stream)
	}
	doc := inspectreport.NewLetters(w.version, b.target.String(), found)
	if err := inspectreport.WriteLetters(w.stdout, f.output, doc, w.style(w.stdout)); err != nil {
		return err
	}
	if err != nil {
		return err
	}
	if f.listen > 0 {
		return listenForLetters(ctx, w, b, f, q)
	}
	return missing(found.Gaps)
}

// missing is the error for what could not be read.
func missing(gaps []inspect.Gap) error {
	if len(gaps) == 0 {
		return nil
	}
	return fmt.Errorf("%w: %s: %s", errIncomplete, gaps[0].What, gaps[0].Why)
}

// named makes the lack of a stream the mistake of whoever named it.
func named(err error, stream string) error {
	if !errors.Is(err, jetstream.ErrStreamNotFound) {
		return err
	}
	return hint.Wrap(usagef("there is no stream %s", stream), cmp.Or(hint.Of(err), "natsops lag --all, which lists every consumer"))
}

// listenForLetters prints a line, or a JSON object on one, for each message that
// is given up from now on.
func listenForLetters(ctx context.Context, w world, b letterbox, f dlqListFlags, q deadletter.Query) error {
	ctx, cancel := context.WithTimeout(ctx, f.listen)
	defer cancel()
	q.Since = time.Time{}
	out := json.NewEncoder(w.stdout)
	return deadletter.Listen(ctx, b.js, q, func(l deadletter.Letter) {
		if f.output == "json" {
			_ = out.Encode(inspectreport.NewLetter(l)) // a closed stdout ends the program
			return
		}
		line := fmt.Sprintf("%s  %s  %s  %s", l.GivenUp.UTC().Format(time.DateTime), l.ID(), l.Cause, l.Subject)
		fmt.Fprintln(w.stdout, w.style(w.stdout).Plain(line))
	})
}

// As much of a payload is shown to people.
const mostPayload = 16 << 10

func showLetter(ctx context.Context, w world, f dlqShowFlags, key inspect.Key, seq uint64) error {
	b, err := openLetterbox(ctx, w, f.conn, natsconn.MayUseSelectedContext)
	if err != nil {
		return err
	}
	defer b.conn.Close()
	shown, err := deadletter.Show(ctx, b.js, key, seq)
	if err != nil {
		return named(err, key.Stream)
	}
	gone := fmt.Errorf("message %d is not in stream %s: %s", seq, key.Stream, shown.Why)
	if f.raw {
		if shown.Presence != deadletter.Present {
			return gone
		}
		_, err := w.stdout.Write(shown.Data)
		return err
	}
	doc := inspectreport.NewShown(w.version, b.target.String(), shown)
	style := w.style(w.stdout)
	if f.output == "json" {
		err = inspectreport.WriteLetters(w.stdout, "json", doc, style)
	} else {
		err = inspectreport.WriteLetter(w.stdout, doc, mostPayload, style)
	}
	switch {
	case err != nil:
		return err
	case shown.Presence == deadletter.Gone:
		return gone
	default:
		return missing(shown.Gaps)
	}
}

// redrive shows what would be done, asks, and does it.
func redrive(ctx context.Context, w world, f dlqRedriveFlags, wanted []redriveSelection) error {
	policy := natsconn.OnlyExplicit
	if f.dryRun {
		policy = natsconn.MayUseSelectedContext
	}
	b, err := openLetterbox(ctx, w, f.conn, policy)
	if err != nil {
		return err
	}
	defer b.conn.Close()
	plan, err := f.plan(ctx, b, wanted)
	if err != nil {
		return err
	}
	deed := deadletter.Redrive(plan)
	shown := inspectreport.NewRedrive(w.version, b.target.String(), plan, deed, f.dryRun)
	out, format := w.stderr, "table" // the question follows
	n, _ := plan.Sends()
	if n == 0 || f.dryRun {
		out, format = w.stdout, f.output
	}
	if err := inspectreport.WriteRedrive(out, format, shown, w.style(out)); err != nil {
		return err
	}
	if n == 0 {
		return f.nothingSent()
	}
	door, err := f.door(w, b)
	if err != nil {
		return err
	}
	outcome, err := door.Perform(ctx, deed)
	if f.dryRun || outcome.Summary == "" {
		return err
	}
	return errors.Join(err, f.report(w, shown, outcome))
}

// plan works out what would be sent.
func (f *dlqRedriveFlags) plan(ctx context.Context, b letterbox, wanted []redriveSelection) (*deadletter.Plan, error) {
	letters, err := f.find(ctx, b, wanted)
	if err != nil {
		return nil, err
	}
	plan, err := deadletter.NewPlan(ctx, b.js, letters, deadletter.Options{To: f.to, DeleteOriginal: f.deleteOriginal, Rate: f.rate})
	if errors.Is(err, deadletter.ErrSubject) {
		err = hint.Wrap(usagef("--to: %w", err), hint.Of(err))
	}
	return plan, err
}

// nothingSent is the outcome when every message has to be skipped.
func (f *dlqRedriveFlags) nothingSent() error {
	if f.dryRun {
		return nil
	}
	return errors.New("nothing was sent: every message had to be skipped")
}

// report says what was done.
func (f *dlqRedriveFlags) report(w world, r inspectreport.Redrive, outcome action.Outcome) error {
	if f.output != "json" {
		_, err := fmt.Fprintln(w.stdout, outcome.Summary)
		return err
	}
	if done, ok := outcome.Detail.(deadletter.Report); ok {
		r.Done = &done
	}
	return inspectreport.WriteRedrive(w.stdout, f.output, r, w.style(w.stdout))
}

// find returns the letters that are to be sent again. Naming none is a mistake.
func (f *dlqRedriveFlags) find(ctx context.Context, b letterbox, wanted []redriveSelection) ([]deadletter.Letter, error) {
	var letters []deadletter.Letter
	for _, s := range wanted {
		if s.seq > 0 {
			shown, err := deadletter.Show(ctx, b.js, inspect.Key{Stream: s.stream, Consumer: s.consumer}, s.seq)
			if err != nil {
				return nil, named(err, s.stream)
			}
			letters = append(letters, shown.Letter)
			continue
		}
		q := deadletter.Query{Stream: s.stream, Consumer: s.consumer, Limit: f.limit}
		if f.since > 0 {
			q.Since = time.Now().Add(-f.since)
		}
		found, err := deadletter.Find(ctx, b.js, q)
		if err != nil {
			return nil, named(err, s.stream)
		}
		letters = append(letters, found.Letters...)
	}
	if len(letters) == 0 {
		return nil, hint.Wrap(usagef("no message is known to have been given up there"), "natsops dlq ls, which says what is known and what is not")
	}
	return letters, nil
}

// door is what the deed has to go through.
func (f *dlqRedriveFlags) door(w world, b letterbox) (action.Door, error) {
	path, err := action.Path(runtime.GOOS, w.getenv)
	if err != nil {
		return action.Door{}, err
	}
	d := action.Door{
		Audit: action.NewLog(path), Now: time.Now, Who: action.Who(), Version: w.version, Servers: b.target.Servers(), DryRun: f.dryRun,
		Confirm: func(ctx context.Context, a action.Action) (bool, error) { return askOnTerminal(ctx, w, a) },
	}
	if f.confirm != "" {
		d.Confirm = action.Answered(f.confirm)
	}
	return d, nil
}

// askOnTerminal asks whoever sits there. Nobody does where stdin is no terminal.
func askOnTerminal(ctx context.Context, w world, a action.Action) (bool, error) {
	if !w.interactive() {
		return false, hint.Wrap(errors.New("there is no terminal to ask on"), fmt.Sprintf("--confirm %q, or --dry-run", a.Object))
	}
	fmt.Fprint(w.stderr, action.Prompt(a))
	typed := make(chan string, 1)
	go func() {
		line, _ := bufio.NewReader(w.stdin).ReadString('\n')
		typed <- strings.TrimRight(line, "\r\n")
	}()
	select {
	case <-ctx.Done():
		fmt.Fprintln(w.stderr)
		return false, context.Cause(ctx)
	case answer := <-typed:
		return action.Accepts(a, answer), nil
	}
}
