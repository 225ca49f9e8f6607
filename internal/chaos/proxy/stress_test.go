package proxy

import (
	"io"
	"math/rand/v2"
	"net"
	"sync"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// echo returns to each of its connections what they send.
func echo(t testing.TB) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	t.Cleanup(func() { l.Close(); wg.Wait() })
	wg.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			wg.Go(func() {
				_, _ = io.Copy(c, c)
				c.Close()
			})
		}
	})
	return l.Addr().String()
}

// TestCloseDuringEverythingLeavesNothing closes a proxy while many connections
// and many changes are under way. That no goroutine is left is seen in TestMain.
func TestCloseDuringEverythingLeavesNothing(t *testing.T) {
	for round := range 5 {
		log := new(journal)
		p, err := Listen(Config{Target: echo(t), Seed: uint64(round), Observe: log.note})
		if err != nil {
			t.Fatal(err)
		}
		var wg sync.WaitGroup
		stop := make(chan struct{})
		for range 8 {
			wg.Go(func() {
				for {
					c, err := net.Dial("tcp", p.Addr())
					if err == nil {
						_ = c.SetDeadline(time.Now().Add(20 * time.Millisecond))
						_, _ = c.Write(make([]byte, rand.IntN(200_000)))
						_, _ = io.CopyN(io.Discard, c, int64(rand.IntN(200_000)))
						c.Close()
					}
					select {
					case <-stop:
						return
					default:
					}
				}
			})
		}
		for range 3 {
			wg.Go(func() {
				for n := 0; ; n++ {
					flow := []Flow{Pass, Pass, Freeze, Drop, HalfOpen}
					one := func() Toxic {
						return Toxic{Flow: flow[rand.IntN(len(flow))], Limit: rand.Int64N(2) * 50_000, Latency: time.Duration(rand.IntN(2)) * time.Millisecond}
					}
					if err := p.Set(Toxics{Up: one(), Down: one(), Refuse: rand.IntN(5) == 0}); err != nil {
						return
					}
					if rand.IntN(3) == 0 {
						p.Reset()
					}
					_ = p.Heal()
					_ = p.Status()
				}
			})
		}
		eventually(t, "a lot has happened", func() bool { return len(log.of(Closed)) > 30 })
		if err := p.Close(); err != nil {
			t.Error(err)
		}
		close(stop)
		wg.Wait()
		s := p.Status()
		if n, m := len(log.of(Accepted)), len(log.of(Closed)); n != m || uint64(n) != s.Opened {
			t.Errorf("%d connections were accepted, %d closed, %d counted", n, m, s.Opened)
		}
		if len(s.Conns) > 0 || s.Listening || s.Up.Held() != 0 || s.Down.Held() != 0 {
			t.Errorf("left after Close: %+v", s)
		}
	}
}

func TestFreezeDeliversEveryByteInOrderOverRealSockets(t *testing.T) {
	t.Parallel()
	target := echo(t)
	rapid.Check(t, func(rt *rapid.T) {
		p, err := Listen(Config{Target: target})
		if err != nil {
			rt.Fatal(err)
		}
		defer p.Close()
		c, err := net.Dial("tcp", p.Addr())
		if err != nil {
			rt.Fatal(err)
		}
		defer c.Close()
		sizes := rapid.SliceOfN(rapid.IntRange(1, 100_000), 1, 10).Draw(rt, "writes")
		freezes := rapid.SliceOfN(rapid.SampledFrom([]Toxics{
			{}, {Up: Toxic{Flow: Freeze}}, {Down: Toxic{Flow: Freeze}}, {Up: Toxic{Slice: 1000}, Down: Toxic{Flow: Freeze}},
		}), len(sizes), len(sizes)).Draw(rt, "toxics")
		total := 0
		for _, n := range sizes {
			total += n
		}
		heard := make(chan error)
		go func() {
			b := make([]byte, total)
			_ = c.SetReadDeadline(time.Now().Add(patience))
			_, err := io.ReadFull(c, b)
			for i := range b {
				if err == nil && b[i] != byte(i%251) {
					err = io.ErrNoProgress
				}
			}
			heard <- err
		}()
		next := 0
		for i, n := range sizes {
			if err := p.Set(freezes[i]); err != nil {
				rt.Fatal(err)
			}
			b := make([]byte, n)
			for j := range b {
				b[j] = byte(next % 251)
				next++
			}
			if _, err := c.Write(b); err != nil {
				rt.Fatal(err)
			}
		}
		if err := p.Heal(); err != nil {
			rt.Fatal(err)
		}
		if err := <-heard; err != nil {
			rt.Fatal(err)
		}
	})
}
