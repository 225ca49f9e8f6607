package lab

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"slices"
)

// Auth is how a lab server asks clients to identify themselves. The zero value
// means [AuthNone].
type Auth string

// The ways to identify; the secrets are new for every lab.
const (
	AuthNone  Auth = "none"
	AuthToken Auth = "token"
	AuthUser  Auth = "user" // user "natsops" and a password
	AuthNKey  Auth = "nkey"
)

// TLS is how a lab server encrypts. The zero value means [TLSOff].
type TLS string

// The ways to encrypt; the certificates are new for every lab.
const (
	TLSOff    TLS = "off"
	TLSServer TLS = "server" // the server shows a certificate
	TLSMutual TLS = "mutual" // the client must show one too
)

// A Config describes one lab server. The zero value is an open server on a
// free port that leaves nothing behind.
type Config struct {
	Auth       Auth
	TLS        TLS
	TLSFirst   bool   // the TLS handshake comes before the server's INFO
	Port       int    // 0: a free one
	StoreDir   string // where JetStream keeps its data; "": in the lab's directory, removed by Stop
	Name       string // the server's name; "": "natsops-lab"
	MaxPayload int    // bytes; 0: the server's default, 1 MiB
	MaxPending int64  // bytes that may wait for a slow client; 0: the server's default, 64 MiB
	Users      []User // besides the lab's own; not with [AuthToken]
	Leafs      bool   // let leaf nodes in, at [Node.LeafURL]
	Remotes    []Remote
}

// A Remote is a server that a lab server joins as a leaf node.
type Remote struct {
	URL     string      // as in [Node.LeafURL]
	As      Credentials // a user and password there
	Account string      // the account here that becomes one with the user's there
}

// Credentials are what a client needs to connect. Fields that the server does
// not ask for are empty; the files live until [Server.Stop].
type Credentials struct {
	User, Password string
	Token          string
	NKeyFile       string // the seed of a user key
	CAFile         string
	CertFile       string
	KeyFile        string
}

// withDefaults fills the zero values in and refuses what no server could run.
func (c Config) withDefaults() (Config, error) {
	c.Auth = cmp.Or(c.Auth, AuthNone)
	c.TLS = cmp.Or(c.TLS, TLSOff)
	c.Name = cmp.Or(c.Name, "natsops-lab")
	switch {
	case !slices.Contains([]Auth{AuthNone, AuthToken, AuthUser, AuthNKey}, c.Auth):
		return c, fmt.Errorf("unknown lab authentication %q", c.Auth)
	case !slices.Contains([]TLS{TLSOff, TLSServer, TLSMutual}, c.TLS):
		return c, fmt.Errorf("unknown lab encryption %q", c.TLS)
	case c.TLSFirst && c.TLS == TLSOff:
		return c, fmt.Errorf("a TLS handshake first needs TLS %q or %q", TLSServer, TLSMutual)
	case c.Port < 0 || c.Port > math.MaxUint16:
		return c, fmt.Errorf("port %d is not between 0 and %d", c.Port, math.MaxUint16)
	case c.MaxPayload < 0 || c.MaxPayload > math.MaxInt32:
		return c, fmt.Errorf("max payload %d is not between 0 and %d bytes", c.MaxPayload, math.MaxInt32)
	case c.MaxPending < 0:
		return c, fmt.Errorf("max pending %d is negative", c.MaxPending)
	case c.Auth == AuthToken && len(c.Users) > 0:
		return c, errors.New("a lab that asks for a token can have no users")
	}
	return c, checkUsers(c.Users)
}
