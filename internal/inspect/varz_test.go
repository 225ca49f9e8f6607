package inspect_test

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/natsops/natsops/internal/hint"
	"github.com/natsops/natsops/internal/inspect"
	"github.com/natsops/natsops/internal/lab"
)

func startLab(t *testing.T) (*lab.Server, *nats.Conn) {
	t.Helper()
	server, err := lab.Start(lab.Config{})
	if err != nil {
		t.Fatal(err)
	}
	nc, err := nats.Connect(server.URL(), nats.Timeout(patience))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		nc.Close()
		if err := server.Stop(); err != nil {
			t.Error(err)
		}
	})
	return server, nc
}

func soon(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	t.Cleanup(cancel)
	return ctx
}

func TestMonitoringEndpointTellsWhatTheServerHasDone(t *testing.T) {
	server, nc := startLab(t)
	source, err := inspect.FindVarz(soon(t), nc, server.MonitorURL()+"/")
	if err != nil {
		t.Fatal(err)
	}
	before, err := source.Varz(soon(t))
	if err != nil {
		t.Fatal(err)
	}
	for range 100 {
		if err := nc.Publish("a", []byte("x")); err != nil {
			t.Fatal(err)
		}
	}
	if err := nc.Flush(); err != nil {
		t.Fatal(err)
	}
	after, err := source.Varz(soon(t))
	if err != nil {
		t.Fatal(err)
	}
	if n := after.InMsgs - before.InMsgs; n != 100 {
		t.Errorf("the server read %d messages, want 100", n)
	}
	if after.ServerID != nc.ConnectedServerId() || after.MemBytes <= 0 || after.Cores != runtime.NumCPU() || after.Connections != 1 || after.Start.IsZero() {
		t.Errorf("varz %+v", after)
	}
}

// The same port on another machine, or an old tunnel, must not be taken for the
// server under load.
func TestEndpointOfAnotherServerIsRefused(t *testing.T) {
	_, nc := startLab(t)
	other, _ := startLab(t)
	_, err := inspect.FindVarz(soon(t), nc, other.MonitorURL())
	if !errors.Is(err, inspect.ErrNoVarz) || !strings.Contains(err.Error(), "another server") {
		t.Errorf("FindVarz = %v", err)
	}
}

func TestEndpointsThatDoNotAnswerAreExplainedWithoutTheirPassword(t *testing.T) {
	_, nc := startLab(t)
	forbidden := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusForbidden)
	}))
	defer forbidden.Close()
	for _, c := range []struct{ monitor, want string }{
		{strings.Replace(forbidden.URL, "http://", "http://user:hunter2@", 1), "403"},
		{"http://user:hunter2@127.0.0.1:1", "refused"},
		{"http://user:hunter2@%zz", "invalid"},
	} {
		_, err := inspect.FindVarz(soon(t), nc, c.monitor)
		if !errors.Is(err, inspect.ErrNoVarz) || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("FindVarz(%s) = %v, want %q and no password", c.monitor, err, c.want)
		}
	}
}

func TestSystemAccountIsAskedFirst(t *testing.T) {
	_, nc := startLab(t)
	id := nc.ConnectedServerId()
	// A server answers this only to its system account; here we answer for it.
	_, err := nc.Subscribe("$SYS.REQ.SERVER."+id+".VARZ", func(m *nats.Msg) {
		answer, _ := json.Marshal(map[string]any{"data": map[string]any{"server_id": id, "in_msgs": 7}})
		_ = m.Respond(answer)
	})
	if err != nil {
		t.Fatal(err)
	}
	source, err := inspect.FindVarz(soon(t), nc, "")
	if err != nil {
		t.Fatal(err)
	}
	if v, err := source.Varz(soon(t)); err != nil || v.InMsgs != 7 || source.Name != "system account" {
		t.Errorf("%s: %+v, %v", source.Name, v, err)
	}
}

func TestWhoCannotAskIsToldHow(t *testing.T) {
	_, nc := startLab(t)
	_, err := inspect.FindVarz(soon(t), nc, "")
	if !errors.Is(err, inspect.ErrNoVarz) || !strings.Contains(hint.Of(err), "--monitor") {
		t.Errorf("FindVarz = %v, hint %q", err, hint.Of(err))
	}
}

func TestProcessCPUGrowsWithWork(t *testing.T) {
	before, known := inspect.ProcessCPU(os.Getpid())
	if !known {
		if runtime.GOOS == "linux" {
			t.Fatal("not known on Linux")
		}
		t.Skip("only known on Linux")
	}
	for deadline := time.Now().Add(time.Minute); ; {
		now, _ := inspect.ProcessCPU(os.Getpid())
		if now > before {
			break
		}
		if time.Now().After(deadline) {
			t.Fatalf("a minute of work did not show: %v", now)
		}
	}
	if _, known := inspect.ProcessCPU(0); known {
		t.Error("the CPU time of no process is known")
	}
}
