package deadletter

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/natsops/natsops/internal/hint"
)

// A guard is a NATS server that refuses what is published to, or subscribed to,
// with these prefixes, and answers nothing else.
func guard(t *testing.T, publish, subscribe string) jetstream.JetStream {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	go func() {
		conn, err := l.Accept()
		if err != nil {
			return
		}
		defer conn.Close()
		_, _ = io.WriteString(conn, `INFO {"server_id":"x","max_payload":1048576,"headers":true}`+"\r\n")
		for lines := bufio.NewScanner(conn); lines.Scan(); {
			words := append(strings.Fields(lines.Text()), "", "")
			switch subject := words[1]; {
			case words[0] == "PING":
				_, _ = io.WriteString(conn, "PONG\r\n")
			case strings.HasSuffix(words[0], "PUB") && publish != "" && strings.HasPrefix(subject, publish):
				fmt.Fprintf(conn, "-ERR 'Permissions Violation for Publish to \"%s\"'\r\n", subject)
			case words[0] == "SUB" && subscribe != "" && strings.HasPrefix(subject, subscribe):
				fmt.Fprintf(conn, "-ERR 'Permissions Violation for Subscription to \"%s\"'\r\n", subject)
			}
		}
	}()
	nc, err := nats.Connect("nats://"+l.Addr().String(), nats.Timeout(testLimit), nats.NoReconnect())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { nc.Close(); l.Close() })
	js, err := jetstream.New(nc, jetstream.WithDefaultTimeout(time.Minute)) // longer than the test may take
	if err != nil {
		t.Fatal(err)
	}
	return js
}

func TestALackOfPermissionIsSaidAtOnce(t *testing.T) {
	_, err := Find(t.Context(), guard(t, "$JS.API.", ""), Query{})
	if !errors.Is(err, ErrDenied) || !strings.Contains(err.Error(), "$JS.API.STREAM.LIST") || hint.Of(err) == "" {
		t.Errorf("no publishing: got %v (try %s)", err, hint.Of(err))
	}
	_, err = Find(t.Context(), guard(t, "", "_INBOX."), Query{})
	if !errors.Is(err, ErrDenied) || !strings.Contains(hint.Of(err), "--inbox-prefix") {
		t.Errorf("no replies: got %v (try %s)", err, hint.Of(err))
	}
	err = Listen(t.Context(), guard(t, "", "$JS.EVENT."), Query{}, func(Letter) {})
	if !errors.Is(err, ErrDenied) || !strings.Contains(err.Error(), "$JS.EVENT.ADVISORY") {
		t.Errorf("no advisories: got %v", err)
	}
	p := &Plan{api: newAPI(guard(t, "S.x", ""))}
	if _, err := p.publish(t.Context(), &nats.Msg{Subject: "S.x"}); !errors.Is(err, ErrDenied) {
		t.Errorf("no copies: got %v", err)
	}
}

func TestASilentServerCostsOneTimeout(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	if _, err := Find(ctx, guard(t, "", ""), Query{}); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v", err)
	}
}

func TestWithoutJetStreamTheErrorSaysWhatToTry(t *testing.T) {
	w := newWorld(t)
	js, err := jetstream.NewWithDomain(w.nc, "nowhere")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Find(t.Context(), js, Query{}); !errors.Is(err, nats.ErrNoResponders) || !strings.Contains(hint.Of(err), "--js-domain") {
		t.Errorf("no JetStream: got %v (try %s)", err, hint.Of(err))
	}
	js = w.fake(map[string]string{"STREAM.LIST": `{"error":{"code":503,"err_code":10039,"description":"JetStream not enabled for account"}}`})
	if _, err := Find(t.Context(), js, Query{}); err == nil || !strings.Contains(hint.Of(err), "account") {
		t.Errorf("not for this account: got %v (try %s)", err, hint.Of(err))
	}
}

// fake answers requests to the endpoints with fixed replies.
func (w *world) fake(replies map[string]string) jetstream.JetStream {
	w.Helper()
	prefix := "FAKE." + strings.ReplaceAll(nats.NewInbox(), ".", "")
	for endpoint, reply := range replies {
		if _, err := w.nc.Subscribe(prefix+"."+endpoint, func(m *nats.Msg) { m.Respond([]byte(reply)) }); err != nil {
			w.Fatal(err)
		}
	}
	js, err := jetstream.NewWithAPIPrefix(w.nc, prefix, jetstream.WithDefaultTimeout(testLimit))
	if err != nil {
		w.Fatal(err)
	}
	return js
}

const oneStream = `{"total":1,"streams":[{"config":{"name":"S","subjects":["$JS.EVENT.ADVISORY.>"],"retention":"workqueue"},
	"state":{"messages":9000000000,"first_seq":1,"last_seq":18446744073709551615,"consumer_count":1}}]}`

const oneConsumer = `{"total":1,"consumers":[{"stream_name":"S","name":"w","config":{"ack_policy":"explicit","max_deliver":3},
	"delivered":{"stream_seq":18446744073709551615},"num_redelivered":-5}]}`

func TestWhateverAServerAnswersTheEndIsNear(t *testing.T) {
	w := newWorld(t)
	for name, replies := range map[string]map[string]string{
		"no JSON":             {"STREAM.LIST": "<html>"},
		"empty":               {"STREAM.LIST": ""},
		"null":                {"STREAM.LIST": "null"},
		"a list of nothing":   {"STREAM.LIST": `{"total":1000000,"streams":[]}`},
		"a nameless stream":   {"STREAM.LIST": `{"total":1,"streams":[{}]}`},
		"an unknown policy":   {"STREAM.LIST": `{"total":1,"streams":[{"config":{"name":"S","retention":"eternal"}}]}`},
		"no consumers":        {"STREAM.LIST": oneStream},
		"consumers of a fool": {"STREAM.LIST": oneStream, "CONSUMER.LIST.S": `{"total":1,"consumers":[{},null,7]}`},
		"no message":          {"STREAM.LIST": oneStream, "CONSUMER.LIST.S": oneConsumer, "STREAM.MSG.GET.S": `{}`},
		"the same message":    {"STREAM.LIST": oneStream, "CONSUMER.LIST.S": oneConsumer, "STREAM.MSG.GET.S": `{"message":{"seq":1}}`},
		"the last message":    {"STREAM.LIST": oneStream, "CONSUMER.LIST.S": oneConsumer, "STREAM.MSG.GET.S": `{"message":{"seq":18446744073709551615,"data":"AA=="}}`},
		"odd headers":         {"STREAM.LIST": oneStream, "CONSUMER.LIST.S": oneConsumer, "STREAM.MSG.GET.S": `{"message":{"seq":9223372036854775807,"hdrs":"AAAA"}}`},
	} {
		t.Run(name, func(t *testing.T) {
			r, err := Find(t.Context(), w.fake(replies), Query{Budget: 100})
			if len(r.Letters) > 100 {
				t.Errorf("got %d letters, %v", len(r.Letters), err)
			}
			if err == nil && len(r.Gaps) == 0 && name != "a nameless stream" && name != "the last message" {
				t.Errorf("got %+v, and nothing is said to be missing", r)
			}
		})
	}
}

func TestWhoMayNotListStreamsMayAskForOne(t *testing.T) {
	w := newWorld(t)
	js := w.fake(map[string]string{
		"STREAM.INFO.Q":    `{"config":{"name":"Q","retention":"workqueue"},"state":{"messages":1,"first_seq":1,"last_seq":1,"consumer_count":1}}`,
		"CONSUMER.LIST.Q":  `{"total":1,"consumers":[{"stream_name":"Q","name":"w","config":{"ack_policy":"explicit","max_deliver":3},"delivered":{"stream_seq":1}}]}`,
		"STREAM.MSG.GET.Q": `{"message":{"seq":1,"subject":"Q.x","time":"2026-01-02T03:04:05Z"}}`,
	})
	r, err := Find(t.Context(), js, Query{Stream: "Q"})
	if err != nil || len(r.Letters) != 1 || len(r.Gaps) != 1 || !strings.Contains(r.Gaps[0].What, "list of streams") {
		t.Errorf("got %+v, %v", r, err)
	}
}
