package lab

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/nats-io/nkeys"
)

// The files of an identity, in the lab's directory.
const (
	nkeyFile   = "user.nk"
	caCert     = "ca.pem"
	serverCert = "server.pem"
	serverKey  = "server-key.pem"
	clientCert = "client.pem"
	clientKey  = "client-key.pem"
)

// certLife is longer than any lab.
const certLife = 365 * 24 * time.Hour

// An identity is what the nodes of a lab and their clients know each other by.
type identity struct {
	Credentials Credentials
	NKey        string
	Users       []User
	RouteSecret string
}

// newIdentity invents the secrets that cfg asks for and writes those that
// clients read from files to dir.
func newIdentity(cfg Config, dir string) (identity, error) {
	id := identity{Users: users(cfg), RouteSecret: rand.Text()}
	c := &id.Credentials
	switch cfg.Auth {
	case AuthNone:
	case AuthToken:
		c.Token = rand.Text()
	case AuthUser:
		*c, _ = id.user(appUser)
	case AuthNKey:
		var err error
		c.NKeyFile = filepath.Join(dir, nkeyFile)
		if id.NKey, err = writeNKey(c.NKeyFile); err != nil {
			return identity{}, fmt.Errorf("make an nkey: %w", err)
		}
	}
	if cfg.TLS == TLSOff {
		return id, nil
	}
	if err := writeCertificates(dir); err != nil {
		return identity{}, fmt.Errorf("make certificates: %w", err)
	}
	c.CAFile = filepath.Join(dir, caCert)
	if cfg.TLS == TLSMutual {
		c.CertFile = filepath.Join(dir, clientCert)
		c.KeyFile = filepath.Join(dir, clientKey)
	}
	return id, nil
}

// user returns what the user called name needs to be let in.
func (id identity) user(name string) (Credentials, bool) {
	i := slices.IndexFunc(id.Users, func(u User) bool { return u.Name == name })
	if i < 0 {
		return Credentials{}, false
	}
	c := id.Credentials
	c.NKeyFile, c.User, c.Password = "", name, id.Users[i].Password
	return c, true
}

// writeNKey writes the seed of a new user key and returns its public key.
func writeNKey(file string) (string, error) {
	pair, err := nkeys.CreateUser()
	if err != nil {
		return "", err
	}
	seed, err := pair.Seed()
	if err != nil {
		return "", err
	}
	if err := os.WriteFile(file, seed, 0o600); err != nil {
		return "", err
	}
	return pair.PublicKey()
}

// An authority signs certificates. Its own key is never written.
type authority struct {
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
}

// writeCertificates writes a new authority's certificate, and a certificate
// and key each for a server on loopback and for a client.
func writeCertificates(dir string) error {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return err
	}
	root := certificate("natsops lab authority")
	root.IsCA, root.BasicConstraintsValid = true, true
	root.KeyUsage = x509.KeyUsageCertSign
	ca := authority{cert: root, key: key}
	if err := ca.sign(root, key, filepath.Join(dir, caCert)); err != nil {
		return err
	}

	server := certificate("localhost")
	server.DNSNames = []string{"localhost"}
	server.IPAddresses = []net.IP{net.IPv4(127, 0, 0, 1), net.IPv6loopback}
	server.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}
	if err := ca.issue(server, filepath.Join(dir, serverCert), filepath.Join(dir, serverKey)); err != nil {
		return err
	}
	client := certificate("natsops")
	client.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}
	return ca.issue(client, filepath.Join(dir, clientCert), filepath.Join(dir, clientKey))
}

// certificate is what all certificates of a lab share. They are valid from an
// hour ago, for clocks that are set back while the lab runs.
func certificate(commonName string) *x509.Certificate {
	now := time.Now()
	return &x509.Certificate{
		SerialNumber: new(big.Int).SetBytes([]byte(rand.Text())[:16]),
		Subject:      pkix.Name{Organization: []string{"natsops lab"}, CommonName: commonName},
		NotBefore:    now.Add(-time.Hour),
		NotAfter:     now.Add(certLife),
		KeyUsage:     x509.KeyUsageDigitalSignature,
	}
}

func (ca authority) issue(cert *x509.Certificate, certFile, keyFile string) error {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return err
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return err
	}
	if err := writePEM(keyFile, "PRIVATE KEY", der); err != nil {
		return err
	}
	return ca.sign(cert, key, certFile)
}

func (ca authority) sign(cert *x509.Certificate, key *ecdsa.PrivateKey, file string) error {
	der, err := x509.CreateCertificate(rand.Reader, cert, ca.cert, &key.PublicKey, ca.key)
	if err != nil {
		return err
	}
	return writePEM(file, "CERTIFICATE", der)
}

func writePEM(file, kind string, der []byte) error {
	return os.WriteFile(file, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), 0o600)
}
