package lab

import (
	"fmt"
	"path/filepath"
)

// A spec is all that a node needs to know to boot, and to boot again as the
// same server.
type spec struct {
	Config      Config // Name, Port and StoreDir are the node's own
	Dir         string
	MonitorPort int
	LeafPort    int    // 0: no leaf nodes
	Advertise   string // where clients find the node
	Identity    identity
	Cluster     *membership // nil: alone
}

// A membership is what makes a node part of a cluster.
type membership struct {
	Name   string
	Port   int      // for the routes of other nodes
	Routes []string // where the other nodes are
}

// plan gives the nodes called names all that they need to know.
func (c *Cluster) plan(cfg ClusterConfig, names []string) ([]*Node, error) {
	nodes := make([]*Node, len(names))
	for i, name := range names {
		n := &Node{boot: embed, spec: spec{Config: cfg.Config, Dir: c.dir.path, Identity: c.identity}}
		if cfg.Children {
			n.boot = spawn
		}
		s := &n.spec
		s.Config.Name = name
		if s.Config.StoreDir == "" {
			s.Config.StoreDir = filepath.Join(s.Dir, "store")
		}
		if len(names) > 1 {
			s.Config.StoreDir = filepath.Join(s.Config.StoreDir, name)
			s.Cluster = &membership{Name: cfg.Name}
		}
		if cfg.Port > 0 {
			s.Config.Port += i
		}
		if err := c.claims.fill(s); err != nil {
			return nil, fmt.Errorf("find a free port: %w", err)
		}
		nodes[i] = n
	}
	return nodes, link(nodes, cfg)
}

// fill gives s the ports that it lacks.
func (c *claims) fill(s *spec) error {
	ports := []*int{&s.Config.Port, &s.MonitorPort}
	if s.Config.Leafs {
		ports = append(ports, &s.LeafPort)
	}
	if s.Cluster != nil {
		ports = append(ports, &s.Cluster.Port)
	}
	for _, p := range ports {
		if *p != 0 {
			continue
		}
		var err error
		if *p, err = c.claim(); err != nil {
			return err
		}
	}
	return nil
}

// link tells clients, and all nodes, where each node is.
func link(nodes []*Node, cfg ClusterConfig) error {
	via := cfg.Link
	if via == nil {
		via = func(_, _, addr string) (string, error) { return addr, nil }
	}
	scheme := "nats://"
	if cfg.TLS != TLSOff {
		scheme = "tls://"
	}
	for _, to := range nodes {
		addr, err := via("", to.Name(), loopback(to.spec.Config.Port))
		if err != nil {
			return fmt.Errorf("link clients to %s: %w", to.Name(), err)
		}
		to.spec.Advertise, to.url = addr, scheme+addr
		for _, from := range nodes {
			if from == to {
				continue
			}
			addr, err := via(from.Name(), to.Name(), loopback(to.spec.Cluster.Port))
			if err != nil {
				return fmt.Errorf("link %s to %s: %w", from.Name(), to.Name(), err)
			}
			from.spec.Cluster.Routes = append(from.spec.Cluster.Routes, addr)
		}
	}
	return nil
}
