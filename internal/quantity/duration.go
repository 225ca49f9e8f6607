package quantity

import (
	"math/big"
	"strconv"
	"strings"
	"time"
)

// ParseDuration reads a time span: "250us", "5ms", "1.5s", "1m30s", rounded to
// whole ns. Unlike time.ParseDuration it refuses negative ones.
func ParseDuration(s string) (time.Duration, error) {
	f := form{"a duration with ns, us, ms, s, m or h, such as 5ms", durationFactor}
	total := new(big.Rat)
	rest := strings.TrimSpace(s)
	if rest == "0" {
		return 0, nil
	}
	for first := true; first || rest != ""; first = false {
		value, after, ok := number(rest)
		after = strings.TrimLeft(after, " ")
		end := strings.IndexAny(after, "0123456789. ")
		if end < 0 {
			end = len(after)
		}
		factor := f.factor(after[:end])
		if !ok || factor == 0 {
			return 0, f.refuse(s)
		}
		total.Add(total, value.Mul(value, ratOf(factor)))
		rest = strings.TrimLeft(after[end:], " ")
	}
	total, err := f.bound(s, total)
	if err != nil {
		return 0, err
	}
	total.Add(total, big.NewRat(1, 2))
	return time.Duration(new(big.Int).Quo(total.Num(), total.Denom()).Int64()), nil
}

// FormatDuration writes a time span: "432µs", "1.5s", "2m05s", "3h20m".
func FormatDuration(d time.Duration) string {
	if d < 0 {
		return "-" + FormatDuration(d.Abs())
	}
	for _, unit := range []struct {
		name  string
		size  time.Duration
		below float64
	}{
		{"ns", time.Nanosecond, 999.5},
		{"µs", time.Microsecond, 999.5},
		{"ms", time.Millisecond, 999.5},
		{"s", time.Second, 59.95},
	} {
		if v := float64(d) / float64(unit.size); v < unit.below {
			return digits(v) + unit.name
		}
	}
	return twoUnits(d)
}

// twoUnits writes a time span of minutes or more.
func twoUnits(d time.Duration) string {
	large, small, step := "m", "s", time.Second
	if d = d.Round(step); d >= time.Hour {
		large, small, step = "h", "m", time.Minute
		d = d.Round(step)
	}
	s := strconv.FormatInt(int64(d/(60*step)), 10) + large
	if rest := int64(d / step % 60); rest > 0 {
		return s + strconv.FormatInt(rest+100, 10)[1:] + small // two digits
	}
	return s
}

func durationFactor(unit string) int64 {
	switch unit {
	case "ns":
		return int64(time.Nanosecond)
	case "us", "µs", "μs": // U+00B5 and U+03BC
		return int64(time.Microsecond)
	case "ms":
		return int64(time.Millisecond)
	case "s":
		return int64(time.Second)
	case "m":
		return int64(time.Minute)
	case "h":
		return int64(time.Hour)
	default:
		return 0
	}
}
