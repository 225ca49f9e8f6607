package proxy

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/natsops/natsops/internal/leaktest"
)

// patience bounds every wait; only what is broken needs it, or a machine that
// has very much else to do.
const patience = time.Minute

func TestMain(m *testing.M) { leaktest.Main(m) }

// A ward is a proxy in front of a target that hands out what it accepts.
type ward struct {
	*Proxy
	t      testing.TB
	target net.Listener
	log    *journal
}

// A journal collects events.
type journal struct {
	mu     sync.Mutex
	events []Event
}

func (j *journal) note(e Event) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.events = append(j.events, e)
}

// of returns the events of a kind.
func (j *journal) of(k Kind) []Event {
	j.mu.Lock()
	defer j.mu.Unlock()
	return slices.DeleteFunc(slices.Clone(j.events), func(e Event) bool { return e.Kind != k })
}

func newWard(t testing.TB) *ward {
	t.Helper()
	target, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { target.Close() })
	w := &ward{t: t, target: target, log: new(journal)}
	w.Proxy, err = Listen(Config{Name: "a→b", Target: target.Addr().String(), Seed: 1, Observe: w.log.note})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := w.Close(); err != nil {
			t.Error(err)
		}
	})
	return w
}

// dial connects to the proxy only.
func (w *ward) dial() *net.TCPConn {
	w.t.Helper()
	c, err := net.Dial("tcp", w.Addr())
	if err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(func() { c.Close() })
	return c.(*net.TCPConn)
}

// accept is what the target has of a connection.
func (w *ward) accept() *net.TCPConn {
	w.t.Helper()
	if err := w.target.(*net.TCPListener).SetDeadline(time.Now().Add(patience)); err != nil {
		w.t.Fatal(err)
	}
	c, err := w.target.Accept()
	if err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(func() { c.Close() })
	return c.(*net.TCPConn)
}

// pair is both ends of a connection through the proxy.
func (w *ward) pair() (dialler, target *net.TCPConn) {
	w.t.Helper()
	dialler, target = w.dial(), w.accept()
	eventually(w.t, "the proxy knows that it is connected", func() bool {
		return slices.ContainsFunc(w.log.of(Connected), func(e Event) bool {
			return e.Conn.Via == target.RemoteAddr().String()
		})
	})
	return dialler, target
}

func (w *ward) set(toxics Toxics) {
	w.t.Helper()
	if err := w.Set(toxics); err != nil {
		w.t.Fatal(err)
	}
}

func (w *ward) heal() {
	w.t.Helper()
	if err := w.Heal(); err != nil {
		w.t.Fatal(err)
	}
}

// say sends text.
func say(t testing.TB, c net.Conn, text string) {
	t.Helper()
	if _, err := io.WriteString(c, text); err != nil {
		t.Fatal(err)
	}
}

// mustHear reads text, and no more.
func mustHear(t testing.TB, c net.Conn, text string) {
	t.Helper()
	limit(t, c)
	got := make([]byte, len(text))
	if n, err := io.ReadFull(c, got); err != nil || string(got) != text {
		t.Fatalf("heard %q, %v; want %q", got[:n], err, text)
	}
}

// mustEnd reads until the end, which is a reset or in good order.
func mustEnd(t testing.TB, c net.Conn, byReset bool, text string) {
	t.Helper()
	limit(t, c)
	got, err := io.ReadAll(c)
	if isReset(err) != byReset || !byReset && err != nil || !bytes.Equal(got, []byte(text)) {
		t.Fatalf("heard %q, %v; want %q and reset: %t", got, err, text, byReset)
	}
}

func isReset(err error) bool {
	var timeout net.Error
	return err != nil && (!errors.As(err, &timeout) || !timeout.Timeout())
}

// mustHearNothing tells whether something is there to be heard. It cannot know
// what is under way, so the caller makes sure that all has arrived.
func mustHearNothing(t testing.TB, c net.Conn) {
	t.Helper()
	if err := c.SetReadDeadline(time.Now().Add(5 * time.Millisecond)); err != nil {
		t.Fatal(err)
	}
	var b [1]byte
	n, err := c.Read(b[:])
	var timeout net.Error
	if n != 0 || !errors.As(err, &timeout) || !timeout.Timeout() {
		t.Fatalf("heard %q, %v; want nothing", b[:n], err)
	}
}

func limit(t testing.TB, c net.Conn) {
	t.Helper()
	if err := c.SetReadDeadline(time.Now().Add(patience)); err != nil {
		t.Fatal(err)
	}
}

func eventually(t testing.TB, what string, ok func() bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	for !ok() {
		if !wait(ctx, time.Millisecond) {
			t.Fatalf("it never came true that %s", what)
		}
	}
}

// up tells what the proxy has of the direction from who dials.
func (w *ward) up() Traffic { return w.Status().Up }
