package bench

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/natsops/natsops/internal/ledger"
)

// ErrConfig marks an error in what was asked for. Nothing was sent.
var ErrConfig = errors.New("bad configuration")

// A configError is an ErrConfig whose text says all.
type configError string

func (e configError) Error() string        { return string(e) }
func (e configError) Is(target error) bool { return target == ErrConfig }

func configErrorf(format string, args ...any) error {
	return configError(fmt.Sprintf(format, args...))
}

// A Workload is what one operation is.
type Workload string

// The workloads.
const (
	Pub     Workload = "pub"     // publish: times a buffer write, so throughput only
	Sub     Workload = "sub"     // receive what others publish
	PubSub  Workload = "pubsub"  // publish and receive, every message accounted for
	Request Workload = "request" // request and reply
	Reply   Workload = "reply"   // answer the requests of others
)

// A Loop says what makes the next operation begin.
type Loop string

// In an open loop the schedule begins operations whatever became of earlier
// ones; in a closed loop the end of an earlier one does, so that a stall stops
// the load and hides from percentiles (coordinated omission).
const (
	OpenLoop   Loop = "open"
	ClosedLoop Loop = "closed"
	NoLoop     Loop = "none" // the load is made elsewhere, or nothing answers it
)

// A Config describes one run. Run copies it and changes nothing in it.
type Config struct {
	Workload  Workload
	Subject   string // with Subjects > 1 the first part of Subject.0, Subject.1, …
	Subjects  int
	Queue     string
	Senders   int // publishers or requesters, one connection each
	Receivers int // subscribers or responders, one connection each

	// The load ends after Msgs operations or after Duration, whichever is set;
	// both count from the end of the warm-up.
	Msgs     uint64
	Duration time.Duration
	Warmup   time.Duration
	Schedule Schedule // nil: as fast as the window allows
	Rate     string   // as the user wrote it
	Closed   bool

	Size     int // bytes of a message
	Payload  Payload
	Headers  []string // names; the driver adds the headers
	InFlight int      // operations outstanding per client; 0: chosen to fit
	Timeout  time.Duration
	Retries  int
	Idle     time.Duration // sub, reply: end after this long without a message; 0: never
	External bool          // request: somebody else answers
	Seed     uint64
}

const (
	// MaxRetries is the most attempts after the first that a request may have.
	MaxRetries = 1<<attemptBits - 1
	// What a machine can well hold.
	maxSenders  = 1 << 16
	maxInFlight = 1 << 22
	maxSubjects = 1 << 20
	maxLength   = 10_000 * time.Hour
)

// loop returns what kind of loop the configuration makes.
func (c Config) loop() Loop {
	switch {
	case c.Workload == Sub, c.Workload == Reply:
		return NoLoop
	case c.Schedule != nil && !c.Closed:
		return OpenLoop
	case c.Workload == Pub:
		return NoLoop
	default:
		return ClosedLoop
	}
}

// loads reports whether the workload begins operations itself.
func (c Config) loads() bool { return c.Workload != Sub && c.Workload != Reply }

// stamped reports whether messages carry a stamp for the ledger.
func (c Config) stamped() bool {
	return c.Workload == PubSub || c.Workload == Pub && c.Payload.Kind != FilePayload && c.Size >= ledger.StampSize
}

// window returns how many operations one client may have outstanding; 0 where
// it begins none.
func (c Config) window() int {
	switch {
	case !c.loads():
		return 0
	case c.InFlight > 0:
		return c.InFlight
	case c.loop() == ClosedLoop && c.Workload == Request:
		return 1
	case c.loop() == ClosedLoop:
		return max(1, min(pubsubWindow, c.buffer())/c.Senders)
	default:
		return max(64, requestWindow/c.Senders)
	}
}

const (
	pubsubWindow  = 16 << 10 // unpaced pubsub: messages on their way, of all publishers
	requestWindow = 64 << 10 // open loop: requests waiting, of all requesters
)

// A rule is one thing that a configuration must not be.
type rule struct {
	broken bool
	says   string
}

// Check returns an error that wraps ErrConfig if the run cannot be as asked.
func (c Config) Check() error {
	rules := slices.Concat(c.lengthRules(), c.clientRules(), c.messageRules())
	if i := slices.IndexFunc(rules, func(r rule) bool { return r.broken }); i >= 0 {
		return configError(rules[i].says)
	}
	return c.checkSubject()
}

func (c Config) lengthRules() []rule {
	return []rule{
		{c.loads() && c.Msgs > 0 && c.Duration > 0, "give either --msgs or --duration, not both"},
		{c.loads() && c.Msgs == 0 && c.Duration <= 0, "--msgs or --duration is needed"},
		{c.Msgs > 0 && c.needsDuration(), fmt.Sprintf("--schedule %v needs --duration, not --msgs", c.Schedule)},
		{c.Duration < 0 || c.Warmup < 0, "a duration cannot be negative"},
		{max(c.Duration, c.Warmup) > maxLength, fmt.Sprintf("%v is too long; the most is %v", max(c.Duration, c.Warmup), maxLength)},
		{c.Timeout <= 0, "--timeout must be more than 0"},
	}
}

func (c Config) clientRules() []rule {
	return []rule{
		{c.loads() && c.Senders < 1 || !c.loads() && c.Receivers < 1, "at least one client is needed"},
		{c.Senders > maxSenders, fmt.Sprintf("%d publishers are too many: a stamp can name %d", c.Senders, maxSenders)},
		{c.Workload == PubSub && c.Receivers < 1, "pubsub needs at least one subscriber; to publish only use: natsops bench pub"},
		{c.Workload == Request && !c.External && c.Receivers < 1, "at least one responder is needed; if a service answers, say --external"},
		{c.InFlight < 0, "--in-flight must be at least 1"},
		{c.InFlight > maxInFlight/max(1, c.Senders), fmt.Sprintf("--in-flight %d is too much for %s: all together may have %d outstanding",
			c.InFlight, count(c.Senders, "client"), maxInFlight)},
		{c.Retries < 0 || c.Retries > MaxRetries, fmt.Sprintf("--retries must be between 0 and %d", MaxRetries)},
		{c.Closed && c.Workload == Pub, "--closed is for workloads with an answer to wait for; pub has none"},
	}
}

func (c Config) messageRules() []rule {
	return []rule{
		{c.Size < 0, fmt.Sprintf("a message cannot have %d bytes", c.Size)},
		{c.Workload == PubSub && c.Size < ledger.StampSize, fmt.Sprintf(
			"--size %d is too small for the %d-byte stamp that accounts for each message; use --size %d or more, or natsops bench pub",
			c.Size, ledger.StampSize, ledger.StampSize)},
		{c.Subjects < 1, "--subjects must be at least 1"},
		{c.Subjects > maxSubjects, fmt.Sprintf("--subjects %d are too many; the most is %d", c.Subjects, maxSubjects)},
	}
}

func (c Config) needsDuration() bool {
	switch c.Schedule.(type) {
	case Ramp, Steps:
		return true
	default:
		return false
	}
}

func (c Config) checkSubject() error {
	if c.Subjects > 1 && strings.HasSuffix("."+c.Subject, ".>") {
		return configErrorf("subject %q has all subjects below it already; leave out --subjects", c.Subject)
	}
	publishes := c.Workload != Sub && c.Workload != Reply
	if err := CheckSubject(c.Subject, !publishes); err != nil {
		return err
	}
	if c.Queue != "" {
		return checkName("queue group", c.Queue, false)
	}
	return nil
}
