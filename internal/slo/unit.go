package slo

import (
	"math"
	"strconv"
	"time"

	"github.com/natsops/natsops/internal/quantity"
)

// A Unit is what a metric is measured in. Its text is the base unit of all
// values, as in JSON.
type Unit string

// The units.
const (
	Duration       Unit = "ns"
	Rate           Unit = "1/s"
	Count          Unit = "count"
	Bytes          Unit = "bytes"
	BytesPerSecond Unit = "bytes/s"
	Ratio          Unit = "ratio" // 95 % is 0.95
)

// parse reads a value in base units.
func (u Unit) parse(s string) (float64, error) {
	switch u {
	case Duration:
		v, err := quantity.ParseDuration(s)
		return float64(v), err
	case Rate:
		return quantity.ParseRate(s)
	case Bytes:
		v, err := quantity.ParseSize(s)
		return float64(v), err
	case BytesPerSecond:
		return quantity.ParseByteRate(s)
	case Ratio:
		return quantity.ParseRatio(s)
	default:
		v, err := quantity.ParseCount(s)
		return float64(v), err
	}
}

// format writes a value for people, with 3 significant digits.
func (u Unit) format(v float64) string {
	switch u {
	case Duration:
		if v >= math.MaxInt64 {
			return quantity.FormatDuration(math.MaxInt64)
		}
		return quantity.FormatDuration(time.Duration(math.Round(v)))
	case Rate:
		return quantity.FormatRate(v)
	case Bytes:
		return quantity.FormatSize(v)
	case BytesPerSecond:
		return quantity.FormatByteRate(v)
	case Ratio:
		return quantity.FormatRatio(v)
	default:
		return quantity.FormatCount(v)
	}
}

// exact writes a value with all its digits, in base units.
func (u Unit) exact(v float64) string {
	text := strconv.FormatFloat(v, 'f', -1, 64)
	switch u {
	case Duration:
		return text + "ns"
	case Rate:
		return text + "/s"
	case Bytes:
		return text + " B"
	case BytesPerSecond:
		return text + " B/s"
	default:
		return text
	}
}
