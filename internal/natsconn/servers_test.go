package natsconn_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/natsops/natsops/internal/natsconn"
)

func TestServersAreCompletedAndShownWithoutTheirUserPart(t *testing.T) {
	cases := []struct {
		in   string
		want []string
	}{
		{"localhost", []string{"nats://localhost:4222"}},
		{"h:1234", []string{"nats://h:1234"}},
		{"h:", []string{"nats://h:4222"}},
		{" nats://a , tls://b:5 ", []string{"nats://a:4222", "tls://b:5"}},
		{"nats://u:pw@a,nats://tok@b", []string{"nats://a:4222", "nats://b:4222"}},
		{"u:pw@a,u:pw@b", []string{"nats://a:4222", "nats://b:4222"}},
		{"nats://@h/", []string{"nats://h:4222"}},
		{"ws://h/nats", []string{"ws://h:80/nats"}},
		{"wss://h", []string{"wss://h:443"}},
		{"nats://[::1]", []string{"nats://[::1]:4222"}},
	}
	for _, c := range cases {
		target, err := natsconn.For(natsconn.Config{Servers: c.in})
		if err != nil {
			t.Errorf("For(%q): %v", c.in, err)
			continue
		}
		if diff := cmp.Diff(c.want, target.Servers()); diff != "" {
			t.Errorf("servers of %q (-want +got):\n%s", c.in, diff)
		}
	}
}

func TestServersThatCannotBeParsedAreNamed(t *testing.T) {
	cases := []struct{ in, want string }{
		{"nats://", `cannot use --server "nats://": it has no host`},
		{"http://x", `cannot use --server "http://x": the scheme must be nats, tls, ws or wss`},
		{"nats://a b", `cannot use --server "nats://a b": it has a space or a control character in it`},
		{"a\nb", `cannot use --server "a\nb": it has a space or a control character in it`},
		{"h:port", `cannot use --server "h:port": not a URL with a valid host and port`},
		{"h:0", `cannot use --server "h:0": the port must be a number from 1 to 65535`},
		{"h:65536", `cannot use --server "h:65536": the port must be a number from 1 to 65535`},
		{"nats://h/4222", `cannot use --server "nats://h/4222": it has more than a host and a port`},
		{"a,,b", `cannot use --server "a,,b": it names no server (number 2 of 3)`},
		{"nats://a,ws://b", `cannot use --server "nats://a,ws://b": it mixes websocket and other URLs`},
		{"nats://u:p/w@h:x", `cannot use --server "nats://(hidden)@h:x": not a URL with a valid host and port`},
		{"nats://u:12,pw@h", `cannot use --server "nats://(hidden)@h": it has no scheme, or follows a comma in a password (number 2 of 2)`},
	}
	for _, c := range cases {
		_, err := natsconn.For(natsconn.Config{Servers: c.in})
		if !errors.Is(err, natsconn.ErrConfig) || err.Error() != c.want {
			t.Errorf("For(%q)\n got %v\nwant %s", c.in, err, c.want)
		}
	}
}

func FuzzServersAreParsedWithoutShowingThePassword(f *testing.F) {
	f.Add("", "localhost")
	f.Add(":u", "a:1,b")
	f.Add("@,/#?%", "[::1]:4222")
	f.Add("u:p@h,nats://", "x\n")
	f.Fuzz(func(t *testing.T, noise, hosts string) {
		const secret = "s3cr3tWord"
		in := "nats://u:" + secret + noise + "@" + hosts
		if strings.Contains(hosts, "@") || strings.Contains(noise, "://") {
			t.Skip("not a list whose user part is in one place")
		}
		target, err := natsconn.For(natsconn.Config{Servers: in})
		if err != nil {
			if !errors.Is(err, natsconn.ErrConfig) || strings.Contains(err.Error(), secret) || strings.ContainsAny(err.Error(), "\r\n") {
				t.Fatalf("For(%q) = %v", in, err)
			}
			return
		}
		if strings.Contains(target.String(), secret) {
			t.Fatalf("For(%q) shows %s", in, target)
		}
		again, err := natsconn.For(natsconn.Config{Servers: target.String()})
		if err != nil || again.String() != target.String() {
			t.Fatalf("For(%q) = %s, which parses as %s, %v", in, target, again, err)
		}
	})
}
