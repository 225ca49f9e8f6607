package lab

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"time"
)

const (
	// readyLimit bounds the wait for a new cluster. It is ready within a second,
	// or, when nobody won the first election, the second: elections of
	// nats-server begin after 4 to 9 s without a leader (raft.go). A machine with
	// too much to do can lose a few of them.
	readyLimit = 2 * time.Minute
	readyTick  = 20 * time.Millisecond
	// askLimit bounds the wait for one page of the monitoring.
	askLimit = 10 * time.Second
	// requestLimit bounds the wait for one answer of JetStream. Who asks while
	// there is no leader gets none, and has to ask again.
	requestLimit = 2 * time.Second
	// proof is a stream.
	proof = "NATSOPS_LAB_READY"
)

// Ready waits until all nodes run, have routes to all others, agree on a meta
// leader and are current with it; until all streams and consumers have a leader
// and are current; and until a stream with a replica on every node can be made,
// by making one in [AppAccount]. The last does not follow from the rest: a meta
// leader places nothing on servers whose statistics it has not had
// (selectPeerGroup in jetstream_cluster.go of nats-server), and that it has is
// on no page.
func (c *Cluster) Ready(ctx context.Context) error {
	n := c.nodes[0]
	steps := []func(context.Context) error{c.check}
	if len(c.nodes) > 1 {
		cfg := map[string]any{
			"name": proof, "subjects": []string{"natsops.lab.ready"}, "storage": "memory", "num_replicas": len(c.nodes),
		}
		steps = append(steps,
			func(ctx context.Context) error { return n.request(ctx, "$JS.API.STREAM.CREATE."+proof, cfg) },
			func(ctx context.Context) error { return c.checkProof(ctx, true) },
			func(ctx context.Context) error { return n.request(ctx, "$JS.API.STREAM.DELETE."+proof, struct{}{}) },
			func(ctx context.Context) error { return c.checkProof(ctx, false) },
		)
	}
	for _, step := range steps {
		if err := poll(ctx, step); err != nil {
			return fmt.Errorf("wait for the lab cluster: %w", err)
		}
	}
	return nil
}

// poll calls ok until it is, or ctx is done; then the error tells both.
func poll(ctx context.Context, ok func(context.Context) error) error {
	tick := time.NewTicker(readyTick)
	defer tick.Stop()
	why := errors.New("nothing is known yet")
	for {
		err := ok(ctx)
		if err == nil {
			return nil
		}
		if ctx.Err() == nil { // or else err is about ctx
			why = err
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("%w: %w", ctx.Err(), why)
		case <-tick.C:
		}
	}
}

// checkProof tells which node does not, or still does, have a replica of the
// stream that is made as a proof.
func (c *Cluster) checkProof(ctx context.Context, want bool) error {
	for _, n := range c.nodes {
		var jsz jsz
		if err := n.ask(ctx, "/jsz?streams=true", &jsz); err != nil {
			return fmt.Errorf("node %s: %w", n.Name(), err)
		}
		if jsz.has(proof) != want {
			return fmt.Errorf("node %s: it is not %t that it has stream %s", n.Name(), want, proof)
		}
	}
	return nil
}

// check tells what is missing.
func (c *Cluster) check(ctx context.Context) error {
	leaders := make(map[string]string)
	for _, n := range c.nodes {
		leader, err := n.check(ctx, c.nodes)
		if err != nil {
			return fmt.Errorf("node %s: %w", n.Name(), err)
		}
		leaders[leader] = n.Name()
	}
	if len(leaders) > 1 {
		return fmt.Errorf("there are %d meta leaders: %v", len(leaders), leaders)
	}
	return nil
}

// check tells what a node is missing, and which meta leader it follows.
func (n *Node) check(ctx context.Context, all []*Node) (leader string, err error) {
	if n.PID() == 0 {
		return "", errors.New("it is down")
	}
	var health struct{ Error string }
	if err := n.ask(ctx, "/healthz", &health); err != nil {
		return "", err
	}
	if health.Error != "" {
		return "", errors.New(health.Error)
	}
	if len(all) == 1 {
		return "", nil
	}
	var routez routez
	if err := n.ask(ctx, "/routez", &routez); err != nil {
		return "", err
	}
	for _, to := range all {
		if to != n && !routez.has(to.Name()) {
			return "", fmt.Errorf("no route to %s", to.Name())
		}
	}
	var jsz jsz
	if err := n.ask(ctx, "/jsz?consumers=true", &jsz); err != nil {
		return "", err
	}
	if err := jsz.checkLeaders(); err != nil {
		return "", err
	}
	leader = jsz.Meta.Leader
	if leader != n.Name() {
		return leader, nil // only the leader knows about the others
	}
	return leader, jsz.checkPeers(len(all))
}

// ask reads one page of the node's monitoring. A page that is an error, such
// as /healthz with status 503, reads as any other.
func (n *Node) ask(ctx context.Context, page string, answer any) error {
	ctx, cancel := context.WithTimeout(ctx, askLimit)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, n.MonitorURL()+page, http.NoBody)
	if err != nil {
		return err
	}
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	res, err := client.Do(req)
	if err != nil {
		return err
	}
	defer res.Body.Close() //nolint:errcheck // it was only read
	if err := json.NewDecoder(res.Body).Decode(answer); err != nil {
		return fmt.Errorf("read %s: %w", page, err)
	}
	return nil
}
