package wire

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/klauspost/compress/s2"
	"github.com/nats-io/nats.go"

	"github.com/natsops/natsops/internal/lab"
	"github.com/natsops/natsops/internal/leaktest"
)

func TestMain(m *testing.M) { leaktest.Main(m) }

// The words are those of nats-server, client.go.
func TestViolationsAreRead(t *testing.T) {
	for text, want := range map[string]struct {
		subject string
		inbox   bool
	}{
		`Permissions Violation for Publish to "$JS.API.STREAM.LIST"`:                           {"$JS.API.STREAM.LIST", false},
		`Permissions Violation for Publish to "$JS.API.CONSUMER.LIST.\"a\"" on connection [3]`: {`$JS.API.CONSUMER.LIST."a"`, false},
		`Permissions Violation for Subscription to "_INBOX.x.*"`:                               {"_INBOX.x.*", true},
		`Permissions Violation for Subscription to "_INBOX.x.*" using queue "q" (sid "1")`:     {"_INBOX.x.*", true},
		`Permissions Violation for Subscription to "orders"`:                                   {"orders", false},
		`Permissions Violation for Publish with Reply of "_INBOX.x.1"`:                         {"_INBOX.x.1", true},
	} {
		subject, inbox, ok := violation(fmt.Errorf("%w: %s", nats.ErrPermissionViolation, text))
		if !ok || subject != want.subject || inbox != want.inbox {
			t.Errorf("%s: %q, %v, %v", text, subject, inbox, ok)
		}
	}
	for _, err := range []error{errors.New(`Publish to "a"`), fmt.Errorf("%w: nonsense", nats.ErrPermissionViolation), nil} {
		if _, _, ok := violation(err); ok {
			t.Errorf("%v is taken for a violation", err)
		}
	}
}

func FuzzViolation(f *testing.F) {
	f.Add(`Permissions Violation for Publish to "a\"b"`)
	f.Fuzz(func(t *testing.T, text string) {
		subject, inbox, ok := violation(fmt.Errorf("%w: %s", nats.ErrPermissionViolation, text))
		if !ok && (subject != "" && inbox) {
			t.Errorf("%q", subject)
		}
	})
}

func packed(t testing.TB, encoding, text string) Reply {
	t.Helper()
	var b bytes.Buffer
	var w interface {
		Write([]byte) (int, error)
		Close() error
	}
	switch encoding {
	case Snappy:
		w = s2.NewWriter(&b, s2.WriterSnappyCompat())
	case Gzip:
		w = gzip.NewWriter(&b)
	}
	if _, err := w.Write([]byte(text)); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return Reply{Header: nats.Header{"Content-Encoding": {encoding}}, body: b.Bytes()}
}

func TestAnswersAreDecoded(t *testing.T) {
	text := strings.Repeat("how now brown cow ", 10_000)
	for _, encoding := range []string{Snappy, Gzip} {
		reply := packed(t, encoding, text)
		if data, err := reply.Data(); err != nil || string(data) != text {
			t.Errorf("%s: %d bytes, %v", encoding, len(data), err)
		}
		reply.body = reply.body[:len(reply.body)/2]
		if _, err := reply.Data(); err == nil {
			t.Errorf("%s: half an answer is taken for one", encoding)
		}
	}
	if _, err := (Reply{Header: nats.Header{"Content-Encoding": {"br"}}}).Data(); err == nil || !strings.Contains(err.Error(), `"br"`) {
		t.Errorf("%v", err)
	}
}

func FuzzDecode(f *testing.F) {
	for _, encoding := range []string{Snappy, Gzip} {
		f.Add(encoding, packed(f, encoding, "hello").body)
	}
	f.Fuzz(func(t *testing.T, encoding string, body []byte) {
		reply := Reply{Header: nats.Header{"Content-Encoding": {encoding}}, body: body}
		if data, err := reply.Data(); err == nil && encoding == "" && !bytes.Equal(data, body) {
			t.Errorf("%q", data)
		}
	})
}

func dial(t *testing.T, o ...nats.Option) *nats.Conn {
	t.Helper()
	server, err := lab.Start(lab.Config{Auth: lab.AuthToken})
	if err != nil {
		t.Fatal(err)
	}
	nc, err := nats.Connect(server.URL(), append(o, nats.Timeout(time.Minute), nats.Token(server.Credentials().Token), nats.NoReconnect())...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		nc.Close()
		if err := server.Stop(); err != nil {
			t.Error(err)
		}
	})
	return nc
}

func TestQuestionsThatNobodyAnswersSaySo(t *testing.T) {
	nc := dial(t)
	c := New(nc)
	defer c.Close()
	if _, err := nc.SubscribeSync("silent"); err != nil {
		t.Fatal(err)
	}
	ask := map[string]func(context.Context, string) error{
		"Ask": func(ctx context.Context, subject string) error {
			_, err := c.Ask(ctx, Question{Subject: subject})
			return err
		},
		"Gather": func(ctx context.Context, subject string) error {
			return c.Gather(ctx, Question{Subject: subject}, Audience{Expect: NewTally()}, func(Reply) {})
		},
	}
	for name, ask := range ask {
		if err := ask(t.Context(), "nobody"); !errors.Is(err, ErrNobody) || err.Error() != "nobody answers to nobody" {
			t.Errorf("%s: %v", name, err)
		}
	}
	for name, ask := range ask {
		ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
		if err := ask(ctx, "silent"); !errors.Is(err, ErrSilent) {
			t.Errorf("%s: %v", name, err)
		}
		cancel()
	}
	if cost := c.Cost(); cost.Requests != 4 || cost.Replies != 0 {
		t.Errorf("cost %+v", cost)
	}
}

func TestOtherErrorsGoToTheHandlerThatWasThere(t *testing.T) {
	heard := make(chan error, 1)
	nc := dial(t, nats.ErrorHandler(func(_ *nats.Conn, _ *nats.Subscription, err error) { heard <- err }))
	c := New(nc)
	nc.ErrorHandler()(nc, nil, errors.New("slow consumer"))
	if err := <-heard; err.Error() != "slow consumer" {
		t.Errorf("heard %v", err)
	}
	c.Close()
	nc.ErrorHandler()(nc, nil, errors.New("again"))
	if err := <-heard; err.Error() != "again" {
		t.Errorf("heard %v", err)
	}
}

func TestMonitorsExplainThemselvesWithoutTheirPassword(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/slow" {
			<-r.Context().Done()
			return
		}
		w.WriteHeader(http.StatusTeapot)
	}))
	defer server.Close()
	m, err := NewMonitor(strings.Replace(server.URL, "http://", "http://user:hunter2@", 1) + "/")
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if _, err := m.Ask(ctx, "/slow"); !errors.Is(err, ErrSilent) {
		t.Errorf("%v", err)
	}
	if _, err := m.Ask(t.Context(), "/varz"); err == nil || !strings.Contains(err.Error(), "418") || strings.Contains(err.Error(), "hunter2") {
		t.Errorf("%v", err)
	}
	for _, base := range []string{"localhost:8222", "http://user:hunter2@%zz", "ftp://user:hunter2@host", "http://"} {
		if _, err := NewMonitor(base); err == nil || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("NewMonitor(%q) = %v", base, err)
		}
	}
}
