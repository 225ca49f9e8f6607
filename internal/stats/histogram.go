package stats

import (
	"fmt"
	"math"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
)

const (
	lowest  = 1                // ns
	highest = int64(time.Hour) // ns
	digits  = 3                // significant decimal digits
)

// A Histogram counts durations from 1 ns to 1 h with 3 significant digits: every
// value that it returns is within 0.1 % of a recorded one. It is an HdrHistogram
// and takes 264 KiB whatever is recorded, so keep one per client, not one per
// subject. It is not safe for concurrent use.
type Histogram struct {
	hdr      *hdrhistogram.Histogram
	clamped  int64
	negative int64
}

// NewHistogram returns an empty Histogram.
func NewHistogram() *Histogram {
	return &Histogram{hdr: hdrhistogram.New(lowest, highest, digits)}
}

// Record counts a duration in ns. No value is dropped: one below 1 ns counts as
// 1 ns, one above 1 h as 1 h; see [Histogram.Negative] and [Histogram.Clamped].
func (h *Histogram) Record(ns int64) { h.RecordN(ns, 1) }

// RecordN counts a duration in ns n times; an n below 1 counts nothing.
func (h *Histogram) RecordN(ns, n int64) {
	switch {
	case n < 1:
		return
	case ns > highest:
		ns = highest
		h.clamped += n
	case ns < lowest:
		if ns < 0 {
			h.negative += n
		}
		ns = lowest
	}
	// It fails for a value out of range, which is excluded above, or beyond 2^63
	// values, which no run reaches.
	_ = h.hdr.RecordValues(ns, n)
}

// Merge adds everything that another Histogram has recorded.
func (h *Histogram) Merge(other *Histogram) {
	if other.Count() == 0 {
		return // the library would look at all 33,000 counters
	}
	h.hdr.Merge(other.hdr)
	h.clamped += other.clamped
	h.negative += other.negative
}

// Reset forgets everything recorded.
func (h *Histogram) Reset() {
	h.hdr.Reset()
	h.clamped, h.negative = 0, 0
}

// Count returns how many values were recorded.
func (h *Histogram) Count() int64 { return h.hdr.TotalCount() }

// Clamped returns how many values were above 1 h.
func (h *Histogram) Clamped() int64 { return h.clamped }

// Negative returns how many values were below 0. A duration is only negative
// when its ends were read from clocks that disagree.
func (h *Histogram) Negative() int64 { return h.negative }

// Quantile returns the smallest value that at least the share q (0 to 1) of all
// values does not exceed: the nearest rank, ceil(q·Count). The result is in ns,
// never below the exact one, and 0 when nothing was recorded.
func (h *Histogram) Quantile(q float64) int64 {
	if h.Count() == 0 {
		return 0
	}
	// The library rounds q·Count instead of taking the ceiling, as the reference
	// implementation in Java does. For the percentage of a whole rank both agree.
	return h.hdr.ValueAtPercentile(100 * float64(h.rank(q)) / float64(h.Count()))
}

// rank returns ceil(q·Count), in 1..Count. The next float below q keeps an error
// of rounding (0.07·100 = 7.000000000000001) from reaching the next rank.
func (h *Histogram) rank(q float64) int64 {
	rank := math.Ceil(math.Nextafter(q, 0) * float64(h.Count()))
	return int64(max(1, min(rank, float64(h.Count()))))
}

// Max returns the largest value in ns, or 0 when nothing was recorded.
func (h *Histogram) Max() int64 { return h.Quantile(1) }

// Min returns the smallest value in ns, or 0 when nothing was recorded.
func (h *Histogram) Min() int64 { return h.hdr.Min() }

// Mean returns the arithmetic mean in ns, or 0 when nothing was recorded.
func (h *Histogram) Mean() float64 { return h.hdr.Mean() }

// StdDev returns the standard deviation in ns.
func (h *Histogram) StdDev() float64 { return h.hdr.StdDev() }

// Encode returns the Histogram as base64 of HdrHistogram's compressed V2 format,
// which the tools of the HdrHistogram family read. It has no place for Clamped
// and Negative: who sends a Histogram on must send these beside it.
func (h *Histogram) Encode() string {
	// It fails for an unknown format and for writes to memory only.
	encoded, _ := h.hdr.Encode(hdrhistogram.V2CompressedEncodingCookieBase)
	return string(encoded)
}

// Decode reads what [Histogram.Encode] wrote. A histogram with another range or
// precision is refused, since its unit is not known to be ns.
func Decode(encoded string) (*Histogram, error) {
	hdr, err := hdrhistogram.Decode([]byte(encoded))
	if err != nil {
		return nil, fmt.Errorf("not a histogram: %w", err)
	}
	low, high, sig := hdr.LowestTrackableValue(), hdr.HighestTrackableValue(), hdr.SignificantFigures()
	if low != lowest || high != highest || sig != digits {
		return nil, fmt.Errorf("histogram of %d to %d with %d digits, want %d to %d with %d", low, high, sig, lowest, highest, digits)
	}
	return &Histogram{hdr: hdr}, nil
}
