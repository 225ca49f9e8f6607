package natsconn_test

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/nats-io/nats.go"

	"github.com/natsops/natsops/internal/lab"
	"github.com/natsops/natsops/internal/leaktest"
	"github.com/natsops/natsops/internal/natsconn"
)

func TestMain(m *testing.M) { leaktest.Main(m) }

// startLab runs a server and returns what a client says to get in.
func startLab(t *testing.T, c lab.Config) natsconn.Config {
	t.Helper()
	server, err := lab.Start(c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := server.Stop(); err != nil {
			t.Error(err)
		}
	})
	has := server.Credentials()
	return natsconn.Config{
		Servers: server.URL(), User: has.User, Password: has.Password, Token: has.Token, NKey: has.NKeyFile,
		TLSCA: has.CAFile, TLSCert: has.CertFile, TLSKey: has.KeyFile, TLSFirst: c.TLSFirst,
	}
}

// credsFile makes a creds file whose JWT ends at expiry, unless that is zero.
func credsFile(t *testing.T, expiry time.Time) string {
	t.Helper()
	claims := map[string]any{"sub": "U"}
	if !expiry.IsZero() {
		claims["exp"] = expiry.Unix()
	}
	payload, err := json.Marshal(claims)
	if err != nil {
		t.Fatal(err)
	}
	return write(t, "user.creds", fmt.Sprintf(
		"-----BEGIN NATS USER JWT-----\neyJh.%s.sig\n------END NATS USER JWT------\n\n"+
			"-----BEGIN USER NKEY SEED-----\n%s\n------END USER NKEY SEED------\n",
		base64.RawURLEncoding.EncodeToString(payload), newSeed(t)))
}

func connect(t *testing.T, c natsconn.Config, extra ...nats.Option) (*nats.Conn, error) {
	t.Helper()
	target, err := natsconn.For(c)
	if err != nil {
		return nil, err
	}
	return target.Connect(t.Context(), "test", extra...)
}

func TestConnectGetsIntoEveryKindOfServer(t *testing.T) {
	for name, c := range map[string]lab.Config{
		"open":      {},
		"password":  {Auth: lab.AuthUser},
		"token":     {Auth: lab.AuthToken},
		"nkey":      {Auth: lab.AuthNKey},
		"TLS":       {TLS: lab.TLSServer, Auth: lab.AuthToken},
		"mTLS":      {TLS: lab.TLSMutual},
		"TLS first": {TLS: lab.TLSMutual, TLSFirst: true},
	} {
		t.Run(name, func(t *testing.T) {
			nc, err := connect(t, startLab(t, c))
			if err != nil {
				t.Fatal(err)
			}
			defer nc.Close()
			if err := nc.Flush(); err != nil {
				t.Error(err)
			}
			if nc.Opts.Name != "test" {
				t.Errorf("the connection is called %q, want test", nc.Opts.Name)
			}
		})
	}
}

// nats.go waits longer before it reconnects once it has a TLS configuration.
func TestPlainConnectionHasNoTLSConfiguration(t *testing.T) {
	nc, err := connect(t, natsconn.Config{Servers: listen(t, answers("PONG", nil))})
	if err != nil {
		t.Fatal(err)
	}
	defer nc.Close()
	if nc.Opts.TLSConfig != nil {
		t.Error("the connection has a TLS configuration")
	}
}

func TestConnectSendsTheOneCredentialThatWon(t *testing.T) {
	type sent struct{ User, Pass, Token string }
	cases := []struct {
		name  string
		user  string // of the URL
		flags natsconn.Config
		env   vars
		want  sent
	}{
		{"nothing", "", natsconn.Config{}, nil, sent{}},
		{"user", "", natsconn.Config{User: "u"}, vars{"NATS_PASSWORD": "p"}, sent{User: "u", Pass: "p"}},
		{"user alone", "", natsconn.Config{User: "u"}, nil, sent{Token: "u"}},
		{"token over user", "", natsconn.Config{Token: "t"}, vars{"NATS_USER": "u", "NATS_PASSWORD": "p"}, sent{Token: "t"}},
		{"user over token", "", natsconn.Config{User: "u", Password: "p"}, vars{"NATS_TOKEN": "t"}, sent{User: "u", Pass: "p"}},
		{"URL over environment", "u:p@", natsconn.Config{}, vars{"NATS_TOKEN": "t"}, sent{User: "u", Pass: "p"}},
		{"token in URL", "t@", natsconn.Config{}, nil, sent{Token: "t"}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			got := make(chan string, 1)
			c.flags.Servers = "nats://" + c.user + listen(t, answers("PONG", func(line string) { got <- line }))
			target, err := natsconn.Resolve(c.flags, c.env.get, natsconn.OnlyExplicit)
			if err != nil {
				t.Fatal(err)
			}
			nc, err := target.Connect(t.Context(), "test")
			if err != nil {
				t.Fatal(err)
			}
			defer nc.Close()
			var seen struct {
				User, Pass string
				Token      string `json:"auth_token"`
			}
			if err := json.Unmarshal([]byte(<-got), &seen); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(c.want, sent(seen)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestCredentialsOverrideThoseInTheURLOfAWeakerLayer(t *testing.T) {
	got := make(chan string, 1)
	env := vars{"NATS_URL": "u:p@" + listen(t, answers("PONG", func(line string) { got <- line }))}
	target, err := natsconn.Resolve(natsconn.Config{Token: "t"}, env.get, natsconn.OnlyExplicit)
	if err != nil {
		t.Fatal(err)
	}
	nc, err := target.Connect(t.Context(), "test")
	if err != nil {
		t.Fatal(err)
	}
	defer nc.Close()
	if line := <-got; !strings.Contains(line, `"auth_token":"t"`) || strings.Contains(line, `"pass"`) {
		t.Errorf("sent %s, want the token only", line)
	}
}

func TestConnectFindsTheServerThatWorksAndKeepsTheOthers(t *testing.T) {
	c := startLab(t, lab.Config{Auth: lab.AuthUser})
	c.Servers = "nats://" + closed(1) + "," + c.Servers
	nc, err := connect(t, c, nats.DontRandomize(), nats.IgnoreDiscoveredServers())
	if err != nil {
		t.Fatal(err)
	}
	defer nc.Close()
	if got := len(nc.Servers()); got != 2 {
		t.Errorf("the connection knows %v, want both servers", nc.Servers())
	}
}

func TestConnectionReconnectsAfterTheContextOfConnectEnded(t *testing.T) {
	var first sync.Once
	address := listen(t, func(conn net.Conn) {
		first.Do(func() {
			// The first connection is dropped as soon as it has published.
			says(`INFO {"max_payload":1024}` + "\r\nPONG\r\n" + "-ERR 'stale connection'\r\n")(conn)
			conn.Close()
		})
		answers("PONG", nil)(conn)
	})
	target, err := natsconn.For(natsconn.Config{Servers: address})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	again := make(chan struct{})
	nc, err := target.Connect(ctx, "test", nats.ReconnectWait(time.Millisecond),
		nats.ReconnectHandler(func(*nats.Conn) { close(again) }))
	cancel()
	if err != nil {
		t.Fatal(err)
	}
	defer nc.Close()
	<-again
}

func TestConnectGoesThroughTheSocksProxy(t *testing.T) {
	c := startLab(t, lab.Config{})
	c.SocksProxy = "socks5://" + socksProxy(t, 0)
	nc, err := connect(t, c)
	if err != nil {
		t.Fatal(err)
	}
	nc.Close()
}

func TestZeroTargetNamesNoServer(t *testing.T) {
	var target natsconn.Target
	if _, err := target.Connect(t.Context(), "test"); !errors.Is(err, natsconn.ErrNoTarget) {
		t.Errorf("Connect = %v, want ErrNoTarget", err)
	}
	if got := target.String(); got != "no server" {
		t.Errorf("String() = %q", got)
	}
}
