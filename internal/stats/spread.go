package stats

import (
	"fmt"
	"math"
	"slices"
)

// minRuns is the smallest sample whose extremes hold the true median with 95 %
// confidence: all n values lie on one side of it with probability 2·2^-n, so
// [min, max] misses it that often. That is 6.3 % for 5 values, 3.1 % for 6. Any
// narrower interval needs more (H. A. David, H. N. Nagaraja, Order Statistics,
// section 7.1; benchstat asks for 6 too).
const minRuns = 6

// A Spread says how far the results of repeated runs lie apart. All fields but N
// have the unit of the values.
type Spread struct {
	N      int     `json:"n"`
	Median float64 `json:"median"`
	Min    float64 `json:"min"`
	Max    float64 `json:"max"`
	// MAD is the median absolute deviation from the median. One bad run in three
	// or more does not move it, as it would a standard deviation.
	MAD float64 `json:"mad"`
	// Warnings say why the spread cannot be trusted, one line each.
	Warnings []string `json:"warnings,omitempty"`
}

// SpreadOf describes the results of repeated runs. Values that are no finite
// number are left out, with a warning. With fewer than 6 values a warning says
// that the interval from Min to Max may not hold the true median.
func SpreadOf(values []float64) Spread {
	sorted := slices.DeleteFunc(slices.Clone(values), func(v float64) bool {
		return math.IsNaN(v) || math.IsInf(v, 0)
	})
	slices.Sort(sorted)
	s := Spread{N: len(sorted)}
	if left := len(values) - s.N; left > 0 {
		s.Warnings = append(s.Warnings, fmt.Sprintf("%d of %d values are no finite number and left out", left, len(values)))
	}
	if s.N < minRuns {
		s.Warnings = append(s.Warnings, fmt.Sprintf(
			"too few runs (%d) to say where the median lies: %d are needed for 95%% confidence", s.N, minRuns))
	}
	if s.N == 0 {
		return s
	}
	s.Min, s.Median, s.Max = sorted[0], median(sorted), sorted[s.N-1]
	for i, v := range sorted {
		sorted[i] = math.Abs(v - s.Median)
	}
	slices.Sort(sorted)
	s.MAD = median(sorted)
	return s
}

// median returns the middle of sorted values, of which there is at least one.
func median(sorted []float64) float64 {
	mid := len(sorted) / 2
	if len(sorted)%2 == 1 {
		return sorted[mid]
	}
	return sorted[mid-1]/2 + sorted[mid]/2 // their sum may overflow
}
