package history

import (
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// tape are dice that a fuzzer has thrown; 0 when it is at its end.
type tape struct{ bytes []byte }

func (t *tape) IntN(n int) int {
	var v int
	for size := 1; size < n && len(t.bytes) > 0; size <<= 8 {
		v, t.bytes = v<<8|int(t.bytes[0]), t.bytes[1:]
	}
	return v % n
}

// judge makes every verdict of a record and holds it against what always holds.
func judge(t rapid.TB, r Record) {
	t.Helper()
	sound(t, Check(r))
	for i := -1; i <= len(r.Publishers); i++ {
		soundOutages(t, r, Outages(r, i))
	}
	for i := -1; i <= len(r.Consumers); i++ {
		soundOutages(t, r, DeliveryGaps(r, i))
	}
	for _, until := range []time.Duration{-1 << 63, 0, 10 * time.Second, 1<<63 - 1} {
		got := Recover(r, Span{From: time.Second, To: 2 * time.Second}, until, []string{"n1"})
		if a := got.Availability; a != nil && (*a < 0 || *a > 1) {
			t.Errorf("availability %g", *a)
		}
		if got.Detect != nil && *got.Detect < 0 {
			t.Errorf("detected %v before", *got.Detect)
		}
	}
}

func soundOutages(t rapid.TB, r Record, outages []Outage) {
	t.Helper()
	for i, o := range outages {
		if o.Length() <= Threshold(r.Period) || o.To > r.end() || o.Open && i != len(outages)-1 || i > 0 && o.From < outages[i-1].To {
			t.Errorf("outages %v of a load that ended at %v", outages, r.end())
		}
	}
}

func FuzzNoRecordMakesAVerdictPanic(f *testing.F) {
	f.Add([]byte{})
	f.Add([]byte("natsops has an account of every message"))
	f.Add(slices.Repeat([]byte{255, 7, 1, 0, 129}, 200))
	f.Fuzz(func(t *testing.T, data []byte) { judge(t, anything(&tape{data})) })
}

func TestNoRecordMakesAVerdictPanic(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) { judge(t, mutated(t)) })
}
