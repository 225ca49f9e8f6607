package natsconn_test

import (
	"bufio"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"io"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

// listen serves each connection on a free loopback port with serve, and
// returns host:port. The test ends when all connections are closed.
func listen(t *testing.T, serve func(net.Conn)) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var open sync.WaitGroup
	open.Go(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			open.Go(func() {
				defer conn.Close()
				serve(conn)
			})
		}
	})
	t.Cleanup(func() {
		l.Close()
		open.Wait()
	})
	return l.Addr().String()
}

// mute never answers; it waits for the client to hang up.
func mute(conn net.Conn) { _, _ = io.Copy(io.Discard, conn) }

// says writes text and waits for the client to hang up.
func says(text string) func(net.Conn) {
	return func(conn net.Conn) {
		_, _ = io.WriteString(conn, text)
		mute(conn)
	}
}

// answers greets like a NATS server and replies to CONNECT and PING with text.
// Each CONNECT line is passed to got, if there is one.
func answers(text string, got func(connect string)) func(net.Conn) {
	return func(conn net.Conn) {
		_, _ = io.WriteString(conn, `INFO {"server_id":"x","max_payload":1024,"nonce":"abc","headers":true}`+"\r\n")
		for lines := bufio.NewScanner(conn); lines.Scan(); {
			if connect, ok := strings.CutPrefix(lines.Text(), "CONNECT "); ok && got != nil {
				got(connect)
			}
			if lines.Text() == "PING" {
				_, _ = io.WriteString(conn, text+"\r\n")
			}
		}
	}
}

// greetsWithTLS demands TLS in its greeting, completes the handshake, and hangs up.
func greetsWithTLS(cert tls.Certificate) func(net.Conn) {
	return func(conn net.Conn) {
		_, _ = io.WriteString(conn, `INFO {"server_id":"x","max_payload":1024,"tls_required":true}`+"\r\n")
		_ = tls.Server(conn, &tls.Config{Certificates: []tls.Certificate{cert}, MinVersion: tls.VersionTLS12}).Handshake()
	}
}

// closed is an address that refuses connections. The numbers are those of services
// that are no more: a port that was free could be somebody else's a moment later.
func closed(port int) string { return fmt.Sprintf("127.0.0.1:%d", port) }

// selfSigned makes a certificate for host, valid from an hour ago to until,
// that is its own authority, and the files that hold it and its key.
func selfSigned(t *testing.T, host string, until time.Time) (cert tls.Certificate, certFile, keyFile string) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "test authority"},
		NotBefore: until.Add(-2 * time.Hour), NotAfter: until,
		IsCA: true, BasicConstraintsValid: true,
	}
	if ip := net.ParseIP(host); ip != nil {
		template.IPAddresses = []net.IP{ip}
	} else {
		template.DNSNames = []string{host}
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	pkcs8, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	certFile = write(t, "cert.pem", string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})))
	keyFile = write(t, "key.pem", string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: pkcs8})))
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, certFile, keyFile
}

// write makes a file in a directory of its own.
func write(t *testing.T, name, content string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(file, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

// socksProxy answers each SOCKS5 request with code, and relays if it is 0.
func socksProxy(t *testing.T, code byte) string {
	t.Helper()
	return listen(t, func(conn net.Conn) {
		head := make([]byte, 2)
		if _, err := io.ReadFull(conn, head); err != nil {
			return
		}
		_, _ = io.CopyN(io.Discard, conn, int64(head[1]))
		_, _ = conn.Write([]byte{5, 0})
		request := make([]byte, 10) // version, command, 0, IPv4, address, port
		if _, err := io.ReadFull(conn, request); err != nil {
			return
		}
		_, _ = conn.Write([]byte{5, code, 0, 1, 0, 0, 0, 0, 0, 0})
		if code != 0 {
			return
		}
		port := int(request[8])<<8 | int(request[9])
		server, err := net.Dial("tcp", net.JoinHostPort(net.IP(request[4:8]).String(), fmt.Sprint(port)))
		if err != nil {
			return
		}
		var relay sync.WaitGroup
		relay.Go(func() { _, _ = io.Copy(server, conn); server.Close() })
		relay.Go(func() { _, _ = io.Copy(conn, server); conn.Close() })
		relay.Wait()
	})
}
