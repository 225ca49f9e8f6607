package bench

import (
	"context"
	"runtime"
	"sync"

	"github.com/natsops/natsops/internal/ledger"
)

func procs() int { return runtime.GOMAXPROCS(0) }

// How many connections are dialled at a time.
const dialsAtOnce = 32

// connect opens all connections, the receivers' first.
func (r *run) connect(ctx context.Context) error {
	receivers := r.cfg.Receivers
	if r.cfg.Workload == Pub || r.cfg.External {
		receivers = 0
	}
	senders := 0
	if r.cfg.loads() {
		senders = r.cfg.Senders
	}
	conns, err := r.dial(ctx, receivers, senders)
	if err != nil {
		return err
	}
	r.server = conns[0].Server()
	if most := r.server.MaxPayload; int64(r.cfg.Size) > most {
		what, remedy := "a message", "--size"
		if r.cfg.Payload.Kind == FilePayload {
			what, remedy = "a message with the payload "+r.cfg.Payload.Name, "file"
		}
		return configErrorf("%s has %d bytes, over the server's max_payload of %d; use a smaller %s", what, r.cfg.Size, most, remedy)
	}
	return r.enlist(conns[:receivers], conns[receivers:])
}

// dial opens connections side by side; when one fails none is left open.
func (r *run) dial(ctx context.Context, receivers, senders int) ([]Conn, error) {
	var (
		total    = receivers + senders
		conns    = make([]Conn, total)
		slots    = make(chan struct{}, dialsAtOnce)
		mu       sync.Mutex
		firstErr error
		done     int
		wg       sync.WaitGroup
	)
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	for i := range total {
		role, n := "receiver", i
		if i >= receivers {
			role, n = "sender", i-receivers
		}
		wg.Go(func() {
			slots <- struct{}{}
			defer func() { <-slots }()
			conn, err := r.env.Driver.Connect(ctx, r.cfg.connName(role, n), r.event)
			mu.Lock()
			defer mu.Unlock()
			conns[i] = conn
			done++
			switch {
			case err != nil && firstErr == nil:
				firstErr = err
				cancel()
			case err == nil && r.env.Progress != nil:
				r.env.Progress(Progress{Phase: "connecting", Done: done, Total: total})
			}
		})
	}
	wg.Wait()
	for _, c := range conns {
		if c != nil {
			r.conns = append(r.conns, c)
		}
	}
	return conns, firstErr
}

// enlist makes the connections into the parts of the workload.
func (r *run) enlist(receivers, senders []Conn) error {
	if r.cfg.Workload == PubSub || r.cfg.Workload == Sub {
		if err := r.enlistSubscribers(receivers); err != nil {
			return err
		}
	} else if err := r.enlistResponders(receivers); err != nil {
		return err
	}
	for i, c := range senders {
		if r.cfg.Workload == Request {
			q, err := newRequester(r, i, c)
			if err != nil {
				return err
			}
			r.requesters = append(r.requesters, q)
			continue
		}
		p, err := newPublisher(r.cfg, i, r.id, c)
		if err != nil {
			return err
		}
		r.publishers = append(r.publishers, p)
	}
	r.connectWindows()
	return nil
}

// The memory for messages that wait in the clients, in messages of all
// subscribers together; each has at least leastBuffer.
const (
	allBuffers  = 1 << 20
	mostBuffer  = 1 << 16
	leastBuffer = 1 << 10
)

// buffer returns how many messages may wait in a receiver's client. A window
// that the user asked for always fits.
func (c Config) buffer() int {
	fair := max(leastBuffer, min(mostBuffer, allBuffers/max(1, c.Receivers)))
	return max(fair, c.InFlight*c.Senders)
}

func (r *run) enlistSubscribers(conns []Conn) error {
	for i, c := range conns {
		sub, err := c.Subscribe(r.cfg.subscribeSubject(), r.cfg.Queue, r.cfg.buffer())
		if err != nil {
			return err
		}
		s := &subscriber{run: r, sub: sub, meter: r.rec.meter(i)}
		if r.cfg.Queue == "" || len(r.units) == 0 {
			r.units = append(r.units, r.newUnit(len(r.units)))
		}
		s.unit = r.units[len(r.units)-1]
		if r.cfg.Queue != "" {
			s.order = new(ledger.Order)
		}
		r.subscribers = append(r.subscribers, s)
	}
	return nil
}

// A subscriber gets messages in order, so it misses them in runs and a small
// window tells late from lost. The members of a queue group are apart by as
// much as waits in their buffers.
const subscriberWindow = 1 << 13

func (r *run) newUnit(id int) *unit {
	cfg := ledger.Config{Publishers: r.cfg.Senders}
	if r.cfg.Queue == "" {
		cfg.Window = subscriberWindow
	}
	u := &unit{id: id, ledger: ledger.New(cfg)}
	if r.cfg.Workload == Sub {
		u.strangers = strangers{open: true, index: map[uint32]int{}}
	}
	return u
}

func (r *run) enlistResponders(conns []Conn) error {
	queue := r.cfg.Queue
	if queue == "" {
		queue = "natsops" // each request is answered once, however many responders
	}
	for i, c := range conns {
		sub, err := c.Subscribe(r.cfg.subscribeSubject(), queue, r.cfg.buffer())
		if err != nil {
			return err
		}
		a := &responder{run: r, conn: c, sub: sub, meter: r.rec.meter(i)}
		if r.cfg.Workload == Reply && r.cfg.Size > 0 {
			a.body = r.cfg.body(i)
		}
		r.responders = append(r.responders, a)
	}
	return nil
}

// connectWindows gives each unpaced publisher a window that its subscribers
// move forward.
func (r *run) connectWindows() {
	if r.cfg.Workload != PubSub || r.cfg.loop() != ClosedLoop {
		return
	}
	windows := make([]*window, len(r.publishers))
	for i, p := range r.publishers {
		p.window = newWindow(r.cfg.window(), len(r.units))
		windows[i] = p.window
	}
	for _, u := range r.units {
		u.windows = windows
	}
}
