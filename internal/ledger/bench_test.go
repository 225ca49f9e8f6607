package ledger

import (
	"fmt"
	"testing"
)

func BenchmarkObserveInOrder(b *testing.B) {
	l := New(Config{Publishers: 1})
	for seq := uint64(1); b.Loop(); seq++ {
		l.Observe(0, seq)
	}
}

func BenchmarkObserveOnePercentLost(b *testing.B) {
	l := New(Config{Publishers: 1})
	for seq := uint64(1); b.Loop(); seq++ {
		if seq%100 == 0 {
			seq++
		}
		l.Observe(0, seq)
	}
}

func BenchmarkObserveSwappedPairs(b *testing.B) {
	l := New(Config{Publishers: 1})
	for seq := uint64(1); b.Loop(); seq += 2 {
		l.Observe(0, seq+1)
		l.Observe(0, seq)
	}
}

func BenchmarkStamperNext128(b *testing.B) {
	s := stamper(b, 1, 2, 128)
	for seq := uint64(1); b.Loop(); seq++ {
		s.Next(seq, 3)
	}
}

func BenchmarkRead(b *testing.B) {
	for _, size := range []int{128, 1024} {
		b.Run(fmt.Sprint(size), func(b *testing.B) {
			message := stamper(b, 1, 2, size).Next(1, 2)
			for b.Loop() {
				if _, err := Read(message); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
