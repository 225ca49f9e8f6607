package chaos

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/natsops/natsops/internal/chaos/drill"
	"github.com/natsops/natsops/internal/chaos/fault"
	"github.com/natsops/natsops/internal/inspect"
)

// strike is one that takes servers down from at on, for so many seconds.
func strike(at, lasts int, down ...string) Planned {
	return Planned{
		Spec:    fault.Spec{At: time.Duration(at) * time.Second, For: time.Duration(lasts) * time.Second},
		Victims: down, Down: down, AtOnce: len(down),
	}
}

func TestNoMoreIsBrokenThanADrillMay(t *testing.T) {
	three, five := []string{"n1", "n2", "n3"}, []string{"n1", "n2", "n3", "n4", "n5"}
	quorum := drill.Limits{KeepQuorum: true}
	rolling := strike(0, 30, three...)
	rolling.AtOnce = 1
	for name, c := range map[string]struct {
		limits   drill.Limits
		servers  []string
		replicas []string
		strikes  []Planned
		refused  bool
	}{
		"one of three":                             {quorum, three, three, []Planned{strike(0, 5, "n1")}, false},
		"two of three":                             {quorum, three, three, []Planned{strike(0, 5, "n1", "n2")}, true},
		"two of three, wanted so":                  {drill.Limits{}, three, three, []Planned{strike(0, 5, "n1", "n2")}, false},
		"two of three at different times":          {quorum, three, three, []Planned{strike(0, 5, "n1"), strike(10, 5, "n2")}, false},
		"two of three at times that overlap":       {quorum, three, three, []Planned{strike(0, 5, "n1"), strike(4, 5, "n2")}, true},
		"each of three, one at a time":             {quorum, three, three, []Planned{rolling}, false},
		"two of five":                              {quorum, five, nil, []Planned{strike(0, 5, "n1", "n2")}, false},
		"two of five, of three that keep a stream": {quorum, five, three, []Planned{strike(0, 5, "n1", "n2")}, true},
		"two of five, that do not keep the stream": {quorum, five, three, []Planned{strike(0, 5, "n4", "n5")}, false},
		"the only server of a stream":              {quorum, three, []string{"n2"}, []Planned{strike(0, 5, "n2")}, true},
		"nobody goes down":                         {quorum, []string{"n1"}, []string{"n1"}, []Planned{strike(0, 5)}, false},
		"a third of three":                         {drill.Limits{MaxPercent: 34}, three, three, []Planned{strike(0, 5, "n1")}, false},
		"two thirds of three":                      {drill.Limits{MaxPercent: 34}, three, three, []Planned{strike(0, 5, "n1", "n2")}, true},
		"as many victims as allowed":               {drill.Limits{MaxVictims: 2}, five, nil, []Planned{strike(0, 5, "n1"), strike(9, 5, "n2")}, false},
		"more victims than allowed, one at a time": {drill.Limits{MaxVictims: 2}, five, nil, []Planned{strike(0, 1, "n1"), strike(9, 1, "n2"), strike(20, 1, "n3")}, true},
	} {
		err := within(c.limits, Target{Servers: c.servers}, c.replicas, c.strikes)
		if got := errors.Is(err, ErrRefused); got != c.refused || err != nil && !got {
			t.Errorf("%s: got %v, want refused %t", name, err, c.refused)
		}
	}
}

func TestASystemThatIsNotWholeIsNotBroken(t *testing.T) {
	stream := func(name string, g *inspect.Group) inspect.Stream { return inspect.Stream{Name: name, Cluster: g} }
	current, offline, behind := inspect.Peer{Current: true}, inspect.Peer{Current: true, Offline: true}, inspect.Peer{Lag: farBehind + 1}
	now := &inspect.Snapshot{Streams: []inspect.Stream{
		stream("ALONE", nil),
		stream("WELL", &inspect.Group{Leader: "n1", Replicas: []inspect.Peer{current, current}}),
		stream("BUSY", &inspect.Group{Leader: "n1", Replicas: []inspect.Peer{{Lag: farBehind}, current}}),
		stream("QUIET", &inspect.Group{Leader: "n1", Replicas: []inspect.Peer{{Current: true, Active: staleAfter}, current}}),
		stream("HEADLESS", &inspect.Group{Replicas: []inspect.Peer{current}}),
		stream("SHORT", &inspect.Group{Leader: "n1", Replicas: []inspect.Peer{current, offline}}),
		stream("LATE", &inspect.Group{Leader: "n1", Replicas: []inspect.Peer{behind, current}}),
		stream("MORE", &inspect.Group{}),
	}}
	want := []string{"stream HEADLESS has no leader", "a replica of stream SHORT is away or behind", "a replica of stream LATE is away or behind"}
	if diff := cmp.Diff(want, weaknesses(now)); diff != "" {
		t.Error(diff)
	}
	now = &inspect.Snapshot{Streams: now.Streams, Gaps: []inspect.Gap{{What: "server n3", Why: "no answer within 2s"}, {What: "connections"}}}
	if got := weaknesses(now)[0]; got != "server n3: no answer within 2s" {
		t.Error(got)
	}
	if diff := cmp.Diff([]string{"HEADLESS", "MORE"}, leaderless(now)); diff != "" {
		t.Error(diff)
	}
}

func TestTheWorstVerdictStands(t *testing.T) {
	order := []Verdict{"", Passed, Failed, Inconclusive, NotSteady, Aborted, Interrupted, NotRecovered, HealFailed}
	for i, a := range order {
		for j, b := range order {
			if got := worse(a, b); got != (i > j) {
				t.Errorf("worse(%q, %q) is %t", a, b, got)
			}
		}
	}
}

func TestWhatADrillSaysFirstIsTheWorst(t *testing.T) {
	r := newRun(drill.Drill{}, Env{})
	r.end(Failed, "an expectation")
	r.end(NotRecovered, "a loss")
	r.end(Inconclusive, "unread")
	if got := fmt.Sprint(r.result.Verdict, r.result.Why); got != "not-recovered[a loss an expectation unread]" {
		t.Error(got)
	}
}
