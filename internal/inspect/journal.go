package inspect

import (
	"encoding/json"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/natsops/natsops/internal/inspect/wire"
)

// mostEvents bounds how many events are kept between two snapshots.
const mostEvents = 10_000

// A journal keeps what servers publish about events, from the first snapshot
// that needs it on.
type journal struct {
	account   string
	listeners []*wire.Listener

	mu      sync.Mutex
	events  []Event
	dropped int
}

// subjects are where events are published: those of JetStream in the account
// that they concern. $JS.EVENT.ADVISORY.API is not among them: there, servers
// publish every answer of the JetStream API again, ours included.
func subjects(route Route) []string {
	all := []string{"$JS.EVENT.ADVISORY.CONSUMER.>", "$JS.EVENT.ADVISORY.STREAM.>", "$JS.EVENT.ADVISORY.API.LIMIT_REACHED", "$JS.EVENT.METRIC.CONSUMER.ACK.>"}
	if route == RouteSystem {
		all = append(all, "$SYS.ACCOUNT.*.DISCONNECT")
	}
	return all
}

// listen starts the journal, if it has not been started.
func (r *round) listen() {
	c := r.c
	switch {
	case c.route == RouteMonitor:
		r.gaps = append(r.gaps, Gap{What: "events", Why: "monitoring endpoints do not tell of them", Remedy: "a connection to NATS"})
		return
	case c.events != nil:
		return
	}
	c.events = &journal{account: c.account}
	for _, subject := range subjects(c.route) {
		l, err := c.conn.Listen(subject, c.events.note)
		if err != nil {
			r.gap("events", err)
			continue
		}
		c.events.listeners = append(c.events.listeners, l)
	}
}

func (j *journal) stop() {
	for _, l := range j.listeners {
		l.Close()
	}
}

// happened returns the events since the last call. The round's lock is held.
func (r *round) happened() []Event {
	j := r.c.events
	if j == nil || !r.need.Events {
		return nil
	}
	for _, l := range j.listeners {
		if err := l.Err(); err != nil {
			r.gaps = append(r.gaps, Gap{What: "events", Why: err.Error(), Remedy: strings.Replace(remedyFor(err), "publish", "subscribe", 1)})
		}
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	events := j.events
	if j.dropped > 0 {
		r.gaps = append(r.gaps, Gap{What: "events", Why: count(j.dropped, "event") + " came faster than they were looked at"})
	}
	j.events, j.dropped = nil, 0
	slices.SortStableFunc(events, func(a, b Event) int { return a.At.Compare(b.At) })
	return events
}

// note keeps an event. What makes no sense is no event of ours.
func (j *journal) note(data []byte) {
	e, ok := parseEvent(data)
	if !ok {
		return
	}
	if e.Key.Account == "" {
		e.Key.Account = j.account
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	if len(j.events) >= mostEvents {
		j.dropped++
		return
	}
	j.events = append(j.events, e)
}

// kinds says which events are kept, by the type that their publisher gives them
// (nats-server, jetstream_events.go and events.go), and where it matters by what
// was done.
func kinds() map[string]EventKind {
	const advisory = "io.nats.jetstream.advisory.v1."
	return map[string]EventKind{
		advisory + "max_deliver":                            EventMaxDeliver,
		advisory + "terminated":                             EventTerminated,
		advisory + "nak":                                    EventNak,
		"io.nats.jetstream.metric.v1.consumer_ack":          EventAck,
		advisory + "stream_leader_elected":                  EventLeader,
		advisory + "consumer_leader_elected":                EventLeader,
		advisory + "stream_quorum_lost":                     EventQuorumLost,
		advisory + "consumer_quorum_lost":                   EventQuorumLost,
		advisory + "stream_action create":                   EventCreated,
		advisory + "stream_action delete":                   EventDeleted,
		advisory + "consumer_action create":                 EventCreated,
		advisory + "consumer_action delete":                 EventDeleted,
		advisory + "consumer_pause paused":                  EventPaused,
		advisory + "consumer_pause":                         EventResumed,
		advisory + "api_limit_reached":                      EventAPILimit,
		"io.nats.server.advisory.v1.client_disconnect slow": EventSlowConsumer,
	}
}

// published is an event as it is published.
type published struct {
	Type       string        `json:"type"`
	Time       time.Time     `json:"timestamp"`
	Account    string        `json:"account"`
	Stream     string        `json:"stream"`
	Consumer   string        `json:"consumer"`
	StreamSeq  uint64        `json:"stream_seq"`
	Deliveries int           `json:"deliveries"`
	Reason     string        `json:"reason"`
	AckTime    time.Duration `json:"ack_time"`
	Action     string        `json:"action"`
	Paused     bool          `json:"paused"`
	Client     struct {
		Account string `json:"acc"`
		Name    string `json:"name"`
		User    string `json:"user"`
		Host    string `json:"host"`
	} `json:"client"`
}

// parseEvent returns false for what is no event of ours.
func parseEvent(data []byte) (Event, bool) {
	var p published
	if json.Unmarshal(data, &p) != nil {
		return Event{}, false
	}
	kind := p.Type
	switch {
	case p.Action != "":
		kind += " " + p.Action
	case p.Paused:
		kind += " paused"
	case strings.HasPrefix(p.Reason, "Slow Consumer"):
		kind += " slow"
	}
	e := Event{
		At: p.Time, Kind: kinds()[kind], Key: Key{p.Account, p.Stream, p.Consumer},
		StreamSeq: p.StreamSeq, Delivery: p.Deliveries, Reason: p.Reason, AckTime: p.AckTime,
	}
	if e.Kind == EventSlowConsumer {
		e.Key.Account = p.Client.Account
		who := slices.DeleteFunc([]string{p.Client.Name, p.Client.User, p.Client.Host}, func(s string) bool { return s == "" })
		e.Reason += ": " + strings.Join(who, ", ")
	}
	return e, e.Kind != ""
}
