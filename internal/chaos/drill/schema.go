package drill

import (
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/natsops/natsops/internal/chaos/fault"
	"github.com/natsops/natsops/internal/chaos/load"
	"github.com/natsops/natsops/internal/slo"
)

// What a file says that it is.
const (
	apiVersion = "natsops/v1"
	kind       = "Drill"
)

func drillKeys() []key[Drill] {
	return []key[Drill]{
		{name: "apiVersion", form: exactly[Drill](apiVersion), required: true, about: "the version of this format, `" + apiVersion + "`"},
		{name: "kind", form: exactly[Drill](kind), required: true, about: "`" + kind + "`"},
		{name: "name", form: text(func(d *Drill) *string { return &d.Name }), required: true, about: "lower-case words with hyphens between: `kill-node`"},
		{name: "title", form: text(func(d *Drill) *string { return &d.Title }), about: "what is broken, in half a line"},
		{name: "about", form: text(func(d *Drill) *string { return &d.About }), about: "what it does, in sentences"},
		{name: "promise", form: text(func(d *Drill) *string { return &d.Promise }), about: "what NATS promises for this case, with the source"},
		{name: "hypothesis", form: text(func(d *Drill) *string { return &d.Hypothesis }), about: "what a pass shows, in a sentence"},
		{name: "load", form: section(func(d *Drill) *Load { return &d.Load }, loadKeys), about: "the traffic that is measured"},
		{name: "steady", form: section(func(d *Drill) *Steady { return &d.Steady }, steadyKeys), about: "what must hold before anything is broken, and again at the end"},
		{name: "faults", form: list(func(d *Drill) *[]fault.Spec { return &d.Faults }, faultKeys), about: "what is broken; empty only in a `control`"},
		{name: "observe", form: duration(func(d *Drill) *time.Duration { return &d.Observe }), fallback: "30s", about: "how long the load goes on after the last heal, since healing can hurt more than the fault did"},
		{name: "abort_if", form: section(func(d *Drill) *Abort { return &d.Abort }, abortKeys), about: "when the drill ends early, and heals"},
		{name: "limits", form: section(func(d *Drill) *Limits { return &d.Limits }, limitKeys), about: "what the drill must stay below, or nothing is broken"},
		{name: "expect", form: objectives(Objectives, func(d *Drill) *[]slo.Objective { return &d.Expect }), fallback: "lost==0,unexpected==0", about: "what must be true at the end"},
		{name: "loses", form: truth(func(d *Drill) *bool { return &d.Loses }), fallback: "false", about: "whether messages may be lost: the drill shows a risk"},
		{name: "control", form: truth(func(d *Drill) *bool { return &d.Control }), fallback: "false", about: "whether the drill tests the instrument, and is run by `natsops chaos selftest`"},
		{name: "lab", form: section(func(d *Drill) *Lab { return &d.Lab }, labKeys), about: "the cluster that is started when no server is named"},
	}
}

func loadKeys() []key[Load] {
	return []key[Load]{
		{name: "rate", form: rate(func(l *Load) *float64 { return &l.Rate }), fallback: "100/s", about: "messages per second of each publisher"},
		{name: "publishers", form: section(func(l *Load) *Load { return l }, publisherKeys), about: "how many there are"},
		{name: "size", form: size(func(l *Load) *int { return &l.Size }), fallback: "256B", about: "of a message"},
		{name: "ack_wait", form: duration(func(l *Load) *time.Duration { return &l.AckWait }), fallback: "2s", about: "how long a publisher waits for an acknowledgement"},
		{name: "retry", form: word(retries(), func(l *Load) *load.Retry { return &l.Retry }), fallback: string(load.SameID), about: "what becomes of a message that was not acknowledged: it is sent again with the same `Nats-Msg-Id`, without an id, or not at all"},
		{name: "consumers", form: section(func(l *Load) *Load { return l }, consumerKeys), about: "who receives the messages"},
		{name: "replicas", form: count(func(l *Load) *int { return &l.Replicas }), about: "of the stream, 1 to 5; 3 by default, or fewer where there are fewer servers"},
		{name: "storage", form: word(storages(), func(l *Load) *bool { return &l.Memory }), fallback: "file", about: "of the stream"},
		{name: "like_stream", form: text(func(l *Load) *string { return &l.LikeStream }), about: "a stream of yours that the drill's is made after: replicas, storage, placement, compression"},
	}
}

func publisherKeys() []key[Load] {
	return []key[Load]{
		{name: "per_server", form: count(func(l *Load) *int { return &l.PerServer }), fallback: "1", about: "publishers that know one server only, for each server"},
		{name: "any", form: count(func(l *Load) *int { return &l.Any }), fallback: "1", about: "publishers that know all servers"},
	}
}

func consumerKeys() []key[Load] {
	return []key[Load]{
		{name: "workers", form: count(func(l *Load) *int { return &l.Workers }), fallback: "1", about: "on one durable pull consumer; 0: nothing is consumed"},
		{name: "work", form: duration(func(l *Load) *time.Duration { return &l.Work }), fallback: "0s", about: "what a worker needs for a message"},
		{name: "ack_wait", form: duration(func(l *Load) *time.Duration { return &l.ConsumerAckWait }), fallback: "5s", about: "when a message that was not acknowledged is delivered again"},
		{name: "max_ack_pending", form: count(func(l *Load) *int { return &l.MaxAckPending }), about: "how many may be delivered and not acknowledged; as the server has it by default"},
		{name: "max_deliver", form: count(func(l *Load) *int { return &l.MaxDeliver }), about: "how often a message is delivered at most; for ever by default"},
	}
}

func steadyKeys() []key[Steady] {
	return []key[Steady]{
		{name: "window", form: duration(func(s *Steady) *time.Duration { return &s.Window }), fallback: "5s", about: "how long it must hold without a break"},
		{name: "limit", form: duration(func(s *Steady) *time.Duration { return &s.Limit }), fallback: "60s", about: "how long to wait for that; else nothing is broken"},
		{name: "slo", form: objectives(SteadyObjectives, func(s *Steady) *[]slo.Objective { return &s.SLO }), fallback: "errors==0,publish_p99<500ms,replicas_current==100%", about: "what must hold"},
	}
}

func faultKeys() []key[fault.Spec] {
	return []key[fault.Spec]{
		{name: "type", form: text(func(s *fault.Spec) *string { return &s.Kind }), required: true, about: "the kind of fault: `kill`, `partition`"},
		{name: "victim", form: section(func(s *fault.Spec) *fault.Victim { return &s.Victim }, victimKeys), about: "whom it hits; all that is said must hold. By default the usual victim of the kind"},
		{name: "params", form: params(func(s *fault.Spec) *map[string]string { return &s.Params }), about: "what the kind can be told"},
		{name: "at", form: duration(func(s *fault.Spec) *time.Duration { return &s.At }), fallback: "0s", about: "when, after the first fault"},
		{name: "for", form: lasting(func(s *fault.Spec) *time.Duration { return &s.For }), about: "how long; as usual for the kind by default"},
	}
}

func victimKeys() []key[fault.Victim] {
	type v = fault.Victim
	return []key[v]{
		{name: "role", form: text(func(v *v) *string { return &v.Role }), about: "a server's at that moment: `" + strings.Join(fault.Roles(), "`, `") + "`"},
		{name: "servers", form: texts(func(v *v) *[]string { return &v.Servers }), about: "servers by name"},
		{name: "tag", form: text(func(v *v) *string { return &v.Tag }), about: "servers by a tag of theirs"},
		{name: "client", form: text(func(v *v) *string { return &v.Client }), about: "connections by name; `*` stands for any text"},
		{name: "user", form: text(func(v *v) *string { return &v.User }), about: "connections by user"},
		{name: "account", form: text(func(v *v) *string { return &v.Account }), about: "connections by account"},
		{name: "subject", form: text(func(v *v) *string { return &v.Subject }), about: "connections by a subject that they subscribe to"},
		{name: "cid", form: cid(), about: "one connection by its number; the number is a server's, so say `servers` too"},
		{name: "stream", form: text(func(v *v) *string { return &v.Stream }), about: "a stream; by default the drill's own"},
		{name: "consumer", form: text(func(v *v) *string { return &v.Consumer }), about: "a consumer; by default the drill's own"},
		{name: "percent", form: percent(func(v *v) *float64 { return &v.Percent }), about: "so many of those, chosen by the seed"},
		{name: "max", form: count(func(v *v) *int { return &v.Max }), about: "at most so many"},
	}
}

func abortKeys() []key[Abort] {
	return []key[Abort]{
		{name: "bystander_outage", form: duration(func(a *Abort) *time.Duration { return &a.Bystanders }), fallback: "30s", about: "longest outage of publishers that no fault was aimed at; 0: any"},
		{name: "leaderless", form: duration(func(a *Abort) *time.Duration { return &a.Leaderless }), fallback: "20s", about: "how long streams of yours may be without a leader; 0: for ever"},
	}
}

func limitKeys() []key[Limits] {
	return []key[Limits]{
		{name: "max_victims", form: count(func(l *Limits) *int { return &l.MaxVictims }), about: "servers or connections"},
		{name: "max_percent", form: percent(func(l *Limits) *float64 { return &l.MaxPercent }), about: "of all servers"},
		{name: "keep_quorum", form: truth(func(l *Limits) *bool { return &l.KeepQuorum }), fallback: "true", about: "whether the stream and the meta group must keep a majority"},
		{name: "max_time", form: duration(func(l *Limits) *time.Duration { return &l.MaxTime }), fallback: "5m", about: "from the first fault until nothing new is published"},
	}
}

func labKeys() []key[Lab] {
	return []key[Lab]{
		{name: "nodes", form: count(func(l *Lab) *int { return &l.Nodes }), fallback: "3", about: "1, 3 or 5"},
	}
}

func retries() map[string]load.Retry {
	return map[string]load.Retry{
		string(load.SameID): load.SameID, string(load.NoID): load.NoID, string(load.NoRetry): load.NoRetry,
	}
}

func storages() map[string]bool { return map[string]bool{"file": false, "memory": true} }

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
