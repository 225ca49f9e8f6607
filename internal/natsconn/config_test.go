package natsconn_test

import (
	"bytes"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/natsops/natsops/internal/hint"
	"github.com/natsops/natsops/internal/natsconn"
)

func TestSecretsAreNeverPrinted(t *testing.T) {
	const secret = "s3cr3tWord"
	seed, down := newSeed(t), closed(1)
	cases := []struct {
		name   string
		config natsconn.Config
		secret string
	}{
		{"password", natsconn.Config{Servers: down, User: "u", Password: secret}, secret},
		{"token", natsconn.Config{Servers: down, Token: secret}, secret},
		{"user as token", natsconn.Config{Servers: down, User: secret}, secret},
		{"password in URL", natsconn.Config{Servers: "nats://u:" + secret + "@" + down}, secret},
		{"token in URL", natsconn.Config{Servers: "nats://" + secret + "@" + down}, secret},
		{"password in a wrong URL", natsconn.Config{Servers: "nats://u:a/" + secret + "@" + down}, secret},
		{"password with an @ in a wrong URL", natsconn.Config{Servers: "nats://u:a@/" + secret + "@" + down}, secret},
		{"password in the second URL", natsconn.Config{Servers: down + ",nats://u:" + secret + "@" + down}, secret},
		{"password of proxy", natsconn.Config{Servers: down, SocksProxy: "socks5://u:" + secret + "@" + down}, secret},
		{"password of a wrong proxy", natsconn.Config{Servers: down, SocksProxy: "http://u:" + secret + "@" + down}, secret},
		{"seed as its file", natsconn.Config{Servers: down, NKey: seed}, seed},
		{"seed as creds", natsconn.Config{Servers: down, Creds: "a " + seed}, seed},
		{"JWT as its file", natsconn.Config{Servers: down, Creds: "eyJ" + secret}, secret},
		{"PEM as its file", natsconn.Config{Servers: down, TLSCA: "-----BEGIN X-----\n" + secret}, secret},
		{"inline data", natsconn.Config{Servers: down, Creds: "data:;base64," + secret}, secret},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			target, err := natsconn.For(c.config)
			if err == nil {
				_, err = target.Connect(t.Context(), "test")
			}
			if err == nil {
				t.Fatal("there is no error to look at")
			}
			type outer struct{ inner natsconn.Target }
			var log bytes.Buffer
			for _, handler := range []slog.Handler{slog.NewTextHandler(&log, nil), slog.NewJSONHandler(&log, nil)} {
				slog.New(handler).Info("", "config", c.config, "target", target, "err", err)
			}
			for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x"} {
				for _, value := range []any{c.config, &c.config, target, &target, outer{target}, err, hint.Of(err)} {
					fmt.Fprintf(&log, verb+"\n", value)
				}
			}
			if strings.Contains(log.String(), c.secret) || strings.Contains(log.String(), fmt.Sprintf("%x", c.secret)) {
				t.Errorf("the secret was printed:\n%s", log.String())
			}
			if strings.ContainsAny(err.Error(), "\r\n") {
				t.Errorf("the error has more than one line: %q", err)
			}
		})
	}
}

func TestConfigPrintsWhatIsNotSecret(t *testing.T) {
	c := natsconn.Config{
		Servers: "nats://u:p@h", Context: "dev", Password: "p", Creds: "a.creds",
		JSDomain: "D", TLSFirst: true, Timeout: time.Second,
	}
	want := `{server="nats://(hidden)@h" password=(hidden) creds=a.creds js-domain=D context=dev tlsfirst=true timeout=1s}`
	if got := fmt.Sprintf("%#v", c); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}
