package main

import (
	"context"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"github.com/natsops/natsops/internal/lab"
)

// newLabServerCommand returns the hidden command that a lab in a process of its
// own runs.
func newLabServerCommand(w world) *cobra.Command {
	return &cobra.Command{
		Use:    lab.ChildCommand,
		Hidden: true,
		Args:   between(0, 0),
		RunE: func(*cobra.Command, []string) error {
			// Only the end of stdin ends a lab server: a Ctrl-C in the terminal
			// reaches it too, and must not cut the measurement short.
			return lab.ServeChild(context.Background(), w.stdin, w.stdout)
		},
	}
}

func newLabCommand(w world) *cobra.Command {
	var cfg lab.Config
	cmd := &cobra.Command{
		Use:   "lab",
		Short: "Run a throwaway NATS server on this machine",
		Long: `Runs a NATS server with JetStream on loopback until Ctrl-C. What it stored is
removed afterwards. Use it to try natsops, or anything else, without a risk.`,
		Example: `  natsops lab
  natsops lab --auth token --tls server
  natsops lab --port 4222`,
		Args: between(0, 0),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if cfg.TLSFirst && cfg.TLS == lab.TLSOff {
				return usagef("--tlsfirst needs TLS: say --tls server or --tls mutual too")
			}
			return runLab(cmd.Context(), w, cfg)
		},
	}
	f := cmd.Flags()
	f.Var(numberFlag(&cfg.Port, 0, 0, 65535), "port", "listen on port `N` (0: a free one)")
	f.Var(choice((*string)(&cfg.Auth), "none", "token", "user", "nkey"), "auth", "let clients in by `MEANS`: none, token, user or nkey")
	f.Var(choice((*string)(&cfg.TLS), "off", "server", "mutual"), "tls", "use TLS in `MODE`: off, server (it has a certificate) or mutual (clients need one too)")
	f.BoolVar(&cfg.TLSFirst, "tlsfirst", false, "begin with the TLS handshake")
	completeChoices(cmd, "auth", "tls")
	return cmd
}

func runLab(ctx context.Context, w world, cfg lab.Config) error {
	server, err := lab.Start(cfg)
	if err != nil {
		return fmt.Errorf("cannot start the lab: %w", err)
	}
	describeLab(w.stdout, server)
	<-ctx.Done()
	fmt.Fprintln(w.stderr, "natsops: the lab is stopping")
	return server.Stop()
}

// describeLab prints what is needed to use the lab, ready to paste.
func describeLab(out io.Writer, server *lab.Server) {
	c := server.Credentials()
	args := []string{"--server " + server.URL()}
	for _, f := range []struct{ flag, value string }{
		{"--user", c.User},
		{"--password", c.Password},
		{"--token", c.Token},
		{"--nkey", c.NKeyFile},
		{"--tlsca", c.CAFile},
		{"--tlscert", c.CertFile},
		{"--tlskey", c.KeyFile},
	} {
		if f.value != "" {
			args = append(args, f.flag+" "+f.value)
		}
	}
	fmt.Fprintf(out, `A throwaway NATS server with JetStream is running; Ctrl-C ends it.

  server    %s
  monitor   %s
  try       natsops bench %s --monitor %s
`, server.URL(), server.MonitorURL(), strings.Join(args, " "), server.MonitorURL())
}
