package deadletter

import (
	"slices"
	"strings"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// HeaderRedriveOf is the header of a copy that names the message that was given
// up: stream/consumer/sequence.
const HeaderRedriveOf = "Natsops-Redrive-Of"

// Headers by which the server marks messages of its own, and of which it makes
// messages at set times.
const (
	headerMarker   = "Nats-Marker-Reason"
	headerSchedule = "Nats-Schedule"
	headerTTL      = "Nats-TTL"
)

// informing lists the headers in the server's namespace that tell the reader
// something and the server nothing. They stay: a republished message is told
// from others by them, and a service's error is its content.
func informing() []string {
	return []string{
		"Nats-Stream", "Nats-Subject", "Nats-Sequence", "Nats-Time-Stamp", "Nats-Last-Sequence",
		"Nats-Service-Error", "Nats-Service-Error-Code",
	}
}

// copied returns the headers of a copy, without those that are about to be set,
// and the names of those left out.
//
// Everything that begins with Nats- speaks to the server. What it meant when
// the original was stored is not meant again:
//   - Nats-Msg-Id would make the copy a duplicate of the original; it gets its own;
//   - Nats-Expected-… were true then, and would have the copy refused now;
//   - Nats-Rollup would delete everything before the copy;
//   - Nats-Batch-… would begin a batch that never ends;
//   - Nats-Schedule… and Nats-Incr would set a timer and count once more;
//   - Nats-Stream-Source would mislead a stream about how far its source was read;
//   - Nats-Trace-… would report, or with Nats-Trace-Only swallow, the copy.
//
// So will be those that the server may learn later: they are left out unless
// known to be harmless. Nats-TTL stays, where the stream allows it: the copy
// lives as long from now as the original was meant to live from then.
func copied(original nats.Header, target *jetstream.StreamInfo) (kept nats.Header, leftOut []string) {
	kept = nats.Header{}
	for name, values := range original {
		switch {
		case strings.EqualFold(name, HeaderRedriveOf): // set anew
		case strings.EqualFold(name, headerTTL) && target.Config.AllowMsgTTL, isInforming(name), !isControl(name):
			kept[name] = slices.Clone(values)
		default:
			leftOut = append(leftOut, name)
		}
	}
	slices.Sort(leftOut)
	return kept, leftOut
}

// copyOf makes the message that is sent. It is refused by every stream but the
// one that it is meant for.
func (s *Step) copyOf(m *stored, target *jetstream.StreamInfo) *nats.Msg {
	original, _ := m.headers() // the plan skips what cannot be read
	kept, _ := copied(original, target)
	kept[jetstream.MsgIDHeader] = []string{s.MsgID}
	kept[jetstream.ExpectedStreamHeader] = []string{s.Stream}
	kept[HeaderRedriveOf] = []string{s.ID()}
	return &nats.Msg{Subject: s.Subject, Header: kept, Data: m.Data}
}

func isControl(name string) bool {
	return len(name) >= len("Nats-") && strings.EqualFold(name[:len("Nats-")], "Nats-")
}

func isInforming(name string) bool {
	return slices.ContainsFunc(informing(), func(n string) bool { return strings.EqualFold(n, name) })
}
