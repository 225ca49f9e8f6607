package lab

import (
	"crypto/x509"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// variants are all the ways to guard a server.
func variants() []Config {
	var all []Config
	for _, auth := range []Auth{AuthNone, AuthToken, AuthUser, AuthNKey} {
		all = append(all, Config{Auth: auth})
		for _, mode := range []TLS{TLSServer, TLSMutual} {
			all = append(all, Config{Auth: auth, TLS: mode}, Config{Auth: auth, TLS: mode, TLSFirst: true})
		}
	}
	return all
}

func TestEveryVariantAdmitsItsClientsAndNoOthers(t *testing.T) {
	for kind, start := range kinds {
		for _, cfg := range variants() {
			t.Run(fmt.Sprintf("%s/auth=%s,tls=%s,first=%t", kind, cfg.Auth, cfg.TLS, cfg.TLSFirst), func(t *testing.T) {
				isolate(t)
				s := mustStart(t, start, cfg)
				store(t, connect(t, s, tlsOptions(cfg)...), jetstream.MemoryStorage, "in")
				mustRefuse(t, s, cfg)
			})
		}
	}
}

func tlsOptions(cfg Config) []nats.Option {
	if cfg.TLSFirst {
		return []nats.Option{nats.TLSHandshakeFirst()}
	}
	return nil
}

// mustRefuse takes away or forges one credential at a time.
func mustRefuse(t *testing.T, s *Server, cfg Config) {
	t.Helper()
	good := s.Credentials()
	refuse := func(what string, c Credentials, is func(error) bool) {
		t.Helper()
		nc, err := dial(s.URL(), c, tlsOptions(cfg)...)
		if err == nil {
			nc.Close()
			t.Errorf("%s: admitted", what)
		} else if !is(err) {
			t.Errorf("%s: refused with %v", what, err)
		}
	}
	unauthorized := func(err error) bool { return errors.Is(err, nats.ErrAuthorization) }

	if cfg.Auth != AuthNone {
		refuse("no identity", Credentials{CAFile: good.CAFile, CertFile: good.CertFile, KeyFile: good.KeyFile}, unauthorized)
		refuse("wrong identity", forge(t, good), unauthorized)
	}
	if cfg.TLS != "" {
		c := good
		c.CAFile = ""
		refuse("no authority", c, func(err error) bool {
			_, unknown := errors.AsType[x509.UnknownAuthorityError](err)
			return unknown
		})
	}
	if cfg.TLS == TLSMutual {
		c := good
		c.CertFile = ""
		refuse("no client certificate", c, func(error) bool { return true }) // the alert or the closed connection, whichever is read first
		stranger, err := newIdentity(cfg, t.TempDir())
		if err != nil {
			t.Fatal(err)
		}
		c.CertFile, c.KeyFile = stranger.Credentials.CertFile, stranger.Credentials.KeyFile
		refuse("a stranger's client certificate", c, func(error) bool { return true })
	}
}

// forge replaces the secret in c.
func forge(t *testing.T, c Credentials) Credentials {
	t.Helper()
	switch {
	case c.Token != "":
		c.Token = "x" + c.Token
	case c.Password != "":
		c.Password = "x" + c.Password
	default:
		c.NKeyFile = filepath.Join(t.TempDir(), "other.nk")
		if _, err := writeNKey(c.NKeyFile); err != nil {
			t.Fatal(err)
		}
	}
	return c
}

func TestHandshakeFirstIsNotTheOtherWayRound(t *testing.T) {
	isolate(t)
	first := mustStart(t, kinds["in process"], Config{TLS: TLSServer, TLSFirst: true})
	if nc, err := dial(first.URL(), first.Credentials(), nats.Timeout(100*time.Millisecond)); err == nil {
		nc.Close()
		t.Error("admitted a client that waits for INFO")
	}
	later := mustStart(t, kinds["in process"], Config{TLS: TLSServer})
	if nc, err := dial(later.URL(), later.Credentials(), nats.TLSHandshakeFirst()); err == nil {
		nc.Close()
		t.Error("admitted a client that does not wait for INFO")
	}
}

func TestSecretsAreNewForEveryLabAndNotInTheURL(t *testing.T) {
	isolate(t)
	for _, cfg := range variants() {
		a := mustStart(t, kinds["in process"], cfg)
		b := mustStart(t, kinds["in process"], cfg)
		for _, s := range []string{a.Credentials().Token, a.Credentials().Password} {
			if s != "" && (s == b.Credentials().Token || s == b.Credentials().Password || len(s) < 20) {
				t.Errorf("%+v: secret %q", cfg, s)
			}
		}
		want := "nats://127.0.0.1:"
		if cfg.TLS != "" {
			want = "tls://127.0.0.1:"
		}
		if !strings.HasPrefix(a.URL(), want) {
			t.Errorf("%+v: got %s, want %s…", cfg, a.URL(), want)
		}
	}
}

func TestFilesAreForTheOwnerOnly(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("windows has no permission bits")
	}
	tmp := isolate(t)
	mustStart(t, kinds["in process"], Config{Auth: AuthNKey, TLS: TLSMutual})
	seen := 0
	err := filepath.WalkDir(tmp, func(path string, e fs.DirEntry, err error) error {
		if err != nil || path == tmp {
			return err
		}
		info, err := e.Info()
		if err != nil {
			return err
		}
		if filepath.Dir(path) == tmp && info.Mode().Perm() != 0o700 {
			t.Errorf("%s has mode %v", path, info.Mode())
		}
		if ext := filepath.Ext(path); ext == ".pem" || ext == ".nk" {
			seen++
			if info.Mode().Perm() != 0o600 {
				t.Errorf("%s has mode %v", path, info.Mode())
			}
		}
		return nil
	})
	if err != nil || seen != 6 {
		t.Errorf("saw %d files, error %v; want 5 of TLS and 1 nkey", seen, err)
	}
}
