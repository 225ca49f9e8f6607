package lag

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/natsops/natsops/internal/inspect"
)

// How long something is new.
const recent = time.Minute

// placeTags are about where a consumer is kept, and of what kind it is.
func placeTags() []tagRule {
	const (
		behindOps = 1000
		unheard   = 5 * time.Second
	)
	return []tagRule{
		{TagInfo{
			ReplicaOffline, false, "A server that keeps a copy of it is offline.", "a replica is offline", oneSample,
			"Bring that server back: another one less may stop the consumer.",
		}, peersThat("offline", func(p inspect.Peer) bool { return p.Offline })},
		{TagInfo{
			ReplicaOutdated, false, "A copy of it is not up to date.", "a replica is not current, and not offline", oneSample,
			"Usually it catches up. Otherwise look at that server.",
		}, peersThat("not current", func(p inspect.Peer) bool { return !p.Offline && !p.Current })},
		{TagInfo{
			ReplicaLag, false, "A copy of it is far behind.", "a replica is current and not offline, but lag > 1,000 operations or not heard of for over 5s", oneSample,
			"Look at that server's disk and network.",
		}, peersThat("behind", func(p inspect.Peer) bool { return !p.Offline && p.Current && (p.Lag > behindOps || p.Active > unheard) })},
		{TagInfo{
			Unreplicated, false, "The stream survives the loss of a server, its position in it does not.",
			"durable, and num_replicas = 1 on a replicated stream, or kept in memory on a stream that is kept in files", oneSample,
			"Set num_replicas to that of the stream.",
		}, (*series).unreplicated},
		{TagInfo{
			RecentLeader, false, "Its leader has changed, so that rates are estimates.",
			"leader_since is less than 1m ago, and not as old as the consumer; or the leader changed within the window", oneSample,
			"Nothing, unless it happens again and again.",
		}, (*series).recentLeader},
		{TagInfo{
			PullQueueFull, true, "It takes no more pull requests.", "num_waiting >= max_waiting", oneSample,
			"Clients get 409 Exceeded MaxWaiting: let them pull larger batches, or raise max_waiting (new consumer).",
		}, (*series).pullQueueFull},
		{TagInfo{
			Unpinned, true, "Messages wait, and its priority group is not pinned to a client.",
			"priority_policy = pinned_client, num_pending > 0, and no client is pinned", oneSample, "Look whether clients of that group pull.",
		}, (*series).unpinned},
		{TagInfo{
			Ephemeral, false, "It goes away when nobody uses it.", "it has no durable name", oneSample, "Nothing.",
		}, (*series).ephemeral},
		{TagInfo{
			CreatedRecently, false, "It is new.", "created less than 1m ago", oneSample, "Nothing.",
		}, (*series).createdRecently},
	}
}

func peersThat(what string, are func(inspect.Peer) bool) func(*series) (tagFinding, bool) {
	return func(s *series) (tagFinding, bool) {
		if s.now.Cluster == nil {
			return tagFinding{}, false
		}
		var names, states []string
		for _, p := range s.now.Cluster.Replicas {
			if are(p) {
				names = append(names, p.Name)
				states = append(states, fmt.Sprintf("%s: current %t, offline %t, lag %d, heard of %s ago", p.Name, p.Current, p.Offline, p.Lag, span(max(0, p.Active))))
			}
		}
		if len(names) == 0 {
			return tagFinding{}, false
		}
		list := strings.Join(names, ", ")
		return tagFinding{
			detail: list, text: fmt.Sprintf("Of its replicas %s %s %s.", list, isAre(len(names)), what),
			evidence: []Evidence{{"replicas", strings.Join(states, "; "), "a replica is " + what}},
		}, true
	}
}

func isAre(n int) string {
	if n == 1 {
		return "is"
	}
	return "are"
}

func (s *series) unreplicated() (tagFinding, bool) {
	if s.cfg == nil || s.store == nil || s.cfg.Durable == "" {
		return tagFinding{}, false
	}
	single := s.cfg.Replicas == 1 && s.store.Replicas > 1
	memory := s.cfg.MemoryStorage && s.store.Storage == "file"
	if !single && !memory {
		return tagFinding{}, false
	}
	text := fmt.Sprintf("The stream has %d replicas, the consumer 1: without its server, nobody can go on.", s.store.Replicas)
	if memory {
		text = "Its state is kept in memory, the stream in files: a restart forgets its position."
	}
	return tagFinding{text: text, evidence: []Evidence{{
		"num_replicas", fmt.Sprintf("%d, of the stream %d; mem_storage %t", s.cfg.Replicas, s.store.Replicas, s.cfg.MemoryStorage),
		"num_replicas = 1 on a replicated stream, or kept in memory on a stream that is kept in files",
	}}}, true
}

func (s *series) recentLeader() (tagFinding, bool) {
	age, known := time.Duration(0), false
	if g := s.now.Cluster; g != nil && !g.LeaderSince.IsZero() {
		age, known = max(0, s.at().Sub(g.LeaderSince)), true
		if g.LeaderSince.Sub(s.now.Created) < recent && !s.moved {
			return tagFinding{}, false // it is its first
		}
	}
	if !s.moved && (!known || age >= recent) {
		return tagFinding{}, false
	}
	f := tagFinding{text: fmt.Sprintf("%s leads it since a moment ago: what changed is an estimate.", s.v.Leader)}
	if known {
		f.detail = span(age)
		f.text = fmt.Sprintf("%s has led it for %s: what changed is an estimate.", s.v.Leader, span(age))
	}
	f.evidence = []Evidence{{"leader", s.v.Leader + ", for " + span(age), "leader_since is less than 1m ago, or the leader changed within the window"}}
	return f, true
}

func (s *series) pullQueueFull() (tagFinding, bool) {
	if s.cfg == nil || s.cfg.MaxWaiting <= 0 || s.now.NumWaiting < s.cfg.MaxWaiting {
		return tagFinding{}, false
	}
	return tagFinding{
		detail:   strconv.Itoa(s.cfg.MaxWaiting),
		text:     fmt.Sprintf("All %d places for pull requests are taken; clients get 409 Exceeded MaxWaiting.", s.cfg.MaxWaiting),
		evidence: []Evidence{{"num_waiting", fmt.Sprintf("%d, max_waiting %d", s.now.NumWaiting, s.cfg.MaxWaiting), "num_waiting >= max_waiting"}},
	}, true
}

func (s *series) unpinned() (tagFinding, bool) {
	if s.cfg == nil || s.cfg.PriorityPolicy != "pinned_client" || s.now.NumPending == 0 {
		return tagFinding{}, false
	}
	for _, p := range s.now.Pins {
		if p.Client != "" {
			return tagFinding{}, false
		}
	}
	return tagFinding{
		text:     fmt.Sprintf("%s, and no client is pinned.", waitingText(s.v.Pending.Value)),
		evidence: []Evidence{{"priority_groups", "no pinned_client_id", "no client is pinned"}},
	}, true
}

func (s *series) ephemeral() (tagFinding, bool) {
	if s.cfg == nil || s.cfg.Durable != "" {
		return tagFinding{}, false
	}
	return tagFinding{text: "It goes away when nobody uses it."}, true
}

func (s *series) createdRecently() (tagFinding, bool) {
	if s.now.Created.IsZero() {
		return tagFinding{}, false
	}
	age := max(0, s.at().Sub(s.now.Created))
	if age >= recent {
		return tagFinding{}, false
	}
	return tagFinding{detail: span(age), text: fmt.Sprintf("It was created %s ago.", span(age))}, true
}
