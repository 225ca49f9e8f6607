package lag

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/natsops/natsops/internal/inspect"
)

func TestTagsAndTheirNearMisses(t *testing.T) {
	held := func() *scene {
		return consumer("S", "C").delivered(counting(1000, 100)...).floorAt(600).unacked(20).found(601, 20*time.Second)
	}
	repeats := func(deliveries, fresh int64) *scene {
		return consumer("S", "C").delivered(counting(1000, deliveries)...).reached(counting(1000, fresh)...).redelivered(1).unacked(1)
	}
	replica := func(f func(*inspect.Peer)) *scene {
		return consumer("S", "C").clustered().edit(func(_ int, c *inspect.Consumer) { f(&c.Cluster.Replicas[0]) })
	}
	three := func(c *inspect.StreamConfig) { c.Replicas = 3 }
	pinned := func(c *inspect.ConsumerConfig) { c.PriorityPolicy = "pinned_client" }
	type tagging struct {
		name  string
		scene *scene
		tag   TagName
		want  bool
	}
	tests := []tagging{
		{"overtaken by ten times as many", held(), HeadBlocked, true},
		{"overtaken by fewer", held().floorAt(1281), HeadBlocked, false},
		{"for ack_wait", held().floorAt(990).delivered(counting(1000, 10)...).with(ackWait(4 * time.Second)), HeadBlocked, true},
		{"the floor moves", held().floorAt(600, 601), HeadBlocked, false},
		{"nothing is delivered", held().delivered(1500), HeadBlocked, false},
		{"nothing is finished", held().unacked(counting(20, 100)...), HeadBlocked, false},
		{"acks are cumulative", held().with(func(c *inspect.ConsumerConfig) { c.AckPolicy = "all" }), HeadBlocked, false},

		{"given up", consumer("S", "C").with(attempts(3)).redelivered(3).unacked(2), Exhausted, true},
		{"still tried", consumer("S", "C").with(attempts(3)).redelivered(3).unacked(3), Exhausted, false},
		{"never given up", consumer("S", "C").redelivered(3), Exhausted, false},
		{"one attempt", consumer("S", "C").with(attempts(1)).hears(inspect.EventMaxDeliver, ""), Exhausted, true},

		{"10 %", repeats(20, 18), Redelivering, true},
		{"9 %", repeats(100, 91), Redelivering, false},
		{"one", repeats(0, 0).delivered(1000, 1001), Redelivering, false},
		{"two", repeats(0, 0).delivered(1000, 1002).samples(2), Redelivering, true},

		{"first_seq is ahead", consumer("S", "C").firstSeq(1003).lastSeq(1100).pending(98).waiting(0), LostMessages, true},
		{"first_seq follows", consumer("S", "C").firstSeq(1001).lastSeq(1100).pending(100).waiting(0), LostMessages, false},
		{"nine tenths are ahead", consumer("S", "C").firstSeq(1003).lastSeq(1102).pending(90).waiting(0), LostMessages, true},
		{"less are ahead", consumer("S", "C").firstSeq(1003).lastSeq(1102).pending(89).waiting(0), LostMessages, false},
		{"nothing delivered yet", consumer("S", "C").delivered(0).firstSeq(1003).lastSeq(1100).pending(98), LostMessages, true},
		{"replicated, and in the middle", consumer("S", "C").clustered().firstSeq(1003).lastSeq(1100).pending(98), LostMessages, true},
		{"moved on since", consumer("S", "C").firstSeq(1003).lastSeq(1100).pending(80).waiting(0), LostMessages, false},
		{"everything is gone", consumer("S", "C").firstSeq(1101).lastSeq(1100), LostMessages, true},
		{"began in the middle", consumer("S", "C").clustered().delivered(0).reached(0).firstSeq(1003).lastSeq(1100).pending(98), LostMessages, false},

		{"nothing counted, something there", consumer("S", "C").found(1001, 6*time.Second), PendingDrift, true},
		{"it just came", consumer("S", "C").found(1001, 5*time.Second), PendingDrift, false},
		{"it was delivered", consumer("S", "C").found(1000, 6*time.Second), PendingDrift, false},
		{"some counted, nothing there", consumer("S", "C").pending(4).foundNothing().with(onlyA), PendingDrift, true},
		{"processed since", consumer("S", "C").pending(4).delivered(counting(1000, 5)...).foundNothing().with(onlyA), PendingDrift, false},
		{"nothing there, as counted", consumer("S", "C").foundNothing(), PendingDrift, false},

		{"offline", replica(func(p *inspect.Peer) { p.Offline = true }), ReplicaOffline, true},
		{"not current", replica(func(p *inspect.Peer) { p.Current = false }), ReplicaOutdated, true},
		{"not current since offline", replica(func(p *inspect.Peer) { p.Current, p.Offline = false, true }), ReplicaOutdated, false},
		{"1,001 behind", replica(func(p *inspect.Peer) { p.Lag = 1001 }), ReplicaLag, true},
		{"1,000 behind", replica(func(p *inspect.Peer) { p.Lag = 1000 }), ReplicaLag, false},
		{"not heard of for long", replica(func(p *inspect.Peer) { p.Active = 5001 * time.Millisecond }), ReplicaLag, true},
		{"heard of", replica(func(p *inspect.Peer) { p.Active = 5 * time.Second }), ReplicaLag, false},

		{"one copy", consumer("S", "C").on(three).with(func(c *inspect.ConsumerConfig) { c.Replicas = 1 }), Unreplicated, true},
		{"as the stream", consumer("S", "C").on(three), Unreplicated, false},
		{"one copy of one", consumer("S", "C").with(func(c *inspect.ConsumerConfig) { c.Replicas = 1 }), Unreplicated, false},
		{"in memory", consumer("S", "C").with(func(c *inspect.ConsumerConfig) { c.MemoryStorage = true }), Unreplicated, true},
		{"ephemeral", consumer("S", "C").with(func(c *inspect.ConsumerConfig) { c.MemoryStorage, c.Durable = true, "" }), Unreplicated, false},
		{"ephemeral", consumer("S", "C").with(func(c *inspect.ConsumerConfig) { c.Durable = "" }), Ephemeral, true},
		{"durable", consumer("S", "C"), Ephemeral, false},

		{"leader since 59s", consumer("S", "C").clustered().edit(leaderSince(-54 * time.Second)), RecentLeader, true},
		{"leader since a minute", consumer("S", "C").clustered().edit(leaderSince(-55 * time.Second)), RecentLeader, false},
		{"its first leader", consumer("S", "C").clustered().aged(20 * time.Second).edit(leaderSince(-20 * time.Second)), RecentLeader, false},
		{"59s old", consumer("S", "C").aged(54 * time.Second), CreatedRecently, true},
		{"a minute old", consumer("S", "C").aged(55 * time.Second), CreatedRecently, false},

		{"no place left", consumer("S", "C").waiting(512), PullQueueFull, true},
		{"one place left", consumer("S", "C").waiting(511), PullQueueFull, false},
		{"nobody pinned", consumer("S", "C").with(pinned).pending(1), Unpinned, true},
		{"pinned", consumer("S", "C").with(pinned).pending(1).edit(func(_ int, c *inspect.Consumer) { c.Pins = []inspect.Pin{{Group: "g", Client: "x"}} }), Unpinned, false},
		{"nothing to do", consumer("S", "C").with(pinned), Unpinned, false},
	}
	for _, tt := range tests {
		v := tt.scene.judge(t)
		if v.Tagged(tt.tag) != tt.want {
			t.Errorf("%s: %s is %t, want %t (%s %v)", tt.name, tt.tag, v.Tagged(tt.tag), tt.want, v.Status, v.Tags)
		}
		for _, tag := range v.Tags {
			if tag.Text == "" || !strings.HasSuffix(tag.Text, ".") {
				t.Errorf("%s: text of %s: %q", tt.name, tag.Name, tag.Text)
			}
		}
	}
	for _, info := range Tags() { // LOSS_IN: TestLossInSightMakesFallingBehindCritical
		if info.Name != LossIn && !slices.ContainsFunc(tests, func(tt tagging) bool { return tt.tag == info.Name && tt.want }) {
			t.Errorf("no test for %s", info.Name)
		}
	}
}

func TestTablesAreComplete(t *testing.T) {
	order := []Status{
		Unreachable, NoLeader, Paused, Reset, LosingData, NoClients, AckStalled, RedeliveryLoop, ServerStall, ClientStalled, Busy, AckBound,
		FallingBehind, SteadyLag, Draining, Unused, Idle, OK, Unsampled,
	}
	infos := Statuses()
	for i, info := range infos {
		if i >= len(order) || info.Status != order[i] {
			t.Fatalf("status %d is %s", i, info.Status)
		}
		if info.Least > info.Severity || info.Severity > info.Worst || info.Meaning == "" || info.Rule == "" || info.Needs == "" || info.Do == "" {
			t.Errorf("incomplete: %+v", info)
		}
		if about, ok := About(info.Status); !ok || about != info {
			t.Errorf("About(%s) = %+v, %t", info.Status, about, ok)
		}
	}
	if len(infos) != len(order) {
		t.Errorf("%d statuses, want %d", len(infos), len(order))
	}
	if _, ok := About("NONSENSE"); ok {
		t.Error("nonsense is a status")
	}
	if n := len(Tags()); n != 15 {
		t.Errorf("%d tags, want 15", n)
	}
	for _, info := range Tags() {
		if info.Meaning == "" || info.Rule == "" || info.Needs == "" || info.Do == "" {
			t.Errorf("incomplete: %+v", info)
		}
	}
}

func TestNextCommandsSurviveTheShell(t *testing.T) {
	for _, tt := range []struct{ stream, consumer, info, explain string }{
		{"ORDERS", "billing", "nats consumer info ORDERS billing", "natsops lag ORDERS/billing --explain"},
		{"A$(reboot)", "it's", `nats consumer info 'A$(reboot)' 'it'\''s'`, `natsops lag 'A$(reboot)/it'\''s' --explain`},
		{"S", "--force", "nats consumer info -- S --force", "natsops lag S/--force --explain"},
		{"-S", "a[1]", "nats consumer info -- -S 'a[1]'", `natsops lag --explain -- '-S/a\[1]'`},
		{"S", "~", "nats consumer info S '~'", "natsops lag 'S/~' --explain"},
	} {
		v := consumer(tt.stream, tt.consumer).pending(500).waiting(0).quietFor(time.Hour).judge(t)
		if v.Next[0] != tt.info || v.Next[1] != tt.explain {
			t.Errorf("%q, want %s and %s", v.Next, tt.info, tt.explain)
		}
	}
	exhausted := consumer("S", "C").with(attempts(3)).redelivered(5).judge(t)
	if !slices.Equal(exhausted.Next, []string{"natsops dlq ls S/C"}) || !exhausted.Notable() {
		t.Errorf("%v, notable %t", exhausted.Next, exhausted.Notable())
	}
	held := consumer("S", "C").delivered(counting(1000, 100)...).floorAt(600).unacked(1).found(601, time.Second).judge(t)
	if !slices.Contains(held.Next, "nats stream get S 601") {
		t.Errorf("%v", held.Next)
	}
	if resume := consumer("S", "C").edit(pause(time.Hour)).judge(t).Next[0]; resume != "nats consumer resume S C" {
		t.Error(resume)
	}
	if v := consumer("S", "C").with(func(c *inspect.ConsumerConfig) { c.Durable = "" }).judge(t); v.Notable() {
		t.Errorf("an idle ephemeral consumer is notable: %v", v.Tags)
	}
}
