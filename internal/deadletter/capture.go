package deadletter

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/natsops/natsops/internal/inspect"
)

// skew is how much the clocks of two servers may differ.
const skew = time.Minute

// readAdvisories reads them from the streams that keep them.
func (s *search) readAdvisories(ctx context.Context) {
	names := glob(s.query.Stream).token() + "." + glob(s.query.Consumer).token()
	for _, name := range s.names() {
		info, keeps := s.all[name], false
		for _, filter := range []string{maxDeliveriesPrefix + names, terminatedPrefix + names} {
			if !slices.ContainsFunc(info.Config.Subjects, func(subject string) bool { return overlap(subject, filter) }) {
				continue
			}
			keeps = true
			if err := s.readCapture(ctx, info, filter); err != nil && ctx.Err() == nil {
				s.gap("the advisories in stream "+shown(name), err)
			}
		}
		if keeps {
			s.result.Captures = append(s.result.Captures, name)
		}
	}
}

// readCapture reads the advisories of one kind from one stream.
func (s *search) readCapture(ctx context.Context, info *jetstream.StreamInfo, filter string) error {
	all := span{stream: info.Config.Name, filter: filter, from: info.State.FirstSeq, to: info.State.LastSeq, expected: info.State.Msgs}
	if !s.query.Since.IsZero() {
		since := s.query.Since.Add(-skew)
		first, err := s.message(ctx, all.stream, lookup{Next: filter, Start: &since})
		if err != nil || first == nil {
			return err
		}
		all.from = max(all.from, first.Seq)
	}
	found, odd := 0, 0
	err := s.walk(ctx, all, s.reads, func(m *stored) {
		l, err := parseAdvisory(m.Data)
		switch {
		case err != nil:
			odd++
		case s.only != 0 && l.Seq != s.only:
		case s.query.wants(l.Key) && !l.GivenUp.Before(s.query.Since):
			found++
			s.letters = append(s.letters, l)
		}
	}, func() bool { return found >= s.query.Limit })
	if odd > 0 {
		err = errors.Join(err, fmt.Errorf("%d messages are not advisories that this program understands", odd))
	}
	return err
}

// locate looks whether the message of l is still there, and what it is.
func (s *search) locate(ctx context.Context, l *Letter) {
	if l.Presence != Unknown {
		return
	}
	info := s.all[l.Key.Stream]
	switch {
	case info == nil && glob(s.query.Stream).token() == l.Key.Stream:
		l.Why = "stream not found"
	case info == nil:
		l.Presence, l.Why = Gone, "there is no such stream any more"
	case l.Domain != "" && info.Domain != "" && l.Domain != info.Domain:
		l.Why = "it is in JetStream domain " + shown(l.Domain)
	case !l.GivenUp.IsZero() && l.GivenUp.Before(info.Created):
		l.Presence, l.Why = Gone, "the stream was made anew at "+info.Created.Format(time.RFC3339)
	default:
		s.fetch(ctx, l, info)
	}
}

// fetch reads the message of l and returns it, or nil with the reason in l.
func (a api) fetch(ctx context.Context, l *Letter, info *jetstream.StreamInfo) *stored {
	m, err := a.message(ctx, l.Key.Stream, lookup{Seq: l.Seq})
	switch {
	case err != nil:
		l.Presence, l.Why = Unknown, err.Error()
	case m == nil:
		l.Presence, l.Why = Gone, absence(l.Seq, info)
	default:
		l.Presence, l.Why, l.Message = Present, "", m.message()
	}
	return m
}

// message describes m. Headers that cannot be read are left out.
func (s *stored) message() Message {
	header, _ := s.headers()
	m := Message{Subject: s.Subject, Stored: s.Time, Size: len(s.Data), Header: header}
	if header != nil {
		m.RedriveOf = header.Get(HeaderRedriveOf)
	}
	return m
}

// absence says by what a message that is not in the stream may have gone.
func absence(seq uint64, info *jetstream.StreamInfo) string {
	by := "by hand, by a purge or by a limit of the stream"
	if info.Config.Retention != jetstream.LimitsPolicy {
		by = "since it was acknowledged or terminated, " + by
	}
	switch {
	case seq > info.State.LastSeq:
		return fmt.Sprintf("the stream ends at sequence %d: it was made anew or restored", info.State.LastSeq)
	case seq < info.State.FirstSeq:
		return fmt.Sprintf("the stream begins at sequence %d: it was deleted %s", info.State.FirstSeq, by)
	}
	return "it was deleted " + by
}

// keyOf names a consumer.
func keyOf(c *jetstream.ConsumerInfo) inspect.Key {
	return inspect.Key{Stream: c.Stream, Consumer: c.Name}
}
