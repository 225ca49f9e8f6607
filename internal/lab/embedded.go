package lab

import (
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/nats-io/nats-server/v2/server"
)

// bootLimit bounds every wait for a server to come up. A boot takes some ten
// milliseconds; only a machine in trouble comes near.
const bootLimit = 30 * time.Second

// An embedded is a node in this process.
type embedded struct {
	server      *server.Server
	monitorPort int
}

// embed boots a server in this process.
func embed(s spec) (*embedded, error) {
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
	e := &embedded{server: ns}
	if err != nil {
		_ = e.halt(false)
		return nil, err
	}
	e.monitorPort = ns.MonitorAddr().Port
	return e, nil
}

func (e *embedded) ports() (client, monitor int) {
	return e.server.Addr().(*net.TCPAddr).Port, e.monitorPort
}

func (e *embedded) pid() int { return os.Getpid() }

func (e *embedded) halt(bool) error {
	e.server.Shutdown()
	e.server.WaitForShutdown()
	return nil
}

// options translates s for nats-server.
func (s spec) options() (*server.Options, error) {
	o := &server.Options{
		ServerName: s.Config.Name,
		Host:       "127.0.0.1",
		Port:       portOrRandom(s.Config.Port),
		HTTPHost:   "127.0.0.1",
		HTTPPort:   portOrRandom(s.MonitorPort),
		MaxPayload: int32(s.Config.MaxPayload),
		JetStream:  true,
		StoreDir:   s.Config.StoreDir,
		NoSigs:     true,
	}
	if o.StoreDir == "" {
		o.StoreDir = filepath.Join(s.Dir, "store")
	}
	switch s.Config.Auth {
	case AuthNone:
	case AuthToken:
		o.Authorization = s.Credentials.Token
	case AuthUser:
		o.Username, o.Password = s.Credentials.User, s.Credentials.Password
	case AuthNKey:
		o.Nkeys = []*server.NkeyUser{{Nkey: s.NKey}}
	}
	if s.Config.TLS == TLSOff {
		return o, nil
	}
	var err error
	o.TLS, o.TLSHandshakeFirst = true, s.Config.TLSFirst
	o.TLSConfig, err = server.GenTLSConfig(&server.TLSConfigOpts{
		CertFile: filepath.Join(s.Dir, serverCert),
		KeyFile:  filepath.Join(s.Dir, serverKey),
		CaFile:   s.Credentials.CAFile,
		Verify:   s.Config.TLS == TLSMutual,
	})
	return o, err
}

func portOrRandom(port int) int {
	if port == 0 {
		return server.RANDOM_PORT
	}
	return port
}

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
