package quantity

import (
	"math"
	"testing"
	"time"
)

func TestFormattedQuantitiesKeepThreeDigits(t *testing.T) {
	for _, tt := range []struct{ got, want string }{
		{FormatCount(0), "0"},
		{FormatCount(7), "7"},
		{FormatCount(999), "999"},
		{FormatCount(999.6), "1k"},
		{FormatCount(1234567), "1.23M"},
		{FormatCount(100_000), "100k"},
		{FormatCount(999_499), "999k"},
		{FormatCount(999_500), "1M"},
		{FormatCount(0.5), "0.5"},
		{FormatCount(0.0012345), "0.00123"},
		{FormatCount(9.996), "10"},
		{FormatCount(1e-12), "0"},
		{FormatCount(-1500), "-1.5k"},
		{FormatCount(math.MaxInt64), "9.22E"},
		{FormatCount(1e22), "10000E"},
		{FormatCount(math.NaN()), "?"},
		{FormatCount(math.Inf(-1)), "?"},
		{FormatRate(math.NaN()), "?"},
		{FormatRate(123_456), "123k/s"},
		{FormatRate(0.25), "0.25/s"},
		{FormatSize(128), "128 B"},
		{FormatSize(1023), "1023 B"},
		{FormatSize(1024), "1 KiB"},
		{FormatSize(1.2 * (1 << 30)), "1.2 GiB"},
		{FormatSize(1048575), "1 MiB"},
		{FormatSize(1000 << 10), "1000 KiB"},
		{FormatSize(-2048), "-2 KiB"},
		{FormatByteRate(5 << 20), "5 MiB/s"},
		{FormatByteRate(math.Inf(1)), "?"},
		{FormatRatio(0.95), "95%"},
		{FormatRatio(0.4617), "46.2%"},
		{FormatRatio(1), "100%"},
		{FormatRatio(12.346), "1235%"},
		{FormatRatio(0.99987), "99.987%"},
		{FormatRatio(0.999999), "99.9999%"},
		{FormatRatio(0.00012), "0.012%"},
		{FormatRatio(0), "0%"},
		{FormatDuration(0), "0ns"},
		{FormatDuration(432 * time.Microsecond), "432µs"},
		{FormatDuration(7314 * time.Microsecond), "7.31ms"},
		{FormatDuration(999_499), "999µs"},
		{FormatDuration(999_500), "1ms"},
		{FormatDuration(1500 * time.Millisecond), "1.5s"},
		{FormatDuration(59_949 * time.Millisecond), "59.9s"},
		{FormatDuration(59_950 * time.Millisecond), "1m"},
		{FormatDuration(125 * time.Second), "2m05s"},
		{FormatDuration(time.Hour - 1), "1h"},
		{FormatDuration(200 * time.Minute), "3h20m"},
		{FormatDuration(7180 * time.Second), "2h"},
		{FormatDuration(26*time.Hour + 5*time.Minute), "26h05m"},
		{FormatDuration(-time.Millisecond), "-1ms"},
		{FormatDuration(math.MaxInt64), "2562047h47m"},
		{FormatDuration(math.MinInt64), "-2562047h47m"},
	} {
		if tt.got != tt.want {
			t.Errorf("got %q, want %q", tt.got, tt.want)
		}
	}
}
