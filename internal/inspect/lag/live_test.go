package lag_test

import (
	"context"
	"errors"
	"fmt"
	"path"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/natsops/natsops/internal/inspect"
	"github.com/natsops/natsops/internal/inspect/lag"
	"github.com/natsops/natsops/internal/lab"
	"github.com/natsops/natsops/internal/sample"
)

// A scene is a lab with sample applications, and a look at it.
type scene struct {
	*testing.T
	url       string
	scenarios []sample.Scenario
	traffic   *sample.Traffic
}

// stage starts the applications called names, or all of them.
func stage(t *testing.T, url string, o sample.Options) *scene {
	t.Helper()
	s := &scene{T: t, url: url}
	for _, sc := range sample.Scenarios() {
		if len(o.Names) == 0 || slices.Contains(o.Names, sc.Name) {
			s.scenarios = append(s.scenarios, sc)
		}
	}
	if len(o.Names) == 0 {
		for _, sc := range s.scenarios {
			o.Names = append(o.Names, sc.Name)
		}
	}
	var err error
	s.traffic, err = sample.Start(t.Context(), func(_ context.Context, name string) (*nats.Conn, error) {
		return nats.Connect(url, nats.Name(name), nats.Timeout(patience), nats.MaxReconnects(-1), nats.ReconnectWait(100*time.Millisecond))
	}, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.traffic.Stop() }) // the server may be gone by then
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	if err := s.traffic.Settled(ctx); err != nil {
		t.Fatal(err)
	}
	return s
}

// eye is somebody who looks.
func eye(t *testing.T, url string, login ...nats.Option) *inspect.Collector {
	t.Helper()
	nc, err := nats.Connect(url, append(login, nats.Timeout(patience), nats.MaxReconnects(-1), nats.ReconnectWait(100*time.Millisecond))...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(nc.Close)
	c, err := inspect.Open(t.Context(), nc, inspect.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

// patience bounds every wait but those for an answer; only what is broken needs
// it, or a machine that has very much else to do.
const patience = 4 * time.Minute

// watch takes samples as often as natsops lag does, with all eyes at once. One
// that cannot be had, since nobody answers in time, is taken again.
func watch(t *testing.T, samples int, eyes ...*inspect.Collector) [][]*inspect.Snapshot {
	t.Helper()
	windows := make([][]*inspect.Snapshot, len(eyes))
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for range samples {
		for i, c := range eyes {
			windows[i] = append(windows[i], collect(t, c))
		}
		<-tick.C
	}
	return windows
}

func collect(t *testing.T, c *inspect.Collector) *inspect.Snapshot {
	t.Helper()
	for limit := time.Now().Add(patience); ; {
		s, err := c.Collect(t.Context(), c.Route().Can(inspect.Need{Consumers: true, Events: true}))
		if err == nil {
			return s
		}
		if time.Now().After(limit) {
			t.Fatal(err)
		}
	}
}

func judge(t *testing.T, c *inspect.Collector, window []*inspect.Snapshot) []lag.Verdict {
	t.Helper()
	thresholds := lag.DefaultThresholds()
	lookups := lag.Lookups(window[len(window)-1], thresholds, 200)
	oldest := map[inspect.Key]inspect.Oldest{}
	for i, o := range c.Oldest(t.Context(), lookups) {
		oldest[lookups[i].Key] = o
	}
	return lag.Judge(window, oldest, thresholds)
}

// attempts is how many windows are looked at before a verdict counts as wrong.
// Applications that are held up, by a machine with too much to do or by an
// election, look like what they then are, and a consumer that is deleted and
// made again may be missing at the moment of a sample.
const attempts = 6

// expect has look at windows until the verdicts are what the scenarios are made
// to show.
func (s *scene) expect(look func() []string) {
	s.Helper()
	var wrong []string
	for range attempts {
		if wrong = look(); len(wrong) == 0 {
			return
		}
		s.Logf("not in this window:\n%s", strings.Join(wrong, "\n"))
	}
	s.Errorf("in none of %d windows; in the last:\n%s", attempts, strings.Join(wrong, "\n"))
}

// compare tells which verdicts are not what the scenarios are made to show, or
// what they may show also.
func (s *scene) compare(where string, verdicts []lag.Verdict, also map[string]string) (wrong []string) {
	complain := func(format string, args ...any) { wrong = append(wrong, fmt.Sprintf(where+": "+format, args...)) }
	for _, sc := range s.scenarios {
		found := false
		for _, v := range verdicts {
			if ok, _ := path.Match(sc.Consumer, v.Key.Consumer); !ok || v.Key.Stream != sc.Stream {
				continue
			}
			found = true
			// After an election clients may take a while to pull again (nats.go#2063).
			fresh := v.Tagged(lag.RecentLeader) && v.Status == lag.NoClients && v.Severity == inspect.Info
			if string(v.Status) != sc.Want && string(v.Status) != also[sc.Name] && !fresh {
				complain("%s is %s, want %s\n%s", sc.Name, v.Status, sc.Want, testimony(v))
			}
			for _, tag := range sc.WantTags {
				if !v.Tagged(lag.TagName(tag)) {
					complain("%s has the tags %v, want %s\n%s", sc.Name, v.Tags, tag, testimony(v))
				}
			}
		}
		if !found {
			complain("%s is not there", sc.Name)
		}
	}
	return wrong
}

func testimony(v lag.Verdict) string {
	var b strings.Builder
	fmt.Fprintf(&b, "  %s %s\n", v.Status, v.Advice)
	for _, e := range v.Evidence {
		fmt.Fprintf(&b, "  %s: %s\n", e.What, e.Value)
	}
	return b.String()
}

func TestEveryScenarioIsNamedOnEveryRoute(t *testing.T) {
	t.Parallel()
	server, err := lab.Start(lab.Config{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = server.Stop() })
	s := stage(t, server.URL(), sample.Options{})
	system, _ := server.SystemCredentials()
	monitor, err := inspect.Open(t.Context(), nil, inspect.Options{Monitors: []string{server.MonitorURL()}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(monitor.Close)
	eyes := []*inspect.Collector{eye(t, server.URL()), eye(t, server.URL(), nats.UserInfo(system.User, system.Password)), monitor}
	// A second is less than the slow job takes, and than the time between two recreations.
	also := map[string]string{"slow-job": string(lag.Busy), "recreated": string(lag.OK)}
	s.expect(func() (wrong []string) {
		windows := watch(t, 6, eyes...)
		for i, c := range eyes {
			where := "route " + string(c.Route())
			wrong = append(wrong, s.compare(where+", 6 samples", judge(t, c, windows[i]), nil)...)
			wrong = append(wrong, s.compare(where+", 2 samples", judge(t, c, windows[i][4:]), also)...)
		}
		return wrong
	})
}

// replicated are scenarios that go on, and keep their status, whatever happens to
// one server of three.
func replicated() sample.Options {
	return sample.Options{Names: []string{"ok", "ack-none", "work-queue", "paused", "no-clients", "falling-behind"}, Replicas: 3}
}

func TestReplicatedConsumersKeepTheirVerdictsThroughElectionsAndRestarts(t *testing.T) {
	t.Parallel()
	cluster := startCluster(t)
	nodes := cluster.Nodes()
	s := stage(t, cluster.URL(), replicated())
	system, _ := cluster.SystemCredentials()
	eyes := []*inspect.Collector{eye(t, cluster.URL()), eye(t, cluster.URL(), nats.UserInfo(system.User, system.Password))}
	var before [][]*inspect.Snapshot
	s.expect(func() []string {
		before = watch(t, 4, eyes...)
		return s.compareAll("all is well", eyes, before)
	})

	t.Log("every consumer gets another leader")
	s.stepDown(before[0][3])
	across := before
	s.expect(func() []string {
		for i, more := range watch(t, 3, eyes...) {
			across[i] = append(across[i], more...)
		}
		return s.compareAll("across an election", eyes, across)
	})
	for i, c := range eyes {
		for _, v := range judge(t, c, across[i]) {
			for what, f := range map[string]lag.Figure{"in": v.In, "deliver": v.Deliver, "redeliver": v.Redeliver} {
				if f.Known && (f.Value < 0 || f.Value > 5000) {
					t.Errorf("%s: %s of %s is %g/s", c.Route(), what, v.Key, f.Value)
				}
			}
		}
	}

	t.Log("a node restarts")
	if err := nodes[1].Restart(t.Context()); err != nil {
		t.Fatal(err)
	}
	s.recover(cluster)
	s.expect(func() []string { return s.compareAll("after a restart", eyes, watch(t, 6, eyes...)) })
}

// compareAll compares what each eye saw.
func (s *scene) compareAll(when string, eyes []*inspect.Collector, windows [][]*inspect.Snapshot) (wrong []string) {
	s.Helper()
	for i, c := range eyes {
		wrong = append(wrong, s.compare(string(c.Route())+", "+when, judge(s.T, c, windows[i]), nil)...)
	}
	return wrong
}

// stepDown has every leader of a consumer resign.
func (s *scene) stepDown(now *inspect.Snapshot) {
	s.Helper()
	nc, err := nats.Connect(s.url, nats.Timeout(patience))
	if err != nil {
		s.Fatal(err)
	}
	defer nc.Close()
	for _, c := range now.Consumers {
		subject := "$JS.API.CONSUMER.LEADER.STEPDOWN." + c.Stream + "." + c.Name
		// Nobody answers while another election is held.
		for limit := time.Now().Add(patience); ; {
			m, err := nc.Request(subject, nil, 5*time.Second)
			if err == nil && strings.Contains(string(m.Data), `"success":true`) {
				break
			}
			if time.Now().After(limit) {
				s.Fatalf("%s: %v %+v", subject, err, m)
			}
		}
	}
}

func TestAFrozenNodeCostsItsOwnConsumersAndNoOthers(t *testing.T) {
	t.Parallel()
	cluster := startCluster(t)
	nodes := cluster.Nodes()
	s := stage(t, nodes[0].URL(), replicated())
	system, _ := cluster.SystemCredentials()
	c := eye(t, nodes[0].URL(), nats.UserInfo(system.User, system.Password))
	s.expect(func() []string {
		victim := s.leaderBeside(c, nodes[0])
		frozen := nodes[slices.IndexFunc(nodes, func(n *lab.Node) bool { return n.Name() == victim })]
		if err := frozen.Pause(); errors.Is(err, errors.ErrUnsupported) {
			t.Skipf("this system cannot stop a process in the middle of what it does: %v", err)
		} else if err != nil {
			t.Fatal(err)
		}
		wrong := besides(t, c, victim)
		if err := frozen.Resume(); err != nil {
			t.Fatal(err)
		}
		if len(wrong) > 0 {
			s.recover(cluster)
		}
		return wrong
	})
}

// recover waits until the cluster and the applications are as before.
func (s *scene) recover(cluster *lab.Cluster) {
	s.Helper()
	ctx, cancel := context.WithTimeout(s.Context(), patience)
	defer cancel()
	if err := cluster.Ready(ctx); err != nil {
		s.Fatal(err)
	}
	if err := s.traffic.Settled(ctx); err != nil {
		s.Fatal(err)
	}
}

// besides tells what is wrong with a look at a cluster in which a node is frozen.
func besides(t *testing.T, c *inspect.Collector, victim string) (wrong []string) {
	t.Helper()
	complain := func(format string, args ...any) { wrong = append(wrong, fmt.Sprintf(format, args...)) }
	snapshot := collect(t, c)
	if !slices.ContainsFunc(snapshot.Gaps, func(g inspect.Gap) bool { return strings.Contains(g.What, victim) }) {
		complain("nobody misses %s: %+v", victim, snapshot.Gaps)
	}
	unreachable := 0
	for _, v := range judge(t, c, []*inspect.Snapshot{snapshot}) {
		if v.Status == lag.Unreachable {
			unreachable++
		}
		if got := v.Status == lag.Unreachable; got != (v.Leader == victim) {
			complain("%s, led by %s while %s is frozen, is %s; %+v", v.Key, v.Leader, victim, v.Status, v.Reading)
		}
	}
	if unreachable == 0 {
		complain("%s led consumers, and all can be reached while it is frozen", victim)
	}
	return wrong
}

// leaderBeside returns the name of a node that leads a consumer and is not this
// one. Where there is none it has elections held.
func (s *scene) leaderBeside(c *inspect.Collector, not *lab.Node) string {
	s.Helper()
	for range 10 {
		now := watch(s.T, 2, c)[0][1]
		for _, consumer := range now.Consumers {
			if g := consumer.Cluster; consumer.State == inspect.Fresh && g != nil && g.Leader != not.Name() {
				return g.Leader
			}
		}
		s.stepDown(now)
	}
	s.Fatalf("%s leads everything, whatever is voted", not.Name())
	return ""
}

func startCluster(t *testing.T) *lab.Cluster {
	t.Helper()
	cluster, err := lab.StartCluster(t.Context(), lab.ClusterConfig{Nodes: 3, Children: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cluster.Stop() })
	return cluster
}
