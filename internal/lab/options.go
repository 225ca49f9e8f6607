package lab

import (
	"net/url"
	"path/filepath"
	"slices"
	"time"

	"github.com/nats-io/nats-server/v2/server"
)

// clientLimit is how long a client may take to say who it is. It comes from this
// machine, which may have too much to do for the 2 s that nats-server allows.
const clientLimit = 30 * time.Second

const (
	routeUser = "route"
	// nowhere is where nodes tell each other that they are. Each passes on to
	// all others what a new one says about itself, and they try to connect
	// there, past what stands between them (processImplicitRoute in route.go of
	// nats-server; no_advertise is about clients only). Nobody listens on this
	// port, so that they stay with the addresses that they were given.
	nowhere = "127.0.0.1:1"
)

// options translates s for nats-server.
func (s spec) options() (*server.Options, error) {
	o := &server.Options{
		ServerName:      s.Config.Name,
		Host:            "127.0.0.1",
		Port:            s.Config.Port,
		ClientAdvertise: s.Advertise,
		HTTPHost:        "127.0.0.1",
		HTTPPort:        s.MonitorPort,
		MaxPayload:      int32(s.Config.MaxPayload),
		MaxPending:      s.Config.MaxPending,
		AuthTimeout:     clientLimit.Seconds(),
		JetStream:       true,
		StoreDir:        s.Config.StoreDir,
		NoSigs:          true,

		LameDuckGracePeriod: lameDuckGrace,
		LameDuckDuration:    lameDuckLimit,
	}
	if s.Cluster != nil {
		s.Cluster.join(o, s.Identity.RouteSecret)
	}
	if err := s.Identity.admit(o, s.Config.Auth); err != nil {
		return nil, err
	}
	if err := s.leafs(o); err != nil {
		return nil, err
	}
	if s.Config.TLS == TLSOff {
		return o, nil
	}
	var err error
	o.TLS, o.TLSHandshakeFirst, o.TLSTimeout = true, s.Config.TLSFirst, clientLimit.Seconds()
	o.TLSConfig, err = server.GenTLSConfig(&server.TLSConfigOpts{
		CertFile: filepath.Join(s.Dir, serverCert),
		KeyFile:  filepath.Join(s.Dir, serverKey),
		CaFile:   s.Identity.Credentials.CAFile,
		Verify:   s.Config.TLS == TLSMutual,
	})
	return o, err
}

// join makes o a member of the cluster. The secret keeps out the nodes of
// other labs, should they get a port that was ours.
func (m membership) join(o *server.Options, secret string) {
	o.Cluster = server.ClusterOpts{
		Name:      m.Name,
		Host:      "127.0.0.1",
		Port:      m.Port,
		Advertise: nowhere,
		Username:  routeUser,
		Password:  secret,
	}
	for _, addr := range m.Routes {
		o.Routes = append(o.Routes, &url.URL{Scheme: "nats-route", Host: addr, User: url.UserPassword(routeUser, secret)})
	}
}

// admit tells o whom to let in.
func (id identity) admit(o *server.Options, auth Auth) error {
	if auth == AuthToken {
		o.Authorization = id.Credentials.Token
		return nil
	}
	if err := setAccounts(o, id.Users); err != nil {
		return err
	}
	switch auth {
	case AuthNone:
		o.NoAuthUser = appUser
	case AuthNKey:
		i := slices.IndexFunc(o.Accounts, func(a *server.Account) bool { return a.Name == AppAccount })
		o.Nkeys = []*server.NkeyUser{{Nkey: id.NKey, Account: o.Accounts[i]}}
	case AuthUser, AuthToken:
	}
	return nil
}

// leafs lets leaf nodes in, and makes o one.
func (s spec) leafs(o *server.Options) error {
	if s.LeafPort != 0 {
		o.LeafNode.Host, o.LeafNode.Port = "127.0.0.1", s.LeafPort
	}
	if len(s.Config.Remotes) > 0 {
		o.JetStreamDomain = s.Config.Name // or else its JetStream would be part of the remote's
	}
	for _, r := range s.Config.Remotes {
		u, err := url.Parse(r.URL)
		if err != nil {
			return err
		}
		u.User = url.UserPassword(r.As.User, r.As.Password)
		o.LeafNode.Remotes = append(o.LeafNode.Remotes, &server.RemoteLeafOpts{LocalAccount: r.Account, URLs: []*url.URL{u}})
	}
	return nil
}
