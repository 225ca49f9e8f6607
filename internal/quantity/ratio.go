package quantity

// ParseRatio reads a share: "95%" and "0.95" are both 0.95. It may be above 1.
func ParseRatio(s string) (float64, error) {
	const parts = 100
	value, err := form{"a percentage such as 95%, or a ratio such as 0.95", func(unit string) int64 {
		switch unit {
		case "%":
			return 1
		case "":
			return parts
		default:
			return 0
		}
	}}.parse(s)
	if err != nil {
		return 0, err
	}
	ratio, _ := value.Quo(value, ratOf(parts)).Float64()
	return ratio, nil
}

// FormatRatio writes a share as a percentage: "46.2%". Just below 100 % the
// digits that count are those of the rest, so 0.99987 is "99.987%" and not 100 %.
func FormatRatio(v float64) string {
	return signed(v*100, func(percent float64) string {
		if rest := 100 - percent; rest > 0 && rest < 1 {
			return trimmed(percent, decimals(rest)) + "%"
		}
		return digits(percent) + "%"
	})
}
