package bench

import (
	"testing"
	"time"
)

// However long a run is, it keeps no more than maxIntervals, and nothing that
// was counted goes missing when intervals are folded.
func TestIntervalsOfALongRunAreFolded(t *testing.T) {
	r := newRecorder(1)
	r.begin(0, 0)
	m := r.meter(0)
	const hours = 16
	for s := range hours * 3600 {
		m.mu.Lock()
		m.sent, m.received = 3, 2
		m.mu.Unlock()
		if s%600 == 0 {
			m.response.Record(int64(s + 1))
		}
		r.keepTest(t, int64(s+1)*int64(time.Second))
	}
	if n := len(r.intervals); n > maxIntervals || n < maxIntervals/2 {
		t.Errorf("%d intervals are kept of %d hours", n, hours)
	}
	var sent, received uint64
	next := int64(0)
	for _, in := range r.intervals {
		if in.StartNS != next {
			t.Fatalf("an interval starts at %d, the one before ended at %d", in.StartNS, next)
		}
		next += in.LengthNS
		sent += in.Sent
		received += in.Received
	}
	if want := uint64(hours * 3600); sent != 3*want || received != 2*want || next != int64(hours*time.Hour) {
		t.Errorf("sent %d, received %d in %v", sent, received, time.Duration(next))
	}
	if got := r.total.sent; got != 3*hours*3600 {
		t.Errorf("total %d", got)
	}
}

// keepTest cuts as a run does, without the merging of histograms that makes
// 57,600 cuts slow.
func (r *recorder) keepTest(t *testing.T, now int64) {
	t.Helper()
	c, times := r.meters[0].swap()
	r.total.add(c)
	r.keep(Interval{
		StartNS: r.cutAt, LengthNS: now - r.cutAt, Sent: c.sent, Received: c.received,
		MaxNS: quantile(times.response, 1),
	})
	r.cutAt = now
}

func TestFoldedIntervalsKeepTheLargerPercentile(t *testing.T) {
	a, b := int64(5), int64(9)
	for _, c := range []struct{ x, y, want *int64 }{
		{&a, &b, &b}, {&b, &a, &b}, {nil, &a, &a}, {&a, nil, &a}, {nil, nil, nil},
	} {
		if got := joined(Interval{P99NS: c.x}, Interval{P99NS: c.y}).P99NS; got != c.want {
			t.Errorf("joined(%v, %v) = %v, want %v", c.x, c.y, got, c.want)
		}
	}
}

func TestCutGathersAllMetersOnce(t *testing.T) {
	r := newRecorder(3)
	r.begin(0, 0)
	for i := range 3 {
		m := r.meter(i)
		m.mu.Lock()
		m.sent += 10
		m.done += 4
		m.response.Record(int64(i+1) * 1000)
		m.mu.Unlock()
	}
	if got := r.peek(); got.sent != 30 || got.done != 12 {
		t.Errorf("peek = %+v", got)
	}
	r.cut(int64(time.Second))
	r.cut(int64(2 * time.Second))
	if r.total.sent != 30 || r.response.Count() != 3 || len(r.intervals) != 2 {
		t.Errorf("total %+v, %d values, %d intervals", r.total, r.response.Count(), len(r.intervals))
	}
	if r.intervals[0].Sent != 30 || r.intervals[1].Sent != 0 || r.intervals[1].P99NS != nil {
		t.Errorf("intervals %+v", r.intervals)
	}
}

func TestFailuresAreCountedByClassWithTheFirstExample(t *testing.T) {
	var f failures
	f.add(ClassTimeout, "first")
	f.add(ClassOther, "x")
	f.add(ClassTimeout, "second")
	got := f.list()
	if len(got) != 2 || got[0] != (ErrorCount{ClassTimeout, 2, "first"}) || f.count.Load() != 3 {
		t.Errorf("failures %+v", got)
	}
}

func BenchmarkMeterBatch(b *testing.B) {
	m := newRecorder(1).meter(0)
	for b.Loop() {
		m.mu.Lock()
		for i := range int64(receiveBatch) {
			m.response.Record(100_000 + i)
		}
		m.received += receiveBatch
		m.mu.Unlock()
	}
}
