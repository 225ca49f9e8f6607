package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/natsops/natsops/internal/lab"
	"github.com/natsops/natsops/internal/natsconn"
)

// addConnectionFlags adds the flags that name a server and how to get in. They
// are those of the nats CLI.
func addConnectionFlags(cmd *cobra.Command, c *natsconn.Config) {
	f := cmd.PersistentFlags()
	f.StringVarP(&c.Servers, "server", "s", "", "connect to the servers at `URL` (several: separate by commas) [NATS_URL]")
	f.StringVar(&c.Context, "context", "", "take the connection settings of the context `NAME` [NATS_CONTEXT]")
	f.StringVar(&c.User, "user", "", "log in as `NAME` [NATS_USER]")
	f.StringVar(&c.Password, "password", "", "log in with `PASSWORD` [NATS_PASSWORD]")
	f.StringVar(&c.Token, "token", "", "log in with `TOKEN` [NATS_TOKEN]")
	f.StringVar(&c.Creds, "creds", "", "log in with the credentials in `FILE` [NATS_CREDS]")
	f.StringVar(&c.NKey, "nkey", "", "log in with the nkey seed in `FILE` [NATS_NKEY]")
	f.StringVar(&c.TLSCert, "tlscert", "", "show the server the certificate in `FILE` [NATS_CERT]")
	f.StringVar(&c.TLSKey, "tlskey", "", "the certificate's private key is in `FILE` [NATS_KEY]")
	f.StringVar(&c.TLSCA, "tlsca", "", "trust servers whose certificate the CA in `FILE` has signed [NATS_CA]")
	f.BoolVar(&c.TLSFirst, "tlsfirst", false, "begin with the TLS handshake, before the server says anything")
	f.Var(durationFlag(&c.Timeout, ""), "timeout", "give up a connection or a request after `DURATION` (default 5s) [NATS_TIMEOUT]")
	f.StringVar(&c.JSDomain, "js-domain", "", "use the JetStream domain `NAME`")
	f.StringVar(&c.JSAPIPrefix, "js-api-prefix", "", "use `PREFIX` for the JetStream API")
	f.StringVar(&c.InboxPrefix, "inbox-prefix", "", "use `PREFIX` for reply subjects")
	f.StringVar(&c.SocksProxy, "socks-proxy", "", "connect through the SOCKS5 proxy at `URL` [NATS_SOCKS_PROXY]")
}

// refuseEmpty returns an error for a flag of the connection that is given
// without a value, as --server "$UNSET" is: the load would go elsewhere.
func refuseEmpty(cmd *cobra.Command) (err error) {
	own := cmd.LocalNonPersistentFlags()
	cmd.Flags().Visit(func(f *pflag.Flag) {
		if own.Lookup(f.Name) == nil && f.Value.Type() == "string" && f.Value.String() == "" {
			err = usagef("--%s is given, but empty", f.Name)
		}
	})
	return err
}

// A place is where a load goes: a server that somebody named, or a lab of our
// own that ends with the command.
type place struct {
	target  natsconn.Target
	lab     *lab.Server // nil: the server is somebody else's
	monitor string
}

// loadPlace returns the server that was named, or starts one. A context that
// happens to be selected is never taken: what is left out must not break
// production.
func loadPlace(ctx context.Context, w world, c natsconn.Config, monitor string) (place, error) {
	target, err := natsconn.Resolve(c, w.getenv, natsconn.OnlyExplicit)
	if !errors.Is(err, natsconn.ErrNoTarget) {
		return place{target: target, monitor: monitor}, err
	}
	if c != (natsconn.Config{Timeout: c.Timeout}) || monitor != "" {
		return place{}, usagef("connection settings are given, but no server; name one with --server or --context")
	}
	server, err := lab.StartChild(ctx, lab.Config{})
	if err != nil {
		return place{}, fmt.Errorf("cannot start a throwaway server: %w", err)
	}
	fmt.Fprintf(w.stderr, "natsops: no server named; started a throwaway one at %s\n", server.URL())
	target, err = natsconn.For(natsconn.Config{Servers: server.URL(), Timeout: c.Timeout})
	return place{target: target, lab: server, monitor: server.MonitorURL()}, err
}

// close ends the lab, if there is one, and waits for its end.
func (p place) close() error {
	if p.lab == nil {
		return nil
	}
	return p.lab.Stop()
}

// How long the look for somebody who knows the server's resources may take
// before a run goes on without, where nobody is named.
const lookAround = time.Second
