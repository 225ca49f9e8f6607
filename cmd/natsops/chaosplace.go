package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/natsops/natsops/internal/chaos"
	"github.com/natsops/natsops/internal/chaos/drill"
	"github.com/natsops/natsops/internal/chaos/fault"
	"github.com/natsops/natsops/internal/chaos/process"
	"github.com/natsops/natsops/internal/chaos/proxy"
	"github.com/natsops/natsops/internal/chaos/watchdog"
	"github.com/natsops/natsops/internal/inspect"
	"github.com/natsops/natsops/internal/lab"
	"github.com/natsops/natsops/internal/natsconn"
)

// An arena is where drills run: a cluster of our own, whose links run through
// proxies and whose processes we may kill, or one that somebody named.
type arena struct {
	name    string // without secrets
	app     natsconn.Target
	system  natsconn.Target
	hasSys  bool
	servers []string // for the audit log

	cluster *lab.Cluster // nil: somebody else's
	fabric  *proxy.Fabric
	dog     *watchdog.Dog
	nodes   []fault.Node // whose processes we may break
}

// systemFlags say how to get into the system account of a cluster, beside the
// account of the load.
type systemFlags struct {
	context, creds, user, password string
}

func (f systemFlags) given() bool { return f != systemFlags{} }

// openArena resolves the target that was named, or starts a cluster for a drill.
func openArena(ctx context.Context, w world, f *chaosFlags, d drill.Drill) (*arena, error) {
	target, err := natsconn.Resolve(f.conn, w.getenv, natsconn.OnlyExplicit)
	switch {
	case errors.Is(err, natsconn.ErrNoTarget):
		if f.conn != (natsconn.Config{Timeout: f.conn.Timeout}) || f.system.given() || len(f.processes) > 0 {
			return nil, usagef("connection settings are given, but no server; name one with --server or --context")
		}
		return startArena(ctx, w, f, d)
	case err != nil:
		return nil, err
	}
	a := &arena{name: target.String(), app: target, servers: target.Servers()}
	if f.system.given() {
		c := natsconn.Config{
			Context: f.system.context, Creds: f.system.creds, User: f.system.user, Password: f.system.password,
			TLSCA: f.conn.TLSCA, TLSCert: f.conn.TLSCert, TLSKey: f.conn.TLSKey, TLSFirst: f.conn.TLSFirst, Timeout: f.conn.Timeout,
		}
		if c.Context == "" {
			c.Servers = strings.Join(target.Servers(), ",")
		}
		if a.system, err = natsconn.Resolve(c, func(string) string { return "" }, natsconn.OnlyExplicit); err != nil {
			return nil, fmt.Errorf("the system account: %w", err)
		}
		a.hasSys = true
	}
	return a, a.own(ctx, f)
}

// own takes the processes that were named.
func (a *arena) own(ctx context.Context, f *chaosFlags) error {
	for _, name := range slices.Sorted(maps.Keys(f.processes)) {
		s, err := process.NewService(name, f.processes[name], f.restarts[name])
		if err != nil {
			return usagef("--process %s: %w", name, err)
		}
		a.nodes = append(a.nodes, s)
	}
	var err error
	if len(a.nodes) > 0 {
		a.dog, err = watchdog.Start(ctx)
	}
	return err
}

// startArena starts a cluster. Those of its links run through proxies that the
// drill breaks: a proxy costs as much as all the rest of natsops does.
func startArena(ctx context.Context, w world, f *chaosFlags, d drill.Drill) (_ *arena, err error) {
	a := &arena{name: "lab"}
	cfg := lab.ClusterConfig{Nodes: d.Lab.Servers(), Children: true}
	routes, doors := needs(d, func(n fault.Need) bool { return n.Links }), needs(d, func(n fault.Need) bool { return n.Doors })
	if routes || doors {
		a.fabric = proxy.NewFabric(proxy.FabricConfig{Seed: f.seed})
		cfg.Link = func(from, to, addr string) (string, error) {
			if from == "" || routes {
				return a.fabric.Link(from, to, addr)
			}
			return addr, nil
		}
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, a.close())
		}
	}()
	if a.dog, err = watchdog.Start(ctx); err != nil {
		return nil, fmt.Errorf("cannot start the watchdog: %w", err)
	}
	a.cluster, err = lab.StartCluster(ctx, cfg)
	if err != nil {
		return nil, fmt.Errorf("cannot start the lab: %w", err)
	}
	for _, n := range a.cluster.Nodes() {
		a.nodes = append(a.nodes, n)
	}
	fmt.Fprintf(w.stderr, "natsops: no server named; started a lab of %d nodes at %s\n", cfg.Nodes, a.cluster.URL())
	login := func(c lab.Credentials) (natsconn.Target, error) {
		return natsconn.For(natsconn.Config{Servers: a.cluster.URL(), User: c.User, Password: c.Password, Timeout: f.conn.Timeout})
	}
	if a.app, err = login(a.cluster.Credentials()); err != nil {
		return nil, err
	}
	system, _ := a.cluster.SystemCredentials()
	a.system, err = login(system)
	a.hasSys = true
	return a, err
}

// close ends the lab, if there is one. The nodes are stopped before their links.
func (a *arena) close() error {
	var errs []error
	if a.cluster != nil {
		errs = append(errs, a.cluster.Stop())
	}
	if a.fabric != nil {
		errs = append(errs, a.fabric.Close())
	}
	if a.dog != nil {
		errs = append(errs, a.dog.Close())
	}
	return errors.Join(errs...)
}

// needs reports whether a fault of the drill needs something.
func needs(d drill.Drill, what func(fault.Need) bool) bool {
	return slices.ContainsFunc(d.Faults, func(f fault.Spec) bool {
		kind, err := fault.Lookup(f.Kind)
		return err == nil && what(kind.Needs)
	})
}

// doors gives a drill at somebody else's cluster proxies between its clients and
// the servers, if it breaks these links. They end with the function returned.
func (a *arena) doors(e *chaos.Env, d drill.Drill) (shut func()) {
	if a.cluster != nil || !needs(d, func(n fault.Need) bool { return n.Doors }) {
		return func() {}
	}
	links := proxy.NewFabric(proxy.FabricConfig{Seed: e.Seed})
	e.Links = links
	e.Door = func(server, at string) (string, error) {
		u, err := url.Parse(at)
		if err != nil {
			return "", err
		}
		u.Host, err = links.Link("", server, u.Host)
		return u.String(), err
	}
	return func() { _ = links.Close() }
}

// env connects, and returns what a drill may use there. The connections end with
// the function that it returns.
func (a *arena) env(ctx context.Context, w world, id string, seed uint64) (chaos.Env, func(), error) {
	e := chaos.Env{ID: id, Seed: seed, Version: w.version, Name: a.name, Owned: a.cluster != nil, Links: a.fabric}
	var open []*nats.Conn
	shut := func() {
		for _, nc := range open {
			nc.Close()
		}
	}
	mark := "natsops-chaos-" + id
	e.Dial = func(ctx context.Context, servers []string, name string, opts ...nats.Option) (*nats.Conn, error) {
		target := a.app
		if len(servers) > 0 {
			var err error
			if target, err = a.app.At(servers...); err != nil {
				return nil, err
			}
		}
		return target.Connect(ctx, name, opts...)
	}
	var err error
	if e.App, err = a.app.Connect(ctx, mark+" control", steadfast()...); err != nil {
		return e, shut, err
	}
	open = append(open, e.App)
	if e.JS, err = a.jetStream(e.App); err != nil {
		return e, shut, err
	}
	if a.hasSys {
		if e.System, err = a.system.Connect(ctx, mark+" system", steadfast()...); err != nil {
			return e, shut, fmt.Errorf("the system account: %w", err)
		}
		open = append(open, e.System)
	}
	e.Nodes = a.nodes
	if a.dog != nil {
		e.Watch = a.dog.Watch
	}
	eye := e.App
	if e.System != nil {
		eye = e.System
	}
	e.Eye, err = inspect.Open(ctx, eye, inspect.Options{})
	if err == nil {
		closeConns := shut
		shut = func() { e.Eye.Close(); closeConns() }
	}
	return e, shut, err
}

// steadfast keeps a connection through whatever a drill does to servers, and
// notices soon that one has gone silent.
func steadfast() []nats.Option {
	return []nats.Option{
		nats.MaxReconnects(-1), nats.ReconnectWait(100 * time.Millisecond), nats.PingInterval(2 * time.Second), nats.MaxPingsOutstanding(2),
	}
}

func (a *arena) jetStream(nc *nats.Conn) (jetstream.JetStream, error) {
	prefix, err := apiPrefix(a.app)
	if err != nil {
		return nil, err
	}
	timeout := jetstream.WithDefaultTimeout(a.app.Timeout())
	if prefix == "" {
		return jetstream.New(nc, timeout)
	}
	return jetstream.NewWithAPIPrefix(nc, prefix, timeout)
}

// clusterName is what has to be typed to break something there.
func clusterName(t chaos.Target) string {
	if t.Cluster != "" {
		return t.Cluster
	}
	return strings.Join(t.Servers, ",")
}
