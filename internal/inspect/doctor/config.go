package doctor

import "time"

// Config are the thresholds. Start from [Defaults] to change some.
type Config struct {
	// Connections.
	FarRTT          time.Duration // a client this far away is far …
	FarFactor       float64       // … when it is also so many times as far as the median
	RTTAfter        time.Duration // younger round trips were measured when the connection was made, and prove little
	AwayRTT         time.Duration // a client this far away is worth a word even when all are
	PendingBytes    int64         // that wait to be sent to a client all the time
	PendingShare    float64       // the same as a part of max_pending
	PendingCritical float64       // a part of max_pending: from here on the server holds publishers back
	ManySubs        int           // of one connection
	ManyInboxes     int           // subscriptions to inboxes, of one connection
	SubsGrowth      int           // more subscriptions within the window, of one connection
	SettledAfter    time.Duration // by then a client has made the subscriptions that it needs
	Recent          time.Duration // closed connections count this long
	ChurnPerMinute  int           // reconnects of one client
	Refusals        int           // connections refused, of one kind, while Recent
	ShortLife       time.Duration // of a connection that was made for one request
	NewPerSecond    float64       // short-lived connections
	TLSPerSecond    float64       // short-lived connections with TLS: each costs a handshake

	// Subscriptions.
	CacheHitRate    float64 // below it …
	CacheMsgRate    float64 // … and above so many messages per second, matching costs
	FanOut          uint32  // receivers of one message
	SameWorkMsgs    float64 // that each of several subscribers got, before they count as doing the same
	UnevenMsgs      float64 // per member of a queue group, before shares can be compared
	UnevenFactor    float64
	ManySubjects    int     // of a stream, for filters with several wildcards
	FullShare       float64 // of any limit: nearly reached
	FullCritical    float64 // of any limit: as good as reached
	DuplicateIDs    float64 // that a stream may have to remember
	CompressBytes   uint64  // of a file stream without compression
	LeadersShare    float64 // of the leaders on one server
	LeadersCritical float64 // the same, when it deserves a warning
	LeadersLeast    int     // so many leaders, before their places can be compared

	// Streams and consumers.
	LossWithin       time.Duration // until limits delete what was not delivered
	ReplicaLag       uint64        // operations
	ReplicaSilent    time.Duration
	CopyLag          uint64 // messages that a mirror or a source is behind
	CopySilent       time.Duration
	UnusedAfter      time.Duration
	IdleEphemerals   int // of one stream
	ChurnConsumers   float64
	HugeAckPending   int
	WindowReserve    float64 // by which max_ack_pending should exceed what Little's law asks for
	AckWaitShare     float64 // of ack_wait that processing may take
	AckSamples       int     // of acknowledgement times, before they count
	RedeliveredMsgs  int
	NakShare         float64 // of deliveries
	PullQueueAtLeast int     // max_waiting; below it a full queue is what was asked for

	// Servers.
	CPUShare       float64 // of all cores
	MemoryShare    float64 // of GOMEMLIMIT
	MaxPayload     int64   // the server itself warns above it
	WriteDeadline  time.Duration
	ClockSkew      time.Duration
	RestartedFor   time.Duration // so long a restart is news
	CertWarning    time.Duration
	CertCritical   time.Duration
	OldestVersion  string // of nats-server that still gets fixes
	MetaPending    int
	APIPerSecond   float64 // requests to the JetStream API, of one account
	APIErrorShare  float64
	APIInflight    uint64
	LinkRTT        time.Duration // of a route
	LinkPending    int64
	FarLink        time.Duration // from here on compression pays
	CapacityFactor float64       // between the largest and the smallest JetStream of a cluster
}

// Defaults returns the thresholds that suit most systems.
func Defaults() Config {
	c := Config{}
	c.clients()
	c.storage()
	c.machines()
	return c
}

func (c *Config) clients() {
	c.FarRTT, c.FarFactor, c.AwayRTT = 5*time.Millisecond, 3, 100*time.Millisecond
	c.RTTAfter = 150 * time.Second                                       // the servers measure every 2 minutes
	c.PendingBytes, c.PendingShare, c.PendingCritical = 1<<20, 0.1, 0.75 // server/client.go: stalls from 75 %
	c.ManySubs, c.ManyInboxes, c.SubsGrowth, c.SettledAfter = 10_000, 1000, 100, time.Minute
	c.Recent, c.ChurnPerMinute, c.Refusals = time.Hour, 3, 10
	c.ShortLife, c.NewPerSecond, c.TLSPerSecond = 5*time.Second, 10, 5
	c.CacheHitRate, c.CacheMsgRate, c.FanOut = 0.5, 10_000, 1000
	c.SameWorkMsgs, c.UnevenMsgs, c.UnevenFactor = 20, 100, 10
}

func (c *Config) storage() {
	c.ManySubjects, c.FullShare, c.FullCritical = 100_000, 0.9, 0.99
	c.DuplicateIDs, c.CompressBytes = 1_000_000, 50<<30
	c.LeadersShare, c.LeadersCritical, c.LeadersLeast = 0.6, 0.8, 10
	c.LossWithin, c.ReplicaLag, c.ReplicaSilent = time.Hour, 1000, 5*time.Second
	c.CopyLag, c.CopySilent = 1000, 30*time.Second // a source sends a heartbeat every second
	c.UnusedAfter, c.IdleEphemerals, c.ChurnConsumers = 24*time.Hour, 100, 10
	c.HugeAckPending, c.WindowReserve = 100_000, 1.5
	c.AckWaitShare, c.AckSamples, c.RedeliveredMsgs, c.NakShare = 0.5, 20, 10, 0.1
	c.PullQueueAtLeast = 16
}

func (c *Config) machines() {
	const day = 24 * time.Hour
	c.CPUShare, c.MemoryShare = 0.8, 0.9
	c.MaxPayload, c.WriteDeadline = 8<<20, 2*time.Second // server/const.go: MAX_PAYLOAD_MAX_SIZE
	c.ClockSkew, c.RestartedFor = 100*time.Millisecond, 10*time.Minute
	c.CertWarning, c.CertCritical = 30*day, 7*day
	c.OldestVersion = "2.14.0" // the latest line and the one before it get patches
	c.MetaPending, c.APIPerSecond, c.APIErrorShare, c.APIInflight = 100, 100, 0.1, 1000
	c.LinkRTT, c.LinkPending, c.FarLink, c.CapacityFactor = 5*time.Millisecond, 1<<20, 20*time.Millisecond, 2
}
