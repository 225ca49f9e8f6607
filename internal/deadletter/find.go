package deadletter

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/natsops/natsops/internal/hint"
	"github.com/natsops/natsops/internal/inspect"
)

// How much [Find] returns and reads, unless the query says otherwise.
const (
	DefaultLimit  = 1000
	DefaultBudget = 20_000
)

// A Query says which letters are wanted.
type Query struct {
	Stream   string    // a name or a pattern of path.Match; "": all
	Consumer string    // likewise
	Since    time.Time // given up later than this; zero: at any time. When inspection finds a message, it is not known when it was given up, but not before it was stored
	Limit    int       // the latest so many; 0: DefaultLimit
	Budget   int       // messages and advisories to read at most; 0: DefaultBudget
}

func (q Query) wants(k inspect.Key) bool {
	return glob(q.Stream).selects(k.Stream) && glob(q.Consumer).selects(k.Consumer)
}

// A Result is what was found.
type Result struct {
	Letters      []Letter       // the latest first
	More         bool           // there are older ones than the limit let in
	Unidentified []Unidentified // by consumer; none with a Since
	Captures     []string       // the streams that keep advisories; none: most of what is given up leaves no trace
	Remedy       string         // the command that makes the account keep advisories; "": it does
	Gaps         []inspect.Gap  // what could not be read
}

// Unidentified says that a consumer gave more messages up than can be named.
type Unidentified struct {
	Key     inspect.Key
	AtLeast uint64
	Why     string // they cannot be named, as a half-sentence
}

// Find looks for messages that were given up. With an error the result holds
// what was found until then.
func Find(ctx context.Context, js jetstream.JetStream, q Query) (Result, error) {
	s, err := newSearch(js, q)
	if err != nil {
		return Result{}, err
	}
	if err := s.listStreams(ctx); err != nil {
		return s.result, err
	}
	s.readAdvisories(ctx)
	s.inspectConsumers(ctx)
	s.finish(ctx)
	return s.result, ctx.Err()
}

// A search is the state of one [Find].
type search struct {
	api
	query   Query
	only    uint64 // the sequence of the one letter that is wanted; 0: any
	reads   *budget
	partial bool                             // there may be streams that are not among all
	all     map[string]*jetstream.StreamInfo // nil: not known which streams there are
	letters []Letter
	result  Result

	mu     sync.Mutex                   // while consumers are inspected, guards the following and result.Gaps
	counts map[inspect.Key]Unidentified // how many each consumer gave up, named or not
}

func newSearch(js jetstream.JetStream, q Query) (*search, error) {
	for _, pattern := range []string{q.Stream, q.Consumer} {
		if err := glob(pattern).valid(); err != nil {
			return nil, hint.Wrap(fmt.Errorf("%q is not a pattern for names: %w", pattern, err), `* for any characters, ? for one, and \ before a [ that is meant`)
		}
	}
	if q.Limit <= 0 {
		q.Limit = DefaultLimit
	}
	if q.Budget <= 0 {
		q.Budget = DefaultBudget
	}
	return &search{api: newAPI(js), query: q, reads: newBudget(q.Budget), counts: map[inspect.Key]Unidentified{}}, nil
}

// listStreams finds out which streams there are. Who may not list them can
// still ask for one by its name.
func (s *search) listStreams(ctx context.Context) error {
	infos, gaps, err := s.streams(ctx)
	s.result.Gaps = append(s.result.Gaps, gaps...)
	name := glob(s.query.Stream).token()
	if err != nil && name != "*" && ctx.Err() == nil {
		info, errOne := s.stream(ctx, name)
		if errOne != nil {
			return fmt.Errorf("cannot read about stream %s: %w", shown(name), errOne)
		}
		s.gap("the list of streams, and so those that keep advisories", err)
		s.partial = true
		infos, err = []*jetstream.StreamInfo{info}, nil
	}
	if err != nil {
		return fmt.Errorf("cannot list the streams: %w", err)
	}
	s.all = map[string]*jetstream.StreamInfo{}
	for _, info := range infos {
		s.all[info.Config.Name] = info
	}
	if s.all[name] == nil && name != "*" && len(gaps) == 0 {
		err := fmt.Errorf("%w: %s", jetstream.ErrStreamNotFound, shown(name))
		if nearest, ok := hint.Nearest(name, s.names()); ok {
			return hint.Wrap(err, shown(nearest))
		}
		return err
	}
	return nil
}

// names returns the names of all streams, in order.
func (s *search) names() []string {
	var names []string
	for name := range s.all {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// gap notes that something could not be read.
func (s *search) gap(what string, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.result.Gaps = append(s.result.Gaps, inspect.Gap{What: what, Why: err.Error(), Remedy: hint.Of(err)})
}

// finish puts the letters together and looks whether their messages are there.
func (s *search) finish(ctx context.Context) {
	letters := merged(s.letters)
	kept := letters[:min(len(letters), s.query.Limit)]
	s.result.More = len(kept) < len(letters)
	parallel(ctx, len(kept), func(i int) { s.locate(ctx, &kept[i]) })
	s.result.Letters = kept
	s.result.Unidentified = s.unnamed(letters)
	if s.reads.spent() {
		s.result.Gaps = append(s.result.Gaps, inspect.Gap{
			What: "the rest", Why: fmt.Sprintf("%d reads were not enough", s.query.Budget),
			Remedy: "naming the stream and the consumer, a later --since, or a larger --budget",
		})
	}
	if len(s.result.Captures) == 0 && !s.partial {
		s.result.Remedy = RemedyCapture
	}
}

// unnamed returns what the counts say beyond the letters. They do not say when,
// and so nothing about what was given up since some time.
func (s *search) unnamed(letters []Letter) []Unidentified {
	if !s.query.Since.IsZero() {
		return nil
	}
	named := map[inspect.Key]uint64{}
	for _, l := range letters {
		if l.Cause == MaxDeliver && l.Presence != Gone {
			named[l.Key]++
		}
	}
	var rest []Unidentified
	for key, count := range s.counts {
		if count.AtLeast > named[key] {
			count.AtLeast -= named[key]
			rest = append(rest, count)
		}
	}
	slices.SortFunc(rest, func(a, b Unidentified) int { return a.Key.Compare(b.Key) })
	return rest
}
