package bench

import (
	"fmt"
	"strings"
)

// Title says in one line what the run is, for people.
func (c Config) Title() string {
	parts := []string{c.shape()}
	if c.Workload != Sub && (c.Workload != Reply || c.Size > 0) {
		parts = append(parts, fmt.Sprintf("%d B", c.Size))
	}
	if c.Subjects > 1 {
		parts = append(parts, fmt.Sprintf("%d subjects", c.Subjects))
	}
	if c.Queue != "" {
		parts = append(parts, "queue "+c.Queue)
	}
	switch {
	case !c.loads():
	case c.Schedule != nil:
		parts = append(parts, fmt.Sprintf("%s/s %v", strings.TrimSuffix(c.Rate, "/s"), c.Schedule))
	case c.Workload == Pub:
		parts = append(parts, "as fast as the connection takes it")
	default:
		parts = append(parts, fmt.Sprintf("%d in flight per client", c.window()))
	}
	return strings.Join(parts, ", ")
}

func (c Config) shape() string {
	switch c.Workload {
	case Pub:
		return "pub: " + count(c.Senders, "publisher")
	case Sub:
		return "sub: " + count(c.Receivers, "subscriber")
	case PubSub:
		return "pubsub: " + count(c.Senders, "publisher") + " → " + count(c.Receivers, "subscriber")
	case Reply:
		return "reply: " + count(c.Receivers, "responder")
	case Request:
		if c.External {
			return "request: " + count(c.Senders, "client") + " → external service"
		}
		return "request: " + count(c.Senders, "client") + " → " + count(c.Receivers, "responder")
	default:
		return string(c.Workload)
	}
}

func count(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}
