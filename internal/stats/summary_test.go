package stats

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestSummaryWarnsOfQuantilesThatTheSampleCannotSupport(t *testing.T) {
	tests := []struct {
		n    int64
		want []string
	}{
		{0, []string{"no values were recorded"}},
		{1, []string{"too few values (1): p50 needs 2, p90 needs 10, p99 needs 100, p99.9 needs 1000, p99.99 needs 10000"}},
		{9, []string{"too few values (9): p90 needs 10, p99 needs 100, p99.9 needs 1000, p99.99 needs 10000"}},
		{10, []string{"too few values (10): p99 needs 100, p99.9 needs 1000, p99.99 needs 10000"}},
		{999, []string{"too few values (999): p99.9 needs 1000, p99.99 needs 10000"}},
		{1000, []string{"too few values (1000): p99.99 needs 10000"}},
		{9999, []string{"too few values (9999): p99.99 needs 10000"}},
		{10000, nil},
	}
	for _, tt := range tests {
		got := Summarize(recorded(ascending(tt.n)...))
		if diff := cmp.Diff(tt.want, got.Warnings); diff != "" {
			t.Errorf("%d values (-want +got):\n%s", tt.n, diff)
		}
	}
}

func TestSummaryWarnsOfValuesOutOfRange(t *testing.T) {
	h := recorded(ascending(10000)...)
	h.RecordN(highest+1, 2)
	h.RecordN(-1, 3)
	want := []string{
		"2 values above 1h0m0s count as 1h0m0s",
		"3 values below 0 count as 1ns: the clocks of sender and receiver disagree",
	}
	if diff := cmp.Diff(want, Summarize(h).Warnings); diff != "" {
		t.Errorf("warnings (-want +got):\n%s", diff)
	}
}

func TestSummaryOfAKnownDistribution(t *testing.T) {
	h := NewHistogram()
	for _, us := range ascending(20_000) {
		h.Record(us * 1000)
	}
	got := Summarize(h)
	for name, v := range map[string]struct{ got, want time.Duration }{
		"p50": {got.P50, 10 * time.Millisecond}, "p90": {got.P90, 18 * time.Millisecond},
		"p99": {got.P99, 19800 * time.Microsecond}, "p99.9": {got.P999, 19980 * time.Microsecond},
		"p99.99": {got.P9999, 19998 * time.Microsecond}, "max": {got.Max, 20 * time.Millisecond},
	} {
		if !within(int64(v.got), int64(v.want)) {
			t.Errorf("%s is %v, want %v", name, v.got, v.want)
		}
	}
	// Uniform on 1..n: mean (n+1)/2, standard deviation √((n²-1)/12).
	if mean := 10000500 * time.Nanosecond; (got.Mean - mean).Abs() > mean/1000 {
		t.Errorf("mean is %v, want %v", got.Mean, mean)
	}
	if dev := 5773503 * time.Nanosecond; (got.StdDev - dev).Abs() > dev/1000 {
		t.Errorf("standard deviation is %v, want %v", got.StdDev, dev)
	}
	if want := time.Microsecond; !within(int64(want), int64(got.Min)) {
		t.Errorf("minimum is %v, want %v", got.Min, want)
	}
}

func TestSummaryJSONHasUnitsAndNoZerosForWhatIsUnknown(t *testing.T) {
	for _, tt := range []struct {
		h    *Histogram
		want string
	}{
		{NewHistogram(), `{"count":0,"stddev_ns":0,"warnings":["no values were recorded"]}`},
		{recorded(7, 7), `{"count":2,"min_ns":7,"mean_ns":7,"stddev_ns":0,"p50_ns":7,"p90_ns":7,"p99_ns":7,"p999_ns":7,"p9999_ns":7,"max_ns":7,` +
			`"warnings":["too few values (2): p90 needs 10, p99 needs 100, p99.9 needs 1000, p99.99 needs 10000"]}`},
	} {
		got, err := json.Marshal(Summarize(tt.h))
		if err != nil || string(got) != tt.want {
			t.Errorf("got  %s, %v\nwant %s", got, err, tt.want)
		}
	}
}
