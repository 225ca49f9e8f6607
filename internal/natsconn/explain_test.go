package natsconn_test

import (
	"errors"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/natsops/natsops/internal/hint"
	"github.com/natsops/natsops/internal/lab"
	"github.com/natsops/natsops/internal/natsconn"
)

// soon is when those are given up who never answer. It is long enough for the
// connection to be made, also where there is much else to do.
const soon = time.Second

// explained checks the whole error, or its beginning if why ends in …, its kind
// and part of its hint. The word SERVERS in why stands for the servers of c.
func explained(t *testing.T, c natsconn.Config, why, remedy string) {
	t.Helper()
	nc, err := connect(t, c)
	if err == nil {
		nc.Close()
		t.Fatal("connected")
	}
	want := "cannot connect to " + strings.ReplaceAll(why, "SERVERS", c.Servers)
	start, open := strings.CutSuffix(want, "…")
	if got := err.Error(); got != want && (!open || !strings.HasPrefix(got, start)) {
		t.Errorf("\n got %v\nwant %s", err, want)
	}
	if !errors.Is(err, natsconn.ErrConnect) || errors.Is(err, natsconn.ErrConfig) {
		t.Errorf("%#v is not ErrConnect", err)
	}
	if !strings.Contains(hint.Of(err), remedy) {
		t.Errorf("\n got hint %s\nwant one with %s", hint.Of(err), remedy)
	}
}

func TestNoAnswerIsExplained(t *testing.T) {
	cases := map[string]struct {
		config      natsconn.Config
		why, remedy string
	}{
		"refused":      {natsconn.Config{Servers: "nats://" + closed(1)}, "SERVERS: connection refused", "natsops lab"},
		"unknown host": {natsconn.Config{Servers: "nats://no..such..host:4222"}, "SERVERS: unknown host no..such..host", "spelling"},
		"silent":       {natsconn.Config{Servers: "nats://" + listen(t, mute), Timeout: soon}, "SERVERS: connected, but no answer within 1s", "--tlsfirst"},
		"silent TLS":   {natsconn.Config{Servers: "nats://" + listen(t, mute), Timeout: soon, TLSFirst: true}, "SERVERS: connected, but no answer within 1s", "client port"},
		"hangs up":     {natsconn.Config{Servers: "nats://" + listen(t, func(net.Conn) {})}, "SERVERS: the server closed the connection without an answer", "--tlsfirst"},
		"hangs up TLS": {natsconn.Config{Servers: "nats://" + listen(t, func(net.Conn) {}), TLSFirst: true}, "SERVERS: the server closed the connection without an answer", "client port"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) { explained(t, c.config, c.why, c.remedy) })
	}
}

func TestProxyIsBlamedForWhatItDoes(t *testing.T) {
	down, refuses := closed(1), socksProxy(t, 5)
	server := natsconn.Config{Servers: "nats://127.0.0.1:4222"}
	server.SocksProxy = "socks5://u:p@" + down
	explained(t, server, "SERVERS: SOCKS proxy socks5://"+down+": connection refused", "--socks-proxy")
	server.SocksProxy = "socks5://" + refuses
	explained(t, server, "SERVERS: SOCKS proxy socks5://"+refuses+": connection refused", "--socks-proxy")
}

func TestStrangersAreRecognized(t *testing.T) {
	for name, greeting := range map[string]string{
		"HTTP":     "HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n",
		"SSH":      "SSH-2.0-OpenSSH_9.6\r\n",
		"garbage":  "\x00\x01\x02\x03\r\n",
		"bad INFO": "INFO [}\r\n",
		"echo":     "INFO {}\r\nCONNECT {\"pass\":\"p\"}\r\n",
	} {
		t.Run(name, func(t *testing.T) {
			c := natsconn.Config{Servers: "nats://" + listen(t, says(greeting))}
			explained(t, c, "SERVERS: not a NATS server, or not its client port", "client port")
		})
	}
	t.Run("websocket", func(t *testing.T) {
		c := natsconn.Config{Servers: "ws://" + listen(t, says("INFO {}\r\n"))}
		explained(t, c, "SERVERS: not a NATS server, or not its client port", "client port")
	})
}

func TestRefusedCredentialsAreExplainedWithoutShowingThem(t *testing.T) {
	user, token := startLab(t, lab.Config{Auth: lab.AuthUser}), startLab(t, lab.Config{Auth: lab.AuthToken})
	nkey := startLab(t, lab.Config{Auth: lab.AuthNKey})
	open := startLab(t, lab.Config{})
	wrong := user
	wrong.Password = "wrong"
	explained(t, wrong, "SERVERS: authorization violation (sent --user and --password)", "checking --user and --password")
	explained(t, natsconn.Config{Servers: user.Servers}, "SERVERS: authorization violation (sent no credentials)", "--creds")
	explained(t, natsconn.Config{Servers: token.Servers, Token: "wrong"}, "SERVERS: authorization violation (sent --token)", "checking --token")
	explained(t, natsconn.Config{Servers: nkey.Servers, NKey: seedFile(t)}, "SERVERS: authorization violation (sent --nkey)", "checking --nkey")
	explained(t, natsconn.Config{Servers: open.Servers, NKey: seedFile(t)}, "SERVERS: the server takes no nkeys (given by --nkey)", "another kind")
	host := strings.TrimPrefix(user.Servers, "nats://")
	if _, err := connect(t, natsconn.Config{Servers: "nats://natsops:wrong@" + host}); err == nil ||
		err.Error() != "cannot connect to "+user.Servers+": authorization violation (sent the credentials in the URL of --server)" {
		t.Errorf("got %v", err)
	}
}

// What the lab cannot be made to say is said by a listener, in the words of
// nats-server (server/errors.go).
func TestOtherRefusalsAreExplained(t *testing.T) {
	ended := time.Date(2024, 1, 2, 3, 4, 5, 0, time.UTC)
	valid, expired := credsFile(t, time.Time{}), credsFile(t, ended)
	for _, c := range []struct{ said, creds, why, remedy string }{
		{"-ERR 'Authorization Violation'", expired, "authorization violation (sent --creds, which expired at 2024-01-02T03:04:05Z)", "new creds file"},
		{"-ERR 'Authorization Violation'", valid, "authorization violation (sent --creds)", "checking --creds"},
		{"-ERR 'User Authentication Expired'", valid, "user authentication expired (sent --creds)", "new creds file"},
		{"-ERR 'User Authentication Revoked'", valid, "user authentication revoked (sent --creds)", "another user"},
		{"-ERR 'Account Authentication Expired'", valid, "account authentication expired (sent --creds)", "operator"},
		{"-ERR 'maximum connections exceeded'", valid, "the server's maximum of connections is exceeded", "max_connections"},
		{"-ERR 'maximum account active connections exceeded'", valid, "the account's maximum of connections is exceeded", "account's limit"},
		{"-ERR 'Something\tNew'", valid, "Something New", ""},
	} {
		t.Run(c.said, func(t *testing.T) {
			config := natsconn.Config{Servers: "nats://" + listen(t, answers(c.said, nil)), Creds: c.creds}
			explained(t, config, "SERVERS: "+c.why, c.remedy)
		})
	}
}

func TestServerThatEchoesAPasswordIsNotQuoted(t *testing.T) {
	address := listen(t, answers("-ERR 'no way, s3cr3t'", nil))
	explained(t, natsconn.Config{Servers: "nats://" + address, User: "u", Password: "s3cr3t"}, "SERVERS: no way, (hidden)", "")
}

func TestTLSTroubleIsExplained(t *testing.T) {
	tls, mutual := startLab(t, lab.Config{TLS: lab.TLSServer}), startLab(t, lab.Config{TLS: lab.TLSMutual})
	first, open := startLab(t, lab.Config{TLS: lab.TLSServer, TLSFirst: true}), startLab(t, lab.Config{})
	_, certFile, keyFile := selfSigned(t, "localhost", time.Now().Add(time.Hour))
	cases := map[string]struct {
		edit        func(*natsconn.Config)
		config      natsconn.Config
		why, remedy string
	}{
		"no CA":             {func(c *natsconn.Config) { c.TLSCA = "" }, tls, "the server's certificate is signed by an unknown authority (CN=natsops lab authority,O=natsops lab)", "--tlsca FILE"},
		"wrong CA":          {func(c *natsconn.Config) { c.TLSCA = certFile }, tls, "the server's certificate is signed by an unknown authority (CN=natsops lab authority,O=natsops lab)", "--tlsca FILE"},
		"no certificate":    {func(c *natsconn.Config) { c.TLSCert, c.TLSKey = "", "" }, mutual, "the server requires a client certificate", "--tlscert FILE"},
		"wrong certificate": {func(c *natsconn.Config) { c.TLSCert, c.TLSKey = certFile, keyFile }, mutual, "the server refused the client certificate " + certFile + "…", "signed by an authority"},
		"TLS is not first":  {func(c *natsconn.Config) { c.TLSFirst = true }, tls, "the server does not start with TLS", "without --tlsfirst"},
		"TLS is first":      {func(c *natsconn.Config) { c.TLSFirst, c.Timeout = false, soon }, first, "connected, but no answer within 1s", "--tlsfirst"},
		"no TLS":            {func(c *natsconn.Config) { c.TLSCA = certFile }, open, "the server does not offer TLS", "nats://"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			c.edit(&c.config)
			explained(t, c.config, "SERVERS: "+c.why, c.remedy)
		})
	}
}

func TestFaultsOfTheServersCertificateAreExplained(t *testing.T) {
	now := time.Now()
	other, otherFile, _ := selfSigned(t, "nats.example.org", now.Add(time.Hour))
	old, oldFile, _ := selfSigned(t, "127.0.0.1", now.Add(-time.Hour))
	explained(t, natsconn.Config{Servers: "nats://" + listen(t, greetsWithTLS(other)), TLSCA: otherFile},
		"SERVERS: the server's certificate is not for 127.0.0.1", "nats.example.org")
	explained(t, natsconn.Config{Servers: "nats://" + listen(t, greetsWithTLS(old)), TLSCA: oldFile},
		"SERVERS: the server's certificate has expired, or is not valid yet", "clock")
	full := listen(t, func(conn net.Conn) {
		_, _ = io.WriteString(conn, `INFO {"tls_required":true}`+"\r\n")
		_, _ = conn.Read(make([]byte, 1)) // the handshake has begun
		says("-ERR 'maximum connections exceeded'\r\n")(conn)
	})
	explained(t, natsconn.Config{Servers: "nats://" + full}, "SERVERS: the server answered with an error instead of TLS", "maximum connections")
}

func TestServersThatFailAlikeAreToldTogether(t *testing.T) {
	a, b, c := "nats://"+closed(1), "nats://"+closed(2), "nats://"+listen(t, answers("-ERR 'Authorization Violation'", nil))
	explained(t, natsconn.Config{Servers: a + "," + c + "," + b},
		a+", "+b+": connection refused; "+c+": authorization violation (sent no credentials)", "--creds")
}
