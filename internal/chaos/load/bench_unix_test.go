//go:build unix

package load

import (
	"syscall"
	"testing"
	"time"

	"github.com/natsops/natsops/internal/lab"
)

// BenchmarkLoad is what 1,000 messages per second of four publishers and a
// consumer cost this process, which looks at them ten times a second; the
// server is another one. An op is a second of load.
func BenchmarkLoad(b *testing.B) {
	s, err := lab.StartChild(b.Context(), lab.Config{})
	if err != nil {
		b.Fatal(err)
	}
	defer s.Stop()
	dial := dialer(s.URL(), s.Credentials())
	js := join(b, dial)
	prepare(b, js, 1)
	cfg := config("n1", "n2", "n3", "any")
	cfg.Rate, cfg.Size = 250, 256
	l := mustStart(b, cfg, dial)
	acked(b, l, 250)
	before, begun, look := cpu(b), time.Now(), l.Look(time.Hour)
	for b.Loop() {
		for range 10 {
			<-time.After(100 * time.Millisecond)
			l.Look(5 * time.Second)
		}
	}
	took, now := time.Since(begun), l.Look(time.Hour)
	b.ReportMetric(100*(cpu(b)-before).Seconds()/took.Seconds(), "%core")
	b.ReportMetric(float64(now.Acks-look.Acks)/took.Seconds(), "msg/s")
	b.ReportMetric(float64(now.Missed), "missed")
	b.ReportMetric(float64(now.P50.Microseconds()), "p50-us")
}

// cpu is what this process has used, in user and system mode.
func cpu(b *testing.B) time.Duration {
	b.Helper()
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
