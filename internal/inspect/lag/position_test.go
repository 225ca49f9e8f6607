package lag

import (
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/natsops/natsops/internal/inspect"
)

func deliver(policy string) func(*inspect.ConsumerConfig) {
	return func(c *inspect.ConsumerConfig) { c.DeliverPolicy = policy }
}

func TestLookupsStartWhereTheConsumerIs(t *testing.T) {
	began := start.Add(-10 * time.Minute)
	replicated := func(policy string) *scene { // its floor has not moved yet
		return consumer("S", "C").clustered().with(deliver(policy)).with(onlyA).delivered(500).floorAt(0).unacked(200).pending(5)
	}
	created := start.Add(-time.Hour)
	tests := []struct {
		name  string
		scene *scene
		want  inspect.Lookup
	}{
		{"in flight", consumer("S", "C").with(onlyA).unacked(200), inspect.Lookup{From: 801, Filters: []string{"a"}}},
		{"pending", consumer("S", "C").with(onlyA).pending(200), inspect.Lookup{From: 1001, Filters: []string{"a"}}},
		{"no acks", consumer("S", "C").with(onlyA).pending(200).floorAt(7).with(func(c *inspect.ConsumerConfig) { c.AckPolicy = "none" }), inspect.Lookup{From: 1001, Filters: []string{"a"}}},
		{"all", replicated("all"), inspect.Lookup{From: 1, Filters: []string{"a"}}},
		{"new", replicated("new"), inspect.Lookup{From: 1, Since: created, Filters: []string{"a"}}},
		{"last", replicated("last"), inspect.Lookup{From: 1, Since: created, Filters: []string{"a"}}},
		{"by sequence", replicated("by_start_sequence").with(func(c *inspect.ConsumerConfig) { c.OptStartSeq = 77 }), inspect.Lookup{From: 77, Filters: []string{"a"}}},
		{"by time", replicated("by_start_time").with(func(c *inspect.ConsumerConfig) { c.OptStartTime = &began }), inspect.Lookup{From: 1, Since: began, Filters: []string{"a"}}},
		{"new, and the floor has moved", replicated("new").floorAt(400), inspect.Lookup{From: 401, Filters: []string{"a"}}},
		{"direct", consumer("S", "C").pending(200).firstSeq(5).on(func(c *inspect.StreamConfig) { c.AllowDirect = true }), inspect.Lookup{From: 1001, Direct: true}},
	}
	for _, tt := range tests {
		tt.want.Key = tt.scene.key
		got := Lookups(tt.scene.samples(1).window()[0], DefaultThresholds(), 10)
		if diff := cmp.Diff([]inspect.Lookup{tt.want}, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tt.name, diff)
		}
	}
	for policy, exact := range map[string]bool{"all": true, "new": false, "last": false, "by_start_sequence": true, "by_start_time": true} {
		if v := replicated(policy).found(3, 20*time.Second).judge(t); v.OldestAge.Exact != exact || v.OldestAge.Value != 20 {
			t.Errorf("%s: %+v, want exact %t", policy, v.OldestAge, exact)
		}
	}
}

func TestWhatTheStreamTellsIsNotLookedUp(t *testing.T) {
	at := func(first, last time.Duration) *scene {
		s := consumer("S", "C")
		s.firstAge, s.lastAge = first, last
		return s.samples(1)
	}
	for _, tt := range []struct {
		name  string
		scene *scene
		want  Figure
	}{
		{"its first message", at(time.Minute, time.Second).firstSeq(1001).pending(200), exactly(60)},
		{"one after that of which it is the next", at(time.Minute, time.Second).firstSeq(1002).pending(200), exactly(60)},
		{"its last message", at(time.Hour, time.Minute).pending(1), exactly(60)},
		{"one that came since", at(time.Hour, time.Minute).pending(200).lastSeq(1000), about(0)},
		{"nothing", at(time.Hour, time.Minute), exactly(0)},
		{"stored before it was made", at(2*time.Hour, 0).with(deliver("new")).clustered().floorAt(0).unacked(200), Figure{Why: "it was not looked up"}},
		{"stored after it was made", at(59*time.Minute, 0).with(deliver("new")).clustered().floorAt(0).unacked(200), about(59 * 60)},
	} {
		window := tt.scene.window()
		if v := Judge(window, nil, tt.scene.limits)[0]; v.OldestAge != tt.want {
			t.Errorf("%s: %+v, want %+v", tt.name, v.OldestAge, tt.want)
		}
		if lookups := Lookups(window[0], tt.scene.limits, 10); (len(lookups) == 0) != tt.want.Known {
			t.Errorf("%s: lookups %+v", tt.name, lookups)
		}
	}
}

func TestLookupsAreForTheWorst(t *testing.T) {
	s := inspect.Snapshot{At: start}
	add := func(name string, c *scene) {
		c.key.Consumer = name
		s.Consumers = append(s.Consumers, c.with(onlyA).consumer(0))
	}
	add("active", consumer("S", "").pending(100))
	add("behind", consumer("S", "").pending(101))
	add("caught up", consumer("S", "").quietFor(time.Hour))
	add("far behind", consumer("S", "").pending(5000))
	add("held", consumer("S", "").unacked(3).floorAt(896))
	add("held by few", consumer("S", "").unacked(3).floorAt(897))
	add("quiet", consumer("S", "").pending(1).quietFor(30*time.Second))
	add("restarted", consumer("S", "").pending(2).restarted())
	add("silent", consumer("S", "").pending(9000).edit(silentServer))
	names := func(most int) (names []string) {
		for _, l := range Lookups(&s, DefaultThresholds(), most) {
			names = append(names, l.Key.Consumer)
		}
		return names
	}
	if got, want := names(100), []string{"far behind", "behind", "restarted", "quiet", "held"}; !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
	if got, want := names(2), []string{"far behind", "behind"}; !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
	if got := names(0); got != nil {
		t.Errorf("%q, want none", got)
	}
	if got := Verifications(&s); len(got) != 8 {
		t.Errorf("%d verifications, want 8", len(got))
	}
}

func TestAgesThatCouldNotBeFoundSayWhy(t *testing.T) {
	s := func() *scene { return consumer("S", "C").with(onlyA).pending(50).delivered(counting(1000, 10)...) }
	for want, oldest := range map[string]inspect.Oldest{
		"no answer within 1s": {Why: "no answer within 1s"}, "no such message was found a moment later": {},
	} {
		asked := s()
		asked.oldest[asked.key] = oldest
		if v := asked.judge(t); v.OldestAge != (Figure{Why: want}) || v.Status != OK || v.Confidence != Low {
			t.Errorf("%+v %s %s, want %s", v.OldestAge, v.Status, v.Confidence, want)
		}
	}
	if v := s().found(1051, -time.Second).judge(t); v.OldestAge != exactly(0) {
		t.Errorf("a message of the future: %+v", v.OldestAge)
	}
}
