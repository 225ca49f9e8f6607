// Package natsgo drives load through the official client, nats.go: what it
// measures is what an application written in Go would see.
package natsgo

import (
	"context"
	"errors"
	"net"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/natsops/natsops/internal/bench"
)

// A Driver is a bench.Driver over nats.go.
type Driver struct {
	// Dial opens a connection with the given options besides its own.
	Dial func(ctx context.Context, name string, opts ...nats.Option) (*nats.Conn, error)
	// Header is sent with every message that a run begins; nil: none.
	Header nats.Header
	// Bulk is how many connections publish in bulk, with no latency to measure;
	// 0: none do.
	Bulk int
}

// A connection flushes when its write buffer is full, and when its flusher gets
// a turn. The client's default of 32 KiB costs a system call per 32 messages of
// 1 KiB, so who publishes in bulk has more; 1 MiB no longer fits into the cache
// of a processor and is a tenth slower. All others keep the default, for what
// waits in a large buffer shows as latency: with 512 KiB the backlog of a stall
// of 200 ms took 3 ms longer to work off.
const (
	mostWriteBuffer = 512 << 10
	allWriteBuffers = 64 << 20
)

func (d Driver) writeBuffer() int {
	if d.Bulk == 0 {
		return nats.DefaultWriteBufSize
	}
	return max(nats.DefaultWriteBufSize, min(mostWriteBuffer, allWriteBuffers/d.Bulk))
}

// A load test is there to see what an outage costs, so clients come back soon
// and never give up.
const (
	reconnectWait   = 250 * time.Millisecond
	reconnectJitter = 100 * time.Millisecond
)

// Connect implements bench.Driver.
func (d Driver) Connect(ctx context.Context, name string, events func(bench.Event)) (bench.Conn, error) {
	c := &conn{header: d.Header, closed: make(chan struct{})}
	nc, err := d.Dial(ctx, name,
		nats.WriteBufferSize(d.writeBuffer()),
		nats.MaxReconnects(-1),
		nats.ReconnectWait(reconnectWait),
		nats.ReconnectJitter(reconnectJitter, reconnectJitter),
		nats.DisconnectErrHandler(func(_ *nats.Conn, err error) {
			if !c.isClosed() {
				events(bench.Event{Kind: bench.Disconnected, Err: err})
			}
		}),
		nats.ReconnectHandler(func(*nats.Conn) { events(bench.Event{Kind: bench.Reconnected}) }),
		nats.ErrorHandler(func(_ *nats.Conn, _ *nats.Subscription, err error) {
			events(bench.Event{Kind: bench.AsyncError, Err: err})
		}),
	)
	if err != nil {
		return nil, err
	}
	c.nc = nc
	return c, nil
}

// Classify implements bench.Driver.
func (Driver) Classify(err error) bench.ErrorClass {
	for _, known := range []struct {
		is    error
		class bench.ErrorClass
	}{
		{nats.ErrTimeout, bench.ClassTimeout},
		{context.DeadlineExceeded, bench.ClassTimeout},
		{nats.ErrNoResponders, bench.ClassNoResponders},
		{nats.ErrReconnectBufExceeded, bench.ClassBufferFull},
		{nats.ErrConnectionClosed, bench.ClassDisconnected},
		{nats.ErrConnectionReconnecting, bench.ClassDisconnected},
		{nats.ErrDisconnected, bench.ClassDisconnected},
		{nats.ErrStaleConnection, bench.ClassDisconnected},
		{nats.ErrPermissionViolation, bench.ClassPermission},
		{nats.ErrSlowConsumer, bench.ClassSlowConsumer},
		{nats.ErrMaxPayload, bench.ClassTooLarge},
	} {
		if errors.Is(err, known.is) {
			return known.class
		}
	}
	if _, broken := errors.AsType[*net.OpError](err); broken {
		return bench.ClassDisconnected
	}
	return bench.ClassOther
}
