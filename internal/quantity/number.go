package quantity

import (
	"fmt"
	"math"
	"math/big"
	"strconv"
	"strings"
)

const (
	prefixes  = "kMGTPE"
	maxDigits = 32 // of a number that is read; bounds the cost of exact arithmetic
	unknown   = "?"
)

// A form is one kind of quantity: what to call it, and what a unit is worth in
// base units, 0 for an unknown unit.
type form struct {
	name   string // with article and example, to complete "want …"
	factor func(unit string) int64
}

// parse reads a number with one unit. The result is exact.
func (f form) parse(s string) (*big.Rat, error) {
	value, unit, ok := number(strings.TrimSpace(s))
	factor := f.factor(strings.TrimLeft(unit, " "))
	if !ok || factor == 0 {
		return nil, f.refuse(s)
	}
	return f.bound(s, value.Mul(value, ratOf(factor)))
}

// parseFloat is parse for quantities that need not be whole.
func (f form) parseFloat(s string) (float64, error) {
	value, err := f.parse(s)
	if err != nil {
		return 0, err
	}
	float, _ := value.Float64()
	return float, nil
}

// parseWhole is parse for quantities that must be whole.
func (f form) parseWhole(s string) (int64, error) {
	value, err := f.parse(s)
	if err != nil {
		return 0, err
	}
	if !value.IsInt() {
		return 0, fmt.Errorf("%q is not whole: want %s", s, f.name)
	}
	return value.Num().Int64(), nil
}

func (f form) refuse(s string) error {
	return fmt.Errorf("cannot read %q: want %s", s, f.name)
}

func (f form) bound(s string, value *big.Rat) (*big.Rat, error) {
	if value.Cmp(ratOf(math.MaxInt64)) > 0 {
		return nil, fmt.Errorf("%q is too large for %s", s, f.name)
	}
	return value, nil
}

// number cuts the digits, with at most one point between them, off the start of
// s.
func number(s string) (value *big.Rat, rest string, ok bool) {
	end := 0
	for end < len(s) && (s[end] == '.' || '0' <= s[end] && s[end] <= '9') {
		end++
	}
	digits, rest := s[:end], s[end:]
	if digits == "" || len(digits) > maxDigits || digits[0] == '.' || digits[end-1] == '.' {
		return nil, rest, false
	}
	value, ok = new(big.Rat).SetString(digits)
	return value, rest, ok
}

// power returns the exponent that a prefix stands for, or -1.
func power(prefix string) int {
	switch prefix {
	case "":
		return 0
	case "K":
		return 1
	}
	if len(prefix) != 1 {
		return -1
	}
	if i := strings.Index(prefixes, prefix); i >= 0 {
		return i + 1
	}
	return -1
}

// decimal returns what a prefix is worth, or 0.
func decimal(prefix string) int64 {
	p := power(prefix)
	if p < 0 {
		return 0
	}
	factor := int64(1)
	for range p {
		factor *= 1000
	}
	return factor
}

// scale divides a value that is not negative by base until it fits a prefix.
func scale(v, base float64) (scaled float64, prefix string) {
	for i := 0; i < len(prefixes) && v >= base-0.5; i++ { // what rounds up to base is base
		v /= base
		prefix = prefixes[i : i+1]
	}
	return v, prefix
}

// digits writes a value that is not negative with 3 significant digits, but
// neither with an exponent, nor fewer digits than it has before the point.
func digits(v float64) string { return trimmed(v, decimals(v)) }

// decimals returns how many decimals give v 3 significant digits.
func decimals(v float64) int {
	const most = 9
	if v == 0 {
		return 0
	}
	return int(max(0, min(most, 2-math.Floor(math.Log10(v)))))
}

// trimmed writes v with decimals, without the zeros at their end.
func trimmed(v float64, decimals int) string {
	s := strconv.FormatFloat(v, 'f', decimals, 64)
	if strings.Contains(s, ".") {
		s = strings.TrimRight(strings.TrimRight(s, "0"), ".")
	}
	return s
}

// signed formats the absolute value of v, and puts the sign before it. What is
// no finite number becomes "?".
func signed(v float64, format func(float64) string) string {
	switch {
	case math.IsNaN(v) || math.IsInf(v, 0):
		return unknown
	case v < 0:
		return "-" + format(-v)
	default:
		return format(v)
	}
}

func ratOf(n int64) *big.Rat { return new(big.Rat).SetInt64(n) }
