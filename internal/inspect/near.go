package inspect

import (
	"context"

	"github.com/natsops/natsops/internal/inspect/wire"
)

// near says which servers' answers come straight, over routes or over gateways.
// Those are limited by max_pending only, above which a server closes our own
// connection. All others come over a leaf node connection, which an answer above
// max_payload closes for everybody (nats-server, leafnode.go:
// processLeafMsgArgs).
type near struct {
	id       string          // of the server that we are connected to
	clusters map[string]bool // its own and those that it has gateways to
	straight int64           // bytes that an answer from there may have
	far      int64           // bytes that an answer from elsewhere may have
}

// room is for one answer.
type room struct {
	bytes int64
	far   bool
}

func (n near) room(by serverInfo) room {
	if by.ID == n.id || n.clusters[by.Cluster] {
		return room{bytes: n.straight}
	}
	return room{n.far, true}
}

// lookAround learns what is near. After a reconnect that may be something else.
func (c *Collector) lookAround(ctx context.Context) error {
	id := c.nc.ConnectedServerId()
	w := &witness{ask: systemQuestions(c.conn, id), enveloped: true}
	v, err := answer[Varz](ctx, w, "VARZ", nil)
	if err != nil {
		return err
	}
	const usualPending = 64 << 20 // in bytes
	pending := v.data.MaxPending
	if pending <= 0 {
		pending = usualPending
	}
	c.near = near{id: id, clusters: map[string]bool{v.by.Cluster: true}, straight: pending / 4, far: c.nc.MaxPayload() / 2}
	reply, err := w.ask(ctx, "STATSZ", nil)
	if err != nil {
		return nil //nolint:nilerr // then all other clusters count as far
	}
	if s, err := decodeData[statsz](reply); err == nil {
		for _, gateway := range s.Stats.Gateways {
			c.near.clusters[gateway.Name] = true
		}
	}
	delete(c.near.clusters, "")
	return nil
}

// A weight is how much a server has to say of streams and consumers.
type weight struct{ streams, consumers int }

// bytes estimates the size of an answer, compressed with snappy, from above.
// Nothing bounds what is in names and configurations, so that where too much
// would do harm to others the estimate is higher.
func (w weight) bytes(config, far bool) int64 {
	stream, consumer, configured := 150, 130, 130
	if far {
		stream, consumer, configured = 200, 200, 800
	}
	if config {
		stream, consumer = stream+configured, consumer+configured
	}
	return int64(w.streams)*int64(stream) + int64(w.consumers)*int64(consumer)
}

// fit returns how to ask so that the answer fits. Gzip makes answers smaller
// still, at the price of the server's CPU time: here, by a third.
func (w weight) fit(o jszOptions, r room) (options, bool) {
	if !o.Consumer {
		w.consumers = 0
	}
	switch n := w.bytes(o.Config, r.far); {
	case n <= r.bytes:
		return o, true
	case n*2/3 <= r.bytes:
		return encoded{o, wire.Gzip}, true
	case !o.Config:
		return o, false
	}
	o.Config = false // without it, some things cannot be said; with neither, none
	return w.fit(o, r)
}
