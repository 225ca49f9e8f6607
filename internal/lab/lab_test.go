package lab

import (
	"errors"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"go.uber.org/goleak"

	"github.com/natsops/natsops/internal/leaktest"
)

func TestJetStreamIsUsableAtOnceAndNothingIsLeftAfterStop(t *testing.T) {
	for kind, start := range kinds {
		t.Run(kind, func(t *testing.T) {
			tmp := isolate(t)
			before := goleak.IgnoreCurrent()
			s, err := start(t.Context(), Config{})
			if err != nil {
				t.Fatal(err)
			}
			js := connect(t, s)
			store(t, js, jetstream.MemoryStorage, "hello")
			js.Conn().Close()
			for range 2 {
				if err := s.Stop(); err != nil {
					t.Fatal(err)
				}
			}
			mustBeEmpty(t, tmp)
			leaktest.None(t, before)
			if _, err := dial(s.URL(), Credentials{}); !errors.Is(err, nats.ErrNoServers) {
				t.Errorf("connect after Stop: got %v, want %v", err, nats.ErrNoServers)
			}
			if err := s.Restart(t.Context()); err == nil {
				t.Error("restarted after Stop")
			}
		})
	}
}

func TestPIDTellsWhichProcessServes(t *testing.T) {
	isolate(t)
	if got := mustStart(t, kinds["in process"], Config{}).PID(); got != os.Getpid() {
		t.Errorf("in process: got pid %d, want %d", got, os.Getpid())
	}
	if got := mustStart(t, kinds["child"], Config{}).PID(); got == os.Getpid() || got <= 0 {
		t.Errorf("child: got pid %d, parent is %d", got, os.Getpid())
	}
}

func TestMonitoringAnswersWithTheName(t *testing.T) {
	isolate(t)
	s := mustStart(t, kinds["in process"], Config{Name: "somebody", TLS: TLSMutual})
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	res, err := client.Get(s.MonitorURL() + "/varz")
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil || !strings.Contains(string(body), `"server_name": "somebody"`) {
		t.Errorf("got %v, %.200s", err, body)
	}
}

func TestMaxPayloadIsTheServers(t *testing.T) {
	for kind, start := range kinds {
		isolate(t)
		s := mustStart(t, start, Config{MaxPayload: 4321})
		if got := connect(t, s).Conn().MaxPayload(); got != 4321 {
			t.Errorf("%s: got %d", kind, got)
		}
	}
}

func TestPortInUseIsNamed(t *testing.T) {
	for kind, start := range kinds {
		t.Run(kind, func(t *testing.T) {
			tmp := isolate(t)
			taken := mustStart(t, start, Config{})
			port, err := strconv.Atoi(taken.URL()[strings.LastIndex(taken.URL(), ":")+1:])
			if err != nil {
				t.Fatal(err)
			}
			before := goleak.IgnoreCurrent()
			s, err := start(t.Context(), Config{Port: port})
			if err == nil {
				s.Stop()
				t.Fatal("two servers on one port")
			}
			want := "start the lab server: listen tcp 127.0.0.1:" + strconv.Itoa(port) + ": "
			if !strings.HasPrefix(err.Error(), want) {
				t.Errorf("got %q, want %q…", err, want)
			}
			if kind == "in process" && !errors.Is(err, syscall.EADDRINUSE) {
				t.Errorf("%v is not %v", err, syscall.EADDRINUSE)
			}
			leaktest.None(t, before)
			if got, err := filepath.Glob(filepath.Join(tmp, "*")); len(got) != 1 {
				t.Errorf("want the directory of the first lab only, got %q, %v", got, err)
			}
		})
	}
}

func TestRestartKeepsPortsDataAndCredentials(t *testing.T) {
	for kind, start := range kinds {
		t.Run(kind, func(t *testing.T) {
			isolate(t)
			s := mustStart(t, start, Config{Auth: AuthNKey, TLS: TLSMutual})
			store(t, connect(t, s), jetstream.FileStorage, "kept")
			url, monitor, pid := s.URL(), s.MonitorURL(), s.PID()
			if err := s.Restart(t.Context()); err != nil {
				t.Fatal(err)
			}
			if s.URL() != url || s.MonitorURL() != monitor {
				t.Errorf("got %s and %s, want %s and %s", s.URL(), s.MonitorURL(), url, monitor)
			}
			if kind == "child" && s.PID() == pid {
				t.Error("the old process serves")
			}
			if got := stored(t, connect(t, s)); got != "kept" {
				t.Errorf("got %q", got)
			}
			res, err := http.Get(monitor + "/healthz")
			if err != nil {
				t.Fatal(err)
			}
			res.Body.Close()
			http.DefaultClient.CloseIdleConnections()
		})
	}
}

func TestStoreDirOfTheCallerIsKept(t *testing.T) {
	for kind, start := range kinds {
		t.Run(kind, func(t *testing.T) {
			tmp, own := isolate(t), t.TempDir()
			first := mustStart(t, start, Config{StoreDir: own})
			store(t, connect(t, first), jetstream.FileStorage, "kept")
			if err := first.Stop(); err != nil {
				t.Fatal(err)
			}
			mustBeEmpty(t, tmp)
			second := mustStart(t, start, Config{StoreDir: own})
			if got := stored(t, connect(t, second)); got != "kept" {
				t.Errorf("got %q", got)
			}
		})
	}
}

func TestConfigsThatCannotRunAreRefused(t *testing.T) {
	tmp := isolate(t)
	for _, cfg := range []Config{
		{Auth: "password"},
		{TLS: "on"},
		{TLSFirst: true},
		{Port: -1},
		{Port: 65536},
		{MaxPayload: -1},
		{MaxPayload: 1 << 40},
		{MaxPayload: 1 << 30}, // refused by nats-server itself: more than a client may have pending
		{StoreDir: os.Args[0]},
	} {
		if s, err := Start(cfg); err == nil {
			s.Stop()
			t.Errorf("started %+v", cfg)
		}
	}
	mustBeEmpty(t, tmp)
}

func TestMethodsMayBeCalledConcurrently(t *testing.T) {
	tmp := isolate(t)
	s := mustStart(t, kinds["in process"], Config{})
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			_ = s.Restart(t.Context()) // refused once stopped
			_ = s.PID()
			if err := s.Stop(); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	mustBeEmpty(t, tmp)
}

func BenchmarkBoot(b *testing.B) {
	for kind, start := range kinds {
		b.Run(strings.ReplaceAll(kind, " ", "-"), func(b *testing.B) {
			for b.Loop() {
				s, err := start(b.Context(), Config{})
				if err != nil {
					b.Fatal(err)
				}
				b.StopTimer()
				if err := s.Stop(); err != nil {
					b.Fatal(err)
				}
				b.StartTimer()
			}
		})
	}
}
