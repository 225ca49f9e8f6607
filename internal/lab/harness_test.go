package lab

import (
	"context"
	"errors"
	"os"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// kinds are the two ways to run a server; what holds for one holds for both.
var kinds = map[string]func(context.Context, Config) (*Server, error){
	"in process": func(_ context.Context, cfg Config) (*Server, error) { return Start(cfg) },
	"child":      StartChild,
}

// isolate gives the test a temporary directory of its own, so that it sees
// exactly the labs it made.
func isolate(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	for _, name := range []string{"TMPDIR", "TMP", "TEMP"} {
		t.Setenv(name, dir)
	}
	return dir
}

func mustStart(t *testing.T, start func(context.Context, Config) (*Server, error), cfg Config) *Server {
	t.Helper()
	s, err := start(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Stop(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// dial connects with c. The lab's own TLSFirst is up to the caller.
func dial(url string, c Credentials, opts ...nats.Option) (*nats.Conn, error) {
	opts = append([]nats.Option{nats.Timeout(patience), nats.NoReconnect()}, opts...)
	if c.User != "" {
		opts = append(opts, nats.UserInfo(c.User, c.Password))
	}
	if c.Token != "" {
		opts = append(opts, nats.Token(c.Token))
	}
	if c.NKeyFile != "" {
		o, err := nats.NkeyOptionFromSeed(c.NKeyFile)
		if err != nil {
			return nil, err
		}
		opts = append(opts, o)
	}
	if c.CAFile != "" {
		opts = append(opts, nats.RootCAs(c.CAFile))
	}
	if c.CertFile != "" {
		opts = append(opts, nats.ClientCert(c.CertFile, c.KeyFile))
	}
	return nats.Connect(url, opts...)
}

// noPeers reports whether err is JSClusterNoPeersErrF of nats-server.
func noPeers(err error) bool {
	e, ok := errors.AsType[*jetstream.APIError](err)
	return ok && e.ErrorCode == 10005
}

func connect(t *testing.T, s *Server, opts ...nats.Option) jetstream.JetStream {
	t.Helper()
	nc, err := dial(s.URL(), s.Credentials(), opts...)
	if err != nil {
		t.Fatalf("connect to %s: %v", s.URL(), err)
	}
	t.Cleanup(func() { nc.Close() })
	js, err := jetstream.New(nc)
	if err != nil {
		t.Fatal(err)
	}
	return js
}

// patience bounds every wait; only what is broken needs it, or a machine that
// has very much else to do. An election takes 4 to 9 s, and can be lost.
const patience = 2 * time.Minute

// insist makes a request until it is answered; the answer must be no error. On a
// machine in trouble it can take longer than the 5 s of package jetstream; and who
// asks a group while it elects a leader is not answered at all. A leader of the
// cluster that was elected a moment ago places nothing on servers that it has not
// heard of (see [Cluster.Ready]).
func insist(t *testing.T, what string, request func(context.Context) error) {
	t.Helper()
	eventually(t, what+" is answered", func() bool {
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		err := request(ctx)
		if err != nil && !errors.Is(err, context.DeadlineExceeded) && !noPeers(err) {
			t.Fatalf("%s: %v", what, err)
		}
		return err == nil
	})
}

// store puts text into stream "S" and reads it back.
func store(t *testing.T, js jetstream.JetStream, storage jetstream.StorageType, text string) {
	t.Helper()
	cfg := jetstream.StreamConfig{Name: "S", Subjects: []string{"s"}, Storage: storage}
	insist(t, "make stream S", func(ctx context.Context) error {
		_, err := js.CreateStream(ctx, cfg)
		return err
	})
	insist(t, "publish", func(ctx context.Context) error {
		_, err := js.Publish(ctx, "s", []byte(text), jetstream.WithMsgID(text))
		return err
	})
	if got := stored(t, js); got != text {
		t.Fatalf("got %q from the stream, want %q", got, text)
	}
}

func stored(t *testing.T, js jetstream.JetStream) string {
	t.Helper()
	var msg *jetstream.RawStreamMsg
	insist(t, "read from stream S", func(ctx context.Context) error {
		stream, err := js.Stream(ctx, "S")
		if err != nil {
			return err
		}
		msg, err = stream.GetMsg(ctx, 1)
		return err
	})
	return string(msg.Data)
}

func mustBeEmpty(t *testing.T, dir string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		t.Errorf("%s is left", e.Name())
	}
}

// eventually polls until ok.
func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	limit := time.After(patience)
	for !ok() {
		select {
		case <-tick.C:
		case <-limit:
			t.Fatalf("not within %v: %s", patience, what)
		}
	}
}
