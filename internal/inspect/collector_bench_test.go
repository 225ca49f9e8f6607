package inspect_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/klauspost/compress/s2"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/natsops/natsops/internal/inspect"
	"github.com/natsops/natsops/internal/lab"
)

// bare is what a JSZ answer is decoded into at the least.
type bare struct {
	Data struct {
		Accounts []struct {
			Name    string `json:"name"`
			Streams []struct {
				Name      string              `json:"name"`
				State     inspect.StreamState `json:"state"`
				Consumers []inspect.Consumer  `json:"consumer_detail"`
			} `json:"stream_detail"`
		} `json:"account_details"`
	} `json:"data"`
}

// BenchmarkSample takes snapshots of 10,000 consumers of 1,000 streams, on each
// route, against the one request that tells of them all and its decoding with
// encoding/json. CPU time is counted in ticks of 10 ms, on Linux.
func BenchmarkSample(b *testing.B) {
	server, app, sys := tenThousand(b)
	b.Run("bare", func(b *testing.B) {
		perOp(b, server, func() {
			if n := bareSample(b, sys); n != 10_000 {
				b.Fatalf("%d consumers", n)
			}
		})
	})
	for route, nc := range map[inspect.Route]*nats.Conn{inspect.RouteSystem: sys, inspect.RouteAccount: app} {
		b.Run(string(route)+", the first", func(b *testing.B) {
			perOp(b, server, func() {
				c, err := inspect.Open(b.Context(), nc, inspect.Options{})
				if err != nil {
					b.Fatal(err)
				}
				if s := collect(b, c, inspect.Need{Consumers: true}); len(s.Consumers) != 10_000 {
					b.Fatalf("%d consumers", len(s.Consumers))
				}
				c.Close()
			})
		})
	}
	for _, c := range []*inspect.Collector{
		open(b, sys, inspect.Options{}),
		open(b, app, inspect.Options{}),
		open(b, nil, inspect.Options{Monitors: []string{server.MonitorURL()}}),
	} {
		b.Run(string(c.Route()), func(b *testing.B) {
			whole(b, collect(b, c, inspect.Need{Consumers: true})) // the first one asks for configurations
			perOp(b, server, func() {
				if s := collect(b, c, inspect.Need{Consumers: true}); len(s.Consumers) != 10_000 || len(s.Gaps) > 0 {
					b.Fatalf("%d consumers, gaps %+v", len(s.Consumers), s.Gaps)
				}
			})
		})
	}
}

// bareSample returns how many consumers the server tells of.
func bareSample(b *testing.B, sys *nats.Conn) int {
	b.Helper()
	m, err := sys.RequestMsgWithContext(b.Context(), &nats.Msg{
		Subject: "$SYS.REQ.SERVER.PING.JSZ", Data: []byte(`{"accounts":true,"streams":true,"consumer":true}`),
		Header: nats.Header{"Accept-Encoding": {"snappy"}},
	})
	if err != nil {
		b.Fatal(err)
	}
	data, err := io.ReadAll(s2.NewReader(bytes.NewReader(m.Data)))
	if err != nil {
		b.Fatal(err)
	}
	var all bare
	if err := json.Unmarshal(data, &all); err != nil {
		b.Fatal(err)
	}
	n := 0
	for _, a := range all.Data.Accounts {
		for _, s := range a.Streams {
			n += len(s.Consumers)
		}
	}
	return n
}

// perOp also reports what an operation costs in CPU time, which other programs
// on the machine hardly change.
func perOp(b *testing.B, server *lab.Server, op func()) {
	b.Helper()
	b.ReportAllocs()
	used := func() (of [2]time.Duration) {
		for i, pid := range []int{os.Getpid(), server.PID()} {
			of[i], _ = inspect.ProcessCPU(pid) // 0 where it is not known
		}
		return of
	}
	before := used()
	for b.Loop() {
		op()
	}
	after := used()
	for i, unit := range []string{"client-cpu-ms/op", "server-cpu-ms/op"} {
		b.ReportMetric((after[i]-before[i]).Seconds()*1000/float64(b.N), unit)
	}
}

func tenThousand(b *testing.B) (server *lab.Server, app, sys *nats.Conn) {
	b.Helper()
	server, err := lab.StartChild(b.Context(), lab.Config{Name: "n1"})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		if err := server.Stop(); err != nil {
			b.Error(err)
		}
	})
	system, _ := server.SystemCredentials()
	app, sys = dial(b, server.URL(), server.Credentials()), dial(b, server.URL(), system)
	var all sync.WaitGroup
	for worker := range 16 {
		all.Go(func() {
			for s := worker; s < 1000; s += 16 {
				name := fmt.Sprintf("STREAM-%04d", s)
				addStream(b, app, jetstream.StreamConfig{Name: name, Storage: jetstream.MemoryStorage})
				for c := range 10 {
					addConsumer(b, app, name, jetstream.ConsumerConfig{
						Durable: fmt.Sprintf("worker-%d", c), AckPolicy: jetstream.AckExplicitPolicy, MemoryStorage: true, FilterSubject: name + ".new",
					})
				}
				for range 10 {
					if err := app.Publish(name+".new", []byte("x")); err != nil {
						b.Error(err)
					}
				}
			}
		})
	}
	all.Wait()
	if err := app.Flush(); err != nil {
		b.Fatal(err)
	}
	return server, app, sys
}
