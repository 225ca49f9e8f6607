package lab

import (
	"bufio"
	"context"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strconv"
	"strings"

	"github.com/nats-io/nkeys"
)

// A wire is a client's connection, just able to ask the JetStream API one
// thing.
type wire struct {
	conn  net.Conn
	in    *bufio.Reader
	inbox string
}

// request asks the JetStream API of n for something. That a stream is not there
// is no error, since it is asked to go only.
func (n *Node) request(ctx context.Context, subject string, what any) error {
	ctx, cancel := context.WithTimeout(ctx, requestLimit)
	defer cancel()
	conn, err := new(net.Dialer).DialContext(ctx, "tcp", loopback(n.spec.Config.Port))
	if err != nil {
		return err
	}
	w := &wire{conn: conn, in: bufio.NewReader(conn), inbox: "_INBOX." + rand.Text()}
	defer func() { _ = w.conn.Close() }() // there is nothing to lose
	stop := context.AfterFunc(ctx, func() { _ = conn.Close() })
	defer stop()
	if err := w.handshake(n.spec); err != nil {
		return err
	}
	body, err := json.Marshal(what)
	if err != nil {
		return err
	}
	if _, err := fmt.Fprintf(w.conn, "PUB %s %s %d\r\n%s\r\n", subject, w.inbox, len(body), body); err != nil {
		return err
	}
	return w.answer()
}

func (w *wire) handshake(s spec) error {
	if s.Config.TLSFirst {
		if err := w.encrypt(s.Identity.Credentials); err != nil {
			return err
		}
	}
	line, err := w.line()
	if err != nil {
		return err
	}
	var info struct{ Nonce string }
	if err := json.Unmarshal([]byte(strings.TrimPrefix(line, "INFO ")), &info); err != nil {
		return fmt.Errorf("read INFO: %w", err)
	}
	if s.Config.TLS != TLSOff && !s.Config.TLSFirst {
		if err := w.encrypt(s.Identity.Credentials); err != nil {
			return err
		}
	}
	hello, err := greeting(s.Identity.Credentials, info.Nonce)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(w.conn, "CONNECT %s\r\nSUB %s 1\r\n", hello, w.inbox)
	return err
}

// encrypt puts TLS on the connection.
func (w *wire) encrypt(c Credentials) error {
	ca, err := os.ReadFile(c.CAFile)
	if err != nil {
		return err
	}
	cfg := &tls.Config{RootCAs: x509.NewCertPool(), ServerName: "127.0.0.1", MinVersion: tls.VersionTLS12}
	cfg.RootCAs.AppendCertsFromPEM(ca)
	if c.CertFile != "" {
		pair, err := tls.LoadX509KeyPair(c.CertFile, c.KeyFile)
		if err != nil {
			return err
		}
		cfg.Certificates = []tls.Certificate{pair}
	}
	w.conn = tls.Client(w.conn, cfg)
	w.in = bufio.NewReader(w.conn)
	return nil
}

// greeting is what CONNECT says.
func greeting(c Credentials, nonce string) ([]byte, error) {
	hello := map[string]any{
		"name": "natsops lab", "lang": "go", "version": "1", "verbose": false,
		"user": c.User, "pass": c.Password, "auth_token": c.Token,
	}
	if c.NKeyFile != "" {
		seed, err := os.ReadFile(c.NKeyFile)
		if err != nil {
			return nil, err
		}
		pair, err := nkeys.FromSeed(seed)
		if err != nil {
			return nil, err
		}
		sig, err := pair.Sign([]byte(nonce))
		if err != nil {
			return nil, err
		}
		hello["sig"] = base64.RawURLEncoding.EncodeToString(sig)
		if hello["nkey"], err = pair.PublicKey(); err != nil {
			return nil, err
		}
	}
	return json.Marshal(hello)
}

// answer waits for the answer to the only request.
func (w *wire) answer() error {
	for {
		line, err := w.line()
		if err != nil {
			return err
		}
		verb, rest, _ := strings.Cut(line, " ")
		switch verb {
		case "MSG":
			return w.judge(rest[strings.LastIndex(rest, " ")+1:])
		case "PING":
			_, _ = io.WriteString(w.conn, "PONG\r\n") // the next read tells
		case "-ERR":
			return errors.New(rest)
		}
	}
}

// judge reads the answer, which has size bytes.
func (w *wire) judge(size string) error {
	n, err := strconv.Atoi(size)
	if err != nil {
		return err
	}
	body := make([]byte, n+len("\r\n"))
	if _, err := io.ReadFull(w.in, body); err != nil {
		return err
	}
	var answer struct {
		Error struct {
			Code        int
			Description string
		}
	}
	if err := json.Unmarshal(body, &answer); err != nil {
		return err
	}
	if code := answer.Error.Code; code != 0 && code != http.StatusNotFound {
		return errors.New(answer.Error.Description)
	}
	return nil
}

func (w *wire) line() (string, error) {
	line, err := w.in.ReadString('\n')
	return strings.TrimRight(line, "\r\n"), err
}
