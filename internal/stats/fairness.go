package stats

import "math"

// Jain returns Jain's fairness index of the shares that members got of the same
// thing: (Σx)² / (n·Σx²), from 1/n when one got all to 1 when all got the same.
// Share k of n equal ones and nothing for the others give k/n. It is not defined,
// and ok is false, without members, when nobody got anything, and for shares
// that are negative or no number.
//
// Source: R. Jain, D. Chiu, W. Hawe, A Quantitative Measure of Fairness and
// Discrimination for Resource Allocation in Shared Computer Systems, DEC-TR-301,
// 1984.
func Jain(shares []float64) (index float64, ok bool) {
	var largest float64
	for _, x := range shares {
		if !(x >= 0) || math.IsInf(x, 1) {
			return 0, false
		}
		largest = max(largest, x)
	}
	if largest == 0 {
		return 0, false
	}
	var sum, squares float64
	for _, x := range shares {
		x /= largest // the index has no scale; squares of large shares overflow
		sum += x
		squares += x * x
	}
	return sum * sum / (float64(len(shares)) * squares), true
}
