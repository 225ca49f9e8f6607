package quantity

import (
	"math"
	"strings"
	"testing"
	"time"
)

// check parses every input and compares; want is nil for inputs to refuse.
func check[T comparable](t *testing.T, parse func(string) (T, error), inputs map[string]any) {
	t.Helper()
	for input, want := range inputs {
		got, err := parse(input)
		switch {
		case want == nil && err == nil:
			t.Errorf("%q: got %v, want an error", input, got)
		case want == nil:
			if text := err.Error(); !strings.Contains(text, `"`) || strings.ContainsAny(text, "\r\n") {
				t.Errorf("%q: the error is %s, want one line that quotes the input", input, text)
			}
		case err != nil || any(got) != want:
			t.Errorf("%q: got %v, %v, want %v", input, got, err, want)
		}
	}
}

// nonsense is refused by every parser.
func nonsense(more map[string]any) map[string]any {
	for _, s := range []string{
		"", " ", "-1", "+1", "-0", "NaN", "Inf", "1e3", "0x10", "1_000", "1,000", ".5", "5.", ".", "1..2", "1.2.3",
		"k", "/s", "1 2", "1kk", "1kM", "1MG", "1k k", "1q", "1\n2", "٣", "1k/s/s", "1/h", "99999999999999999999", "10E", "1Ki", "4k B",
		strings.Repeat("1", 1000), strings.Repeat("0", 33), "1" + strings.Repeat("k", 1000), "1B/s/s", "1--", "1µ",
	} {
		more[s] = nil
	}
	return more
}

func TestCounts(t *testing.T) {
	check(t, ParseCount, nonsense(map[string]any{
		"0": int64(0), "250": int64(250), "10k": int64(10_000), "10K": int64(10_000), "1.5M": int64(1_500_000), "1 M": int64(1_000_000),
		" 7 ": int64(7), "2G": int64(2e9), "3T": int64(3e12), "4P": int64(4e15), "9E": int64(9e18), "0.001k": int64(1), "1.000": int64(1),
		"9223372036854775807": int64(math.MaxInt64), "9007199254740993": int64(9007199254740993),
		"9223372036854775808": nil, "1.5": nil, "0.0001k": nil, "100k/s": nil, "10m": nil, "10g": nil, "5%": nil, "5B": nil,
	}))
}

func TestRates(t *testing.T) {
	check(t, ParseRate, nonsense(map[string]any{
		"0.5/s": 0.5, "100k/s": 1e5, "100k": 1e5, "1.5M/s": 1.5e6, "0/s": 0.0, "1 k/s": 1000.0,
		"5ms": nil, "100KiB/s": nil, "5 / s": nil, "1.5M /s": nil,
	}))
}

func TestSizes(t *testing.T) {
	check(t, ParseSize, nonsense(map[string]any{
		"128": int64(128), "128B": int64(128), "128 B": int64(128), "4KiB": int64(4096), "4KB": int64(4000), "4kB": int64(4000),
		"1MiB": int64(1 << 20), "1.5GiB": int64(3 << 29), "1TB": int64(1e12), "7EiB": int64(7 << 60), "0.5KiB": int64(512),
		"8EiB": nil, "4K": nil, "4k": nil, "1iB": nil, "1.5B": nil, "1KiB/s": nil, "1kib": nil, "1Kib": nil,
	}))
}

func TestByteRates(t *testing.T) {
	check(t, ParseByteRate, nonsense(map[string]any{
		"10MiB/s": float64(10 << 20), "10MB": 1e7, "0.5B/s": 0.5, "100": 100.0, "1.2 GiB/s": 1.2 * (1 << 30), "1M/s": nil,
	}))
}

func TestRatios(t *testing.T) {
	check(t, ParseRatio, nonsense(map[string]any{
		"95%": 0.95, "0.95": 0.95, "99.9 %": 0.999, "0": 0.0, "150%": 1.5, "1": 1.0, "5%/s": nil, "%": nil, "5%%": nil,
	}))
}

func TestDurations(t *testing.T) {
	check(t, ParseDuration, nonsense(map[string]any{
		"0": time.Duration(0), "5ms": 5 * time.Millisecond, "1.5s": 1500 * time.Millisecond, "250us": 250 * time.Microsecond,
		"250µs": 250 * time.Microsecond, "250μs": 250 * time.Microsecond, "7ns": 7 * time.Nanosecond, "1m30s": 90 * time.Second,
		"1h 2m 3s": 3723 * time.Second, "5 ms": 5 * time.Millisecond, "0.4ns": time.Duration(0), "0.5ns": time.Duration(1),
		"0.1234567891s": 123456789 * time.Nanosecond, "2562047h": 2562047 * time.Hour,
		"5": nil, "2562048h": nil, "5k/s": nil, "5d": nil, "1m30": nil, "1m-30s": nil, "5ms/s": nil, "1s x": nil,
	}))
}

func TestErrorsNameTheInputAndWhatFits(t *testing.T) {
	_, duration := ParseDuration("5k/s")
	_, whole := ParseCount("1.5")
	_, large := ParseSize("8EiB")
	for got, want := range map[error]string{
		duration: `cannot read "5k/s": want a duration with ns, us, ms, s, m or h, such as 5ms`,
		whole:    `"1.5" is not whole: want a whole number, with k, M or G if need be, such as 10k`,
		large:    `"8EiB" is too large for a size with B, KB, KiB, MB, MiB, GB or GiB, such as 4KiB`,
	} {
		if got == nil || got.Error() != want {
			t.Errorf("got  %v\nwant %s", got, want)
		}
	}
}
