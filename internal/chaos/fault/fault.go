// Package fault breaks NATS on purpose. A fault is a small value: it is aimed,
// which finds its victims and says exactly what would be done; injected; healed;
// and checked to have left nothing. What outlives this process is told as data
// before it is done, so that another process can undo it.
package fault

import (
	"context"
	"math/rand/v2"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/natsops/natsops/internal/chaos/proxy"
)

// A Class says what happens to a fault when nobody heals it.
type Class string

// The classes, from harmless to not.
const (
	Expires Class = "A" // it ends by itself, at a deadline that the server or a watchdog keeps, or at once
	DiesToo Class = "B" // it ends with this process
	Remains Class = "C" // it stays until somebody undoes it
)

// A Spec is a fault as somebody asked for it.
type Spec struct {
	Kind   string            // as in [Kinds]: "kill", "partition"
	Victim Victim            // whom; the zero value is the kind's usual victim
	Params map[string]string // by the names of [Kind.Params], as text: "latency": "100ms"
	At     time.Duration     // after the drill's first fault
	For    time.Duration     // until it is healed; 0: the kind's default
}

// A Victim selects servers, connections or assets. What is set must all hold.
type Victim struct {
	Role    string   // of a server: see [Roles]
	Servers []string // by name
	Tag     string   // servers with this tag

	Client  string // connections by the client's name, a pattern of [path.Match]
	User    string // by the user who logged in
	Account string // by account
	Subject string // by a subject that they subscribe to: a message can match both
	CID     uint64 // one connection; with Servers, since the number is the server's

	Stream   string // "": that of the load
	Consumer string // "": that of the load

	Percent float64 // of those selected, chosen by the seed; 0: all
	Max     int     // at most so many; 0: all
}

// The roles that a server can have at the moment of the aim.
const (
	StreamLeader   = "stream-leader"
	StreamFollower = "stream-follower" // one of them, by the seed
	ConsumerLeader = "consumer-leader"
	MetaLeader     = "meta-leader"
	AnyServer      = "any"      // one, by the seed
	AllServers     = "all"      // every one
	Minority       = "minority" // as many as can be lost, by the seed, the stream's leader not among them
)

// A Kind is a sort of fault.
type Kind struct {
	Name    string
	About   string // what it does, in a sentence
	Expect  string // what a healthy system does about it, in a sentence
	Class   Class
	Needs   Need
	Since   string        // the oldest nats-server that has what it takes: "2.11.0"; "": any that we support
	Default time.Duration // of [Spec.For]; 0: it is over at once
	Selects Selection     // what its victims may be named by
	Params  []Param

	aim func(context.Context, aim) (*Strike, error)
}

// A Selection is what the [Victim] of a kind may name; the zero value: nothing.
type Selection uint8

// The parts of a selection.
const (
	SelectServers     Selection = 1 << iota // Role, Servers, Tag, Percent, Max
	SelectConnections                       // Client, User, Account, Subject, CID, Servers, Percent, Max
	SelectStream                            // Stream
	SelectConsumer                          // Stream and Consumer
)

// A Need is what a fault takes of a [Site], besides an application's account.
type Need struct {
	System bool // the system account
	Nodes  bool // servers whose processes are ours
	Links  bool // links through proxies, between the servers
	Doors  bool // client links through proxies
	Linux  bool // only there
	Unix   bool // not on Windows
}

// A Param is a setting of a kind.
type Param struct {
	Name    string
	Default string // as text
	Unit    Unit
	About   string   // half a sentence
	Words   []string // of a [Word]
	Least   float64  // in base units (durations: ns); what is below is refused
	Most    float64  // 0: no limit
}

// A Unit is how the text of a param is read, see package quantity.
type Unit string

// The units of params.
const (
	Count    Unit = "count"
	Duration Unit = "duration"
	Rate     Unit = "rate" // 1/s
	Size     Unit = "size" // bytes
	ByteRate Unit = "bytes/s"
	Ratio    Unit = "ratio"
	Word     Unit = "word" // one of Param.Words
	Text     Unit = "text" // any
)

// A Node is a server whose process is ours.
type Node interface {
	Name() string
	PID() int // 0 while it is down
	Pause() error
	Resume() error
	Kill() error
	Stop() error
	LameDuck() error // SIGUSR2: it asks its clients to leave, and ends
	Restart(ctx context.Context) error
	Exited() <-chan struct{}
	StoreDir() string // where JetStream keeps its data
}

// A Server is one of the target's, as it called itself when the drill began.
type Server struct {
	Name string
	ID   string
	URL  string // for clients, without secrets
	Tags []string
}

// A Site is what faults may touch.
type Site struct {
	// Dial opens one more connection in the account of the load, to one of the
	// servers at these URLs; none: to any.
	Dial    func(ctx context.Context, servers []string, name string, opts ...nats.Option) (*nats.Conn, error)
	App     *nats.Conn          // in that account; it reconnects for ever
	JS      jetstream.JetStream // over App
	System  *nats.Conn          // in the system account; nil: there is none
	Servers []Server
	Nodes   []Node        // nil: the processes are somebody else's
	Links   *proxy.Fabric // nil: no link is ours. For a foreign target it has links of clients only

	Stream   string     // of the load
	Consumer string     // of the load, a durable pull consumer of Stream
	Scratch  string     // prefix of subjects that Stream takes and nobody reads: "natsops.chaos.x7.fill"
	Mark     string     // begins the names of all that faults make: "natsops-chaos-x7"; in metadata too
	Rand     *rand.Rand // chooses victims, so that a seed repeats the drill
	// Watch has process pid continued (SIGCONT) after a time, or when this process
	// dies before, until it is released. nil: nobody can be asked to.
	Watch func(pid int, after time.Duration) (release func(), err error)
}

// A Strike is a fault with its victims.
type Strike struct {
	Victims []string // in words: "n2", "client 17 \"billing\" of n1", "consumer ORDERS/billing"
	Down    []string // names of the servers that cannot serve the others while it lasts, as quorum counts them
	AtOnce  int      // how many of Down at the same time; 0: all
	Steps   []Step   // exactly what will be sent or done, in order
	Undo    []Undo   // must be on disk before Inject

	// Inject does it. What goes on, as a flood does, goes on until Heal. After an
	// error what was done is undone by Heal.
	Inject func(ctx context.Context) error
	// Heal undoes it, as far as it was done. It may be called again, also after
	// an error, and concurrently with Inject, which it ends.
	Heal func(ctx context.Context) error
	// Healed tells what is left of it; nil: nothing is.
	Healed func(ctx context.Context) error
	// Counts are numbers that it kept: "kicked", "connections_opened". Complete
	// after Heal.
	Counts func() map[string]float64
}

// A Step is one thing that a strike does.
type Step struct {
	Do      string // "request", "publish", "signal", "link", "files", "connect", "start", "wait"
	Object  string // subject, process or link
	Payload string // what is sent, or how
}

// An Undo is what another process has to do when this one could not heal. It is
// data, and part of the journal's format.
type Undo struct {
	Kind     UndoKind  `json:"kind"`
	Server   string    `json:"server,omitempty"`
	Stream   string    `json:"stream,omitempty"`
	Consumer string    `json:"consumer,omitempty"`
	Subject  string    `json:"subject,omitempty"`
	PID      int       `json:"pid,omitempty"`
	Started  string    `json:"started,omitempty"` // when the process began, as its system tells it, so that a pid that was used again is not touched
	Expires  time.Time `json:"expires,omitzero"`  // it ends by itself then
}

// UndoKind says what is to be undone.
type UndoKind string

// The kinds of undoing.
const (
	UndoPause    UndoKind = "resume-consumer"
	UndoConsumer UndoKind = "delete-consumer" // only if it bears our mark
	UndoStream   UndoKind = "delete-stream"   // only if it bears our mark
	UndoFill     UndoKind = "purge-subject"   // of a stream
	UndoStop     UndoKind = "continue-process"
)
