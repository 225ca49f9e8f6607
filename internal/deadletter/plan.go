package deadletter

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/natsops/natsops/internal/hint"
	"github.com/natsops/natsops/internal/inspect"
)

// ErrSubject is a subject to which nothing can be published.
var ErrSubject = errors.New("not a subject to publish to")

// Options say how letters are sent again.
type Options struct {
	To             string  // the subject; "": that of the original
	DeleteOriginal bool    // once the copy is stored; on work-queue streams only
	Rate           float64 // copies per second; 0: as fast as they are stored
}

// A Plan is what a redrive will do, message by message.
type Plan struct {
	Options  Options
	Steps    []Step        // in the order of the stream
	Others   []inspect.Key // consumers that will get copies, too, besides those that gave the originals up
	Warnings []string      // about the whole, a sentence each

	api     api
	targets map[string]*target // by subject
}

// A Step is one message to be sent again.
type Step struct {
	Letter
	Subject  string   // to which its copy is published
	Stream   string   // which will store the copy
	MsgID    string   // by which the server recognises a second copy
	LeftOut  []string // headers of the original that the copy does not have
	Delete   bool     // the original, after that
	Warnings []string
	Skip     string // why nothing is sent; "": it is
}

// A target is who will get what is published to a subject.
type target struct {
	info      *jetstream.StreamInfo // nil: no stream takes it
	consumers []*jetstream.ConsumerInfo
	partial   bool  // there are more consumers
	err       error // why that is not known
}

// NewPlan reads the messages of letters and works out what sending them again
// would do. It sends nothing.
func NewPlan(ctx context.Context, js jetstream.JetStream, letters []Letter, o Options) (*Plan, error) {
	if o.To != "" && !isLiteral(o.To) {
		return nil, hint.Wrap(fmt.Errorf("%w: %q", ErrSubject, o.To), "a subject without wildcards and spaces")
	}
	p := planner{Plan: &Plan{Options: o, api: newAPI(js), targets: map[string]*target{}}, sources: map[string]*source{}}
	letters = slices.Clone(letters)
	slices.SortFunc(letters, func(a, b Letter) int {
		return cmp.Or(cmp.Compare(a.Key.Stream, b.Key.Stream), cmp.Compare(a.Seq, b.Seq), a.Key.Compare(b.Key))
	})
	for _, l := range letters {
		p.Steps = append(p.Steps, p.step(ctx, l))
		if err := ctx.Err(); err != nil {
			return nil, err
		}
	}
	p.skipRepeated()
	p.skipRedriven(ctx)
	p.listOthers()
	p.warn()
	slices.Sort(p.Warnings)
	p.Warnings = slices.Compact(p.Warnings)
	return p.Plan, ctx.Err()
}

// A planner is the state of [NewPlan].
type planner struct {
	*Plan
	sources map[string]*source // by stream
}

// A source is the stream of an original.
type source struct {
	info *jetstream.StreamInfo
	err  error
}

func (p *planner) source(ctx context.Context, stream string) *source {
	s := p.sources[stream]
	if s == nil {
		s = &source{}
		s.info, s.err = p.api.stream(ctx, stream)
		p.sources[stream] = s
	}
	return s
}

// step plans one message.
func (p *planner) step(ctx context.Context, l Letter) Step {
	s := Step{Letter: l}
	from := p.source(ctx, l.Key.Stream)
	if from.err != nil {
		s.Skip = "stream " + shown(l.Key.Stream) + " cannot be read: " + from.err.Error()
		return s
	}
	m := p.api.fetch(ctx, &s.Letter, from.info)
	if m == nil {
		s.Skip = s.Why
		return s
	}
	s.Subject, s.MsgID = m.Subject, "natsops-redrive."+l.Key.Stream+"."+l.Key.Consumer+"."+strconv.FormatUint(l.Seq, 10)
	if p.Options.To != "" {
		s.Subject, s.MsgID = p.Options.To, s.MsgID+"@"+p.Options.To
	}
	to := p.target(ctx, s.Subject)
	if to.err != nil {
		s.Skip = "it cannot be found out which stream takes " + shown(s.Subject) + ": " + to.err.Error()
		return s
	}
	if to.info != nil {
		s.Stream = to.info.Config.Name
		_, s.LeftOut = copied(s.Header, to.info)
	}
	s.Skip = p.obstacle(&s, m, from.info, to.info)
	if s.Skip == "" {
		s.Delete = p.Options.DeleteOriginal && from.info.Config.Retention == jetstream.WorkQueuePolicy && !from.info.Config.DenyDelete
		s.Warnings = p.doubts(&s, from.info, to)
	}
	return s
}

// target finds out, once for each subject, who will get what is published to it.
func (p *planner) target(ctx context.Context, subject string) *target {
	if t := p.targets[subject]; t != nil {
		return t
	}
	t := &target{}
	p.targets[subject] = t
	var name string
	if name, t.err = p.api.streamOf(ctx, subject); t.err != nil || name == "" {
		return t
	}
	s := p.source(ctx, name)
	if t.info, t.err = s.info, s.err; t.err == nil {
		var gaps []inspect.Gap
		t.consumers, gaps, t.err = p.api.consumers(ctx, name)
		t.partial = len(gaps) > 0
	}
	return t
}

// streamOf returns the stream that takes subject, or "".
func (a api) streamOf(ctx context.Context, subject string) (string, error) {
	var reply struct {
		Streams []string `json:"streams"`
	}
	if err := a.ask(ctx, "STREAM.NAMES", map[string]string{"subject": subject}, &reply); err != nil {
		return "", err
	}
	if len(reply.Streams) == 0 {
		return "", nil
	}
	return reply.Streams[0], nil
}

// skipRepeated sends a message once that several consumers gave up: each copy
// goes to all of them.
func (p *planner) skipRepeated() {
	type place struct {
		stream string
		seq    uint64
	}
	first := map[place]inspect.Key{}
	for i := range p.Steps {
		s := &p.Steps[i]
		at := place{s.Key.Stream, s.Seq}
		switch key, repeated := first[at]; {
		case s.Skip != "":
		case repeated:
			s.Skip = "the same message is sent again for " + shown(key.String())
		default:
			first[at] = s.Key
		}
	}
}

// Sends returns how many messages will be sent, and their bytes.
func (p *Plan) Sends() (messages, bytes int) {
	for _, s := range p.Steps {
		if s.Skip == "" {
			messages++
			bytes += s.Size
		}
	}
	return messages, bytes
}
