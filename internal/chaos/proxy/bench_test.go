package proxy

import (
	"io"
	"net"
	"testing"
	"time"
)

// ways are a connection to an echo, direct and through an idle proxy.
func ways(b *testing.B, run func(b *testing.B, c net.Conn)) {
	b.Helper()
	target := echo(b)
	p, err := Listen(Config{Target: target})
	if err != nil {
		b.Fatal(err)
	}
	defer p.Close()
	for _, way := range []struct{ name, addr string }{{"direct", target}, {"proxy", p.Addr()}} {
		b.Run(way.name, func(b *testing.B) {
			c, err := net.Dial("tcp", way.addr)
			if err != nil {
				b.Fatal(err)
			}
			defer c.Close()
			run(b, c)
		})
	}
}

func BenchmarkRoundTrip(b *testing.B) {
	ways(b, func(b *testing.B, c net.Conn) {
		b.Helper()
		message := make([]byte, 128)
		for b.Loop() {
			if _, err := c.Write(message); err != nil {
				b.Fatal(err)
			}
			if _, err := io.ReadFull(c, message); err != nil {
				b.Fatal(err)
			}
		}
	})
}

// BenchmarkThroughput counts bytes that go through and come back.
func BenchmarkThroughput(b *testing.B) {
	ways(b, func(b *testing.B, c net.Conn) {
		b.Helper()
		const size = 1 << 20
		b.SetBytes(size)
		out, in := make([]byte, size), make([]byte, size)
		for b.Loop() {
			go func() { _, _ = c.Write(out) }()
			if _, err := io.ReadFull(c, in); err != nil {
				b.Fatal(err)
			}
		}
	})
}

// BenchmarkPaced sends 1,000 messages a second, of which the time of the
// processor matters: compare user+sys of "direct" and "proxy" with time(1).
func BenchmarkPaced(b *testing.B) {
	ways(b, func(b *testing.B, c net.Conn) {
		b.Helper()
		message := make([]byte, 256)
		tick := time.NewTicker(time.Millisecond)
		defer tick.Stop()
		for b.Loop() {
			<-tick.C
			if _, err := c.Write(message); err != nil {
				b.Fatal(err)
			}
			if _, err := io.ReadFull(c, message); err != nil {
				b.Fatal(err)
			}
		}
	})
}
