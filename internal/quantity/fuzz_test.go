package quantity

import (
	"math"
	"strings"
	"testing"
	"time"
)

// roundTrip parses s, and what formatting makes of the value.
func roundTrip(t *testing.T, s string, parse func(string) (float64, error), format func(float64) string) {
	t.Helper()
	v, err := parse(s)
	if err != nil {
		if text := err.Error(); text == "" || strings.ContainsAny(text, "\r\n") {
			t.Errorf("%q: error %q is not one line", s, text)
		}
		return
	}
	if !(v >= 0 && v <= math.MaxInt64) {
		t.Errorf("%q is %v, out of range", s, v)
	}
	text := format(v)
	again, err := parse(text)
	if v > 9e18 && err != nil { // rounded up beyond the limit
		return
	}
	if err != nil || math.Abs(again-v) > v*0.01+1e-8 {
		t.Errorf("%q is %v, is written %q, is read back as %v, %v", s, v, text, again, err)
	}
}

func seed(f *testing.F) {
	f.Helper()
	for _, s := range []string{
		"", "0", "10k", "1.5M", "100k/s", "128B", "4KiB", "10 MiB/s", "95%", "0.95", "5ms", "1m30s", "250µs", "-1", "9223372036854775807",
	} {
		f.Add(s)
	}
}

func FuzzCount(f *testing.F) {
	seed(f)
	f.Fuzz(func(t *testing.T, s string) { roundTrip(t, s, whole(ParseCount), FormatCount) })
}

func FuzzRate(f *testing.F) {
	seed(f)
	f.Fuzz(func(t *testing.T, s string) { roundTrip(t, s, ParseRate, FormatRate) })
}

func FuzzSize(f *testing.F) {
	seed(f)
	f.Fuzz(func(t *testing.T, s string) {
		if _, err := ParseSize(s); err != nil {
			return
		}
		// 1.23 KiB is not whole, so what is written is read back as a byte rate.
		roundTrip(t, s, ParseByteRate, FormatSize)
	})
}

func FuzzByteRate(f *testing.F) {
	seed(f)
	f.Fuzz(func(t *testing.T, s string) { roundTrip(t, s, ParseByteRate, FormatByteRate) })
}

func FuzzRatio(f *testing.F) {
	seed(f)
	f.Fuzz(func(t *testing.T, s string) { roundTrip(t, s, ParseRatio, FormatRatio) })
}

func FuzzDuration(f *testing.F) {
	seed(f)
	f.Fuzz(func(t *testing.T, s string) {
		roundTrip(t, s, whole(ParseDuration), func(ns float64) string { return FormatDuration(duration(ns)) })
	})
}

// duration is the float nearest to a time span, as a time span.
func duration(ns float64) time.Duration {
	if ns >= math.MaxInt64 {
		return math.MaxInt64
	}
	return time.Duration(ns)
}

func whole[T ~int64](parse func(string) (T, error)) func(string) (float64, error) {
	return func(s string) (float64, error) {
		v, err := parse(s)
		return float64(v), err
	}
}
