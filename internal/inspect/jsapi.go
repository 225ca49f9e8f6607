package inspect

import (
	"context"
	"encoding/json"
	"errors"
	"maps"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/natsops/natsops/internal/inspect/wire"
)

const (
	// hastyLists is how many requests for lists are under way at once while
	// somebody waits for the first snapshot, gentleLists later on: beside a
	// publisher, 99 of 100 acknowledgements then come twice as fast
	// (BenchmarkPublishBesideSamples).
	hastyLists  = 16
	gentleLists = 4
	// manyInfos is how many requests about single streams and consumers are: a
	// server with too many in its queue drops all of everybody's (nats-server,
	// jetstream_api.go: processJSAPIRoutedRequests).
	manyInfos = 48
)

// errNotAsked is for what there are too many of for one timeout.
var errNotAsked = errors.New("there was no time left to ask")

// A lister learns the streams and consumers of the own account.
type lister struct {
	r     *round
	lists chan struct{} // a place for each request under way
	infos chan struct{} // likewise
	// heldBack is how many of the places nobody gets while all goes well.
	heldBack int
	// limping is whether a list has taken its time. The next need not.
	limping atomic.Bool

	mu        sync.Mutex
	streams   map[string]*Stream
	consumers map[string]map[string]*Consumer // by stream
	blind     map[string]error                // streams whose consumers are not all known; "": the streams are not
}

// limp says that a list takes its time. All places are needed then: those who
// wait for a server that is frozen must not keep the others from asking.
func (l *lister) limp() {
	if l.limping.Swap(true) {
		return
	}
	for range l.heldBack {
		<-l.lists
	}
}

// listStreams asks for all streams, and for the consumers of each as soon as it
// is known.
func (r *round) listStreams(ctx context.Context) error {
	l := &lister{
		r: r, lists: make(chan struct{}, hastyLists), infos: make(chan struct{}, manyInfos),
		streams: map[string]*Stream{}, consumers: map[string]map[string]*Consumer{}, blind: map[string]error{},
	}
	if len(r.c.memory.streams) > 0 {
		l.heldBack = hastyLists - gentleLists
		for range l.heldBack {
			l.lists <- struct{}{}
		}
	}
	var consumers sync.WaitGroup
	var begun sync.Map
	begin := func(name string) {
		if _, again := begun.LoadOrStore(name, true); !again {
			consumers.Go(func() { l.listConsumers(ctx, name) })
		}
	}
	err := listing[apiStream]{
		l:    l,
		what: "STREAM",
		name: (*apiStream).name,
		found: func(s *apiStream) {
			if l.addStream(s.name(), s.model()) && s.State.Consumers > 0 {
				begin(s.name())
			}
		},
		lost: func(name string, why error, as *apiStream) {
			s := &Stream{Reading: Reading{Why: l.silence(name, why)}}
			if as != nil {
				s.Created, s.Config, s.Cluster = as.Created, &as.Config.StreamConfig, as.Cluster
			}
			if l.addStream(name, s) {
				begin(name)
			}
		},
		known: l.rememberedStreams,
		named: begin,
	}.run(ctx)
	consumers.Wait()
	l.put(err)
	return err
}

// listConsumers asks for all consumers of a stream.
func (l *lister) listConsumers(ctx context.Context, stream string) {
	err := listing[apiConsumer]{
		l:     l,
		what:  "CONSUMER",
		of:    "." + stream,
		name:  (*apiConsumer).name,
		found: func(c *apiConsumer) { l.addConsumer(stream, c.name(), c.model()) },
		lost: func(name string, why error, as *apiConsumer) {
			c := &Consumer{Reading: Reading{Why: why.Error()}}
			if as != nil {
				c.Created, c.Config, c.Cluster = as.Created, &as.Config.ConsumerConfig, as.Cluster
			}
			l.addConsumer(stream, name, c)
		},
		known: func() []string { return l.rememberedConsumers(stream) },
	}.run(ctx)
	if err != nil && !isCode(err, errStreamNotFound) { // it may have been deleted meanwhile
		l.mu.Lock()
		defer l.mu.Unlock()
		l.blind[stream] = err
	}
}

// addStream returns false for a stream that nobody asked for.
func (l *lister) addStream(name string, s *Stream) bool {
	if name == "" || !l.r.c.o.Match(name) {
		return false
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if before := l.streams[name]; before == nil || before.Reading.State == Unknown {
		s.Account, s.Name = l.r.c.account, name
		l.streams[name] = s
	}
	return true
}

func (l *lister) addConsumer(stream, name string, c *Consumer) {
	if name == "" {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	of := l.consumers[stream]
	if of == nil {
		of = map[string]*Consumer{}
		l.consumers[stream] = of
	}
	if before := of[name]; before == nil || before.State == Unknown {
		c.Account, c.Stream, c.Name = l.r.c.account, stream, name
		of[name] = c
	}
}

// silence names the leader whose silence it probably is.
func (l *lister) silence(stream string, err error) string {
	before := l.r.c.memory.streams
	i, ok := slices.BinarySearchFunc(before, Key{Account: l.r.c.account, Stream: stream}, func(s Stream, k Key) int { return s.Key().Compare(k) })
	if !ok || before[i].By == "" || !errors.Is(err, wire.ErrSilent) {
		return err.Error()
	}
	return err.Error() + "; server " + before[i].By + " led it"
}

func (l *lister) rememberedStreams() []string {
	var names []string
	for i := range l.r.c.memory.streams {
		names = append(names, l.r.c.memory.streams[i].Name)
	}
	return names
}

func (l *lister) rememberedConsumers(stream string) []string {
	var names []string
	for i := range l.r.c.memory.consumers {
		if c := &l.r.c.memory.consumers[i]; c.Stream == stream {
			names = append(names, c.Name)
		}
	}
	return names
}

// put hands over what was learnt.
func (l *lister) put(err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	var h harvest
	for _, name := range slices.Sorted(maps.Keys(l.streams)) {
		h.streams = append(h.streams, *l.streams[name])
	}
	for _, stream := range slices.Sorted(maps.Keys(l.consumers)) {
		of := l.consumers[stream]
		for _, name := range slices.Sorted(maps.Keys(of)) {
			h.consumers = append(h.consumers, *of[name])
		}
	}
	if err != nil {
		l.blind[""] = err
	}
	blind := l.blind
	h.unheard = func(key Key, _, _ string) string {
		for _, stream := range []string{"", key.Stream} {
			if why := blind[stream]; why != nil && (key.Consumer != "" || stream == "") {
				return why.Error()
			}
		}
		return ""
	}
	l.gaps(h)
	l.r.mu.Lock()
	defer l.r.mu.Unlock()
	l.r.found = h
	l.r.learnt = l.r.learnt || err == nil || len(h.streams) > 0
}

// gaps names what exists and did not answer.
func (l *lister) gaps(h harvest) {
	for stream, why := range l.blind {
		if s := l.streams[stream]; s != nil && s.Reading.State != Unknown {
			l.r.gapAmong("the consumers of stream", stream, why)
		}
	}
	for i := range h.streams {
		if s := &h.streams[i]; s.Reading.State == Unknown {
			l.r.gapAmong("stream", s.Name, errors.New(s.Why))
		}
	}
	for i := range h.consumers {
		// Those of an unknown stream go without saying.
		if c := &h.consumers[i]; c.State == Unknown && l.streams[c.Stream].Reading.State != Unknown {
			l.r.gapAmong("consumer", c.Stream+"/"+c.Name, errors.New(c.Why))
		}
	}
}

// refusable is an answer that may be a refusal.
type refusable interface{ refusal() error }

// patience is how long a page may take before it is done without: far longer
// than any takes while all servers are well.
func (l *lister) patience() time.Duration {
	if l.limping.Load() {
		return l.r.c.o.Timeout / 8
	}
	return l.r.c.o.Timeout / 4
}

// place waits for a place among the requests under way, and returns false if
// there was none in time.
func (l *lister) place(ctx context.Context, places chan<- struct{}) bool {
	const least = 20 * time.Millisecond // for an answer
	if end, ok := ctx.Deadline(); ok && time.Until(end) < least {
		return false
	}
	select {
	case places <- struct{}{}:
		return true
	case <-ctx.Done():
		return false
	}
}

// ask puts one question to the JetStream API.
func ask[T any](ctx context.Context, l *lister, q wire.Question) (T, error) {
	q.Subject = l.r.c.o.APIPrefix + "." + q.Subject
	reply, err := l.r.c.conn.Ask(ctx, q)
	if err != nil {
		var none T
		return none, err
	}
	return decodeData[T](reply)
}

// offset is the body of a request for a page.
func offset(n int) []byte {
	b, _ := json.Marshal(map[string]int{"offset": n})
	return b
}
