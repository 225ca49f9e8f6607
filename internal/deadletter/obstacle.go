package deadletter

import (
	"fmt"
	"slices"
	"strings"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/natsops/natsops/internal/inspect"
)

// obstacle says why a message must not, or cannot, be sent again; "": it can.
func (p *planner) obstacle(s *Step, m *stored, from, to *jetstream.StreamInfo) string {
	header, err := m.headers()
	switch {
	case err != nil:
		return "its headers cannot be read: " + err.Error()
	case has(header, headerMarker):
		return "it is a mark by which the server says that something was deleted, and no message"
	case has(header, headerSchedule):
		return "it is a schedule for other messages"
	case to == nil && from.Config.SubjectTransform != nil:
		return fmt.Sprintf("no stream takes %s; stream %s renames %s to %s as they come in: name the subject with --to",
			shown(s.Subject), shown(s.Key.Stream), from.Config.SubjectTransform.Source, from.Config.SubjectTransform.Destination)
	case to == nil:
		return "no stream takes " + shown(s.Subject) + " any more"
	case p.Options.To == "" && s.Stream != s.Key.Stream && !copies(from, s.Stream):
		return fmt.Sprintf("subject %s belongs to stream %s now, which %s does not copy", shown(s.Subject), shown(s.Stream), shown(s.Key.Stream))
	case to.Config.Sealed:
		return "stream " + shown(s.Stream) + " is sealed"
	case to.Config.AllowMsgCounter:
		return "stream " + shown(s.Stream) + " keeps counters, and would count once more"
	}
	return tooLarge(s, m, to, p.api.nc.MaxPayload())
}

// tooLarge compares the size of the copy, with the headers that it gets, with
// what the server and the stream allow.
func tooLarge(s *Step, m *stored, to *jetstream.StreamInfo, most int64) string {
	size := sizeOf(s.copyOf(m, to))
	switch limit := int64(to.Config.MaxMsgSize); {
	case most > 0 && size > most:
		return fmt.Sprintf("its copy takes %d bytes with headers, and the server allows %d", size, most)
	case limit > 0 && size > limit:
		return fmt.Sprintf("its copy takes %d bytes with headers, and stream %s allows %d", size, shown(s.Stream), limit)
	}
	return ""
}

// sizeOf returns how many bytes m takes on the wire, without its subject.
func sizeOf(m *nats.Msg) int64 {
	size := len("NATS/1.0\r\n") + len("\r\n") + len(m.Data)
	for name, values := range m.Header {
		for _, value := range values {
			size += len(name) + len(": ") + len(value) + len("\r\n")
		}
	}
	return int64(size)
}

// has reports whether h has name, in whatever case.
func has(h nats.Header, name string) bool {
	for n := range h {
		if strings.EqualFold(n, name) {
			return true
		}
	}
	return false
}

// copies reports whether stream from takes its messages from stream name.
func copies(from *jetstream.StreamInfo, name string) bool {
	if from.Config.Mirror != nil && from.Config.Mirror.Name == name {
		return true
	}
	return slices.ContainsFunc(from.Config.Sources, func(s *jetstream.StreamSource) bool { return s.Name == name })
}

// doubts says what one should know before a message is sent again.
func (p *planner) doubts(s *Step, from *jetstream.StreamInfo, to *target) []string {
	var all []string
	warn := func(is bool, format string, args ...any) {
		if is {
			all = append(all, fmt.Sprintf(format, args...))
		}
	}
	retention := from.Config.Retention
	warn(s.RedriveOf != "", "it is itself a copy of %s, and was given up again", shown(s.RedriveOf))
	warn(s.Stream != s.Key.Stream && p.Options.To == "", "its copy goes to stream %s, from which %s copies", shown(s.Stream), shown(s.Key.Stream))
	warn(to.info.Config.MaxMsgsPerSubject > 0, "stream %s keeps %d messages of a subject: the copy of an old one displaces another", shown(s.Stream), to.info.Config.MaxMsgsPerSubject)
	warn(p.Options.DeleteOriginal && retention != jetstream.WorkQueuePolicy, "the original stays: stream %s is no work queue, and others may need it", shown(s.Key.Stream))
	warn(p.Options.DeleteOriginal && from.Config.DenyDelete, "the original stays: stream %s has nothing deleted", shown(s.Key.Stream))
	warn(!p.Options.DeleteOriginal && retention == jetstream.WorkQueuePolicy, "the original stays in the work queue, where nobody will get it")
	left := slices.DeleteFunc(slices.Clone(s.LeftOut), func(name string) bool { return strings.EqualFold(name, jetstream.MsgIDHeader) })
	warn(len(left) > 0, "the copy has no %s", shownAll(left))
	warn(to.partial, "not all consumers of stream %s could be asked", shown(s.Stream))
	if s.Stream == s.Key.Stream && !to.partial {
		all = append(all, doubtsOf(s.Letter, s.Subject, to.consumers)...)
	}
	return all
}

// doubtsOf says what keeps the consumer that gave the original up from getting
// the copy.
func doubtsOf(l Letter, subject string, consumers []*jetstream.ConsumerInfo) []string {
	name := shown(l.Key.String())
	i := slices.IndexFunc(consumers, func(c *jetstream.ConsumerInfo) bool { return keyOf(c) == l.Key })
	switch {
	case i < 0:
		return []string{"there is no consumer " + name + " any more"}
	case !takes(consumers[i], subject):
		return []string{"consumer " + name + " does not take " + shown(subject)}
	case consumers[i].Paused:
		return []string{"consumer " + name + " is paused"}
	}
	return nil
}

// listOthers finds the consumers that get copies though they never gave the
// original up.
func (p *planner) listOthers() {
	for _, s := range p.Steps {
		if s.Skip != "" {
			continue
		}
		for _, c := range p.targets[s.Subject].consumers {
			if key := keyOf(c); key != s.Key && takes(c, s.Subject) && !slices.Contains(p.Others, key) {
				p.Others = append(p.Others, key)
			}
		}
	}
	slices.SortFunc(p.Others, inspect.Key.Compare)
}

// warn says what holds for the whole plan.
func (p *planner) warn() {
	windows := map[string]bool{}
	for _, s := range p.Steps {
		if s.Skip == "" && !windows[s.Stream] {
			windows[s.Stream] = true
			p.Warnings = append(p.Warnings, fmt.Sprintf("stream %s recognises a second copy for %s only", shown(s.Stream), p.targets[s.Subject].info.Config.Duplicates))
		}
	}
}
