package bench

import (
	"time"

	"github.com/natsops/natsops/internal/ledger"
	"github.com/natsops/natsops/internal/slo"
	"github.com/natsops/natsops/internal/stats"
)

// A Result is what one run measured. It is a value: it is complete when Run
// returns, also after an interrupt, and nothing in it changes later. Pointers
// are nil where a thing was not measured, so that unknown is never zero.
type Result struct {
	Workload  Workload   `json:"workload"`
	Title     string     `json:"title"` // one line for people: what was run
	Run       int        `json:"run"`   // 1, 2, … of --repeat
	Settings  Settings   `json:"settings"`
	Loop      Loop       `json:"loop"`
	StartedAt time.Time  `json:"started_at"`
	Server    ServerInfo `json:"server"`

	// The measured part: from the end of the warm-up to the end of the load.
	ElapsedNS int64 `json:"elapsed_ns"`
	WarmupNS  int64 `json:"warmup_ns"`
	// Interrupted is set when the run was cut short from outside.
	Interrupted bool `json:"interrupted"`

	// Rate counts the workload's operations: messages that the server read
	// (pub), messages delivered (sub, pubsub), requests answered (request,
	// reply).
	RatePerS    float64  `json:"rate_per_s"`
	BytesPerS   float64  `json:"bytes_per_s"`
	AskedPerS   *float64 `json:"asked_per_s"`  // nil: no rate was asked for
	Achieved    *float64 `json:"achieved"`     // operations sent / operations due, 0..1
	Sent        uint64   `json:"sent"`         // operations begun in the measured part
	Received    uint64   `json:"received"`     // and of them: delivered or answered
	Missed      uint64   `json:"missed"`       // due, but never begun: the generator or the window was full
	Unfinished  uint64   `json:"unfinished"`   // requests still waiting when the run ended
	Unexpected  uint64   `json:"unexpected"`   // replies to requests already answered or given up
	Retries     uint64   `json:"retries"`      // requests sent again
	Dropped     uint64   `json:"dropped"`      // messages the client threw away as a slow consumer
	Disconnects uint64   `json:"disconnects"`  // connections lost during the run
	ErrorCount  uint64   `json:"errors_total"` // sum of Errors

	Response *Latency        `json:"response"` // from the moment an operation was due
	Service  *Latency        `json:"service"`  // from the moment it was sent
	Ledger   *ledger.Account `json:"ledger"`   // of the whole run, warm-up included
	Fairness *Fairness       `json:"fairness"` // of a queue group
	Errors   []ErrorCount    `json:"errors"`

	Intervals []Interval   `json:"intervals"`
	Generator Generator    `json:"generator"`
	Usage     *ServerUsage `json:"server_usage"`            // nil: see NoUsage
	NoUsage   string       `json:"no_server_usage_because"` // why Usage is nil
	Limit     Limit        `json:"limit"`
	Warnings  []string     `json:"warnings"`
}

// Latency is a distribution with its whole histogram, so that results can be
// merged and plotted later.
type Latency struct {
	stats.Summary
	// Histogram is HdrHistogram V2, compressed, base64.
	Histogram string           `json:"histogram"`
	Values    *stats.Histogram `json:"-"`
}

// Settings says what was asked for, with every default filled in.
type Settings struct {
	Subject    string   `json:"subject"`
	Subjects   int      `json:"subjects"`
	Queue      string   `json:"queue,omitempty"`
	Senders    int      `json:"senders"`
	Receivers  int      `json:"receivers"`
	Msgs       uint64   `json:"msgs,omitempty"`
	DurationNS int64    `json:"duration_ns,omitempty"`
	WarmupNS   int64    `json:"warmup_ns"`
	Schedule   string   `json:"schedule"` // constant, poisson, ramp, steps or unpaced
	Rate       string   `json:"rate"`     // as given: 10k, 1k..5k, 1k,2k,5k or max
	Size       int      `json:"size_bytes"`
	Payload    string   `json:"payload"`
	Headers    []string `json:"headers"` // names only
	InFlight   int      `json:"in_flight"`
	TimeoutNS  int64    `json:"timeout_ns"`
	Retries    int      `json:"retries"`
	External   bool     `json:"external"`
}

// Fairness says how evenly the members of a queue group were served.
type Fairness struct {
	Shares []uint64 `json:"shares"` // messages per member
	Jain   float64  `json:"jain"`   // 1 = even, 1/n = one member got all
}

// An ErrorCount counts failures of one class.
type ErrorCount struct {
	Class   ErrorClass `json:"class"`
	Count   uint64     `json:"count"`
	Example string     `json:"example"` // the first error's text
}

// An Interval is one second of the run (or more: long runs fold intervals in
// pairs so that memory stays flat, and then percentiles are the larger of the
// two). Times count from the start of the load, warm-up included.
type Interval struct {
	StartNS  int64  `json:"start_ns"`
	LengthNS int64  `json:"length_ns"`
	Warmup   bool   `json:"warmup"`
	Sent     uint64 `json:"sent"`
	Received uint64 `json:"received"`
	Errors   uint64 `json:"errors"`
	P50NS    *int64 `json:"p50_ns"` // response time; nil: nothing measured
	P99NS    *int64 `json:"p99_ns"`
	MaxNS    *int64 `json:"max_ns"`
}

// Generator is what the load cost the process that made it.
type Generator struct {
	CPUNS      int64    `json:"cpu_ns"`          // user + system time of this process
	Cores      float64  `json:"cores_used"`      // CPU time / elapsed time
	CoresHere  int      `json:"cores_here"`      // what the process may use
	CPUPerOpNS *float64 `json:"cpu_per_op_ns"`   // CPU time / messages sent and received
	GCs        uint32   `json:"gc_count"`        // collections
	GCPauseNS  int64    `json:"gc_pause_ns"`     // sum of the pauses
	HeapBytes  uint64   `json:"heap_bytes"`      // in use at the end
	Lateness   *Latency `json:"lateness"`        // how late operations were begun; nil: not paced
	Pacer      string   `json:"pacer"`           // how it waited: nanosleep, timer, none
	Senders    int      `json:"send_goroutines"` // that offered load; 0: the receiving ones did
}

// ServerUsage is what the server says the load cost it, seen from outside.
type ServerUsage struct {
	Source        string   `json:"source"`    // monitoring endpoint or system account
	CPUCores      *float64 `json:"cpu_cores"` // mean over the run; nil: too short to sample
	CPUCoresMax   *float64 `json:"cpu_cores_max"`
	CPUNS         *int64   `json:"cpu_ns"` // of the run; nil: the server cannot tell
	Cores         int      `json:"cores"`
	MemBytes      int64    `json:"mem_bytes"` // resident, at the end
	MemGrowth     int64    `json:"mem_growth_bytes"`
	InMsgs        int64    `json:"in_msgs"` // during the run, of all clients
	OutMsgs       int64    `json:"out_msgs"`
	SlowConsumers int64    `json:"slow_consumers"`
	Connections   int      `json:"connections"` // at the end
	Restarted     bool     `json:"restarted"`   // counters are since the restart
}

// Limit says what kept the result from being higher, as far as it can be told.
type Limit struct {
	By  string `json:"by"`  // schedule, generator, server, machine, window or unknown
	Why string `json:"why"` // one sentence
}

// A Spread summarises one metric over the runs of --repeat.
type Spread struct {
	Title  string   `json:"title"`
	Metric string   `json:"metric"`
	Unit   slo.Unit `json:"unit"`
	stats.Spread
}
