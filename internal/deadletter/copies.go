package deadletter

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/nats-io/nats.go/jetstream"
)

// copyReads is how many messages are read at most to find earlier copies.
const copyReads = 10_000

// An archive is the copies that earlier redrives left.
type archive struct {
	reads *budget
	found map[string]string // where the copy is, by what it was made of and its subject
}

// skipRedriven leaves out what was sent again before, as far as its copy is
// still there. The stream itself recognises a second copy by the message ID,
// but only within its duplicate window.
func (p *planner) skipRedriven(ctx context.Context) {
	a := archive{reads: newBudget(copyReads), found: map[string]string{}}
	for subject, begin := range p.earliestCopies() {
		to := p.targets[subject].info
		name := shown(to.Config.Name)
		if err := p.api.readCopies(ctx, to, lookup{Next: subject, Start: &begin}, a); err != nil && ctx.Err() == nil {
			p.Warnings = append(p.Warnings, fmt.Sprintf("stream %s cannot be read for earlier copies: %v", name, err))
		}
		if to.Config.Retention != jetstream.LimitsPolicy {
			p.Warnings = append(p.Warnings, fmt.Sprintf("whether a copy was stored before, and consumed since, cannot be seen in stream %s", name))
		}
	}
	if a.reads.spent() {
		p.Warnings = append(p.Warnings, fmt.Sprintf("there may be earlier copies beyond the %d messages that were read", copyReads))
	}
	for i := range p.Steps {
		s := &p.Steps[i]
		if at, ok := a.found[original(s.Key.Stream, s.Seq, s.Subject)]; ok && s.Skip == "" {
			s.Skip = "it was sent again before: " + at
		}
	}
}

// earliestCopies returns, for each subject, when the first copy of any of the
// messages can have been stored.
func (p *planner) earliestCopies() map[string]time.Time {
	since := map[string]time.Time{}
	for _, s := range p.Steps {
		if begin, known := since[s.Subject]; s.Skip == "" && (!known || s.earliestCopy().Before(begin)) {
			since[s.Subject] = s.earliestCopy()
		}
	}
	return since
}

// earliestCopy returns when a copy can have been stored at the earliest.
func (s Step) earliestCopy() time.Time {
	if s.GivenUp.IsZero() {
		return s.Stored
	}
	return s.GivenUp.Add(-skew)
}

// original names what a copy on subject was made of.
func original(stream string, seq any, subject string) string {
	return fmt.Sprintf("%s/%v/%s", stream, seq, subject)
}

// readCopies looks for copies from the first message that begin finds.
func (a api) readCopies(ctx context.Context, to *jetstream.StreamInfo, begin lookup, into archive) error {
	first, err := a.message(ctx, to.Config.Name, begin)
	if err != nil || first == nil {
		return err
	}
	all := span{stream: to.Config.Name, filter: begin.Next, from: first.Seq, to: to.State.LastSeq, expected: to.State.Msgs}
	return a.walk(ctx, all, into.reads, func(m *stored) {
		of := strings.Split(m.message().RedriveOf, "/")
		if len(of) == 3 {
			into.found[original(of[0], of[2], begin.Next)] = fmt.Sprintf("as message %d of stream %s at %s", m.Seq, shown(to.Config.Name), m.Time.Format(time.RFC3339))
		}
	}, func() bool { return false })
}
