package quantity

import "strings"

// ParseCount reads a whole number of things: "250", "10k", "1.5M".
func ParseCount(s string) (int64, error) {
	return form{"a whole number, with k, M or G if need be, such as 10k", decimal}.parseWhole(s)
}

// FormatCount writes a number of things: "432", "1.23M".
func FormatCount(v float64) string {
	return signed(v, func(v float64) string {
		v, prefix := scale(v, 1000)
		return digits(v) + prefix
	})
}

// ParseRate reads a number per second: "0.5/s", "100k/s", or "100k".
func ParseRate(s string) (perSecond float64, err error) {
	return form{"a rate per second, with k, M or G if need be, such as 100k/s", func(unit string) int64 {
		return decimal(strings.TrimSuffix(unit, "/s"))
	}}.parseFloat(s)
}

// FormatRate writes a number per second: "432/s", "1.23M/s".
func FormatRate(perSecond float64) string { return perSecondOf(FormatCount(perSecond)) }

func perSecondOf(quantity string) string {
	if quantity == unknown {
		return unknown
	}
	return quantity + "/s"
}
