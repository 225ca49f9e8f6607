package deadletter

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/natsops/natsops/internal/action"
	"github.com/natsops/natsops/internal/hint"
)

// ErrUnacknowledged says that a redrive stopped, since it is not known whether
// a copy was stored.
var ErrUnacknowledged = errors.New("no acknowledgement")

// A Report is what a redrive did. It is the detail of the action's outcome.
type Report struct {
	Stored     int       `json:"stored"`     // copies
	Duplicates int       `json:"duplicates"` // the stream had the copy of an earlier redrive
	Deleted    int       `json:"deleted"`    // originals
	Skipped    int       `json:"skipped"`    // as planned
	Unsent     int       `json:"unsent"`     // when it stopped
	Failures   []Failure `json:"failures"`   // not stored, or not deleted
	Copies     []Copy    `json:"copies"`     // stored ones and duplicates
}

// A Copy says which message was made of which.
type Copy struct {
	Of     string `json:"of"` // stream/consumer/sequence
	Stream string `json:"stream"`
	Seq    uint64 `json:"seq"`
}

// A Failure is a message with which something went wrong.
type Failure struct {
	Of    string `json:"of"`
	Class Class  `json:"class"`
	Error string `json:"error"`
}

// Class says what went wrong.
type Class string

// The classes of failures.
const (
	ClassNoAck   Class = "no-ack"  // it is not known whether the copy was stored; the redrive stops
	ClassRefused Class = "refused" // the server would not have it
	ClassDenied  Class = "denied"  // there is no permission to publish; the redrive stops
	ClassGone    Class = "gone"    // the original was deleted in the meantime
	ClassKept    Class = "kept"    // the copy was stored, but the original could not be deleted
)

// Redrive returns the action that sends the messages of plan again. It may be
// repeated: within the duplicate window the stream stores no second copy.
func Redrive(plan *Plan) action.Action {
	return action.Action{
		Name:   "dlq.redrive",
		Target: plan.describe(),
		Object: plan.object(),
		Impact: plan.impact(),
		Risk:   action.Disruptive,
		Check:  plan.check,
		Do:     plan.send,
	}
}

// check looks whether the streams and the messages are still those of the plan.
func (p *Plan) check(ctx context.Context) error {
	for subject, t := range p.targets {
		if t.info == nil {
			continue
		}
		name := t.info.Config.Name
		switch now, err := p.api.streamOf(ctx, subject); {
		case err != nil:
			return fmt.Errorf("which stream takes %s: %w", shown(subject), err)
		case now != name:
			return hint.Wrap(fmt.Errorf("%w: subject %s no longer belongs to stream %s", action.ErrChanged, shown(subject), shown(name)), "planning it again")
		}
	}
	gone := make([]bool, len(p.Steps))
	failed := make([]error, len(p.Steps))
	parallel(ctx, len(p.Steps), func(i int) {
		if p.Steps[i].Skip == "" {
			m, err := p.api.message(ctx, p.Steps[i].Key.Stream, lookup{Seq: p.Steps[i].Seq})
			gone[i], failed[i] = err == nil && !p.Steps[i].is(m), err
		}
	})
	if err := errors.Join(ctx.Err(), first(failed)); err != nil {
		return err
	}
	n := 0
	for _, g := range gone {
		if g {
			n++
		}
	}
	if n > 0 {
		return hint.Wrap(fmt.Errorf("%w: %d of the messages are gone", action.ErrChanged, n), "planning it again")
	}
	return nil
}

func first(errs []error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

// is reports whether m is the message of the plan.
func (s *Step) is(m *stored) bool {
	return m != nil && m.Seq == s.Seq && m.Time.Equal(s.Stored)
}

// send works through the steps in turn. It goes on when the server refuses a
// message, and stops when it does not answer: then it would not answer for the
// next either.
func (p *Plan) send(ctx context.Context) (action.Outcome, error) {
	r := Report{Failures: []Failure{}, Copies: []Copy{}}
	var stop error
	begin := time.Now()
	for i := range p.Steps {
		s := &p.Steps[i]
		if s.Skip != "" {
			r.Skipped++
			continue
		}
		if stop == nil {
			stop = wait(ctx, begin, r.tried(), p.Options.Rate)
		}
		if stop != nil {
			r.Unsent++
			continue
		}
		stop = p.sendOne(ctx, s, &r)
	}
	return action.Outcome{Summary: r.summary(), Detail: r}, r.verdict(stop)
}

// wait returns when the copy after n others is due.
func wait(ctx context.Context, begin time.Time, n int, rate float64) error {
	if rate <= 0 || n == 0 {
		return ctx.Err()
	}
	due := time.NewTimer(time.Until(begin.Add(time.Duration(float64(n) / rate * float64(time.Second)))))
	defer due.Stop()
	select {
	case <-due.C:
		return ctx.Err()
	case <-ctx.Done():
		return ctx.Err()
	}
}

// sendOne sends one copy. An error says that no more should be sent.
func (p *Plan) sendOne(ctx context.Context, s *Step, r *Report) error {
	m, err := p.api.message(ctx, s.Key.Stream, lookup{Seq: s.Seq})
	switch {
	case ctx.Err() != nil:
		r.Unsent++ // nothing was sent yet
		return ctx.Err()
	case err != nil:
		r.Unsent++
		return fmt.Errorf("read the original %s: %w", shown(s.ID()), err)
	case !s.is(m):
		r.fail(s, ClassGone, errors.New("the original was deleted in the meantime"))
		return nil
	}
	ack, err := p.publish(ctx, s.copyOf(m, p.targets[s.Subject].info))
	switch {
	case refused(err):
		r.fail(s, ClassRefused, err)
		return nil
	case errors.Is(err, ErrDenied):
		r.fail(s, ClassDenied, err)
		return err
	case err != nil:
		r.fail(s, ClassNoAck, err)
		return fmt.Errorf("%w of the copy of %s: %w", ErrUnacknowledged, shown(s.ID()), err)
	case ack.Duplicate:
		r.Duplicates++
	default:
		r.Stored++
	}
	r.Copies = append(r.Copies, Copy{Of: s.ID(), Stream: ack.Stream, Seq: ack.Sequence})
	if s.Delete {
		p.deleteOriginal(ctx, s, r)
	}
	return nil
}

// publish waits for the acknowledgement, for a while also when ctx ends: a copy
// on its way would else neither count as stored nor as not stored.
func (p *Plan) publish(ctx context.Context, m *nats.Msg) (*jetstream.PubAck, error) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), p.api.timeout)
	defer cancel()
	ctx, stop := p.api.unlessDenied(ctx, m.Subject)
	defer stop()
	ack, err := p.api.js.PublishMsg(ctx, m)
	if err != nil {
		return nil, p.api.explain(ctx, m.Subject, err)
	}
	return ack, nil
}

// refused reports whether err is a no: nothing was stored.
func refused(err error) bool {
	_, api := errors.AsType[*jetstream.APIError](err)
	return api || errors.Is(err, nats.ErrMaxPayload)
}

// deleteOriginal finishes what the copy began, also when ctx has ended.
func (p *Plan) deleteOriginal(ctx context.Context, s *Step, r *Report) {
	var reply struct{}
	err := p.api.ask(context.WithoutCancel(ctx), "STREAM.MSG.DELETE."+s.Key.Stream, deletion{Seq: s.Seq, NoErase: true}, &reply)
	if err != nil {
		r.fail(s, ClassKept, err)
		return
	}
	r.Deleted++
}

type deletion struct {
	Seq     uint64 `json:"seq"`
	NoErase bool   `json:"no_erase"` // mark it deleted; overwriting it takes long
}
