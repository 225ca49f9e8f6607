package lab

import (
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
)

// A ClusterConfig describes a cluster of lab servers called n1, n2, n3 and so
// on. The zero value is one of three open servers in this process.
type ClusterConfig struct {
	// Config is that of every node, but for three fields: Name is the cluster's,
	// Port that of the first node, whose followers have the ports after it, and
	// in StoreDir each node has a directory of its own.
	Config
	Nodes    int  // 1, 3 or 5; 0: 3
	Children bool // each node in a child process, see [StartChild]
	// Link returns where from connects to node to, which listens on addr, so
	// that a proxy can stand between them; nil: at addr. It is called once for
	// each ordered pair of nodes, and once for each node with from "" for its
	// clients, before any node listens. Nodes and clients never learn another
	// address for to.
	Link func(from, to, addr string) (string, error)
}

// A Cluster is one or more lab servers with the same identity. Its methods may
// be called concurrently.
type Cluster struct {
	cfg      Config
	identity identity
	dir      *directory
	claims   claims
	nodes    []*Node

	mu      sync.Mutex
	stopped bool
}

// StartCluster runs a cluster. It returns when the cluster is [Cluster.Ready];
// ctx ends only the attempt.
func StartCluster(ctx context.Context, cfg ClusterConfig) (*Cluster, error) {
	names, err := cfg.withDefaults()
	if err != nil {
		return nil, err
	}
	c, err := launch(ctx, cfg, names)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, readyLimit)
	defer cancel()
	if err := c.Ready(ctx); err != nil {
		return nil, errors.Join(err, c.Stop())
	}
	return c, nil
}

// withDefaults fills the zero values in and names the nodes.
func (c *ClusterConfig) withDefaults() ([]string, error) {
	var err error
	if c.Config, err = c.Config.withDefaults(); err != nil {
		return nil, err
	}
	if c.Nodes == 0 {
		c.Nodes = 3
	}
	if !slices.Contains([]int{1, 3, 5}, c.Nodes) {
		return nil, fmt.Errorf("a lab cluster has 1, 3 or 5 nodes, not %d", c.Nodes)
	}
	if c.Port > 0 && c.Port+c.Nodes-1 > math.MaxUint16 {
		return nil, fmt.Errorf("there are not %d ports from %d on", c.Nodes, c.Port)
	}
	var names []string
	for i := range c.Nodes {
		names = append(names, "n"+strconv.Itoa(i+1))
	}
	return names, nil
}

// launch starts the nodes called names. It returns when clients can connect to
// each of them.
func launch(ctx context.Context, cfg ClusterConfig, names []string) (*Cluster, error) {
	sweep(os.TempDir())
	dir, err := newDirectory(os.TempDir())
	if err != nil {
		return nil, fmt.Errorf("make the lab's directory: %w", err)
	}
	c := &Cluster{cfg: cfg.Config, dir: dir}
	if c.identity, err = newIdentity(cfg.Config, dir.path); err == nil {
		c.nodes, err = c.plan(cfg, names)
	}
	if err == nil {
		err = c.each(func(n *Node) error {
			n.mu.Lock()
			defer n.mu.Unlock()
			return n.up(ctx)
		})
	}
	if err != nil {
		_ = c.Stop() // the first error matters; the next sweep removes what is left
		return nil, err
	}
	return c, nil
}

// each calls do for all nodes at the same time.
func (c *Cluster) each(do func(*Node) error) error {
	errs := make([]error, len(c.nodes))
	var wg sync.WaitGroup
	for i, n := range c.nodes {
		wg.Go(func() { errs[i] = do(n) })
	}
	wg.Wait()
	return errors.Join(errs...)
}

// Nodes are the servers, in the order of their names.
func (c *Cluster) Nodes() []*Node { return slices.Clone(c.nodes) }

// URL is the addresses of all nodes for clients, with commas between them and
// without secrets.
func (c *Cluster) URL() string {
	var all []string
	for _, n := range c.nodes {
		all = append(all, n.URL())
	}
	return strings.Join(all, ",")
}

// Credentials are what a client needs to be let in, to [AppAccount].
func (c *Cluster) Credentials() Credentials { return c.identity.Credentials }

// SystemCredentials let a client in to [SystemAccount]. There are none where
// the lab asks for a token.
func (c *Cluster) SystemCredentials() (Credentials, bool) { return c.UserCredentials(systemUser) }

// UserCredentials are those of the user called name, see [Config.Users].
func (c *Cluster) UserCredentials(name string) (Credentials, bool) { return c.identity.user(name) }

// Stop ends all nodes for good, waits for their end and removes the lab's
// directory. It returns an error when a child had crashed by itself or the
// directory could not be removed. Further calls do nothing.
func (c *Cluster) Stop() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.stopped {
		return nil
	}
	c.stopped = true
	err := c.each((*Node).end)
	c.claims.release()
	return errors.Join(err, c.dir.remove())
}
