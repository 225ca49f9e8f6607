package doctor

import (
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/natsops/natsops/internal/inspect"
	"github.com/natsops/natsops/internal/inspect/lag"
)

const (
	app    = "APP"
	window = 5 * time.Second
	day    = 24 * time.Hour
)

// start is when the first snapshot is taken.
func start() time.Time { return time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC) }

// A ward is a system that tests make ill. It begins healthy, with everything
// that looks suspicious and is not.
type ward struct {
	window   []*inspect.Snapshot
	verdicts []lag.Verdict
}

func healthy() *ward {
	w := &ward{}
	for i := range 2 {
		at := start().Add(time.Duration(i) * window)
		s := &inspect.Snapshot{At: at, Took: 50 * time.Millisecond, Route: inspect.RouteSystem, Cost: inspect.Cost{Requests: 12}}
		for n := range 3 {
			s.Servers = append(s.Servers, healthyServer(n+1, i, at))
		}
		s.Connections = healthyClients(i, at)
		s.Streams, s.Consumers = healthyStreams(i, at), healthyConsumers(i, at)
		s.Accounts = []inspect.Account{
			{Name: "$SYS", Connections: 1},
			{Name: app, Connections: 9, SlowConsumers: 1, JetStream: &inspect.AccountJetStream{
				Storage: 10 << 30, MaxStorage: 100 << 30, MaxMemory: -1, Streams: 8, MaxStreams: 100, Consumers: 9, MaxConsumers: -1,
				APITotal: 5000 + uint64(i)*40, APIErrors: 10 + uint64(i),
			}},
		}
		s.Closed = []inspect.Connection{
			closedClient("billing", "Client Closed", at.Add(-2*time.Minute), time.Hour),
			closedClient("billing", "Slow Consumer (Pending Bytes)", at.Add(-3*time.Hour), time.Hour),
			closedClient("import", "Read Error", at.Add(-10*time.Minute), time.Hour),
		}
		w.window = append(w.window, s)
	}
	for i := range w.last().Consumers {
		w.verdicts = append(w.verdicts, lag.Verdict{Key: w.last().Consumers[i].Key(), Status: lag.OK})
	}
	return w
}

func healthyServer(n, i int, at time.Time) inspect.Server {
	name := fmt.Sprintf("n%d", n)
	s := inspect.Server{
		Reading: fresh(at), ID: "ID" + name, Name: name, Cluster: "C1", Version: "2.15.2",
		Offset: time.Duration(n) * 10 * time.Millisecond, OffsetError: 5 * time.Millisecond,
		Varz: &inspect.Varz{
			ServerID: "ID" + name, Name: name, Version: "2.15.2", Start: start().Add(-30 * day), Now: at,
			CPUPercent: 90, Cores: 4, MaxProcs: 4, MemBytes: 1 << 30, MemLimit: 4 << 30,
			InMsgs: 1e6 + int64(i)*100_000, SlowConsumers: 2, TotalConnections: 1000 + uint64(i), Connections: 100, MaxConnections: 65536,
			MaxPayload: 1 << 20, MaxPending: 64 << 20, WriteDeadline: 10 * time.Second, PingInterval: 2 * time.Minute,
			AuthRequired: true, TLSRequired: true, TLSCertNotAfter: start().Add(60 * day), SystemAccount: "$SYS",
		},
		JetStream: &inspect.JetStream{Storage: 40 << 30, Memory: 1 << 20, Streams: 8},
		Subs:      &inspect.SubStats{CacheHitRate: 0.97, MaxFanout: 12, AvgFanout: 1.2},
		Gateways:  []inspect.Link{},
	}
	s.JetStream.Config.MaxStorage, s.JetStream.Config.MaxMemory = int64(100+n)<<30, 4<<30
	s.JetStream.Meta = &inspect.Meta{Name: "C1", Leader: "n1", Size: 3}
	for peer := 1; peer <= 3; peer++ {
		if peer == n {
			continue
		}
		s.Routes = append(s.Routes, inspect.Link{
			Remote: fmt.Sprintf("n%d", peer), RTT: time.Millisecond, Start: start().Add(-30 * day), Compression: "off",
		})
		if n == 1 {
			s.JetStream.Meta.Replicas = append(s.JetStream.Meta.Replicas, peerOf(peer))
		}
	}
	return s
}

func fresh(at time.Time) inspect.Reading { return inspect.Reading{State: inspect.Fresh, At: at} }

func peerOf(n int) inspect.Peer {
	return inspect.Peer{Name: fmt.Sprintf("n%d", n), Current: true, Active: 300 * time.Millisecond}
}

func closedClient(name, reason string, stop time.Time, life time.Duration) inspect.Connection {
	return inspect.Connection{
		Reading: fresh(stop), Server: "n1", Name: name, Account: app, Kind: "Client", Reason: reason, Start: stop.Add(-life), Stop: stop,
		TLSVersion: "1.3", PendingBytes: 1 << 20, Lang: "go", Version: "1.55.0",
	}
}

func healthyClients(i int, at time.Time) []inspect.Connection {
	msgs := int64(i) * 500
	sub := func(subject, queue string, n int64) inspect.Subscription {
		return inspect.Subscription{Subject: subject, Queue: queue, Msgs: n}
	}
	list := []inspect.Connection{
		{Name: "billing", InMsgs: msgs, Subs: []inspect.Subscription{sub("pay.*", "workers", 1000+msgs), sub("_INBOX.a.*", "", 5), sub("$SRV.PING", "", msgs), sub("config.changed", "", int64(i))}},
		{Name: "billing", InMsgs: msgs, Subs: []inspect.Subscription{sub("pay.*", "workers", 1000+msgs), sub("_INBOX.b.*", "", 5), sub("$SRV.PING", "", msgs), sub("config.changed", "", int64(i))}},
		{Name: "import", InMsgs: 10 * msgs},
		{Name: "bridge", Type: "mqtt", Subs: []inspect.Subscription{sub(">", "", 10)}},
		{Name: "", Account: "$SYS", Subs: []inspect.Subscription{sub(">", "", 10)}},
		{Name: "NATS CLI Version 0.3.0", Subs: []inspect.Subscription{sub(">", "", 10)}},
		{Name: "natsops doctor", RTT: time.Second, Version: "1.30.0", Subs: []inspect.Subscription{sub(">", "", 10), sub(maxDeliveries+">", "", 0)}},
		{Name: "cache", Subs: []inspect.Subscription{sub("pay.done", "", 100+msgs)}},
		{Name: "cache", Subs: []inspect.Subscription{sub("pay.done", "", 100+msgs)}},
	}
	for n := range list {
		c := &list[n]
		c.Reading, c.Server, c.CID, c.Kind, c.Start = fresh(at), "n1", uint64(n+1), "Client", start().Add(-day)
		c.Lang, c.TLSVersion, c.TLSCipher, c.IP = "go", "1.3", "TLS_AES_128_GCM_SHA256", "10.0.0."+strconv.Itoa(n)
		c.NumSubs = len(c.Subs)
		if c.Account == "" {
			c.Account = app
		}
		if c.Version == "" {
			c.Version = "1.55.0"
		}
		if c.RTT == 0 {
			c.RTT = time.Millisecond
		}
	}
	return list
}

func healthyStreams(i int, at time.Time) []inspect.Stream {
	stream := func(name string, state inspect.StreamState, cfg inspect.StreamConfig) inspect.Stream {
		cfg.Storage, cfg.Replicas = "file", 3
		if cfg.Retention == "" {
			cfg.Retention = "limits"
		}
		if cfg.Discard == "" {
			cfg.Discard = "old"
		}
		return inspect.Stream{
			Reading: fresh(at), Account: app, Name: name, Created: start().Add(-60 * day), State: state, Config: &cfg,
			Cluster: &inspect.Group{Name: "C1", Leader: "n1", Replicas: []inspect.Peer{peerOf(2), peerOf(3)}},
		}
	}
	n := uint64(i) * 1000
	list := []inspect.Stream{
		// Full by design: it discards old messages.
		stream("ORDERS", inspect.StreamState{Messages: 1e6, Bytes: 1 << 30, FirstSeq: 1 + n, LastSeq: 1e6 + n}, inspect.StreamConfig{
			Subjects: []string{"orders.>"}, MaxMsgs: 1e6, MaxBytes: 1 << 30, Duplicates: 2 * time.Minute,
		}),
		stream("WORK", inspect.StreamState{Messages: 10, LastSeq: 500 + n}, inspect.StreamConfig{Subjects: []string{"work.>"}, Retention: "workqueue", MaxMsgs: 1000}),
		stream("EVENTS", inspect.StreamState{Messages: 10, LastSeq: 500 + n}, inspect.StreamConfig{Subjects: []string{"events.>"}, Retention: "interest"}),
		// One message per key is what a bucket is for.
		stream("KV_config", inspect.StreamState{Messages: 50, NumSubjects: 50, LastSeq: 50}, inspect.StreamConfig{
			Subjects: []string{"$KV.config.>"}, MaxMsgsPerSubject: 1, Discard: "new", DiscardNewPerSubj: true, MaxBytes: 1 << 30,
		}),
		stream("OBJ_files", inspect.StreamState{Messages: 50, Bytes: 60 << 20}, inspect.StreamConfig{Subjects: []string{"$O.files.>"}, Discard: "new", MaxBytes: 1 << 30}),
		stream("$MQTT_out", inspect.StreamState{Messages: 5}, inspect.StreamConfig{Subjects: []string{"$MQTT.out.>"}, Retention: "interest", MaxMsgs: 5, NoAck: true}),
		stream("COPY", inspect.StreamState{Messages: 1e6, LastSeq: 1e6 + n}, inspect.StreamConfig{}),
		stream("DLQ", inspect.StreamState{}, inspect.StreamConfig{Subjects: []string{maxDeliveries + ">"}}),
	}
	list[6].Mirror = &inspect.Source{Name: "ORDERS", Lag: 3, Active: 200 * time.Millisecond}
	return list
}

func healthyConsumers(i int, at time.Time) []inspect.Consumer {
	n := uint64(i) * 1000
	recently := at.Add(-time.Second)
	consumer := func(stream, name string, cfg inspect.ConsumerConfig) inspect.Consumer {
		if cfg.AckPolicy == "" {
			cfg.AckPolicy, cfg.Durable, cfg.AckWait = "explicit", name, 30*time.Second
		}
		if cfg.MaxAckPending == 0 && cfg.AckPolicy != "none" {
			cfg.MaxAckPending = 1000
		}
		if cfg.DeliverSubject == "" {
			cfg.MaxWaiting = 512
		}
		if cfg.MaxDeliver == 0 {
			cfg.MaxDeliver = -1
		}
		return inspect.Consumer{
			Reading: fresh(at), Account: app, Stream: stream, Name: name, Created: start().Add(-60 * day), Config: &cfg, Timestamp: at,
			Delivered: inspect.Sequences{Consumer: 5000 + n, Stream: 1e6 + n, Last: &recently}, AckFloor: inspect.Sequences{Stream: 1e6 + n, Last: &recently},
			NumWaiting: 2, NumAckPending: 3, NumPending: 1,
			Cluster: &inspect.Group{Name: "C1", Leader: "n2", Replicas: []inspect.Peer{peerOf(1), peerOf(3)}},
		}
	}
	list := []inspect.Consumer{
		consumer("ORDERS", "billing", inspect.ConsumerConfig{MaxDeliver: 5}),
		consumer("ORDERS", "ordered1", inspect.ConsumerConfig{AckPolicy: "none", DeliverSubject: "_INBOX.x", FlowControl: true, Heartbeat: 5 * time.Second, Replicas: 1, MemoryStorage: true}),
		consumer("ORDERS", "inorder", inspect.ConsumerConfig{MaxAckPending: 1}),
		consumer("WORK", "workers", inspect.ConsumerConfig{}),
		consumer("EVENTS", "mail", inspect.ConsumerConfig{MaxDeliver: 1}),
		consumer("KV_config", "watcher", inspect.ConsumerConfig{AckPolicy: "none", DeliverSubject: "_INBOX.y", FlowControl: true, Heartbeat: 5 * time.Second}),
		consumer("$MQTT_out", "session", inspect.ConsumerConfig{MaxAckPending: -1, DeliverSubject: "$MQTT.sub.x"}),
		// A batch job that runs at night: unused now and then.
		consumer("ORDERS", "nightly", inspect.ConsumerConfig{}),
		// A message comes twice now and then.
		consumer("ORDERS", "audit", inspect.ConsumerConfig{}),
	}
	for _, n := range []int{1, 5, 6} {
		list[n].PushBound, list[n].NumWaiting = true, 0
	}
	lastNight := at.Add(-12 * time.Hour)
	list[7].Delivered, list[7].NumWaiting, list[7].NumAckPending, list[7].AckFloor.Last = inspect.Sequences{Consumer: 9, Last: &lastNight}, 0, 0, &lastNight
	list[8].NumRedelivered = 1
	return list
}

func (w *ward) last() *inspect.Snapshot { return w.window[len(w.window)-1] }

// each lets f change all samples of the things that is asks for; i counts
// snapshots.
func each[T any](w *ward, list func(*inspect.Snapshot) []T, is func(*T) bool, f func(i int, thing *T)) {
	for i, s := range w.window {
		things := list(s)
		for n := range things {
			if is(&things[n]) {
				f(i, &things[n])
			}
		}
	}
}

func (w *ward) snapshots(f func(i int, s *inspect.Snapshot)) {
	for i, s := range w.window {
		f(i, s)
	}
}

func (w *ward) server(name string, f func(i int, s *inspect.Server)) {
	each(w, func(s *inspect.Snapshot) []inspect.Server { return s.Servers }, func(s *inspect.Server) bool { return name == "*" || s.Name == name }, f)
}

func (w *ward) client(name string, f func(i int, c *inspect.Connection)) {
	each(w, func(s *inspect.Snapshot) []inspect.Connection { return s.Connections }, func(c *inspect.Connection) bool { return name == "*" || c.Name == name }, f)
}

func (w *ward) stream(name string, f func(i int, s *inspect.Stream)) {
	each(w, func(s *inspect.Snapshot) []inspect.Stream { return s.Streams }, func(s *inspect.Stream) bool { return name == "*" || s.Name == name }, f)
}

func (w *ward) consumer(name string, f func(i int, c *inspect.Consumer)) {
	each(w, func(s *inspect.Snapshot) []inspect.Consumer { return s.Consumers }, func(c *inspect.Consumer) bool { return name == "*" || c.Name == name }, f)
}

func (w *ward) account(f func(i int, a *inspect.Account)) {
	each(w, func(s *inspect.Snapshot) []inspect.Account { return s.Accounts }, func(a *inspect.Account) bool { return a.Name == app }, f)
}

// judge lets f change the verdict of a consumer.
func (w *ward) judge(consumer string, f func(*lag.Verdict)) {
	for i := range w.verdicts {
		if w.verdicts[i].Key.Consumer == consumer {
			f(&w.verdicts[i])
		}
	}
}

// end adds n connections to the list of the closed ones, which ended ago.
func (w *ward) end(n int, name, reason string, ago, life time.Duration) {
	for range n {
		w.last().Closed = append(w.last().Closed, closedClient(name, reason, w.last().At.Add(-ago), life))
	}
}

// tell adds n events to the last snapshot.
func (w *ward) tell(n int, e inspect.Event) {
	for range n {
		w.last().Events = append(w.last().Events, e)
	}
}

func (w *ward) gap(what, why string) {
	w.snapshots(func(_ int, s *inspect.Snapshot) { s.Gaps = append(s.Gaps, inspect.Gap{What: what, Why: why}) })
}

func (w *ward) known(v float64) lag.Figure { return lag.Figure{Value: v, Known: true} }

func (w *ward) examine(only ...string) Result {
	checks := Checks()
	if len(only) > 0 {
		checks = slices.DeleteFunc(checks, func(c Check) bool { return !slices.Contains(only, c.ID) })
	}
	return Examine(Case{Window: w.window, Verdicts: w.verdicts}, checks)
}
