package inspect

import "time"

// A Consumer as its leader describes it: the replicas' numbers are wrong
// (nats-server#8140). Field names and JSON names are those of the server.
type Consumer struct {
	Reading `json:"-"`
	Account string `json:"-"`

	Stream         string          `json:"stream_name"`
	Name           string          `json:"name"`
	Created        time.Time       `json:"created"`
	Config         *ConsumerConfig `json:"config,omitempty"` // nil: not known
	Delivered      Sequences       `json:"delivered"`
	AckFloor       Sequences       `json:"ack_floor"`
	NumAckPending  int             `json:"num_ack_pending"` // delivered and neither acknowledged nor given up
	NumRedelivered int             `json:"num_redelivered"` // of these and of the given up, delivered more than once
	NumWaiting     int             `json:"num_waiting"`     // open pull requests
	NumPending     uint64          `json:"num_pending"`     // matching messages not delivered yet
	Cluster        *Group          `json:"cluster,omitempty"`
	PushBound      bool            `json:"push_bound"`
	Paused         bool            `json:"paused"`
	PauseRemaining time.Duration   `json:"pause_remaining"`
	Pins           []Pin           `json:"priority_groups,omitempty"`
	Offline        string          `json:"offline_reason,omitempty"` // why no server runs it
	Timestamp      time.Time       `json:"ts"`
}

// Key names the consumer.
func (c *Consumer) Key() Key { return Key{c.Account, c.Stream, c.Name} }

// Push reports whether the server sends on its own, and not on request.
func (c *Consumer) Push() bool { return c.Config != nil && c.Config.DeliverSubject != "" }

// Sequences are positions in the consumer's deliveries, which count redeliveries
// too, and in the stream.
type Sequences struct {
	Consumer uint64     `json:"consumer_seq"`
	Stream   uint64     `json:"stream_seq"`
	Last     *time.Time `json:"last_active,omitempty"` // nil: never, or forgotten by a restart
}

// A Pin is the client to which a priority group is pinned.
type Pin struct {
	Group  string    `json:"group"`
	Client string    `json:"pinned_client_id"`
	Since  time.Time `json:"pinned_ts"`
}

// ConsumerConfig is what was asked for when the consumer was made.
type ConsumerConfig struct {
	Durable           string            `json:"durable_name"`
	Description       string            `json:"description"`
	DeliverPolicy     string            `json:"deliver_policy"` // all, last, new, by_start_sequence, by_start_time, last_per_subject
	OptStartSeq       uint64            `json:"opt_start_seq"`
	OptStartTime      *time.Time        `json:"opt_start_time"`
	AckPolicy         string            `json:"ack_policy"` // none, all, explicit, flow_control
	AckWait           time.Duration     `json:"ack_wait"`
	MaxDeliver        int               `json:"max_deliver"` // -1: without end
	BackOff           []time.Duration   `json:"backoff"`
	FilterSubject     string            `json:"filter_subject"`
	FilterSubjects    []string          `json:"filter_subjects"`
	ReplayPolicy      string            `json:"replay_policy"` // instant, original
	RateLimit         uint64            `json:"rate_limit_bps"`
	SampleFrequency   string            `json:"sample_freq"`
	MaxWaiting        int               `json:"max_waiting"`
	MaxAckPending     int               `json:"max_ack_pending"` // -1 and, with acks, 0: without limit
	FlowControl       bool              `json:"flow_control"`
	HeadersOnly       bool              `json:"headers_only"`
	MaxRequestBatch   int               `json:"max_batch"`
	DeliverSubject    string            `json:"deliver_subject"`
	DeliverGroup      string            `json:"deliver_group"`
	Heartbeat         time.Duration     `json:"idle_heartbeat"`
	InactiveThreshold time.Duration     `json:"inactive_threshold"`
	Replicas          int               `json:"num_replicas"` // 0: as the stream has
	MemoryStorage     bool              `json:"mem_storage"`
	Metadata          map[string]string `json:"metadata"`
	PauseUntil        *time.Time        `json:"pause_until"`
	PriorityGroups    []string          `json:"priority_groups"`
	PriorityPolicy    string            `json:"priority_policy"`
}

// Filters returns the subjects that the consumer takes; none means all of the stream.
func (c *ConsumerConfig) Filters() []string {
	if c.FilterSubject != "" {
		return []string{c.FilterSubject}
	}
	return c.FilterSubjects
}

// Acks reports whether messages have to be acknowledged.
func (c *ConsumerConfig) Acks() bool { return c.AckPolicy != "none" }

// A Group is who keeps a stream or a consumer. On a server of its own there is
// none.
type Group struct {
	Name        string    `json:"name"` // of the cluster
	RaftGroup   string    `json:"raft_group"`
	Leader      string    `json:"leader"`                // "": none
	LeaderSince time.Time `json:"leader_since,omitzero"` // zero: not known (servers before 2.12)
	Replicas    []Peer    `json:"replicas"`              // without the leader
}

// A Peer is another member of a group, as the leader sees it.
type Peer struct {
	Name    string        `json:"name"`
	Current bool          `json:"current"`
	Offline bool          `json:"offline"`
	Active  time.Duration `json:"active"` // since it was last heard
	Lag     uint64        `json:"lag"`    // operations behind
}
