package proxy

import (
	"context"
	"io"
	"math/rand/v2"
	"net"
	"strconv"
)

// A network is where a proxy listens and dials.
type network struct {
	// claim finds an address to listen on, or takes the one it is given, until
	// it is released.
	claim  func(addr string) (string, io.Closer, error)
	listen func(addr string) (net.Listener, error)
	dial   func(ctx context.Context, addr string) (net.Conn, error)
}

func tcp() network {
	return network{
		claim:  claim,
		listen: func(addr string) (net.Listener, error) { return net.Listen("tcp4", addr) },
		dial: func(ctx context.Context, addr string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, "tcp", addr)
		},
	}
}

// The ports of proxies. Systems hand out higher ones, to outgoing connections
// among others, which would keep a proxy that refuses from listening again.
const (
	firstPort = 10_000
	lastPort  = 32_767
)

// claim holds the UDP port of the same number: a socket that only holds a TCP
// port and refuses has no portable form, and other proxies and labs look there.
func claim(addr string) (string, io.Closer, error) {
	if addr != "" {
		held, err := net.ListenPacket("udp4", addr)
		if err != nil {
			return "", nil, err
		}
		return held.LocalAddr().String(), held, nil
	}
	var err error
	for range 1000 {
		port := firstPort + rand.IntN(lastPort-firstPort+1) //nolint:gosec // not a secret
		addr := net.JoinHostPort("127.0.0.1", strconv.Itoa(port))
		var held io.Closer
		if held, err = hold(addr); err == nil {
			return addr, held, nil
		}
	}
	return "", nil, err
}

// hold holds addr if nobody listens there.
func hold(addr string) (io.Closer, error) {
	held, err := net.ListenPacket("udp4", addr)
	if err != nil {
		return nil, err
	}
	free, err := net.Listen("tcp4", addr)
	if err != nil {
		_ = held.Close()
		return nil, err
	}
	return held, free.Close()
}
