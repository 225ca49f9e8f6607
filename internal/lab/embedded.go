package lab

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync"
	"time"

	"github.com/nats-io/nats-server/v2/server"
)

// bootLimit bounds every wait for a server to come up. A boot takes some ten
// milliseconds; only a machine in trouble comes near.
const bootLimit = 30 * time.Second

// An embedded is a node in this process.
type embedded struct {
	server   *server.Server
	ended    chan struct{}
	once     sync.Once      // closes ended
	retiring sync.WaitGroup // see retire
}

// embed boots a server in this process. The attempt ends by itself, soon.
func embed(_ context.Context, s spec) (life, error) {
	opts, err := s.options()
	if err != nil {
		return nil, err
	}
	ns, err := server.NewServer(opts)
	if err != nil {
		return nil, err
	}
	var log failureLog
	ns.SetLoggerV2(&log, false, false, false)
	ns.Start() // returns when it listens, or after a call of log.Fatalf
	err = log.failure()
	if err == nil && !ns.ReadyForConnections(bootLimit) {
		err = fmt.Errorf("not ready for connections after %s", bootLimit)
	}
	if err == nil && !ns.JetStreamEnabled() {
		err = errors.New("no JetStream")
	}
	e := &embedded{server: ns, ended: make(chan struct{})}
	if err != nil {
		_ = e.halt() // never fails
		return nil, err
	}
	return e, nil
}

func (e *embedded) pid() int { return os.Getpid() }

func (e *embedded) exited() <-chan struct{} { return e.ended }

func (e *embedded) halt() error {
	e.server.Shutdown()
	e.server.WaitForShutdown()
	e.retiring.Wait()
	e.end()
	return nil
}

func (e *embedded) end() { e.once.Do(func() { close(e.ended) }) }

// A failureLog is a server log that drops everything but the first fatal
// line: the only way in which nats-server tells why it did not start.
type failureLog struct {
	mu  sync.Mutex
	err error
}

// Fatalf keeps the error among args, whose text says it all (the port in use,
// for example), or else the line.
func (l *failureLog) Fatalf(format string, args ...any) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.err != nil {
		return
	}
	for _, a := range args {
		if err, ok := a.(error); ok {
			l.err = err
			return
		}
	}
	l.err = fmt.Errorf(format, args...)
}

func (l *failureLog) failure() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.err
}

func (l *failureLog) Noticef(string, ...any) {}
func (l *failureLog) Warnf(string, ...any)   {}
func (l *failureLog) Errorf(string, ...any)  {}
func (l *failureLog) Debugf(string, ...any)  {}
func (l *failureLog) Tracef(string, ...any)  {}
