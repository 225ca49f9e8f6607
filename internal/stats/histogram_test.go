package stats

import (
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/HdrHistogram/hdrhistogram-go"
	"pgregory.net/rapid"
)

func recorded(values ...int64) *Histogram {
	h := NewHistogram()
	for _, v := range values {
		h.Record(v)
	}
	return h
}

// ascending returns 1..n.
func ascending(n int64) []int64 {
	values := make([]int64, n)
	for i := range values {
		values[i] = int64(i) + 1
	}
	return values
}

// durations draws values of all magnitudes.
func durations(t *rapid.T, label string) []int64 {
	magnitude := rapid.Int64Range(1, 41).Draw(t, "magnitude")
	return rapid.SliceOfN(rapid.Int64Range(1, min(highest, 1<<magnitude)), 1, 2000).Draw(t, label)
}

// within reports whether got is in [want, want+0.1 %], as HdrHistogram promises
// for 3 digits.
func within(got, want int64) bool {
	return got >= want && float64(got) <= float64(want)*1.001
}

func TestQuantilesAreTheNearestRankToThreeDigits(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		values := durations(t, "values")
		h := recorded(values...)
		slices.Sort(values)
		for _, per100k := range []int{1, 100, 7_000, 25_000, 50_000, 90_000, 99_000, 99_900, 99_990, 100_000} {
			rank := (per100k*len(values) + 99_999) / 100_000 // exact ceiling
			want := values[rank-1]
			if got := h.Quantile(float64(per100k) / 100_000); !within(got, want) {
				t.Fatalf("quantile %d/100000 of %d values is %d, want %d", per100k, len(values), got, want)
			}
		}
		if got := h.Max(); !within(got, values[len(values)-1]) {
			t.Fatalf("maximum is %d, want %d", got, values[len(values)-1])
		}
		if got := h.Min(); !within(values[0], got) {
			t.Fatalf("minimum is %d, want %d", got, values[0])
		}
		checkMoments(t, h, values)
	})
}

func checkMoments(t *rapid.T, h *Histogram, values []int64) {
	var mean, variance float64
	for _, v := range values {
		mean += float64(v) / float64(len(values))
	}
	for _, v := range values {
		variance += (float64(v) - mean) * (float64(v) - mean) / float64(len(values))
	}
	if got := h.Mean(); math.Abs(got-mean) > mean/1000 {
		t.Fatalf("mean is %v, want %v", got, mean)
	}
	largest := float64(values[len(values)-1]) // the error of one value is up to 0.05 % of it
	if got := h.StdDev(); math.Abs(got-math.Sqrt(variance)) > largest/1000 {
		t.Fatalf("standard deviation is %v, want %v", got, math.Sqrt(variance))
	}
}

func TestRoundingDoesNotReachTheNextRank(t *testing.T) {
	if got := recorded(ascending(100)...).Quantile(0.07); got != 7 { // 0.07 * 100 > 7 in floating point
		t.Errorf("quantile 0.07 of 1..100 is %d, want 7", got)
	}
}

func TestQuantilesOutsideZeroToOneAreTheExtremes(t *testing.T) {
	h := recorded(10, 20, 30)
	for q, want := range map[float64]int64{-1: 10, 0: 10, 1: 30, 2: 30, math.Inf(1): 30, math.Inf(-1): 10} {
		if got := h.Quantile(q); got != want {
			t.Errorf("quantile %v is %d, want %d", q, got, want)
		}
	}
	if got := h.Quantile(math.NaN()); got < 10 || got > 30 {
		t.Errorf("quantile NaN is %d", got)
	}
	if got := recorded(12_345_678).Quantile(0); !within(got, 12_345_678) {
		t.Errorf("quantile 0 is %d, below the only value", got)
	}
}

func TestEmptyHistogramIsAllZero(t *testing.T) {
	h := NewHistogram()
	if got := []float64{
		float64(h.Count()), float64(h.Quantile(0.5)), float64(h.Min()), float64(h.Max()), h.Mean(), h.StdDev(),
	}; slices.Max(got) != 0 || slices.Min(got) != 0 {
		t.Errorf("got %v, want zeros", got)
	}
}

func TestValuesOutOfRangeAreCountedAndNotDropped(t *testing.T) {
	h := recorded(math.MinInt64, -1, 0, 1, highest, highest+1, math.MaxInt64)
	h.RecordN(highest+1, 5)
	h.RecordN(7, 0)
	h.RecordN(7, -1)
	h.RecordN(highest+1, -1)
	if h.Count() != 12 || h.Clamped() != 7 || h.Negative() != 2 {
		t.Errorf("count %d, clamped %d, negative %d, want 12, 7, 2", h.Count(), h.Clamped(), h.Negative())
	}
	if h.Min() != 1 || !within(h.Max(), highest) {
		t.Errorf("from %d to %d, want 1 to %d", h.Min(), h.Max(), highest)
	}
	if top := recorded(math.MaxInt64); !within(top.Min(), highest/1000*999) || !within(top.Max(), highest) {
		t.Errorf("a value above the top is from %d to %d, want %d", top.Min(), top.Max(), highest)
	}
	h.Reset()
	if h.Count() != 0 || h.Clamped() != 0 || h.Negative() != 0 {
		t.Errorf("after reset: count %d, clamped %d, negative %d", h.Count(), h.Clamped(), h.Negative())
	}
}

func TestMergingEqualsRecordingEverything(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a, b := durations(t, "a"), durations(t, "b")
		a, b = append(a, -1, highest+1), append(b, -1, highest+1)
		merged, all := recorded(a...), recorded(append(slices.Clone(a), b...)...)
		merged.Merge(recorded(b...))
		if !merged.hdr.Equals(all.hdr) || merged.Clamped() != all.Clamped() || merged.Negative() != all.Negative() {
			t.Fatalf("merged %+v, all %+v", Summarize(merged), Summarize(all))
		}
	})
}

func TestHistogramSurvivesEncoding(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		h := recorded(durations(t, "values")...)
		got, err := Decode(h.Encode())
		if err != nil || !got.hdr.Equals(h.hdr) {
			t.Fatalf("decoded %+v, %v, want %+v", got, err, Summarize(h))
		}
	})
	if got, err := Decode(NewHistogram().Encode()); err != nil || got.Count() != 0 {
		t.Errorf("empty histogram decodes to %+v, %v", got, err)
	}
}

// The text is what HdrHistogram 2.1.11, the reference implementation in Java,
// encodes for the same values; it decodes ours to an equal histogram.
func TestHistogramOfTheReferenceImplementationIsRead(t *testing.T) {
	const java = "HISTFAAAADh4nJNpmSzMwMAgzgABzFCaEch0M9ixgMH+A1SE6TQ/00dhpt9djEyHVS7w365iWr+HkQkAEFUMWQ=="
	want := recorded(1, 1000, 2500, 1_000_000, 999_999_999, highest)
	want.RecordN(5_000_000, 1000)
	if got, err := Decode(java); err != nil || !got.hdr.Equals(want.hdr) {
		t.Errorf("got %+v, %v, want %+v", got, err, Summarize(want))
	}
	if got := want.Encode(); got[:8] != java[:8] {
		t.Errorf("ours starts with %s, that of the reference with %s", got[:8], java[:8])
	}
}

func TestHistogramOfAnotherRangeIsRefused(t *testing.T) {
	for name, other := range map[string]*hdrhistogram.Histogram{
		"lower top": hdrhistogram.New(lowest, highest/2, digits),
		"coarser":   hdrhistogram.New(lowest, highest, digits-1),
		"us":        hdrhistogram.New(1000, highest, digits),
	} {
		encoded, err := other.Encode(hdrhistogram.V2CompressedEncodingCookieBase)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := Decode(string(encoded)); err == nil || !strings.Contains(err.Error(), "want 1 to 3600000000000 with 3") {
			t.Errorf("%s: got %v", name, err)
		}
	}
}

func FuzzDecodeNeverPanics(f *testing.F) {
	f.Add("")
	f.Add("HISTFAAAA")
	f.Add(recorded(1, 1000, highest).Encode())
	f.Fuzz(func(t *testing.T, encoded string) {
		h, err := Decode(encoded)
		if err != nil {
			if strings.ContainsAny(err.Error(), "\r\n") {
				t.Errorf("error of several lines: %v", err)
			}
			return
		}
		again, err := Decode(h.Encode())
		if err != nil || !again.hdr.Equals(h.hdr) {
			t.Errorf("%q does not survive encoding: %v", encoded, err)
		}
	})
}
