package lab

import (
	"math/rand/v2"
	"net"
	"strconv"
)

// The ports of labs. Systems hand out higher ones, to outgoing connections
// among others, which would keep a node that was down from coming back.
const (
	firstPort = 10_000
	lastPort  = 32_767
)

// claims are ports for one lab. Who holds the UDP port of a number has the TCP
// port of the same number among labs, also while the node behind it is down.
type claims struct {
	held []net.PacketConn
}

// claim finds a free port.
func (c *claims) claim() (int, error) {
	var err error
	for range 1000 {
		port := firstPort + rand.IntN(lastPort-firstPort+1) //nolint:gosec // not a secret
		if err = c.take(port); err == nil {
			return port, nil
		}
	}
	return 0, err
}

// take claims the port if no lab has it and nobody listens on it.
func (c *claims) take(port int) error {
	held, err := net.ListenPacket("udp4", loopback(port))
	if err != nil {
		return err
	}
	free, err := net.Listen("tcp4", loopback(port))
	if err != nil {
		_ = held.Close()
		return err
	}
	c.held = append(c.held, held)
	return free.Close()
}

func (c *claims) release() {
	for _, p := range c.held {
		_ = p.Close()
	}
}

func loopback(port int) string { return net.JoinHostPort("127.0.0.1", strconv.Itoa(port)) }
