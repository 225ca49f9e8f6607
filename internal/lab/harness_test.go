package lab

import (
	"context"
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
	opts = append(opts, nats.NoReconnect())
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

// patient is a context for requests. On a machine in trouble an answer can take
// longer than the 5 s of package jetstream; and the first election in a new
// stream, which is lost when the other nodes have not yet joined, as long as
// the 4 to 9 s to the next.
func patient(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	t.Cleanup(cancel)
	return ctx
}

// store puts text into stream "S" and reads it back.
func store(t *testing.T, js jetstream.JetStream, storage jetstream.StorageType, text string) {
	t.Helper()
	cfg := jetstream.StreamConfig{Name: "S", Subjects: []string{"s"}, Storage: storage}
	if _, err := js.CreateStream(patient(t), cfg); err != nil {
		t.Fatal(err)
	}
	if _, err := js.Publish(patient(t), "s", []byte(text)); err != nil {
		t.Fatal(err)
	}
	if got := stored(t, js); got != text {
		t.Fatalf("got %q from the stream, want %q", got, text)
	}
}

func stored(t *testing.T, js jetstream.JetStream) string {
	t.Helper()
	stream, err := js.Stream(patient(t), "S")
	if err != nil {
		t.Fatal(err)
	}
	msg, err := stream.GetMsg(patient(t), 1)
	if err != nil {
		t.Fatal(err)
	}
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
	limit := time.After(30 * time.Second)
	for !ok() {
		select {
		case <-tick.C:
		case <-limit:
			t.Fatalf("not in 30 s: %s", what)
		}
	}
}
