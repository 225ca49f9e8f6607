package stats

import "testing"

// filled returns a histogram of latencies from 10 µs to 10 ms.
func filled() *Histogram {
	h := NewHistogram()
	for _, v := range ascending(1000) {
		h.Record(v * 10_000)
	}
	return h
}

func BenchmarkRecord(b *testing.B) {
	h := NewHistogram()
	for ns := int64(1); b.Loop(); ns = ns*7%10_000_019 + 1 {
		h.Record(ns)
	}
}

func BenchmarkMerge(b *testing.B) {
	h, other := NewHistogram(), filled()
	for b.Loop() {
		h.Merge(other)
	}
}

func BenchmarkReset(b *testing.B) {
	h := filled()
	for b.Loop() {
		h.Reset()
	}
}

func BenchmarkSummarize(b *testing.B) {
	h := filled()
	for b.Loop() {
		Summarize(h)
	}
}

func BenchmarkEncode(b *testing.B) {
	h := filled()
	for b.Loop() {
		h.Encode()
	}
}
