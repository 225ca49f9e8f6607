package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/nats-io/nats.go"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/natsops/natsops/internal/lab"
	"github.com/natsops/natsops/internal/natsconn"
	"github.com/natsops/natsops/internal/sample"
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

// labFlags is what the command line of natsops lab says.
type labFlags struct {
	lab.ClusterConfig
	traffic string
}

func newLabCommand(w world) *cobra.Command {
	var f labFlags
	cmd := &cobra.Command{
		Use:   "lab",
		Short: "Run a throwaway NATS server or cluster on this machine",
		Long: `Runs a NATS server with JetStream on loopback until Ctrl-C, or with --nodes 3 a
cluster, each node in a process of its own. There is an account for
applications, APP, and the system account, SYS. What was stored is removed
afterwards.

With --traffic the applications of a small shop use it: some keep up, others
fall behind, stall, lose messages or are forgotten, so that natsops lag and
natsops doctor have something to show. Use it to try natsops, or anything else,
without a risk.`,
		Example: `  natsops lab
  natsops lab --nodes 3 --traffic
  natsops lab --auth token --tls server
  natsops lab --port 4222`,
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) > 0 && slices.Contains(trafficWords(), args[0]) { // a flag with a default value takes none after a space
				return usagef("unexpected argument %q; did you mean --traffic=%s?", args[0], args[0])
			}
			return between(0, 0)(cmd, args)
		},
		RunE: func(cmd *cobra.Command, _ []string) error {
			if last := 65536 - f.Nodes; f.Port > last {
				return usagef("--port %d leaves no room for %d nodes; give at most %d", f.Port, f.Nodes, last)
			}
			if f.TLSFirst && f.TLS == lab.TLSOff {
				return usagef("--tlsfirst needs TLS: say --tls server or --tls mutual too")
			}
			return runLab(cmd.Context(), w, f)
		},
	}
	flags := cmd.Flags()
	flags.Var(nodesFlag(&f.Nodes), "nodes", "run `N` servers: 1, 3 or 5")
	flags.Var(choice(&f.traffic, trafficWords()...), "traffic", "let sample applications use it: off, shop (also without a value), or all that there are")
	flags.Lookup("traffic").NoOptDefVal = "shop"
	flags.Var(numberFlag(&f.Port, 0, 0, 65535), "port", "listen on port `N`, and on the ports after it if there are several nodes (0: free ones)")
	flags.Var(choice((*string)(&f.Auth), "none", "token", "user", "nkey"), "auth", "let clients in by `MEANS`: none, token, user or nkey")
	flags.Var(choice((*string)(&f.TLS), "off", "server", "mutual"), "tls", "use TLS in `MODE`: off, server (it has a certificate) or mutual (clients need one too)")
	flags.BoolVar(&f.TLSFirst, "tlsfirst", false, "begin with the TLS handshake")
	completeChoices(cmd, "traffic", "auth", "tls")
	return cmd
}

const noTraffic = "off"

func trafficWords() []string { return []string{noTraffic, "shop", "all"} }

func nodesFlag(value *int) pflag.Value {
	*value = 1
	return &parsed[int]{value: value, text: "1", kind: "number", parse: func(s string) (int, error) {
		n, err := strconv.Atoi(s)
		if err != nil || n != 1 && n != 3 && n != 5 {
			return 0, errors.New("a lab has 1, 3 or 5 nodes")
		}
		return n, nil
	}}
}

func runLab(ctx context.Context, w world, f labFlags) error {
	f.Children = f.Nodes > 1 // so that one can be killed
	cluster, err := lab.StartCluster(ctx, f.ClusterConfig)
	if err != nil {
		return fmt.Errorf("cannot start the lab: %w", err)
	}
	if f.traffic != noTraffic {
		if err := startTraffic(ctx, cluster, f); err != nil {
			return errors.Join(fmt.Errorf("cannot start the traffic: %w", err), cluster.Stop())
		}
	}
	describeLab(w.stdout, cluster, f)
	watchNodes(ctx, w, cluster)
	fmt.Fprintln(w.stderr, "natsops: the lab is stopping")
	return cluster.Stop()
}

// startTraffic starts the sample applications, with the credentials that
// everybody has. They end with ctx; what they stored ends with the lab.
func startTraffic(ctx context.Context, cluster *lab.Cluster, f labFlags) error {
	c := cluster.Credentials()
	target, err := natsconn.For(natsconn.Config{
		Servers: cluster.URL(), User: c.User, Password: c.Password, Token: c.Token, NKey: c.NKeyFile,
		TLSCA: c.CAFile, TLSCert: c.CertFile, TLSKey: c.KeyFile, TLSFirst: f.TLSFirst,
	})
	if err != nil {
		return err
	}
	o := sample.Options{Replicas: min(f.Nodes, 3)}
	if f.traffic == "all" {
		o.Names = sample.All()
	}
	dial := func(ctx context.Context, name string) (*nats.Conn, error) {
		return target.Connect(ctx, name, nats.MaxReconnects(-1))
	}
	_, err = sample.Start(ctx, dial, o)
	return err
}

// watchNodes waits for the end of ctx, and says when a node ends before.
func watchNodes(ctx context.Context, w world, cluster *lab.Cluster) {
	var watching sync.WaitGroup
	for _, n := range cluster.Nodes() {
		watching.Go(func() {
			select {
			case <-ctx.Done():
			case <-n.Exited():
				fmt.Fprintf(w.stderr, "natsops: node %s has ended\n", n.Name())
			}
		})
	}
	<-ctx.Done()
	watching.Wait()
}

// describeLab prints what is needed to use the lab, ready to paste.
func describeLab(out io.Writer, cluster *lab.Cluster, f labFlags) {
	nodes := cluster.Nodes()
	var monitors []string
	if len(nodes) == 1 {
		fmt.Fprint(out, "A throwaway NATS server with JetStream is running; Ctrl-C ends it.\n\n")
		fmt.Fprintf(out, "  server    %s\n  monitor   %s\n", nodes[0].URL(), nodes[0].MonitorURL())
	} else {
		fmt.Fprintf(out, "A throwaway NATS cluster of %d nodes with JetStream is running; Ctrl-C ends it.\n\n", len(nodes))
		for _, n := range nodes {
			fmt.Fprintf(out, "  %-9s %s  monitor %s  process %d\n", n.Name(), n.URL(), n.MonitorURL(), n.PID())
		}
	}
	for _, n := range nodes {
		monitors = append(monitors, n.MonitorURL())
	}
	app := loginFlags(cluster.URL(), cluster.Credentials(), f.TLSFirst)
	inspection := "natsops lag " + app
	if system, ok := cluster.SystemCredentials(); ok {
		inspection = "natsops doctor " + loginFlags(cluster.URL(), system, f.TLSFirst)
		fmt.Fprintf(out, "  system    %s\n", strings.TrimPrefix(inspection, "natsops doctor "))
	}
	if f.traffic == noTraffic {
		fmt.Fprintf(out, "  try       natsops bench %s --monitor %s\n", app, monitors[0])
		return
	}
	fmt.Fprintf(out, "  try       natsops lag %s\n            %s\n", app, inspection)
}

// loginFlags are the flags that lead to a server.
func loginFlags(url string, c lab.Credentials, tlsFirst bool) string {
	args := []string{"--server " + url}
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
	if tlsFirst {
		args = append(args, "--tlsfirst")
	}
	return strings.Join(args, " ")
}
