package load

import (
	"context"
	"errors"
	"fmt"
	"math"
	"strings"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/natsops/natsops/internal/ledger"
)

// A Dial opens a connection in the account of the load, to one of the servers at
// these URLs; none: to any of the target. Options override those of the target.
type Dial func(ctx context.Context, servers []string, name string, opts ...nats.Option) (*nats.Conn, error)

// A Config describes a load.
type Config struct {
	Run        uint16 // marks the messages, see ledger.Stamp
	Mark       string // begins the names of connections and the ids of messages: "natsops-chaos-x7"
	Stream     string // exists, takes Subject.>, and loses nothing to limits
	Subject    string // publisher p sends to Subject + "." + its name
	Consumer   string // durable pull consumer of Stream, exists; "": nothing is consumed
	Workers    int    // on Consumer, each with a connection; 0: 1
	Publishers []Publisher
	Rate       float64       // messages per second of each publisher
	Size       int           // bytes of a message, at least ledger.StampSize
	AckWait    time.Duration // for the answer to one publish
	Retry      Retry
	Work       time.Duration // what a worker needs for a message
	// JetStream is the API on a connection, in its domain; nil: without one.
	JetStream func(*nats.Conn) (jetstream.JetStream, error)
}

// A Publisher is one of the load's.
type Publisher struct {
	Name string   // part of a subject
	URLs []string // it connects to these and never learns of others
	// Server is the name of the only server behind URLs; "": several.
	Server string
}

// Retry says what a publisher does with a message that was not acknowledged.
type Retry string

// The ways to retry. Between two attempts a publisher waits for a quarter of a
// second, doubling up to 5 s, with jitter.
const (
	SameID  Retry = "same-id" // the way that NATS documents: each attempt with the same Nats-Msg-Id
	NoID    Retry = "no-id"   // without an id, so that the server cannot tell: to show what that does
	NoRetry Retry = "none"    // one attempt, with an id
)

// Validate tells what no load could do.
func (c Config) Validate() error {
	switch {
	case c.Mark == "":
		return errors.New("a load needs a mark")
	case c.Stream == "" || c.Subject == "":
		return errors.New("a load needs a stream and a subject")
	case !(c.Rate > 0) || c.Rate > float64(time.Second): // NaN too
		return fmt.Errorf("a publisher cannot send %v messages per second", c.Rate)
	case c.Size < ledger.StampSize:
		return fmt.Errorf("a message has at least %d bytes, not %d", ledger.StampSize, c.Size)
	case c.AckWait <= 0:
		return errors.New("a publisher has to wait for its answers")
	case c.Work < 0 || c.Workers < 0:
		return errors.New("neither workers nor what they need can be less than none")
	}
	return errors.Join(c.Retry.validate(), validate(c.Publishers))
}

func (r Retry) validate() error {
	switch r {
	case SameID, NoID, NoRetry:
		return nil
	}
	return fmt.Errorf("there is no way to retry called %q", r)
}

func validate(publishers []Publisher) error {
	if n := len(publishers); n == 0 || n > math.MaxUint16 {
		return fmt.Errorf("a load has 1 to %d publishers, not %d", math.MaxUint16, n)
	}
	known := make(map[string]bool)
	for _, p := range publishers {
		if p.Name == "" || strings.ContainsAny(p.Name, " \t\r\n*>") {
			return fmt.Errorf("%q cannot be part of a subject", p.Name)
		}
		if known[p.Name] {
			return fmt.Errorf("two publishers are called %s", p.Name)
		}
		known[p.Name] = true
	}
	return nil
}

// period is the time between two messages of a publisher.
func (c Config) period() time.Duration { return time.Duration(float64(time.Second) / c.Rate) }
