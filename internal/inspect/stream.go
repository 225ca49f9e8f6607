package inspect

import "time"

// A Stream as its leader describes it.
type Stream struct {
	Reading `json:"-"`
	Account string `json:"-"`

	Name    string        `json:"name"`
	Created time.Time     `json:"created"`
	Config  *StreamConfig `json:"config,omitempty"` // nil: not known
	State   StreamState   `json:"state"`
	Cluster *Group        `json:"cluster,omitempty"`
	Mirror  *Source       `json:"mirror,omitempty"`
	Sources []Source      `json:"sources,omitempty"`
}

// Key names the stream.
func (s *Stream) Key() Key { return Key{Account: s.Account, Stream: s.Name} }

// StreamState is what a stream holds.
type StreamState struct {
	Messages    uint64    `json:"messages"`
	Bytes       uint64    `json:"bytes"`
	FirstSeq    uint64    `json:"first_seq"`
	FirstTime   time.Time `json:"first_ts"`
	LastSeq     uint64    `json:"last_seq"`
	LastTime    time.Time `json:"last_ts"`
	NumSubjects int       `json:"num_subjects"`
	NumDeleted  int       `json:"num_deleted"`
	Consumers   int       `json:"consumer_count"`
}

// StreamConfig is what was asked for when the stream was made.
type StreamConfig struct {
	Description       string            `json:"description"`
	Subjects          []string          `json:"subjects"`
	Retention         string            `json:"retention"` // limits, interest, workqueue
	MaxConsumers      int               `json:"max_consumers"`
	MaxMsgs           int64             `json:"max_msgs"` // -1: without limit, and so on
	MaxBytes          int64             `json:"max_bytes"`
	MaxAge            time.Duration     `json:"max_age"` // 0: without limit
	MaxMsgsPerSubject int64             `json:"max_msgs_per_subject"`
	MaxMsgSize        int32             `json:"max_msg_size"`
	Discard           string            `json:"discard"` // old, new
	DiscardNewPerSubj bool              `json:"discard_new_per_subject"`
	Storage           string            `json:"storage"` // file, memory
	Replicas          int               `json:"num_replicas"`
	NoAck             bool              `json:"no_ack"`
	Duplicates        time.Duration     `json:"duplicate_window"`
	Compression       string            `json:"compression"`
	AllowDirect       bool              `json:"allow_direct"`
	Sealed            bool              `json:"sealed"`
	Metadata          map[string]string `json:"metadata"`
}

// A Source is where a stream copies from.
type Source struct {
	Name   string        `json:"name"`
	Lag    uint64        `json:"lag"`    // messages behind, as the copying server believes (nats-server#8630: it can be 0 and stuck)
	Active time.Duration `json:"active"` // since something came; below 0: never
	Filter string        `json:"filter_subject"`
}
