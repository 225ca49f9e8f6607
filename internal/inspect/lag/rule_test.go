package lag

import (
	"strings"
	"testing"
	"time"

	"github.com/natsops/natsops/internal/inspect"
)

// A ruling is a scene and what must come of it.
type ruling struct {
	name     string
	scene    *scene
	status   Status
	severity inspect.Severity
}

func check(t *testing.T, rulings []ruling) {
	t.Helper()
	for _, r := range rulings {
		if v := r.scene.judge(t); v.Status != r.status || v.Severity != r.severity {
			t.Errorf("%s: %s %s, want %s %s\n%s\n%+v", r.name, v.Status, v.Severity, r.status, r.severity, v.Advice, v.Evidence)
		}
	}
}

func silentServer(_ int, c *inspect.Consumer) {
	*c = inspect.Consumer{Stream: c.Stream, Name: c.Name, Reading: inspect.Reading{Why: "no answer within 2s"}, Cluster: &inspect.Group{Leader: "n3"}}
}

func noLeader(_ int, c *inspect.Consumer) { c.Cluster.Leader, c.Cluster.LeaderSince = "", time.Time{} }

func lastOnly(n int, f func(int, *inspect.Consumer)) func(int, *inspect.Consumer) {
	return func(i int, c *inspect.Consumer) {
		if i == n-1 {
			f(i, c)
		}
	}
}

func TestConsumersThatCannotBeReached(t *testing.T) {
	behind := func() *scene { return consumer("S", "C").clustered().pending(500).waiting(0).quietFor(time.Hour) }
	check(t, []ruling{
		{"silent server", behind().edit(silentServer), Unreachable, inspect.Crit},
		{"silent at last", behind().edit(lastOnly(6, silentServer)), Unreachable, inspect.Crit},
		{"nothing new", behind().edit(func(_ int, c *inspect.Consumer) { c.State = inspect.Stale }), Unreachable, inspect.Crit},
		{"nothing new at last", behind().edit(lastOnly(6, func(_ int, c *inspect.Consumer) { c.State = inspect.Stale })), Unreachable, inspect.Warn},
		{"nothing new, and no leader", behind().edit(noLeader).edit(func(_ int, c *inspect.Consumer) { c.State = inspect.Stale }), NoLeader, inspect.Crit},
		{"entry without a name", behind().edit(func(_ int, c *inspect.Consumer) { c.Name = "" }), Unreachable, inspect.Crit},
		{"no server runs it", behind().edit(func(_ int, c *inspect.Consumer) { c.Offline = "unsupported - required API level: 4" }), Unreachable, inspect.Crit},
		{"silent before", behind().samples(2).edit(func(i int, c *inspect.Consumer) {
			if i == 0 {
				silentServer(i, c)
			}
		}), Unsampled, inspect.Info},
		{"no leader", behind().edit(noLeader), NoLeader, inspect.Crit},
		{"no leader, and no numbers", behind().edit(noLeader).edit(func(_ int, c *inspect.Consumer) { c.State = inspect.Unknown }), NoLeader, inspect.Crit},
		{"no numbers, and nobody says who leads", behind().edit(func(_ int, c *inspect.Consumer) { c.State, c.Cluster = inspect.Unknown, nil }), Unreachable, inspect.Crit},
		{"no replicas in a cluster", consumer("S", "C").edit(func(_ int, c *inspect.Consumer) { c.Cluster = &inspect.Group{Name: "C", Leader: "n1"} }), Idle, inspect.OK},
		{"quorum lost", consumer("S", "C").clustered().hears(inspect.EventQuorumLost, ""), NoLeader, inspect.Crit},
		{"quorum lost and found", consumer("S", "C").clustered().hears(inspect.EventQuorumLost, "").hears(inspect.EventLeader, ""), Idle, inspect.OK},
		{"quorum lost before an election", consumer("S", "C").clustered().hears(inspect.EventQuorumLost, "").
			edit(func(_ int, c *inspect.Consumer) { c.Cluster.LeaderSince = start.Add(time.Hour) }), Idle, inspect.OK},
	})
	v := behind().edit(silentServer).judge(t)
	if !strings.Contains(v.Advice, "n3") || !strings.Contains(v.Advice, "no answer within 2s") || v.Confidence != None || v.Backlog.Known || v.Backlog.Why == "" {
		t.Errorf("%s %+v: %s", v.Confidence, v.Backlog, v.Advice)
	}
	v = behind().edit(noLeader).edit(func(_ int, c *inspect.Consumer) { c.Cluster.Replicas[1].Offline = true }).judge(t)
	if !strings.Contains(v.Advice, "Offline: n3.") {
		t.Error(v.Advice)
	}
}

func TestPausedConsumersMayLag(t *testing.T) {
	week := func(c *inspect.StreamConfig) { c.MaxAge = 2 * time.Hour }
	old := func(left time.Duration) *scene {
		s := consumer("S", "C").on(week).pending(counting(5000, 900)...).firstSeq(1001)
		s.firstAge = time.Hour // and 5s more at the last sample
		return s.edit(pause(left))
	}
	check(t, []ruling{
		{"loses nothing", old(50 * time.Minute), Paused, inspect.Info},
		{"loses before it resumes", old(61 * time.Minute), Paused, inspect.Warn},
		{"nobody pulls meanwhile", consumer("S", "C").pending(500).waiting(0).quietFor(time.Hour).edit(pause(time.Hour)), Paused, inspect.Info},
	})
}

func TestResetsAreSeenAndLeaderChangesAreNot(t *testing.T) {
	madeAnew := func(i int, c *inspect.Consumer) {
		if i >= 3 {
			c.Created = start.Add(2 * time.Second)
		}
	}
	elected := func(i int, c *inspect.Consumer) {
		if i >= 3 {
			c.By, c.Cluster.Leader, c.Cluster.LeaderSince = "n2", "n2", start.Add(3*time.Second)
			c.Timestamp = c.Timestamp.Add(-time.Hour) // its clock is wrong
		}
	}
	check(t, []ruling{
		{"created changed", consumer("S", "C").edit(madeAnew), Reset, inspect.Warn},
		{"sequence went back", consumer("S", "C").delivered(900, 1000, 999), Reset, inspect.Warn},
		{"stream sequence went back", consumer("S", "C").reached(900, 1000, 999), Reset, inspect.Warn},
		{"went back by little with the leader", consumer("S", "C").clustered().delivered(4000, 4000, 4000, 3000).edit(elected), Idle, inspect.OK},
		{"went back by much with the leader", consumer("S", "C").clustered().delivered(4000, 4000, 4000, 2999).edit(elected), Reset, inspect.Warn},
	})
	v := consumer("S", "C").edit(madeAnew).delivered(5000, 5100, 5200, 0, 40, 80).judge(t)
	if v.Deliver != (Figure{Value: 40, Known: true, Exact: true}) {
		t.Errorf("rate since the reset: %+v", v.Deliver)
	}
	v = consumer("S", "C").edit(madeAnew).samples(4).judge(t)
	if v.Deliver.Known || v.Status != Reset {
		t.Errorf("rate of one sample since the reset: %+v", v.Deliver)
	}
	v = consumer("S", "C").clustered().delivered(1000, 1100, 1200, 1190, 1300, 1400).unacked(5).edit(elected).judge(t)
	if v.Deliver.Value != 82 || v.Deliver.Exact || v.Confidence != Low || !v.Tagged(RecentLeader) {
		t.Errorf("after an election: %+v %s %v", v.Deliver, v.Confidence, v.Tags)
	}
}

func TestLossIsWhatALimitDeletedUndelivered(t *testing.T) {
	limited := func(c *inspect.StreamConfig) { c.MaxMsgs = 2000 }
	keepsUp := func() *scene { // on a stream that holds a tenth of a second
		s := consumer("S", "C").on(limited)
		s.firstAge = 0
		return s.delivered(counting(10_000, 20_000)...).firstSeq(counting(9_000, 20_000)...).
			lastSeq(counting(10_999, 20_000)...).pending(5).stored(2000)
	}
	stopped := func() *scene {
		return consumer("S", "C").on(limited).delivered(10_000).firstSeq(counting(10_001, 500)...).lastSeq(counting(12_000, 500)...).
			pending(2000).stored(2000).waiting(0).quietFor(time.Hour)
	}
	check(t, []ruling{
		{"slow", evicting(), LosingData, inspect.Crit},
		{"nobody pulls", stopped(), LosingData, inspect.Crit},
		{"keeps up", keepsUp(), OK, inspect.OK},
		{"nine tenths full", stopped().stored(1800).pending(1800), LosingData, inspect.Crit},
		{"less than that", stopped().stored(1799).pending(1799), NoClients, inspect.Crit},
		{"nine tenths of the bytes", stopped().on(func(c *inspect.StreamConfig) { c.MaxMsgs, c.MaxBytes = -1, 200_000 }).stored(1800), LosingData, inspect.Crit},
		{"no limits, as 0", stopped().on(func(c *inspect.StreamConfig) { c.MaxMsgs, c.MaxBytes = 0, 0 }), NoClients, inspect.Crit},
		{"no limit per subject, as 0", stopped().on(func(c *inspect.StreamConfig) { c.MaxMsgsPerSubject = 0 }), LosingData, inspect.Crit},
		{"the stream was looked at later", keepsUp().firstSeq(counting(10_050, 20_000)...).lastSeq(counting(12_049, 20_000)...), OK, inspect.OK},
		{"replaced by newer ones", stopped().on(func(c *inspect.StreamConfig) { c.MaxMsgsPerSubject = 1 }), NoClients, inspect.Crit},
		{"new ones are refused", stopped().on(func(c *inspect.StreamConfig) { c.Discard = "new" }), NoClients, inspect.Crit},
		{"purged", stopped().stored(10).pending(10), NoClients, inspect.Crit},
		{"filtered", stopped().with(onlyA).found(10_001, time.Hour), NoClients, inspect.Crit},
		{"in flight", consumer("S", "C").on(limited).firstSeq(counting(500, 1)...).stored(1990).hears(inspect.EventTerminated, deletedInFlight), LosingData, inspect.Crit},
		{"terminated by a client", consumer("S", "C").on(limited).firstSeq(counting(500, 1)...).stored(1990).hears(inspect.EventTerminated, "poison"), Idle, inspect.OK},
	})
	if v := stopped().redelivered(1).judge(t); v.LostRate != about(500) {
		t.Errorf("with redeliveries: %+v a second", v.LostRate)
	}
	if v := stopped().judge(t); v.LostRate != exactly(500) || v.Lost.Value != 2500 || v.Lost.Exact {
		t.Errorf("lost %+v, %+v a second", v.Lost, v.LostRate)
	}
	v := stopped().on(func(c *inspect.StreamConfig) { c.MaxMsgs, c.MaxAge = -1, time.Hour }).judge(t)
	if v.Status != LosingData || !strings.Contains(v.Advice, "max_age=1h") {
		t.Error("by age:", v.Status, v.Advice)
	}
	if v := stopped().on(func(c *inspect.StreamConfig) { c.MaxMsgs, c.MaxAge = -1, time.Hour+6*time.Second }).judge(t); v.Status != LosingData {
		t.Error("by age, give or take a second:", v.Status, v.Advice)
	}
	if v := stopped().on(func(c *inspect.StreamConfig) { c.MaxMsgs, c.MaxAge = -1, time.Hour+7*time.Second }).judge(t); v.Status == LosingData {
		t.Error("too young to be deleted by age:", v.Advice)
	}
}

func TestNobodyPullsIsGradedByHowLongMessagesWait(t *testing.T) {
	quiet := func(d time.Duration) *scene {
		return consumer("S", "C").pending(50).waiting(0).quietFor(d).found(1001, d+5*time.Second)
	}
	check(t, []ruling{
		{"4s before the window", quiet(4 * time.Second), NoClients, inspect.Info},
		{"9.9s", quiet(4900 * time.Millisecond), NoClients, inspect.Info},
		{"10s", quiet(5 * time.Second), NoClients, inspect.Warn},
		{"29.9s", quiet(24900 * time.Millisecond), NoClients, inspect.Warn},
		{"5s, over the age threshold", quiet(0).limit(func(l *Thresholds) { l.Age = 4 * time.Second }), NoClients, inspect.Warn},
		{"30s", quiet(25 * time.Second), NoClients, inspect.Crit},
		{"30s of a longer age threshold", quiet(25 * time.Second).limit(func(l *Thresholds) { l.Age = time.Minute }), NoClients, inspect.Warn},
		{"60s of it", quiet(55 * time.Second).limit(func(l *Thresholds) { l.Age = time.Minute }), NoClients, inspect.Crit},
		{"a message that just came", quiet(time.Hour).found(1001, 2*time.Second), NoClients, inspect.Info},
		{"after a restart", quiet(time.Hour).restarted().found(1001, 20*time.Second), NoClients, inspect.Info},
		{"after a restart, old messages", quiet(time.Hour).restarted(), NoClients, inspect.Warn},
		{"never used", quiet(0).neverUsed().aged(20 * time.Second), NoClients, inspect.Warn},
		{"never used, for long", quiet(0).neverUsed().aged(26 * time.Second), NoClients, inspect.Crit},
		{"somebody waits", quiet(time.Hour).waiting(0, 0, 1, 0), SteadyLag, inspect.Warn},
		{"somebody holds one", quiet(time.Hour).unacked(0, 0, 1, 0), SteadyLag, inspect.Warn},
		{"nothing was pending for a moment", quiet(time.Hour).pending(50, 50, 0, 50).found(1001, time.Second), OK, inspect.OK},
		{"one sample", quiet(29 * time.Second).samples(1), OK, inspect.OK},
		{"one sample proves it", quiet(30 * time.Second).samples(1), NoClients, inspect.Crit},
	})
}

func TestPushConsumersNeedASubscriber(t *testing.T) {
	bound := func(is ...bool) func(int, *inspect.Consumer) {
		return func(i int, c *inspect.Consumer) { c.PushBound = is[min(i, len(is)-1)] }
	}
	push := func() *scene {
		return consumer("S", "C").with(pushTo("d")).waiting(0).pending(5).quietFor(20 * time.Minute)
	}
	flow := func(c *inspect.ConsumerConfig) { c.FlowControl, c.Heartbeat = true, time.Second }
	check(t, []ruling{
		{"none", push(), NoClients, inspect.Crit},
		{"none, one sample", push().samples(1), NoClients, inspect.Crit},
		{"none, and nothing to do", push().pending(0), Idle, inspect.OK},
		{"gone just now", push().edit(bound(true, true, true, true, true, false)), OK, inspect.OK},
		{"back again", push().edit(bound(false, true)), OK, inspect.OK},
		{"bound, and nothing delivered", push().edit(bound(true)), ServerStall, inspect.Crit},
		{"no flow control answer", push().edit(bound(true)).with(flow), ClientStalled, inspect.Crit},
		{"flow control, and nothing was there for a moment", push().edit(bound(true)).with(flow).pending(5, 0, 5), OK, inspect.OK},
		{"flow control, and nobody was there for a moment", push().edit(bound(true, false, true)).with(flow), OK, inspect.OK},
		{"bound, and slow on purpose", push().edit(bound(true)).with(func(c *inspect.ConsumerConfig) { c.RateLimit = 1 }), OK, inspect.OK},
		{"no flow control answer, yet", push().edit(bound(true)).with(flow).quietFor(20 * time.Second), Busy, inspect.OK},
	})
}

func TestAckStallsAndTheirNearMisses(t *testing.T) {
	full := func() *scene {
		return consumer("S", "C").with(slots(10)).unacked(10).pending(500).waiting(2).quietFor(10 * time.Second)
	}
	check(t, []ruling{
		{"full", full(), AckStalled, inspect.Warn},
		{"full and few behind", full().pending(5), AckStalled, inspect.Info},
		{"for ack_wait", full().quietFor(25 * time.Second), AckStalled, inspect.Crit},
		{"nearly for ack_wait", full().quietFor(24900 * time.Millisecond), AckStalled, inspect.Warn},
		{"with a longer backoff", full().quietFor(25 * time.Second).with(func(c *inspect.ConsumerConfig) { c.BackOff = []time.Duration{time.Second, time.Minute} }), AckStalled, inspect.Warn},
		{"all delivered again", full().redelivered(10).neverAcked(), AckStalled, inspect.Crit},
		{"some delivered again", full().redelivered(9).neverAcked(), AckStalled, inspect.Warn},
		{"one slot left for a moment", full().unacked(10, 9, 10), SteadyLag, inspect.Info},
		{"a job in the only slot", full().with(slots(1)).unacked(1).pending(0).waiting(0), Busy, inspect.OK},
		{"no limit", full().with(slots(-1)).waiting(0), Busy, inspect.OK},
		{"acknowledged", full().delivered(counting(1000, 1)...), AckBound, inspect.Warn},
		{"one sample", full().samples(1).quietFor(40 * time.Second), Unsampled, inspect.Info},
	})
}
