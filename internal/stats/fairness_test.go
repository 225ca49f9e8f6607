package stats

import (
	"math"
	"testing"

	"pgregory.net/rapid"
)

func TestJainOfKnownShares(t *testing.T) {
	tests := []struct {
		name   string
		shares []float64
		want   float64
		ok     bool
	}{
		{"nobody", nil, 0, false},
		{"nothing for anybody", []float64{0, 0}, 0, false},
		{"negative", []float64{1, -1}, 0, false},
		{"not a number", []float64{1, math.NaN()}, 0, false},
		{"infinite", []float64{1, math.Inf(1)}, 0, false},
		{"alone", []float64{3}, 1, true},
		{"equal", []float64{5, 5, 5, 5}, 1, true},
		{"all for one", []float64{0, 0, 8, 0}, 0.25, true},
		{"half get nothing", []float64{2, 2, 0, 0}, 0.5, true},
		{"one, two, three", []float64{1, 2, 3}, 36.0 / 42, true},
		{"huge", []float64{math.MaxFloat64, math.MaxFloat64}, 1, true},
		{"tiny", []float64{math.SmallestNonzeroFloat64, 0}, 0.5, true},
	}
	for _, tt := range tests {
		got, ok := Jain(tt.shares)
		if ok != tt.ok || !(math.Abs(got-tt.want) <= 1e-12) {
			t.Errorf("%s: got %v, %v, want %v, %v", tt.name, got, ok, tt.want, tt.ok)
		}
	}
}

func TestJainHasNoScaleAndIsBounded(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		shares := rapid.SliceOfN(rapid.Float64Range(0, 1e9), 1, 50).Draw(t, "shares")
		index, ok := Jain(shares)
		if !ok {
			return
		}
		if n := float64(len(shares)); index < 1/n-1e-9 || index > 1+1e-9 {
			t.Fatalf("index %v of %v members", index, n)
		}
		for i := range shares {
			shares[i] *= 1000
		}
		if scaled, _ := Jain(shares); math.Abs(scaled-index) > 1e-9 {
			t.Fatalf("index %v became %v at 1000 times the scale", index, scaled)
		}
	})
}
