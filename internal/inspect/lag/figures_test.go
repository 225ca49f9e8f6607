package lag

import (
	"math"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/natsops/natsops/internal/inspect"
)

func exactly(v float64) Figure { return Figure{Value: v, Known: true, Exact: true} }
func about(v float64) Figure   { return Figure{Value: v, Known: true} }

func TestFiguresAreThoseOfTheFormulas(t *testing.T) {
	// 800 a second come, 200 are finished, 10 are in flight.
	v := consumer("S", "C").delivered(counting(1000, 200)...).pending(counting(6000, 600)...).unacked(10).found(991, 20*time.Second).judge(t)
	for _, f := range []struct {
		name      string
		got, want Figure
	}{
		{"pending", v.Pending, exactly(9000)},
		{"unacked", v.Unacked, exactly(10)},
		{"backlog", v.Backlog, exactly(9010)},
		{"oldest", v.OldestAge, exactly(20)},
		{"in", v.In, exactly(800)},
		{"deliver", v.Deliver, exactly(200)},
		{"redeliver", v.Redeliver, exactly(0)},
		{"done", v.Done, exactly(200)},
		{"net", v.Net, exactly(600)},
		{"eta", v.ETA, about(math.Inf(1))},
		{"eta if producers stop", v.ETAQuiet, about(45.05)},
		{"workers", v.Workers, about(4)},
		{"process time", v.ProcessTime, about(0.05)},
		{"to loss", v.ToLoss, exactly(math.Inf(1))},
		{"lost", v.Lost, exactly(0)},
		{"lost rate", v.LostRate, exactly(0)},
		{"dead letters", v.DeadLetters, exactly(0)},
	} {
		if diff := cmp.Diff(f.want, f.got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", f.name, diff)
		}
	}
	if v.Confidence != High || v.Leader != "" {
		t.Errorf("%s %q", v.Confidence, v.Leader)
	}
}

func TestRatesOfConsumersThatAreNotPlain(t *testing.T) {
	filtered := func() *scene {
		return consumer("S", "C").with(onlyA).delivered(counting(1000, 50)...).reached(counting(5000, 500)...).
			lastSeq(counting(9000, 500)...).pending(counting(100, 10)...).unacked(2)
	}
	tests := []struct {
		name                string
		scene               *scene
		in, redeliver, done Figure
	}{
		{"filtered", filtered(), exactly(60), exactly(0), exactly(50)},
		{"filtered, something redelivered", filtered().redelivered(1), about(60), about(0), about(50)},
		{"filtered poison", filtered().redelivered(1).reached(5000).pending(100), about(0), about(50), about(0)},
		{"filter on all of the stream", consumer("S", "C").with(onlyA).on(func(c *inspect.StreamConfig) { c.Subjects = []string{"a"} }).
			delivered(counting(1000, 50)...).lastSeq(counting(9000, 60)...), exactly(60), exactly(0), exactly(50)},
		{
			"no acks", consumer("S", "C").with(func(c *inspect.ConsumerConfig) { c.AckPolicy = "none" }).delivered(counting(1000, 50)...),
			exactly(50), exactly(0), exactly(50),
		},
		{"last of each subject", consumer("S", "C").with(func(c *inspect.ConsumerConfig) { c.DeliverPolicy = "last_per_subject" }).
			delivered(counting(1000, 50)...).reached(counting(1000, 500)...).lastSeq(counting(9000, 500)...), exactly(50), exactly(0), exactly(50)},
		{"quick redelivery", consumer("S", "C").delivered(counting(1000, 50)...).reached(counting(1000, 40)...), exactly(40), exactly(10), exactly(40)},
		{"redelivery, and holes in the stream", consumer("S", "C").delivered(counting(1000, 50)...).reached(counting(1000, 40)...).redelivered(1).
			editStream(func(_ int, s *inspect.Stream) { s.State.NumDeleted = 3 }), exactly(40), about(10), about(40)},
		{"acknowledged and not delivered", consumer("S", "C").unacked(100, 80, 60, 40, 20, 0), exactly(0), exactly(0), exactly(20)},
		{"the stream does not answer", consumer("S", "C").delivered(counting(1000, 50)...).pending(counting(0, 10)...).
			editStream(func(_ int, s *inspect.Stream) { s.Reading.State = inspect.Unknown }), exactly(60), exactly(0), exactly(50)},
		{"the stream is looked at less often", consumer("S", "C").delivered(counting(1000, 50)...).
			editStream(func(i int, s *inspect.Stream) {
				if i%2 == 1 {
					s.Reading.State = inspect.Stale
				}
			}), exactly(50), exactly(0), exactly(50)},
	}
	for _, tt := range tests {
		v := tt.scene.judge(t)
		if diff := cmp.Diff([]Figure{tt.in, tt.redeliver, tt.done}, []Figure{v.In, v.Redeliver, v.Done}); diff != "" {
			t.Errorf("%s: in, redelivered, done (-want +got):\n%s", tt.name, diff)
		}
	}
}

func TestOldNewsAreNoSamples(t *testing.T) {
	stale := func(from int) func(int, *inspect.Consumer) {
		return func(i int, c *inspect.Consumer) {
			if i >= from {
				c.State, c.Why = inspect.Stale, "n1 does not answer"
			}
		}
	}
	s := consumer("S", "C").delivered(counting(1000, 50)...).pending(200)
	v := s.edit(stale(3)).judge(t) // 0, 1 and 2 count
	if v.Status != Unreachable || v.Severity != inspect.Warn {
		t.Errorf("silent for half of the window: %s %s", v.Status, v.Severity)
	}
	if v.Deliver != about(50) || v.Confidence != Low || v.Reading.State != inspect.Stale || v.Backlog != about(200) {
		t.Errorf("%+v %s %+v", v.Deliver, v.Confidence, v.Backlog)
	}
	v = consumer("S", "C").delivered(counting(1000, 50)...).pending(20).edit(stale(0)).judge(t)
	if v.Status != Unreachable || v.Severity != inspect.Crit || v.Deliver.Known || v.Backlog != about(20) || v.Confidence != Low {
		t.Errorf("%s %+v %+v", v.Status, v.Deliver, v.Backlog)
	}
	same := consumer("S", "C").delivered(counting(1000, 50)...).edit(func(_ int, c *inspect.Consumer) { c.Timestamp = start }).judge(t)
	if same.Deliver.Known {
		t.Errorf("the rate of one answer given six times: %+v", same.Deliver)
	}
}

func TestDeadLettersAreCounted(t *testing.T) {
	for _, tt := range []struct {
		name  string
		scene *scene
		want  Figure
	}{
		{"some", consumer("S", "C").with(attempts(5)).redelivered(9).unacked(4), about(5)},
		{"perhaps", consumer("S", "C").with(attempts(5)).redelivered(4).unacked(4), about(0)},
		{"none", consumer("S", "C").with(attempts(5)).unacked(4), exactly(0)},
		{"advised", consumer("S", "C").with(attempts(5)).redelivered(1).unacked(4).hears(inspect.EventMaxDeliver, ""), about(1)},
		{"not counted", consumer("S", "C").with(attempts(1)), Figure{Why: "with max_deliver 1 the server does not count them"}},
		{"no configuration", consumer("S", "C").edit(func(_ int, c *inspect.Consumer) { c.Config = nil }), Figure{Why: "the configuration is not known"}},
	} {
		if v := tt.scene.judge(t); v.DeadLetters != tt.want {
			t.Errorf("%s: %+v, want %+v", tt.name, v.DeadLetters, tt.want)
		}
	}
}

func TestTimeToLoss(t *testing.T) {
	grows := func(f func(*inspect.StreamConfig)) *scene { // 1,000 come, 500 are done; sequences 1 to 20,000 are there at last
		return consumer("S", "C").pending(counting(12_500, 500)...).delivered(counting(2500, 500)...).on(f).found(5001, 30*time.Minute)
	}
	never := math.Inf(1)
	for _, tt := range []struct {
		name  string
		scene *scene
		want  Figure
	}{
		{"no limit", grows(func(*inspect.StreamConfig) {}), exactly(never)},
		{"age", grows(func(c *inspect.StreamConfig) { c.MaxAge = time.Hour }), about(3600)},
		{"messages", grows(func(c *inspect.StreamConfig) { c.MaxMsgs = 25_000 }), about(20)},
		{"bytes", grows(func(c *inspect.StreamConfig) { c.MaxBytes = 2_250_000 }), about(15)},
		{"the nearest", grows(func(c *inspect.StreamConfig) { c.MaxMsgs, c.MaxBytes, c.MaxAge = 25_000, 2_250_000, time.Hour }), about(15)},
		{"new ones are refused", grows(func(c *inspect.StreamConfig) { c.MaxMsgs, c.Discard = 25_000, "new" }), exactly(never)},
		{"keeps up", grows(func(c *inspect.StreamConfig) { c.MaxMsgs = 25_000 }).delivered(counting(0, 1000)...).pending(15_000), about(never)},
		{"nothing to lose", consumer("S", "C").on(func(c *inspect.StreamConfig) { c.MaxAge = time.Hour }), exactly(never)},
		{"one sample", grows(func(c *inspect.StreamConfig) { c.MaxAge = time.Hour }).samples(1), about(3600 - 30*60 + 5)},
		{"one sample, by count", grows(func(c *inspect.StreamConfig) { c.MaxMsgs = 25_000 }).samples(1), Figure{Why: "rates need a second sample"}},
		{"an unknown message", grows(func(c *inspect.StreamConfig) { c.MaxAge = time.Hour }).with(onlyA).forgetOldest(), Figure{Why: "the oldest message is not known"}},
		{"producers stopped in time", grows(func(c *inspect.StreamConfig) { c.MaxAge = time.Hour }).pending(counting(15_000, -500)...).lastSeq(20_000), about(never)},
	} {
		if v := tt.scene.judge(t); v.ToLoss != tt.want {
			t.Errorf("%s: %+v, want %+v", tt.name, v.ToLoss, tt.want)
		}
	}
}

func (s *scene) forgetOldest() *scene { s.oldest = nil; return s }

func TestOrdersPutTheWorstFirst(t *testing.T) {
	key := func(n string) inspect.Key { return inspect.Key{Consumer: n} }
	unknown := Figure{}
	all := func() []Verdict {
		return []Verdict{
			{Key: key("a"), Severity: inspect.OK, Backlog: exactly(5), OldestAge: exactly(1), Net: exactly(9), ETA: unknown},
			{Key: key("b"), Severity: inspect.Crit, Backlog: unknown, OldestAge: unknown, Net: unknown, ETA: unknown},
			{Key: key("c"), Severity: inspect.Warn, Backlog: exactly(7), OldestAge: unknown, Net: exactly(-3), ETA: exactly(4)},
			{Key: key("d"), Severity: inspect.Warn, Backlog: exactly(6), OldestAge: exactly(3), Net: exactly(0), ETA: about(math.Inf(1))},
			{Key: key("e"), Severity: inspect.Crit, Backlog: exactly(0), OldestAge: unknown, Net: unknown, ETA: exactly(5)},
		}
	}
	want := map[Order]string{BySeverity: "ebdca", ByBacklog: "cdaeb", ByAge: "daebc", ByGrowth: "adceb", ByETA: "decba"}
	for _, order := range Orders() {
		verdicts := all()
		Sort(verdicts, order)
		got := ""
		for _, v := range verdicts {
			got += v.Key.Consumer
		}
		if got != want[order] {
			t.Errorf("by %s: %s, want %s", order, got, want[order])
		}
	}
}
