package natsconn_test

import (
	"context"
	"errors"
	"io"
	"net"
	"testing"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/natsops/natsops/internal/natsconn"
)

func TestEndOfContextInterruptsConnectAndClosesItsConnection(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	address := listen(t, func(conn net.Conn) {
		_, _ = io.WriteString(conn, "INFO {}\r\n")
		_, _ = conn.Read(make([]byte, 1)) // the client has dialled, and waits for an answer
		cancel()
		mute(conn) // returns when the connection is closed; listen waits for it
	})
	target, err := natsconn.For(natsconn.Config{Servers: address, Timeout: time.Hour})
	if err != nil {
		t.Fatal(err)
	}
	nc, err := target.Connect(ctx, "test")
	if nc != nil || !errors.Is(err, context.Canceled) || errors.Is(err, natsconn.ErrConnect) {
		t.Errorf("Connect = %v, %v, want context.Canceled and not ErrConnect", nc, err)
	}
	if want := "cannot connect to nats://" + address + ": interrupted"; err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
}

func TestEndedContextPreventsTheDial(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	target, err := natsconn.For(natsconn.Config{Servers: listen(t, answers("PONG", nil)), Timeout: time.Hour})
	if err != nil {
		t.Fatal(err)
	}
	if nc, err := target.Connect(ctx, "test"); nc != nil || !errors.Is(err, context.Canceled) {
		t.Errorf("Connect = %v, %v, want context.Canceled", nc, err)
	}
}

// inProcess is a server that the dialer of the target does not reach, and that
// an end of the context does not keep from letting the client in.
type inProcess func() (net.Conn, error)

func (p inProcess) InProcessConn() (net.Conn, error) { return p() }

func TestConnectionMadeAfterTheEndOfContextIsClosed(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	closed := make(chan struct{})
	late := inProcess(func() (net.Conn, error) {
		cancel()
		client, server := net.Pipe()
		go func() {
			defer close(closed)
			answers("PONG", nil)(server) // returns when the connection is closed
		}()
		return client, nil
	})
	target, err := natsconn.For(natsconn.Config{Servers: "localhost"})
	if err != nil {
		t.Fatal(err)
	}
	if nc, err := target.Connect(ctx, "test", nats.InProcessServer(late)); nc != nil || !errors.Is(err, context.Canceled) {
		t.Errorf("Connect = %v, %v, want context.Canceled", nc, err)
	}
	<-closed
}

func TestDeadlineOfContextIsAFailureToConnect(t *testing.T) {
	ctx, cancel := context.WithDeadline(t.Context(), time.Now())
	defer cancel()
	target, err := natsconn.For(natsconn.Config{Servers: listen(t, mute)})
	if err != nil {
		t.Fatal(err)
	}
	if _, err = target.Connect(ctx, "test"); !errors.Is(err, natsconn.ErrConnect) || !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v, want ErrConnect and context.DeadlineExceeded", err)
	}
}
