package lag

import (
	"strings"
	"testing"
	"time"

	"github.com/natsops/natsops/internal/inspect"
)

func TestRedeliveryLoopsLast(t *testing.T) {
	of := func(deliveries, fresh int64) *scene {
		return consumer("S", "C").delivered(counting(1000, deliveries)...).reached(counting(1000, fresh)...).redelivered(2).unacked(3).found(1000, time.Second)
	}
	once := values{1000, 1000, 1006, 1006}
	check(t, []ruling{
		{"half", of(10, 5), RedeliveryLoop, inspect.Crit},
		{"less than half", of(100, 51), OK, inspect.OK},
		{"3 in all", of(1, 0).samples(4).apart(5 * time.Second), RedeliveryLoop, inspect.Crit},
		{"2 in all", of(1, 0).samples(3), OK, inspect.OK},
		{"a worker died, once", of(0, 0).delivered(once...), OK, inspect.OK},
		{"a worker died, two samples", of(6, 0).samples(2), RedeliveryLoop, inspect.Crit},
		{"never again", of(10, 5).with(attempts(1)), OK, inspect.OK},
		{"no acks", of(10, 5).with(func(c *inspect.ConsumerConfig) { c.AckPolicy = "none" }).unacked(0), OK, inspect.OK},
		{"filtered poison", of(10, 0).with(onlyA).lastSeq(counting(5000, 100)...), RedeliveryLoop, inspect.Crit},
		{"filtered, nothing redelivered", of(10, 0).with(onlyA).redelivered(0).lastSeq(counting(5000, 100)...), OK, inspect.OK},
	})
	v := of(10, 0).with(attempts(4)).judge(t)
	if !strings.Contains(v.Advice, "100%") || !strings.Contains(v.Advice, "max_deliver=4") || len(v.Next) != 1 {
		t.Error(v.Advice, v.Next)
	}
}

func TestServerStallsAreConfirmed(t *testing.T) {
	stalled := func() *scene { return consumer("S", "C").pending(50).waiting(3).quietFor(20 * time.Minute) }
	config := func(f func(*inspect.ConsumerConfig)) *scene { return stalled().with(f) }
	check(t, []ruling{
		{"for 5s", stalled(), ServerStall, inspect.Crit},
		{"for 3s", stalled().samples(4), ServerStall, inspect.Crit},
		{"for 2.9s", stalled().samples(2).apart(2900 * time.Millisecond), OK, inspect.OK},
		{"one message", stalled().delivered(1000, 1000, 1001), OK, inspect.OK},
		{"nobody waited for a moment", stalled().waiting(3, 3, 0, 3), OK, inspect.OK},
		{"nothing was there for a moment", stalled().pending(50, 50, 0, 50), OK, inspect.OK},
		{"no slot left", config(slots(5)).unacked(5).quietFor(20 * time.Second), AckStalled, inspect.Info},
		{"one slot left", config(slots(5)).unacked(4), ServerStall, inspect.Crit},
		{"without limit, as 0", config(slots(0)).unacked(4), ServerStall, inspect.Crit},
		{"without limit", config(slots(-1)).unacked(4), ServerStall, inspect.Crit},
		{"replayed in the original rhythm", config(func(c *inspect.ConsumerConfig) { c.ReplayPolicy = "original" }), OK, inspect.OK},
		{"limited rate", config(func(c *inspect.ConsumerConfig) { c.RateLimit = 1 }), OK, inspect.OK},
		{"overflow group", config(func(c *inspect.ConsumerConfig) { c.PriorityPolicy = "overflow" }), OK, inspect.OK},
		{"no priority", config(func(c *inspect.ConsumerConfig) { c.PriorityPolicy = "none" }), ServerStall, inspect.Crit},
		{"an old leader", stalled().clustered(), ServerStall, inspect.Crit},
		{"a leader for 9.9s", stalled().clustered().edit(leaderSince(-4900 * time.Millisecond)), OK, inspect.OK},
		{"a leader for 10s", stalled().clustered().edit(leaderSince(-5 * time.Second)), ServerStall, inspect.Crit},
		{"nothing is there after all", stalled().with(onlyA).foundNothing(), OK, inspect.OK},
	})
	if v := stalled().judge(t); strings.Contains(strings.Join(v.Next, " "), "step-down") {
		t.Error("a consumer without replicas cannot be led by another server:", v.Next)
	}
	if v := stalled().clustered().judge(t); !strings.Contains(strings.Join(v.Next, " "), "nats consumer cluster step-down S C") {
		t.Error(v.Next)
	}
}

func leaderSince(d time.Duration) func(int, *inspect.Consumer) {
	return func(_ int, c *inspect.Consumer) { c.Cluster.LeaderSince = start.Add(d) }
}

func TestWorkersAreBusyUntilAckWait(t *testing.T) {
	holds := func(d time.Duration) *scene {
		return consumer("S", "C").unacked(7).pending(20).waiting(0).quietFor(d-5*time.Second).found(994, time.Second)
	}
	check(t, []ruling{
		{"shorter", holds(29900 * time.Millisecond), Busy, inspect.OK},
		{"as long", holds(30 * time.Second), ClientStalled, inspect.Crit},
		{"a longer backoff", holds(30 * time.Second).with(func(c *inspect.ConsumerConfig) { c.BackOff = []time.Duration{time.Minute} }), Busy, inspect.OK},
		{"one sample", holds(40 * time.Second).samples(1), ClientStalled, inspect.Crit},
		{"one sample, shorter", holds(20 * time.Second).samples(1), OK, inspect.OK},
		{"after a restart", holds(time.Hour).restarted(), Busy, inspect.OK},
		{"after a restart, watched for as long", holds(time.Hour).restarted().with(ackWait(5 * time.Second)), ClientStalled, inspect.Crit},
		{"old message", holds(20*time.Second).found(994, 31*time.Second), Busy, inspect.Warn},
		{"one acknowledged", holds(time.Hour).unacked(7, 7, 6), OK, inspect.OK},
		{"one delivered", holds(time.Hour).delivered(1000, 1001).unacked(7, 8).pending(20, 19), OK, inspect.OK},
		{"one pulls", holds(time.Hour).waiting(0, 0, 0, 0, 1), OK, inspect.OK},
		{"flow control has no ack_wait", holds(29 * time.Second).with(func(c *inspect.ConsumerConfig) {
			c.AckPolicy, c.AckWait, c.DeliverSubject, c.FlowControl = "flow_control", 0, "d", true
		}).edit(func(_ int, c *inspect.Consumer) { c.PushBound = true }), Busy, inspect.OK},
	})
	if v := holds(time.Hour).restarted().with(ackWait(5 * time.Second)).judge(t); v.Confidence != Low {
		t.Error("confidence after a restart:", v.Confidence)
	}
}

func TestAckWindowBoundsThroughput(t *testing.T) {
	bound := func() *scene {
		return consumer("S", "C").with(slots(100)).unacked(100).pending(counting(5000, 10)...).delivered(counting(1000, 200)...)
	}
	check(t, []ruling{
		{"full", bound(), AckBound, inspect.Warn},
		{"no limit, as 0", bound().with(slots(0)).unacked(50), SteadyLag, inspect.Warn},
		{"only delivered again", bound().delivered(1000, 1001).reached(1000).redelivered(2), FallingBehind, inspect.Info},
		{"95 of 100", bound().unacked(95), AckBound, inspect.Warn},
		{"94 of 100 for a moment", bound().unacked(100, 94, 100), SteadyLag, inspect.Warn},
		{"nothing pending for a moment", bound().pending(5, 0, 5).with(slots(5)).unacked(5), OK, inspect.OK},
		{"few behind all the time", bound().pending(5).with(slots(5)).unacked(5), AckBound, inspect.Info},
		{"shrinks", bound().pending(counting(5000, -100)...), AckBound, inspect.Info},
	})
	v := bound().judge(t)
	if want := "nats consumer edit S C --max-pending=200"; v.Next[len(v.Next)-1] != want {
		t.Errorf("%v, want %s", v.Next, want)
	}
}

func TestBacklogsGrowStayOrShrink(t *testing.T) {
	lag := func(from uint64, step int64) *scene {
		return consumer("S", "C").pending(counting(from, step)...).delivered(counting(1000, 100)...).found(1001, time.Second)
	}
	check(t, []ruling{
		{"grows by 2 %", lag(5000, 20), FallingBehind, inspect.Warn},
		{"grows by 2 % only", lag(5000, 20).delivered(counting(1000, 2000)...), FallingBehind, inspect.Warn},
		{"grows by a little less", lag(0, 0).pending(5000, 5020, 5040, 5060, 5080, 5099).delivered(counting(1000, 2000)...), SteadyLag, inspect.Warn},
		{"grows by less than 2 %, but by a tenth of what arrives", lag(500_000, 12), FallingBehind, inspect.Warn},
		{"grows by less than either", lag(500_000, 11), SteadyLag, inspect.Warn},
		{"grows by 10 messages", lag(200, 2), FallingBehind, inspect.Warn},
		{"grows by 9", lag(200, 0).pending(200, 202, 204, 206, 208, 209), SteadyLag, inspect.Warn},
		{"in 4 of 5 intervals", lag(5000, 0).pending(5000, 5100, 5200, 5200, 5300, 5400), FallingBehind, inspect.Warn},
		{"in 3 of 5 intervals", lag(5000, 0).pending(5000, 5100, 5100, 5100, 5300, 5400), SteadyLag, inspect.Warn},
		{"an old message", lag(5000, 20).found(1001, 31*time.Second), FallingBehind, inspect.Crit},
		{"only in flight", lag(0, 0).unacked(counting(500, 20)...), FallingBehind, inspect.Info},
		{"only in flight, steadily", lag(0, 0).unacked(500), SteadyLag, inspect.Info},
		{"between two batches", lag(5000, 50).unacked(counting(1, 100)...).quietFor(4 * time.Second), FallingBehind, inspect.Info},
		{"too long for that", lag(5000, 50).unacked(counting(1, 100)...).quietFor(5 * time.Second), FallingBehind, inspect.Warn},
		{"at the threshold", lag(100, 0), OK, inspect.OK},
		{"over the threshold", lag(101, 0), SteadyLag, inspect.Warn},
		{"a burst", lag(0, 0).pending(100, 900, 1800, 2700, 3600, 4500), OK, inspect.OK},
		{"within the threshold for a moment", lag(0, 0).pending(5000, 5000, 100, 5000), OK, inspect.OK},
		{"an old message, and few", lag(5, 0).found(1001, 31*time.Second), SteadyLag, inspect.Warn},
		{"an old message for a moment", lag(5, 0).pending(0, 5).found(1001, 31*time.Second), OK, inspect.OK},
		{"at the age threshold", lag(5, 0).found(1001, 30*time.Second), OK, inspect.OK},
		{"shrinks by 2 %", lag(5000, -20), Draining, inspect.Info},
		{"shrinks slowly and surely", lag(60_000, -20), Draining, inspect.Info},
		{"shrinks by less", lag(60_001, -20), SteadyLag, inspect.Warn},
		{"shrinks slowly, not surely", lag(0, 0).pending(60_000, 59_900, 59_950, 59_900, 59_950, 59_800), SteadyLag, inspect.Warn},
		{"one sample", lag(5000, 0).samples(1), Unsampled, inspect.Info},
		{"one sample, at the threshold", lag(100, 0).samples(1), OK, inspect.OK},
	})
}

func TestLossInSightMakesFallingBehindCritical(t *testing.T) {
	// The oldest message has 80 minutes left, and what comes is twice what is done.
	s := func(age time.Duration) *scene {
		return consumer("S", "C").pending(counting(50_000, 1000)...).delivered(counting(1000, 1000)...).firstSeq(1001).
			on(func(c *inspect.StreamConfig) { c.MaxAge = age }).limit(func(l *Thresholds) { l.Age = 24 * time.Hour }).found(6001, time.Hour)
	}
	check(t, []ruling{
		{"an hour and a half", s(time.Hour + 45*time.Minute), FallingBehind, inspect.Warn},
		{"less than an hour", s(time.Hour + 29*time.Minute), FallingBehind, inspect.Crit},
	})
	if v := s(time.Hour + 29*time.Minute).judge(t); v.ToLoss.Value != 58*60 || v.ToLoss.Exact || !v.Tagged(LossIn) {
		t.Errorf("to loss %+v, tags %v", v.ToLoss, v.Tags)
	}
}

func TestUnusedConsumersAreNoEmergency(t *testing.T) {
	unused := func() *scene {
		return consumer("S", "C").neverUsed().aged(24*time.Hour).waiting(0).pending(counting(5000, 500)...).found(1, 20*time.Hour)
	}
	check(t, []ruling{
		{"for a day", unused(), Unused, inspect.Info},
		{"one sample", unused().aged(25 * time.Hour).samples(1), Unused, inspect.Info},
		{"nothing to do", unused().pending(0), Unused, inspect.Info},
		{"for less", unused().aged(24*time.Hour - 5*time.Second), NoClients, inspect.Crit},
		{"somebody waits", unused().pending(0).waiting(0, 0, 1), Idle, inspect.OK},
		{"a stream keeps messages for it", unused().on(func(c *inspect.StreamConfig) { c.Retention = "interest" }), Unused, inspect.Warn},
		{"a stream keeps none", unused().on(func(c *inspect.StreamConfig) { c.Retention = "workqueue" }).pending(0), Unused, inspect.Info},
		{"push", unused().with(pushTo("d")), Unused, inspect.Info},
		{"used once", unused().delivered(1), NoClients, inspect.Warn},
	})
}

func TestIdleIsNotBetweenTwoMessages(t *testing.T) {
	check(t, []ruling{
		{"one sample, 10s", consumer("S", "C").samples(1).quietFor(10 * time.Second), Idle, inspect.OK},
		{"one sample, less", consumer("S", "C").samples(1).quietFor(9 * time.Second), OK, inspect.OK},
		{"one message came", consumer("S", "C").delivered(1000, 1000, 1001), OK, inspect.OK},
		{"one is pending", consumer("S", "C").pending(0, 0, 1), OK, inspect.OK},
	})
}
