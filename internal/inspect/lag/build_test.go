package lag

import (
	"testing"
	"time"

	"github.com/natsops/natsops/internal/inspect"
)

// start is when the first sample of every scene is taken.
var start = time.Date(2026, 11, 20, 3, 0, 0, 0, time.UTC)

// values are what something is in each sample; the last one stays.
type values []uint64

func (v values) at(i int) (uint64, bool) {
	if len(v) == 0 {
		return 0, false
	}
	return v[min(i, len(v)-1)], true
}

func (v values) or(i int, otherwise uint64) uint64 {
	if n, ok := v.at(i); ok {
		return n
	}
	return otherwise
}

// A scene is one consumer over a window. What is not said is as on a healthy pull
// consumer with explicit acknowledgements, on a server of its own.
type scene struct {
	key    inspect.Key
	n      int
	every  time.Duration
	quiet  time.Duration // since the last activity, at the first sample
	age    time.Duration // of the consumer, at the first sample
	config inspect.ConsumerConfig
	store  inspect.StreamConfig
	limits Thresholds
	oldest map[inspect.Key]inspect.Oldest

	num, held, asks, again     values // num_pending, num_ack_pending, num_waiting, num_redelivered
	deliveries, seq            values // delivered.consumer_seq, delivered.stream_seq
	floor, first, last, msgs   values
	firstAge, lastAge          time.Duration // of the stream's first and last message, at the first sample
	edits                      []func(i int, c *inspect.Consumer)
	streamEdits                []func(i int, s *inspect.Stream)
	events                     []inspect.Event
	forgets, never, noAcksEver bool
}

func consumer(stream, name string) *scene {
	return &scene{
		key: inspect.Key{Stream: stream, Consumer: name}, n: 6, every: time.Second, age: time.Hour, quiet: time.Second,
		config: inspect.ConsumerConfig{
			Durable: name, DeliverPolicy: "all", AckPolicy: "explicit", AckWait: 30 * time.Second, MaxDeliver: -1,
			ReplayPolicy: "instant", MaxWaiting: 512, MaxAckPending: 1000,
		},
		store: inspect.StreamConfig{
			Subjects: []string{"a", "b"}, Retention: "limits", MaxMsgs: -1, MaxBytes: -1, MaxMsgsPerSubject: -1, Discard: "old", Storage: "file", Replicas: 1,
		},
		limits: DefaultThresholds(), oldest: map[inspect.Key]inspect.Oldest{},
		deliveries: values{1000}, firstAge: time.Hour, lastAge: time.Second,
	}
}

func (s *scene) samples(n int) *scene            { s.n = n; return s }
func (s *scene) apart(d time.Duration) *scene    { s.every = d; return s }
func (s *scene) pending(v ...uint64) *scene      { s.num = v; return s }
func (s *scene) unacked(v ...uint64) *scene      { s.held = v; return s }
func (s *scene) waiting(v ...uint64) *scene      { s.asks = v; return s }
func (s *scene) redelivered(v ...uint64) *scene  { s.again = v; return s }
func (s *scene) delivered(v ...uint64) *scene    { s.deliveries = v; return s }
func (s *scene) reached(v ...uint64) *scene      { s.seq = v; return s }
func (s *scene) floorAt(v ...uint64) *scene      { s.floor = v; return s }
func (s *scene) firstSeq(v ...uint64) *scene     { s.first = v; return s }
func (s *scene) lastSeq(v ...uint64) *scene      { s.last = v; return s }
func (s *scene) stored(v ...uint64) *scene       { s.msgs = v; return s }
func (s *scene) quietFor(d time.Duration) *scene { s.quiet = d; return s }
func (s *scene) aged(d time.Duration) *scene     { s.age = d; return s }
func (s *scene) restarted() *scene               { s.forgets = true; return s }
func (s *scene) neverUsed() *scene               { s.never = true; s.deliveries = values{0}; return s }
func (s *scene) neverAcked() *scene              { s.noAcksEver = true; return s }

func (s *scene) with(edit func(*inspect.ConsumerConfig)) *scene { edit(&s.config); return s }
func (s *scene) on(edit func(*inspect.StreamConfig)) *scene     { edit(&s.store); return s }
func (s *scene) limit(edit func(*Thresholds)) *scene            { edit(&s.limits); return s }
func (s *scene) edit(f func(i int, c *inspect.Consumer)) *scene {
	s.edits = append(s.edits, f)
	return s
}

func (s *scene) editStream(f func(i int, t *inspect.Stream)) *scene {
	s.streamEdits = append(s.streamEdits, f)
	return s
}

func (s *scene) hears(k inspect.EventKind, reason string) *scene {
	s.events = append(s.events, inspect.Event{Kind: k, Key: s.key, At: s.time(s.n - 1).Add(-time.Second), Reason: reason})
	return s
}

// found says that the oldest message was stored so long before the last sample.
func (s *scene) found(seq uint64, ago time.Duration) *scene {
	s.oldest[s.key] = inspect.Oldest{Found: true, Seq: seq, Subject: "a", At: s.time(s.n - 1).Add(-ago)}
	return s
}

func (s *scene) foundNothing() *scene { s.oldest[s.key] = inspect.Oldest{}; return s }

func (s *scene) time(i int) time.Time { return start.Add(time.Duration(i) * s.every) }

// clustered makes it one of three replicas, led by n1 since long.
func (s *scene) clustered() *scene {
	return s.edit(func(_ int, c *inspect.Consumer) {
		c.By = "n1"
		c.Cluster = &inspect.Group{
			Name: "C", RaftGroup: "G", Leader: "n1", LeaderSince: start.Add(-30 * time.Minute),
			Replicas: []inspect.Peer{{Name: "n2", Current: true}, {Name: "n3", Current: true}},
		}
	})
}

func (s *scene) window() []*inspect.Snapshot {
	window := make([]*inspect.Snapshot, s.n)
	for i := range window {
		window[i] = &inspect.Snapshot{At: s.time(i), Consumers: []inspect.Consumer{s.consumer(i)}, Streams: []inspect.Stream{s.stream(i)}}
	}
	window[s.n-1].Events = s.events
	return window
}

func (s *scene) judge(t *testing.T) Verdict {
	t.Helper()
	verdicts := Judge(s.window(), s.oldest, s.limits)
	if len(verdicts) != 1 {
		t.Fatalf("%d verdicts, want 1", len(verdicts))
	}
	return verdicts[0]
}

func (s *scene) consumer(i int) inspect.Consumer {
	deliveries := s.deliveries.or(i, 0)
	config := s.config
	c := inspect.Consumer{
		Reading: inspect.Reading{State: inspect.Fresh, At: s.time(i), By: "n1"},
		Account: s.key.Account, Stream: s.key.Stream, Name: s.key.Consumer, Config: &config, Created: start.Add(-s.age),
		NumPending: s.num.or(i, 0), NumAckPending: int(s.held.or(i, 0)), NumWaiting: int(s.asks.or(i, 1)), NumRedelivered: int(s.again.or(i, 0)),
		Delivered: inspect.Sequences{Consumer: deliveries, Stream: s.seq.or(i, deliveries)}, Timestamp: s.time(i),
	}
	c.AckFloor.Consumer = deliveries - min(deliveries, uint64(c.NumAckPending))
	c.AckFloor.Stream = s.floor.or(i, c.Delivered.Stream-min(c.Delivered.Stream, uint64(c.NumAckPending)))
	c.AckFloor.Consumer = s.floor.or(i, c.AckFloor.Consumer)
	c.Delivered.Last, c.AckFloor.Last = s.activity(i)
	for _, edit := range s.edits {
		edit(i, &c)
	}
	return c
}

// activity is when something was last delivered, and acknowledged.
func (s *scene) activity(i int) (delivered, acked *time.Time) {
	if s.forgets || s.never {
		return nil, nil
	}
	d, a := start.Add(-s.quiet), start.Add(-s.quiet)
	for j := 1; j <= i; j++ {
		moved := int64(s.deliveries.or(j, 0)) - int64(s.deliveries.or(j-1, 0))
		if moved > 0 {
			d = s.time(j)
		}
		if moved-int64(s.held.or(j, 0))+int64(s.held.or(j-1, 0)) > 0 {
			a = s.time(j)
		}
	}
	if s.noAcksEver {
		return &d, nil
	}
	return &d, &a
}

func (s *scene) stream(i int) inspect.Stream {
	c, store := s.consumer(i), s.store
	state := inspect.StreamState{
		FirstSeq: s.first.or(i, 1), LastSeq: s.last.or(i, c.Delivered.Stream+c.NumPending), NumSubjects: 2, Consumers: 1,
		FirstTime: start.Add(-s.firstAge), LastTime: start.Add(-s.lastAge),
	}
	state.Messages = s.msgs.or(i, state.LastSeq+1-min(state.LastSeq+1, state.FirstSeq))
	state.Bytes = 100 * state.Messages
	t := inspect.Stream{
		Reading: inspect.Reading{State: inspect.Fresh, At: s.time(i), By: "n1"}, Account: s.key.Account,
		Name: s.key.Stream, Created: start.Add(-s.age), Config: &store, State: state,
	}
	for _, edit := range s.streamEdits {
		edit(i, &t)
	}
	return t
}

// counting counts up from the first value, by the same step for each sample.
func counting(from uint64, step int64) values {
	v := make(values, 10)
	for i := range v {
		v[i] = uint64(int64(from) + int64(i)*step)
	}
	return v
}

// with6And2 returns the scene with 6 samples and with 2.
func (s *scene) with6And2() []*scene {
	var scenes []*scene
	for _, n := range []int{6, 2} {
		clone := *s
		clone.n, clone.oldest = n, map[inspect.Key]inspect.Oldest{}
		for k, o := range s.oldest { // as old at the last sample, however many there are
			if o.Found {
				o.At = o.At.Add(time.Duration(n-s.n) * s.every)
			}
			clone.oldest[k] = o
		}
		scenes = append(scenes, &clone)
	}
	return scenes
}
