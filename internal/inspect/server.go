package inspect

import "time"

// A Server and what it says of itself. Parts that were not asked for, or not
// answered, are nil.
type Server struct {
	Reading
	ID, Name, Cluster, Domain, Version string

	// Offset is how far its clock is ahead of ours, give or take OffsetError:
	// half the time that the answer took.
	Offset, OffsetError time.Duration

	Varz      *Varz
	JetStream *JetStream
	Subs      *SubStats
	Routes    []Link
	Gateways  []Link
	Leafs     []Link
}

// Varz is what a server says of itself as a whole. The names are those of its
// monitoring endpoint /varz.
type Varz struct {
	ServerID         string        `json:"server_id"`
	Name             string        `json:"server_name"`
	Version          string        `json:"version"`
	GoVersion        string        `json:"go"`
	Start            time.Time     `json:"start"`
	Now              time.Time     `json:"now"`
	CPUPercent       float64       `json:"cpu"` // of one core, over about the last second
	Cores            int           `json:"cores"`
	MaxProcs         int           `json:"gomaxprocs"` // 0: not known (servers before 2.10)
	MemLimit         int64         `json:"gomemlimit"` // 0: none, or not known
	MemBytes         int64         `json:"mem"`        // resident
	InMsgs           int64         `json:"in_msgs"`
	OutMsgs          int64         `json:"out_msgs"`
	InBytes          int64         `json:"in_bytes"`
	OutBytes         int64         `json:"out_bytes"`
	SlowConsumers    int64         `json:"slow_consumers"` // disconnected since the start
	SlowKinds        *SlowKinds    `json:"slow_consumer_stats"`
	StalledClients   int64         `json:"stalled_clients"`   // times that a publisher was held back since the start (2.12)
	StaleConnections int64         `json:"stale_connections"` // closed for not answering PING since the start (2.12)
	Connections      int           `json:"connections"`
	TotalConnections uint64        `json:"total_connections"` // since the start
	Subscriptions    uint32        `json:"subscriptions"`
	Routes           int           `json:"routes"`
	Leafs            int           `json:"leafnodes"`
	MaxConnections   int           `json:"max_connections"`
	MaxPayload       int64         `json:"max_payload"`
	MaxPending       int64         `json:"max_pending"`
	WriteDeadline    time.Duration `json:"write_deadline"`
	PingInterval     time.Duration `json:"ping_interval"`
	AuthRequired     bool          `json:"auth_required"`
	TLSRequired      bool          `json:"tls_required"`
	TLSCertNotAfter  time.Time     `json:"tls_cert_not_after"` // zero: no TLS, or not known (servers before 2.12)
	ConfigLoadTime   time.Time     `json:"config_load_time"`
	ConfigDigest     string        `json:"config_digest"`
	SystemAccount    string        `json:"system_account"`
}

// SlowKinds counts slow consumers by what they were.
type SlowKinds struct {
	Clients  uint64 `json:"clients"`
	Routes   uint64 `json:"routes"`
	Gateways uint64 `json:"gateways"`
	Leafs    uint64 `json:"leafs"`
}

// JetStream is what a server says of its JetStream.
type JetStream struct {
	Disabled        bool      `json:"disabled"`
	Now             time.Time `json:"now"`
	Memory          uint64    `json:"memory"`
	Storage         uint64    `json:"storage"`
	ReservedMemory  uint64    `json:"reserved_memory"`
	ReservedStorage uint64    `json:"reserved_storage"`
	HAAssets        int       `json:"ha_assets"`
	Streams         int       `json:"streams"`
	Consumers       int       `json:"consumers"`
	Messages        uint64    `json:"messages"`
	Bytes           uint64    `json:"bytes"`
	API             struct {
		Total    uint64 `json:"total"`
		Errors   uint64 `json:"errors"`
		Inflight uint64 `json:"inflight"`
	} `json:"api"`
	Config struct {
		MaxMemory    int64         `json:"max_memory"`
		MaxStorage   int64         `json:"max_storage"`
		SyncInterval time.Duration `json:"sync_interval"`
		SyncAlways   bool          `json:"sync_always"`
		Domain       string        `json:"domain"`
	} `json:"config"`
	Meta *Meta `json:"meta_cluster,omitempty"` // nil: a server of its own
}

// Meta is the group that places streams and consumers.
type Meta struct {
	Name     string `json:"name"`
	Leader   string `json:"leader"`
	Replicas []Peer `json:"replicas"` // only from the leader
	Size     int    `json:"cluster_size"`
	Pending  int    `json:"pending"` // operations not processed yet
}

// SubStats is how well a server finds who wants a message.
type SubStats struct {
	Subscriptions uint32  `json:"num_subscriptions"`
	CacheSize     uint32  `json:"num_cache"`
	Matches       uint64  `json:"num_matches"` // since the start
	CacheHitRate  float64 `json:"cache_hit_rate"`
	MaxFanout     uint32  `json:"max_fanout"`
	AvgFanout     float64 `json:"avg_fanout"`
}

// A Link leads to another server.
type Link struct {
	Remote      string        // name or ID of the other end
	Account     string        // of a leaf node, or of a route that is one account's
	RTT         time.Duration // 0: not known
	PendingOut  int64         // bytes that wait to be sent
	Compression string
	Start       time.Time
	InMsgs      int64
	OutMsgs     int64
}

// An Account as the servers that know it count, summed up.
type Account struct {
	Name          string
	Connections   int
	LeafNodes     int
	Subscriptions int64
	SlowConsumers int64 // since the start of the servers
	JetStream     *AccountJetStream
}

// AccountJetStream is what an account uses of JetStream, where -1 is not known,
// and may use, where -1 is without limit and 0 not known.
type AccountJetStream struct {
	Memory, Storage, Streams, Consumers             int64
	MaxMemory, MaxStorage, MaxStreams, MaxConsumers int64
	APIErrors, APITotal                             uint64
}
