package fault

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/natsops/natsops/internal/hint"
)

// askLimit bounds the wait for one answer.
const askLimit = 5 * time.Second

// rosterLimit bounds the wait for servers that do not answer: they may be down.
const rosterLimit = 2 * time.Second

// A peer is a server as it calls itself now: its ID is new after each start.
type peer struct {
	Name    string   `json:"name"`
	ID      string   `json:"id"`
	Version string   `json:"ver"`
	Tags    []string `json:"tags"`
}

// ask sends a request and reads its answer. Both are JSON, but for a nil body,
// which is empty: older servers refuse "null".
func ask(ctx context.Context, nc *nats.Conn, subject string, body, answer any) error {
	var data []byte
	if body != nil {
		var err error
		if data, err = json.Marshal(body); err != nil {
			return err
		}
	}
	ctx, cancel := context.WithTimeout(ctx, askLimit)
	defer cancel()
	msg, err := nc.RequestWithContext(ctx, subject, data)
	if err != nil {
		return fmt.Errorf("ask %s: %w", subject, err)
	}
	if err := json.Unmarshal(msg.Data, answer); err != nil {
		return fmt.Errorf("read the answer to %s: %w", subject, err)
	}
	return nil
}

// persist does something until it is answered, and for a minute at most: while
// there is no leader a request to JetStream gets no answer, ever.
func persist(ctx context.Context, do func(context.Context) error) error {
	const (
		limit = time.Minute
		pause = 250 * time.Millisecond
	)
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	for {
		try, end := context.WithTimeout(ctx, askLimit)
		err := do(try)
		end()
		if !unanswered(err) || wait(ctx, pause) != nil {
			return err
		}
	}
}

// unanswered tells whether an error says that nobody could decide yet.
func unanswered(err error) bool {
	if api, ok := errors.AsType[*jetstream.APIError](err); ok {
		const unavailable = 503
		return api.Code == unavailable
	}
	return errors.Is(err, context.DeadlineExceeded) || errors.Is(err, nats.ErrTimeout) || errors.Is(err, nats.ErrNoResponders)
}

// roster returns the servers that answer the system account: those of the site,
// in order of their names. Servers that do not answer are missing.
func (s Site) roster(ctx context.Context) ([]peer, error) {
	ctx, cancel := context.WithTimeout(ctx, rosterLimit)
	defer cancel()
	sub, err := s.System.SubscribeSync(s.System.NewRespInbox())
	if err != nil {
		return nil, err
	}
	defer sub.Unsubscribe() //nolint:errcheck // it fails when the connection is closed, and then nothing is left
	const ping = "$SYS.REQ.SERVER.PING"
	if err := s.System.PublishRequest(ping, sub.Subject, nil); err != nil {
		return nil, err
	}
	var there []peer
	for len(s.Servers) == 0 || len(there) < len(s.Servers) {
		msg, err := sub.NextMsgWithContext(ctx)
		if err != nil {
			break // those that are missing are down
		}
		var answer struct{ Server peer }
		if err := json.Unmarshal(msg.Data, &answer); err != nil {
			return nil, fmt.Errorf("read the answer to %s: %w", ping, err)
		}
		if s.has(answer.Server.Name) {
			there = append(there, answer.Server)
		}
	}
	if len(there) == 0 {
		return nil, fmt.Errorf("ask %s: no server of the target answers", ping)
	}
	slices.SortFunc(there, func(a, b peer) int { return strings.Compare(a.Name, b.Name) })
	return there, nil
}

// has tells whether a server is one of the site's.
func (s Site) has(server string) bool {
	return len(s.Servers) == 0 || slices.ContainsFunc(s.Servers, func(k Server) bool { return k.Name == server })
}

// serverNames are the names of the site's servers.
func (s Site) serverNames() []string {
	var names []string
	for _, k := range s.Servers {
		names = append(names, k.Name)
	}
	return names
}

// needVersion refuses a site with a server that is older than since, which may
// be "".
func (s Site) needVersion(ctx context.Context, since string) error {
	if since == "" {
		return nil
	}
	there := []peer{{Name: s.App.ConnectedServerName(), Version: s.App.ConnectedServerVersion()}}
	if s.System != nil {
		if all, err := s.roster(ctx); err == nil { // or else the one of App has to do
			there = all
		}
	}
	for _, p := range there {
		if older(p.Version, since) {
			return hint.Wrap(refuse(ErrNeeds, "it needs nats-server %s, %s is %s", since, p.Name, p.Version), "a newer nats-server")
		}
	}
	return nil
}

// older tells whether version a is older than b: by its three numbers, so that
// 2.11.0-dev counts as 2.11.0. What cannot be read is not older.
func older(a, b string) bool {
	x, y := numbers(a), numbers(b)
	return len(x) == len(y) && slices.Compare(x, y) < 0
}

func numbers(version string) []int {
	version, _, _ = strings.Cut(strings.TrimPrefix(version, "v"), "-")
	var all []int
	for part := range strings.SplitSeq(version, ".") {
		n, err := strconv.Atoi(part)
		if err != nil {
			return nil
		}
		all = append(all, n)
	}
	return all
}

// connect opens a connection of the fault's own. It is called by the mark and
// the kind, so that it can be told from the load's.
func (a aim) connect(ctx context.Context, servers []string, opts ...nats.Option) (*nats.Conn, error) {
	return a.Dial(ctx, servers, a.ownName(), append([]nats.Option{nats.ErrorHandler(quiet)}, opts...)...)
}

// ownName is the name of the connections of a fault.
func (a aim) ownName() string { return ownPrefix(a.Mark) + a.Kind }

// ownPrefix begins the names of the connections that faults make.
func ownPrefix(mark string) string { return mark + "-fault-" }

// quiet takes errors that happen while something is broken on purpose.
func quiet(*nats.Conn, *nats.Subscription, error) {}

// jetStream is JetStream of the site over another connection.
func (s Site) jetStream(nc *nats.Conn, opts ...jetstream.JetStreamOpt) (jetstream.JetStream, error) {
	o := s.JS.Options()
	switch {
	case o.Domain != "":
		return jetstream.NewWithDomain(nc, o.Domain, opts...)
	case o.APIPrefix != "":
		return jetstream.NewWithAPIPrefix(nc, o.APIPrefix, opts...)
	}
	return jetstream.New(nc, opts...)
}

// api is a subject of the JetStream API.
func (s Site) api(call string) string {
	if s.JS == nil {
		return jetstream.DefaultAPIPrefix + call
	}
	o := s.JS.Options()
	switch {
	case o.Domain != "":
		return "$JS." + o.Domain + ".API." + call
	case o.APIPrefix != "":
		return strings.TrimSuffix(o.APIPrefix, ".") + "." + call
	}
	return jetstream.DefaultAPIPrefix + call
}

// stream returns the stream that a fault is about.
func (a aim) stream(ctx context.Context) (jetstream.Stream, error) {
	name := cmp.Or(a.Victim.Stream, a.Stream)
	s, err := a.JS.Stream(ctx, name)
	if !errors.Is(err, jetstream.ErrStreamNotFound) && !errors.Is(err, jetstream.ErrInvalidStreamName) {
		return s, err
	}
	var names []string
	for n := range a.JS.StreamNames(ctx).Name() {
		names = append(names, n)
	}
	return nil, hint.Wrap(refuse(ErrNoVictim, "there is no stream %q", name), oneOf(name, names))
}

func (a aim) consumerName() string { return cmp.Or(a.Victim.Consumer, a.Consumer) }

// consumer returns the consumer that a fault is about.
func (a aim) consumer(ctx context.Context) (jetstream.Consumer, error) {
	name := a.consumerName()
	s, err := a.stream(ctx)
	if err != nil {
		return nil, err
	}
	c, err := s.Consumer(ctx, name)
	if !errors.Is(err, jetstream.ErrConsumerNotFound) && !errors.Is(err, jetstream.ErrInvalidConsumerName) {
		return c, err
	}
	var names []string
	for n := range s.ConsumerNames(ctx).Name() {
		names = append(names, n)
	}
	stream := s.CachedInfo().Config.Name
	if len(names) == 0 {
		return nil, refuse(ErrNoVictim, "stream %s has no consumer", stream)
	}
	return nil, hint.Wrap(refuse(ErrNoVictim, "stream %s has no consumer %q", stream, name), oneOf(name, names))
}
