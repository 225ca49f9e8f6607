package deadletter

import (
	"encoding/json"
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/nats-io/nats.go/jetstream"
	"pgregory.net/rapid"
)

func TestPartsCoverASpanOnceLatestFirst(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := span{
			from: rapid.Uint64Max(1<<40).Draw(t, "from"), expected: rapid.Uint64().Draw(t, "expected"),
		}
		s.to = s.from + rapid.Uint64Max(1<<40).Draw(t, "width")
		parts := s.parts()
		if s.from == 0 {
			if parts != nil {
				t.Fatalf("got %v of sequence 0", parts)
			}
			return
		}
		if len(parts) > mostParts+1 {
			t.Fatalf("got %d parts", len(parts))
		}
		next := s.to
		for _, p := range parts {
			if p.to != next || p.from > p.to || p.from < s.from {
				t.Fatalf("got part %d-%d, want it to end with %d", p.from, p.to, next)
			}
			next = p.from - 1
		}
		if next != s.from-1 {
			t.Fatalf("the parts begin at %d, want %d", next+1, s.from)
		}
	})
	if got := (span{from: 1, to: math.MaxUint64, expected: math.MaxUint64}).parts(); got[0].to != math.MaxInt64 {
		t.Errorf("got %+v", got[0])
	}
}

func TestSubjectsOverlapWhenSomeSubjectMatchesBoth(t *testing.T) {
	for _, c := range []struct {
		a, b string
		want bool
	}{
		{"a", "a", true},
		{"a", "b", false},
		{"a.b", "a", false},
		{"a.*", "*.b", true},
		{"a.*", "a", false},
		{">", "a", true},
		{"a.>", "a", false},
		{"a.>", "a.b.c", true},
		{"*.>", "a.b", true},
		{"a.>", "b.>", false},
		{"$JS.EVENT.ADVISORY.>", terminatedPrefix + "S.w", true},
		{"$JS.EVENT.METRIC.>", terminatedPrefix + "S.w", false},
	} {
		for _, swap := range []bool{false, true} {
			a, b := c.a, c.b
			if swap {
				a, b = b, a
			}
			if got := overlap(a, b); got != c.want {
				t.Errorf("overlap(%s, %s): got %t", a, b, got)
			}
		}
	}
}

func TestWhetherAConsumerWasMeantToGetAMessage(t *testing.T) {
	created := time.Unix(100, 0)
	before, after := time.Unix(50, 0), time.Unix(150, 0)
	start := time.Unix(40, 0)
	for _, c := range []struct {
		cfg              jetstream.ConsumerConfig
		m                stored
		certainly, never bool
	}{
		{jetstream.ConsumerConfig{DeliverPolicy: jetstream.DeliverAllPolicy}, stored{Time: before}, true, false},
		{jetstream.ConsumerConfig{DeliverPolicy: jetstream.DeliverNewPolicy}, stored{Time: before}, false, true},
		{jetstream.ConsumerConfig{DeliverPolicy: jetstream.DeliverNewPolicy}, stored{Time: after}, true, false},
		{jetstream.ConsumerConfig{DeliverPolicy: jetstream.DeliverLastPolicy}, stored{Time: before}, false, false},
		{jetstream.ConsumerConfig{DeliverPolicy: jetstream.DeliverByStartSequencePolicy, OptStartSeq: 5}, stored{Time: before, Seq: 5}, true, false},
		{jetstream.ConsumerConfig{DeliverPolicy: jetstream.DeliverByStartSequencePolicy, OptStartSeq: 5}, stored{Time: before, Seq: 4}, false, true},
		{jetstream.ConsumerConfig{DeliverPolicy: jetstream.DeliverByStartTimePolicy, OptStartTime: &start}, stored{Time: before}, true, false},
		{jetstream.ConsumerConfig{DeliverPolicy: jetstream.DeliverByStartTimePolicy, OptStartTime: &created}, stored{Time: before}, false, true},
	} {
		certainly, never := meant(&jetstream.ConsumerInfo{Created: created, Config: c.cfg}, &c.m)
		if certainly != c.certainly || never != c.never {
			t.Errorf("%+v: message %d of %v: got certainly %t, never %t", c.cfg, c.m.Seq, c.m.Time, certainly, never)
		}
	}
}

func TestWhatIsBeingWorkedOnIsNotCounted(t *testing.T) {
	for _, c := range []struct {
		redelivered, pending int
		want                 uint64
	}{{3, 2, 1}, {2, 2, 0}, {2, 3, 0}, {2, 0, 2}, {-5, 0, 0}} {
		if got := counted(&jetstream.ConsumerInfo{NumRedelivered: c.redelivered, NumAckPending: c.pending}); got != c.want {
			t.Errorf("redelivered %d, pending %d: got %d, want %d", c.redelivered, c.pending, got, c.want)
		}
	}
}

func TestOnlyWhatWasAskedForIsAnAnswer(t *testing.T) {
	for _, c := range []struct {
		l    lookup
		seq  uint64
		want bool
	}{
		{lookup{Seq: 5}, 5, true},
		{lookup{Seq: 5}, 6, false},
		{lookup{Seq: 5, Next: ">"}, 5, true},
		{lookup{Seq: 5, Next: ">"}, 6, true},
		{lookup{Seq: 5, Next: ">"}, 4, false},
		{lookup{Next: ">"}, 7, true},
	} {
		if got := c.l.isAnsweredBy(&stored{Seq: c.seq}); got != c.want {
			t.Errorf("%+v by message %d: got %t", c.l, c.seq, got)
		}
	}
	if (lookup{Seq: 5}).isAnsweredBy(nil) {
		t.Error("nothing is an answer")
	}
}

func TestOneLetterOfEachMessageIsTheLatest(t *testing.T) {
	at := func(s int64) time.Time { return time.Unix(s, 0) }
	k := key("S", "w")
	got := merged([]Letter{
		{Key: k, Seq: 1, GivenUp: at(1), Source: Advisory},
		{Key: k, Seq: 2, Source: Inspection},
		{Key: k, Seq: 1, Source: Inspection},
		{Key: k, Seq: 1, GivenUp: at(3), Source: Advisory},
		{Key: key("S", "v"), Seq: 1, GivenUp: at(2), Source: Advisory},
	})
	var order []string
	for _, l := range got {
		order = append(order, fmt.Sprintf("%s %d %s", l.ID(), max(0, l.GivenUp.Unix()), l.Source))
	}
	if diff := cmp.Diff([]string{"S/w/1 3 advisory", "S/v/1 2 advisory", "S/w/2 0 inspection"}, order); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestNamesCannotSpeakToTheTerminal(t *testing.T) {
	for name, want := range map[string]string{"plain": "plain", "ünï": "ünï", "\x1b[2J": `"\x1b[2J"`, "a\u202eb": `"a\u202eb"`} {
		if got := shown(name); got != want {
			t.Errorf("shown(%q): got %s, want %s", name, got, want)
		}
	}
}

func TestWhatHasToBeTypedNamesTheTarget(t *testing.T) {
	for _, c := range []struct {
		keys []string
		want string
	}{
		{nil, "0 messages"},
		{[]string{"S/w", "S/w"}, "S/w"},
		{[]string{"S/w", "S/v"}, "S"},
		{[]string{"S/w", "S/v", "T/w"}, "3 messages"},
		{[]string{"S/\x1b"}, `"S/\x1b"`},
	} {
		p := Plan{Steps: []Step{{Letter: Letter{Key: key("skipped", "w")}, Skip: "gone"}}}
		for _, k := range c.keys {
			stream, consumer, _ := strings.Cut(k, "/")
			p.Steps = append(p.Steps, Step{Letter: Letter{Key: key(stream, consumer)}})
		}
		if got := p.object(); got != c.want {
			t.Errorf("%q: got %s, want %s", c.keys, got, c.want)
		}
	}
}

func TestManyReasonsAreCounted(t *testing.T) {
	got := tally(map[string]int{"a": 1, "b": 9, "c": 1, "d": 2, "e": 1, "f": 1, "g": 1}, "skips %s: %s")
	want := []string{
		"skips 9 messages: b", "skips 2 messages: d", "skips 1 message: a", "skips 1 message: c", "skips 1 message: e",
		"skips 2 messages: other reasons",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func FuzzAdvisory(f *testing.F) {
	for _, seed := range []string{
		`{"type":"io.nats.jetstream.advisory.v1.max_deliver","timestamp":"2026-01-02T03:04:05Z","stream":"S","consumer":"w","stream_seq":4,"deliveries":1}`,
		`{"type":"io.nats.jetstream.advisory.v1.terminated","stream":"S","consumer":"w","consumer_seq":1,"stream_seq":1,"deliveries":18446744073709551615,"reason":"Unacknowledged message was deleted"}`,
		`{"type":"io.nats.jetstream.advisory.v1.max_deliver","stream":"a.b","consumer":">","stream_seq":4}`,
		`{}`, `null`, `[`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		l, err := parseAdvisory(data)
		if err != nil {
			return
		}
		if l.Seq == 0 || l.Deliveries < 0 || l.Cause == "" || l.Source != Advisory || l.Presence != Unknown {
			t.Errorf("%s: got %+v", data, l)
		}
		if strings.ContainsAny(l.Key.Stream+l.Key.Consumer, " .*>/\r\n") {
			t.Errorf("%s: got names that cannot be in a subject: %+v", data, l.Key)
		}
		if _, err := json.Marshal(l); err != nil {
			t.Errorf("%s: %v", data, err)
		}
	})
}
