package stats

import (
	"fmt"
	"math"
	"strings"
	"time"
)

// A Summary describes the distribution of durations. In JSON they are integers
// in ns, and absent when there are no values: 0 would pass for a good result.
type Summary struct {
	Count  int64         `json:"count"`
	Min    time.Duration `json:"min_ns,omitzero"`
	Mean   time.Duration `json:"mean_ns,omitzero"`
	StdDev time.Duration `json:"stddev_ns"`
	P50    time.Duration `json:"p50_ns,omitzero"`
	P90    time.Duration `json:"p90_ns,omitzero"`
	P99    time.Duration `json:"p99_ns,omitzero"`
	P999   time.Duration `json:"p999_ns,omitzero"`
	P9999  time.Duration `json:"p9999_ns,omitzero"`
	Max    time.Duration `json:"max_ns,omitzero"`
	// Warnings say which of the numbers cannot be trusted, one line each.
	Warnings []string `json:"warnings,omitempty"`
}

// Summarize describes what h has recorded.
//
// A quantile q needs at least 1/(1-q) values: with fewer its nearest rank is
// that of the maximum, and it says no more than that. Those are in Warnings.
func Summarize(h *Histogram) Summary {
	s := Summary{
		Count:  h.Count(),
		Min:    time.Duration(h.Min()),
		Mean:   time.Duration(math.Round(h.Mean())),
		StdDev: time.Duration(math.Round(h.StdDev())),
		Max:    time.Duration(h.Max()),
	}
	var unsupported []string
	for _, p := range []struct {
		name  string
		q     float64
		value *time.Duration
	}{
		{"p50", 0.5, &s.P50},
		{"p90", 0.9, &s.P90},
		{"p99", 0.99, &s.P99},
		{"p99.9", 0.999, &s.P999},
		{"p99.99", 0.9999, &s.P9999},
	} {
		*p.value = time.Duration(h.Quantile(p.q))
		if h.rank(p.q) == h.Count() {
			unsupported = append(unsupported, fmt.Sprintf("%s needs %.0f", p.name, 1/(1-p.q)))
		}
	}
	s.Warnings = warnings(h, unsupported)
	return s
}

func warnings(h *Histogram, unsupported []string) (lines []string) {
	if h.Count() == 0 {
		return []string{"no values were recorded"}
	}
	if len(unsupported) > 0 {
		lines = append(lines, fmt.Sprintf("too few values (%d): %s", h.Count(), strings.Join(unsupported, ", ")))
	}
	if h.Clamped() > 0 {
		lines = append(lines, fmt.Sprintf("%d values above %v count as %v", h.Clamped(), time.Hour, time.Hour))
	}
	if h.Negative() > 0 {
		lines = append(lines, fmt.Sprintf("%d values below 0 count as 1ns: the clocks of sender and receiver disagree", h.Negative()))
	}
	return lines
}
