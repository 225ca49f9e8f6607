package quantity

import "strings"

// ParseSize reads a whole number of bytes: "128", "128B", "4KiB" (4096), "4KB"
// (4000). "4K" is refused, since people mean either by it.
func ParseSize(s string) (bytes int64, err error) {
	return form{"a size with B, KB, KiB, MB, MiB, GB or GiB, such as 4KiB", sizeFactor}.parseWhole(s)
}

// FormatSize writes a number of bytes in powers of 1024: "128 B", "1.2 GiB".
func FormatSize(bytes float64) string {
	return signed(bytes, func(v float64) string {
		v, prefix := scale(v, 1024)
		if prefix == "" {
			return digits(v) + " B"
		}
		return digits(v) + " " + strings.ToUpper(prefix) + "iB"
	})
}

// ParseByteRate reads a number of bytes per second: "10MiB/s", or "10MiB".
func ParseByteRate(s string) (bytesPerSecond float64, err error) {
	return form{"bytes per second, with B/s, KB/s, KiB/s, MB/s or MiB/s, such as 10MiB/s", func(unit string) int64 {
		return sizeFactor(strings.TrimSuffix(unit, "/s"))
	}}.parseFloat(s)
}

// FormatByteRate writes a number of bytes per second: "1.2 GiB/s".
func FormatByteRate(bytesPerSecond float64) string { return perSecondOf(FormatSize(bytesPerSecond)) }

func sizeFactor(unit string) int64 {
	prefix, isBytes := strings.CutSuffix(unit, "B")
	binary, isBinary := strings.CutSuffix(prefix, "i")
	switch {
	case unit == "":
		return 1
	case !isBytes:
		return 0
	case !isBinary:
		return decimal(prefix)
	}
	if p := power(binary); p > 0 {
		return 1 << (10 * p)
	}
	return 0
}
