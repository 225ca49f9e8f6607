package proxy

import (
	"bytes"
	"context"
	"io"
	"math/rand/v2"
	"net"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"
)

// A memory is a network of pipes, which time in a bubble can wait for. Nothing
// is buffered, and no side can be half closed.
type memory struct {
	dialled chan net.Conn // to the proxy
	reached chan net.Conn // the target
	closed  chan struct{}
}

func newMemory() *memory {
	return &memory{dialled: make(chan net.Conn), reached: make(chan net.Conn, 1), closed: make(chan struct{})}
}

func (m *memory) network() network {
	return network{
		claim:  func(string) (string, io.Closer, error) { return "memory", io.NopCloser(nil), nil },
		listen: func(string) (net.Listener, error) { return m, nil },
		dial: func(context.Context, string) (net.Conn, error) {
			a, b := net.Pipe()
			m.reached <- b
			return a, nil
		},
	}
}

func (m *memory) Accept() (net.Conn, error) {
	select {
	case c := <-m.dialled:
		return c, nil
	case <-m.closed:
		return nil, net.ErrClosed
	}
}

func (m *memory) Close() error   { close(m.closed); return nil }
func (m *memory) Addr() net.Addr { return nil }

// inMemory runs a test in a bubble, with both ends of a connection.
func inMemory(t *testing.T, test func(p *Proxy, dialler, target net.Conn)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		m := newMemory()
		p, err := Listen(Config{Seed: 7, net: m.network()})
		if err != nil {
			t.Error(err)
			return
		}
		dialler, in := net.Pipe()
		m.dialled <- in
		target := <-m.reached
		synctest.Wait()
		test(p, dialler, target)
		dialler.Close()
		target.Close()
		if err := p.Close(); err != nil {
			t.Error(err)
		}
	})
}

// arrival is when the next n bytes have been read, from now on.
func arrival(t *testing.T, c net.Conn, n int) time.Duration {
	t.Helper()
	start := time.Now()
	if _, err := io.ReadFull(c, make([]byte, n)); err != nil {
		t.Error(err)
	}
	return time.Since(start)
}

func TestLatencyDelaysEachByteAndNotTheNextOnesMore(t *testing.T) {
	inMemory(t, func(p *Proxy, dialler, target net.Conn) {
		if err := p.Set(Toxics{Up: Toxic{Latency: time.Second}}); err != nil {
			t.Error(err)
		}
		for range 3 {
			say(t, dialler, "x")
			time.Sleep(300 * time.Millisecond)
		}
		for i, want := range []time.Duration{100, 300, 300} {
			if got := arrival(t, target, 1); got != want*time.Millisecond {
				t.Errorf("byte %d came after %v, want %v", i, got, want*time.Millisecond)
			}
		}
		say(t, target, "y")
		if got := arrival(t, dialler, 1); got != 0 {
			t.Errorf("the way back took %v", got)
		}
	})
}

func TestJitterKeepsTheOrderAndIsTheSameForASeed(t *testing.T) {
	const n = 50
	run := func() (took []time.Duration) {
		inMemory(t, func(p *Proxy, dialler, target net.Conn) {
			if err := p.Set(Toxics{Up: Toxic{Latency: 100 * time.Millisecond, Jitter: 50 * time.Millisecond}}); err != nil {
				t.Error(err)
			}
			sent := make(chan time.Time, n)
			go func() {
				for i := range n {
					sent <- time.Now()
					_, _ = dialler.Write([]byte{byte(i)})
					time.Sleep(10 * time.Millisecond)
				}
			}()
			for i := range n {
				b := make([]byte, 1)
				if _, err := io.ReadFull(target, b); err != nil || int(b[0]) != i {
					t.Errorf("byte %d is %d, %v", i, b[0], err)
				}
				took = append(took, time.Since(<-sent))
			}
			time.Sleep(time.Second)
		})
		return took
	}
	first, second := run(), run()
	different := false
	for i, d := range first {
		if d != second[i] {
			t.Errorf("byte %d took %v, and %v the second time", i, d, second[i])
		}
		if d < 50*time.Millisecond || d > 150*time.Millisecond {
			t.Errorf("byte %d took %v", i, d)
		}
		different = different || d != first[0]
	}
	if !different {
		t.Errorf("all took %v", first[0])
	}
}

func TestRateIsKeptFromTheFirstByte(t *testing.T) {
	inMemory(t, func(p *Proxy, dialler, target net.Conn) {
		if err := p.Set(Toxics{Up: Toxic{Rate: 1000}}); err != nil {
			t.Error(err)
		}
		say(t, dialler, string(make([]byte, 10_000)))
		if got, want := arrival(t, target, 10_000), 10*time.Second-tick; got != want {
			t.Errorf("10,000 bytes took %v, want %v", got, want)
		}
	})
}

func TestSlicesAreSmallAndApart(t *testing.T) {
	inMemory(t, func(p *Proxy, dialler, target net.Conn) {
		if err := p.Set(Toxics{Up: Toxic{Slice: 3, SliceDelay: time.Second}}); err != nil {
			t.Error(err)
		}
		say(t, dialler, "PUB a 2\r\n")
		start := time.Now()
		b := make([]byte, 100)
		for i, want := range []string{"PUB", " a ", "2\r\n"} {
			n, err := target.Read(b)
			if at := time.Since(start); string(b[:n]) != want || at != time.Duration(i)*time.Second {
				t.Errorf("read %q, %v after %v; want %q after %d s", b[:n], err, at, want, i)
			}
		}
	})
}

func TestHealDeliversAtOnceWhatIsDelayed(t *testing.T) {
	for _, toxic := range []Toxic{{Latency: time.Hour}, {Rate: 1}, {Slice: 1, SliceDelay: time.Hour}, {Flow: Freeze, Latency: time.Hour}} {
		inMemory(t, func(p *Proxy, dialler, target net.Conn) {
			if err := p.Set(Toxics{Up: toxic}); err != nil {
				t.Error(err)
			}
			say(t, dialler, "xyz")
			done := make(chan time.Duration)
			go func() { done <- arrival(t, target, 3) }()
			synctest.Wait()
			if err := p.Heal(); err != nil {
				t.Error(err)
			}
			if got := <-done; got != 0 {
				t.Errorf("%+v: it took %v", toxic, got)
			}
		})
	}
}

func TestVerySmallChunksAreBoundedInNumber(t *testing.T) {
	inMemory(t, func(p *Proxy, dialler, target net.Conn) {
		if err := p.Set(Toxics{Up: Toxic{Flow: Freeze}}); err != nil {
			t.Error(err)
		}
		go func() {
			for range 2 * maxChunks {
				_, _ = dialler.Write([]byte("x"))
			}
		}()
		synctest.Wait()
		if got, want := p.Status().Up.Held(), uint64(maxChunks+1); got != want { // one is in the reader's hand
			t.Errorf("%d bytes are held, want %d", got, want)
		}
		if err := p.Heal(); err != nil {
			t.Error(err)
		}
		arrival(t, target, 2*maxChunks)
	})
}

// toxics draws what loses nothing.
func toxics() *rapid.Generator[Toxic] {
	return rapid.Custom(func(t *rapid.T) Toxic {
		return Toxic{
			Flow:       rapid.SampledFrom([]Flow{Pass, Pass, Freeze}).Draw(t, "flow"),
			Latency:    time.Duration(rapid.SampledFrom([]int{0, 0, 1e6, 1e9}).Draw(t, "latency")),
			Jitter:     time.Duration(rapid.SampledFrom([]int{0, 0, 1e6, 2e9}).Draw(t, "jitter")),
			Rate:       rapid.SampledFrom([]int64{0, 0, 1, 1e4, 1e9}).Draw(t, "rate"),
			Slice:      rapid.SampledFrom([]int{0, 0, 100, 1 << 20}).Draw(t, "slice"),
			SliceDelay: time.Duration(rapid.SampledFrom([]int{0, 1e6}).Draw(t, "slice delay")),
		}
	})
}

func TestWhatLosesNothingDeliversEveryByteInOrder(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		sizes := rapid.SliceOfN(rapid.SampledFrom([]int{1, 10, 5000, chunkSize, 300_000}), 1, 12).Draw(rt, "writes")
		states := rapid.SliceOfN(toxics(), 0, 8).Draw(rt, "toxics")
		pauses := rapid.SliceOfN(rapid.SampledFrom([]int{0, 1e3, 1e6, 1e9}), len(states), len(states)).Draw(rt, "pauses")
		total := 0
		for _, n := range sizes {
			total += n
		}
		data := make([]byte, total)
		rng := rand.NewChaCha8([32]byte{1})
		_, _ = rng.Read(data)

		got := make([]byte, total)
		var (
			failed error
			status Status
		)
		inMemory(t, func(p *Proxy, dialler, target net.Conn) {
			go func() {
				rest := data
				for _, n := range sizes {
					_, _ = dialler.Write(rest[:n])
					rest = rest[n:]
				}
			}()
			read := make(chan error)
			go func() {
				_, err := io.ReadFull(target, got)
				read <- err
			}()
			for i, s := range states {
				failed = p.Set(Toxics{Up: s})
				time.Sleep(time.Duration(pauses[i]))
			}
			if err := p.Heal(); err != nil {
				failed = err
			}
			if err := <-read; err != nil {
				failed = err
			}
			synctest.Wait()
			status = p.Status()
		})
		if failed != nil {
			rt.Fatal(failed)
		}
		if !bytes.Equal(got, data) {
			rt.Fatal("the bytes that arrived are others")
		}
		if want := (Traffic{Read: uint64(total), Written: uint64(total)}); status.Up != want {
			rt.Fatalf("counted %+v, want %+v", status.Up, want)
		}
	})
}
