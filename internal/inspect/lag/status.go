// Package lag judges consumers: who is behind, why, and what to do about it. All
// of it are pure functions of snapshots.
package lag

// Status is what is the matter with a consumer. There is one per consumer: the
// first of the list whose rule holds.
type Status string

// The statuses in the order in which they are tried.
const (
	Unreachable    Status = "UNREACHABLE"
	NoLeader       Status = "NO_LEADER"
	Paused         Status = "PAUSED"
	Reset          Status = "RESET"
	LosingData     Status = "LOSING_DATA"
	NoClients      Status = "NO_CLIENTS"
	AckStalled     Status = "ACK_STALLED"
	RedeliveryLoop Status = "REDELIVERY_LOOP"
	ServerStall    Status = "SERVER_STALL"
	ClientStalled  Status = "CLIENT_STALLED"
	Busy           Status = "BUSY"
	AckBound       Status = "ACK_BOUND"
	FallingBehind  Status = "FALLING_BEHIND"
	SteadyLag      Status = "STEADY_LAG"
	Draining       Status = "DRAINING"
	Unused         Status = "UNUSED"
	Idle           Status = "IDLE"
	OK             Status = "OK"
	Unsampled      Status = "UNKNOWN" // there, but not sampled twice, and one sample does not decide
)

// A Tag is something else that is worth knowing of a consumer. Any number of
// them may go with any status.
type Tag struct {
	Name   TagName
	Detail string // "n": a count, a duration, a percentage, as shown in brackets; "": none
	Text   string // what it means here, in a sentence
}

// TagName names a kind of tag.
type TagName string

// The tags.
const (
	HeadBlocked     TagName = "HEAD_BLOCKED"
	Exhausted       TagName = "EXHAUSTED"
	Redelivering    TagName = "REDELIVERING"
	LossIn          TagName = "LOSS_IN"
	LostMessages    TagName = "LOST"
	PendingDrift    TagName = "PENDING_DRIFT"
	ReplicaLag      TagName = "REPLICA_LAG"
	ReplicaOffline  TagName = "REPLICA_OFFLINE"
	ReplicaOutdated TagName = "REPLICA_OUTDATED"
	Unreplicated    TagName = "UNREPLICATED"
	RecentLeader    TagName = "RECENT_LEADER"
	PullQueueFull   TagName = "PULL_QUEUE_FULL"
	Unpinned        TagName = "UNPINNED"
	Ephemeral       TagName = "EPHEMERAL"
	CreatedRecently TagName = "CREATED_RECENTLY"
)
