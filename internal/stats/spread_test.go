package stats

import (
	"math"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestSpreadOfKnownRuns(t *testing.T) {
	few := func(n string) string {
		return "too few runs (" + n + ") to say where the median lies: 6 are needed for 95% confidence"
	}
	tests := []struct {
		name   string
		values []float64
		want   Spread
	}{
		{"none", nil, Spread{Warnings: []string{few("0")}}},
		{"one", []float64{4}, Spread{N: 1, Median: 4, Min: 4, Max: 4, Warnings: []string{few("1")}}},
		{"even", []float64{9, 1, 3, 5}, Spread{N: 4, Median: 4, Min: 1, Max: 9, MAD: 2, Warnings: []string{few("4")}}},
		{"five", []float64{1, 2, 3, 4, 5}, Spread{N: 5, Median: 3, Min: 1, Max: 5, MAD: 1, Warnings: []string{few("5")}}},
		{"enough", []float64{1, 2, 3, 4, 5, 6}, Spread{N: 6, Median: 3.5, Min: 1, Max: 6, MAD: 1.5}},
		{"one bad run", []float64{10, 11, 10, 12, 10, 900, 11}, Spread{N: 7, Median: 11, Min: 10, Max: 900, MAD: 1}},
		{"not numbers", []float64{math.NaN(), 1, 1, 1, math.Inf(1), 1, 1, 1}, Spread{
			N: 6, Median: 1, Min: 1, Max: 1, Warnings: []string{"2 of 8 values are no finite number and left out"},
		}},
	}
	for _, tt := range tests {
		given := slices.Clone(tt.values)
		if diff := cmp.Diff(tt.want, SpreadOf(tt.values)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tt.name, diff)
		}
		if slices.ContainsFunc(given, math.IsNaN) {
			continue
		}
		if !slices.Equal(given, tt.values) {
			t.Errorf("%s: the values became %v", tt.name, tt.values)
		}
	}
}
