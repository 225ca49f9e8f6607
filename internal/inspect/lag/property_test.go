package lag

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/natsops/natsops/internal/inspect"
)

// Numbers as servers give them, and some that they should not.
func number(t *rapid.T, name string) uint64 {
	return rapid.OneOf(rapid.Uint64Range(0, 3), rapid.Uint64Range(0, 2000), rapid.SampledFrom([]uint64{1 << 40, math.MaxUint64})).Draw(t, name)
}

func whole(t *rapid.T, name string) int { return rapid.IntRange(-2, 1200).Draw(t, name) }

func moment(t *rapid.T, name string) time.Time {
	if rapid.IntRange(0, 9).Draw(t, name+" is set") == 0 {
		return time.Time{}
	}
	return start.Add(time.Duration(rapid.Int64Range(-int64(48*time.Hour), int64(time.Minute)).Draw(t, name)))
}

func maybe(t *rapid.T, name string) *time.Time {
	at := moment(t, name)
	if at.IsZero() {
		return nil
	}
	return &at
}

func reading(t *rapid.T, at time.Time) inspect.Reading {
	return inspect.Reading{
		State: rapid.SampledFrom([]inspect.State{inspect.Fresh, inspect.Fresh, inspect.Fresh, inspect.Stale, inspect.Unknown}).Draw(t, "state"),
		At:    at, By: rapid.SampledFrom([]string{"n1", "n1", "n1", "n2", ""}).Draw(t, "by"),
	}
}

func anyConsumer(t *rapid.T, name string, at time.Time) inspect.Consumer {
	c := inspect.Consumer{
		Reading: reading(t, at), Stream: "S", Name: name, Created: rapid.SampledFrom([]time.Time{start.Add(-time.Hour), start.Add(-48 * time.Hour), {}}).Draw(t, "created"),
		Delivered:     inspect.Sequences{Consumer: number(t, "delivered"), Stream: number(t, "delivered.stream"), Last: maybe(t, "delivered.last")},
		AckFloor:      inspect.Sequences{Consumer: number(t, "floor"), Stream: number(t, "floor.stream"), Last: maybe(t, "acked.last")},
		NumAckPending: whole(t, "ack pending"), NumRedelivered: whole(t, "redelivered"), NumWaiting: whole(t, "waiting"), NumPending: number(t, "pending"),
		PushBound: rapid.Bool().Draw(t, "bound"), Timestamp: rapid.SampledFrom([]time.Time{at, at, moment(t, "ts")}).Draw(t, "timestamp"),
		PauseRemaining: time.Duration(rapid.Int64().Draw(t, "pause")), Paused: rapid.IntRange(0, 19).Draw(t, "paused") == 0,
	}
	if rapid.IntRange(0, 9).Draw(t, "config") > 0 {
		c.Config = &inspect.ConsumerConfig{
			DeliverPolicy: rapid.SampledFrom([]string{"all", "last", "new", "by_start_sequence", "by_start_time", "last_per_subject", ""}).Draw(t, "policy"),
			AckPolicy:     rapid.SampledFrom([]string{"explicit", "none", "all", "flow_control"}).Draw(t, "acks"), AckWait: time.Duration(rapid.Int64Range(-1, int64(time.Minute)).Draw(t, "ack wait")),
			MaxDeliver: whole(t, "max deliver"), MaxAckPending: whole(t, "max ack pending"), MaxWaiting: whole(t, "max waiting"),
			FilterSubject: rapid.SampledFrom([]string{"", "", "a", ">"}).Draw(t, "filter"), DeliverSubject: rapid.SampledFrom([]string{"", "", "d"}).Draw(t, "deliver"),
			FlowControl: rapid.Bool().Draw(t, "flow control"), PriorityPolicy: rapid.SampledFrom([]string{"", "none", "pinned_client"}).Draw(t, "priority"),
		}
	}
	if rapid.Bool().Draw(t, "clustered") {
		c.Cluster = &inspect.Group{Leader: rapid.SampledFrom([]string{"n1", "n2", ""}).Draw(t, "leader"), LeaderSince: moment(t, "leader since"), RaftGroup: rapid.SampledFrom([]string{"", "G"}).Draw(t, "group")}
		c.Cluster.Replicas = []inspect.Peer{{Name: "n3", Current: rapid.Bool().Draw(t, "current"), Lag: number(t, "lag"), Active: time.Duration(rapid.Int64().Draw(t, "active"))}}
	}
	return c
}

func anyStream(t *rapid.T, at time.Time) inspect.Stream {
	s := inspect.Stream{Reading: reading(t, at), Name: "S", State: inspect.StreamState{
		Messages: number(t, "messages"), Bytes: number(t, "bytes"), FirstSeq: number(t, "first"), LastSeq: number(t, "last"),
		FirstTime: moment(t, "first_ts"), LastTime: moment(t, "last_ts"), NumDeleted: whole(t, "deleted"),
	}}
	if rapid.IntRange(0, 9).Draw(t, "stream config") > 0 {
		s.Config = &inspect.StreamConfig{
			MaxAge: time.Duration(rapid.Int64Range(0, int64(time.Hour)).Draw(t, "max_age")), MaxMsgs: int64(whole(t, "max_msgs")), MaxBytes: int64(whole(t, "max_bytes")),
			Discard: rapid.SampledFrom([]string{"old", "new"}).Draw(t, "discard"), Retention: rapid.SampledFrom([]string{"limits", "interest", "workqueue"}).Draw(t, "retention"),
		}
	}
	return s
}

func anyWindow(t *rapid.T) ([]*inspect.Snapshot, map[inspect.Key]inspect.Oldest) {
	window := make([]*inspect.Snapshot, rapid.IntRange(1, 5).Draw(t, "samples"))
	oldest := map[inspect.Key]inspect.Oldest{}
	for i := range window {
		at := start.Add(time.Duration(i) * time.Second)
		s := &inspect.Snapshot{At: at, Streams: []inspect.Stream{anyStream(t, at)}}
		for j := range 3 {
			s.Consumers = append(s.Consumers, anyConsumer(t, fmt.Sprint("C", j), at))
		}
		for range rapid.IntRange(0, 2).Draw(t, "events") {
			s.Events = append(s.Events, inspect.Event{
				At: moment(t, "event"), Key: s.Consumers[0].Key(), Reason: deletedInFlight,
				Kind: rapid.SampledFrom([]inspect.EventKind{inspect.EventMaxDeliver, inspect.EventTerminated, inspect.EventQuorumLost, inspect.EventLeader}).Draw(t, "kind"),
			})
		}
		window[i] = s
	}
	for _, c := range window[0].Consumers[:2] {
		oldest[c.Key()] = inspect.Oldest{Found: rapid.Bool().Draw(t, "found"), Seq: number(t, "seq"), At: moment(t, "at"), Why: rapid.SampledFrom([]string{"", "", "no answer"}).Draw(t, "why")}
	}
	return window, oldest
}

func figures(v *Verdict) map[string]Figure {
	return map[string]Figure{
		"pending": v.Pending, "unacked": v.Unacked, "backlog": v.Backlog, "oldest": v.OldestAge, "in": v.In, "deliver": v.Deliver, "done": v.Done, "redeliver": v.Redeliver,
		"net": v.Net, "eta": v.ETA, "eta quiet": v.ETAQuiet, "workers": v.Workers, "process time": v.ProcessTime, "to loss": v.ToLoss, "lost": v.Lost, "lost rate": v.LostRate,
		"dead letters": v.DeadLetters,
	}
}

func TestWhateverServersAnswerVerdictsMakeSense(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		window, oldest := anyWindow(t)
		last := window[len(window)-1]
		limits := Thresholds{Backlog: number(t, "max backlog"), Age: time.Duration(rapid.Int64Range(0, int64(time.Hour)).Draw(t, "max age"))}
		_, _ = Lookups(last, limits, 2), Verifications(last)
		verdicts := Judge(window, oldest, limits)
		if len(verdicts) != len(last.Consumers) {
			t.Fatalf("%d verdicts of %d consumers", len(verdicts), len(last.Consumers))
		}
		endless := []string{"eta", "eta quiet", "to loss"}
		for _, v := range verdicts {
			about, ok := About(v.Status)
			if !ok || v.Severity < about.Least || v.Severity > about.Worst {
				t.Fatalf("severity of %s: %s, want %s to %s", v.Status, v.Severity, about.Least, about.Worst)
			}
			if v.Advice == "" || len(v.Evidence) == 0 || v.Confidence == "" {
				t.Fatalf("%s without advice, evidence or confidence: %+v", v.Status, v)
			}
			for name, f := range figures(&v) {
				switch {
				case math.IsNaN(f.Value), f.Known && f.Value < 0 && name != "net", math.IsInf(f.Value, 1) && !slices.Contains(endless, name), math.IsInf(f.Value, -1):
					t.Fatalf("%s: %s is %+v", v.Status, name, f)
				case !f.Known && (f.Value != 0 || f.Exact || f.Why == ""):
					t.Fatalf("%s: %s is not known, but %+v", v.Status, name, f)
				}
			}
			if v.Reading.State != inspect.Fresh && v.Status != Unreachable && v.Status != NoLeader {
				t.Fatalf("%s of a consumer that nobody told of", v.Status)
			}
			silent := v.Reading.State == inspect.Unknown
			if silent && (v.Status != Unreachable && v.Status != NoLeader || v.Backlog.Known || v.Deliver.Known || len(v.Tags) > 0) {
				t.Fatalf("%s, backlog %+v, tags %v of a consumer of which nothing is known", v.Status, v.Backlog, v.Tags)
			}
		}
		shuffled := make([]*inspect.Snapshot, len(window))
		random := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "shuffle"), 0))
		for i, s := range window {
			other := *s
			other.Consumers = slices.Clone(s.Consumers)
			random.Shuffle(len(other.Consumers), func(a, b int) { other.Consumers[a], other.Consumers[b] = other.Consumers[b], other.Consumers[a] })
			shuffled[i] = &other
		}
		if diff := cmp.Diff(verdicts, Judge(shuffled, oldest, limits)); diff != "" {
			t.Fatalf("the order of consumers changes verdicts (-sorted +shuffled):\n%s", diff)
		}
	})
}

func TestNothingIsJudgedByNothing(t *testing.T) {
	if v := Judge(nil, nil, DefaultThresholds()); v != nil {
		t.Errorf("%+v", v)
	}
	if v := Judge([]*inspect.Snapshot{{}}, nil, DefaultThresholds()); len(v) != 0 {
		t.Errorf("%+v", v)
	}
	gone := consumer("S", "C").samples(2).window()
	gone[1].Consumers = nil
	if v := Judge(gone, nil, DefaultThresholds()); len(v) != 0 {
		t.Errorf("a verdict on a consumer that is gone: %+v", v)
	}
}

// 10,000 consumers of 100 streams in 10 samples, of which every tenth lags.
func BenchmarkJudge(b *testing.B) {
	window := make([]*inspect.Snapshot, 10)
	for i := range window {
		window[i] = &inspect.Snapshot{At: start.Add(time.Duration(i) * time.Second)}
		for s := range 100 {
			for c := range 100 {
				one := consumer(fmt.Sprintf("STREAM-%03d", s), fmt.Sprintf("consumer-%03d", c)).delivered(counting(1000, 100)...)
				if c%10 == 0 {
					one.pending(counting(5000, 100)...)
				}
				window[i].Consumers = append(window[i].Consumers, one.consumer(i))
				if c == 0 {
					window[i].Streams = append(window[i].Streams, one.stream(i))
				}
			}
		}
	}
	b.ReportAllocs()
	for b.Loop() {
		if n := len(Judge(window, nil, DefaultThresholds())); n != 10_000 {
			b.Fatal(n)
		}
	}
}
