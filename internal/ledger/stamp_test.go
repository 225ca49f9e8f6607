package ledger

import (
	"bytes"
	"errors"
	"math"
	"testing"
)

func stamper(t testing.TB, run, publisher uint16, size int) *Stamper {
	t.Helper()
	s, err := NewStamper(run, publisher, bytes.Repeat([]byte("natsops "), size/8+1)[:size])
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestStampIsReadBackAsItWasWritten(t *testing.T) {
	for _, size := range []int{StampSize, StampSize + 1, 128, 64 << 10} {
		s := stamper(t, 7, math.MaxUint16, size)
		for _, want := range []Stamp{
			{Run: 7, Publisher: math.MaxUint16, Seq: ProbeSeq, Time: 0},
			{Run: 7, Publisher: math.MaxUint16, Seq: 1, Time: -1},
			{Run: 7, Publisher: math.MaxUint16, Seq: math.MaxUint64, Time: math.MaxInt64},
		} {
			message := s.Next(want.Seq, want.Time)
			if len(message) != size {
				t.Fatalf("message has %d bytes, want %d", len(message), size)
			}
			if got, err := Read(message); err != nil || got != want {
				t.Errorf("%d bytes: got %+v, %v, want %+v", size, got, err, want)
			}
		}
	}
}

func TestStampLeavesTheStartOfThePayloadAlone(t *testing.T) {
	payload := []byte("a payload of which the last bytes make room")
	s, err := NewStamper(1, 2, payload)
	if err != nil {
		t.Fatal(err)
	}
	body := len(payload) - StampSize
	if got := s.Next(1, 2)[:body]; !bytes.Equal(got, payload[:body]) {
		t.Errorf("body is %q, want %q", got, payload[:body])
	}
	if want := "a payload of which the last bytes make room"; string(payload) != want {
		t.Errorf("the caller's payload became %q", payload)
	}
}

func TestMessageTooSmallForAStampIsRefusedWithBothSizes(t *testing.T) {
	_, err := NewStamper(1, 1, make([]byte, StampSize-1))
	if want := "message of 23 bytes cannot be accounted for: the least is 24"; err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
	if _, err := Read(make([]byte, StampSize-1)); !errors.Is(err, ErrTooShort) {
		t.Errorf("got %v, want %v", err, ErrTooShort)
	}
}

func TestEveryFlippedBitIsDetected(t *testing.T) {
	message := stamper(t, 1, 2, 64).Next(3, 4)
	for bit := range len(message) * 8 {
		message[bit/8] ^= 1 << (bit % 8)
		if got, err := Read(message); !errors.Is(err, ErrCorrupt) {
			t.Errorf("bit %d flipped: got %+v, %v, want %v", bit, got, err, ErrCorrupt)
		}
		message[bit/8] ^= 1 << (bit % 8)
	}
}

func TestMessagesThatAreNotOursAreRefused(t *testing.T) {
	for name, message := range map[string][]byte{
		"zeros":     make([]byte, 128),
		"text":      bytes.Repeat([]byte("x"), 128),
		"truncated": stamper(t, 1, 2, 128).Next(3, 4)[:127],
		"tail only": stamper(t, 1, 2, 128).Next(3, 4)[128-StampSize:],
	} {
		if got, err := Read(message); !errors.Is(err, ErrCorrupt) {
			t.Errorf("%s: got %+v, %v, want %v", name, got, err, ErrCorrupt)
		}
	}
}

func TestStampingAndReadingDoNotAllocate(t *testing.T) {
	s := stamper(t, 1, 2, 128)
	seq := uint64(0)
	if n := testing.AllocsPerRun(1000, func() {
		seq++
		if got, err := Read(s.Next(seq, 5)); err != nil || got.Seq != seq {
			t.Errorf("got %+v, %v, want seq %d", got, err, seq)
		}
	}); n != 0 {
		t.Errorf("%v allocations per message, want 0", n)
	}
}

func FuzzReadAcceptsOnlyWhatAStamperWrites(f *testing.F) {
	f.Add([]byte(nil))
	f.Add(make([]byte, StampSize))
	f.Add(stamper(f, 1, 2, StampSize).Next(3, 4))
	f.Add(stamper(f, 1, 2, 100).Next(3, 4))
	f.Fuzz(func(t *testing.T, message []byte) {
		for _, resum := range []bool{false, true} {
			if resum && len(message) >= StampSize {
				message = bytes.Clone(message) // the engine owns it
				fixSum(message)
			}
			stamp, err := Read(message)
			if err != nil {
				if resum && len(message) >= StampSize {
					t.Fatalf("valid message refused: %v", err)
				}
				continue
			}
			s, err := NewStamper(stamp.Run, stamp.Publisher, message)
			if err != nil {
				t.Fatal(err)
			}
			if got := s.Next(stamp.Seq, stamp.Time); !bytes.Equal(got, message) {
				t.Fatalf("%+v writes %x, was read from %x", stamp, got, message)
			}
		}
	})
}

// fixSum makes the checksum of a message right, so that fuzzing gets past it.
func fixSum(message []byte) {
	trailer := message[len(message)-StampSize:]
	rest := append(bytes.Clone(message[:len(message)-StampSize]), trailer[4:]...)
	sum := checksum(rest)
	for i := range 4 {
		trailer[i] = byte(sum >> (24 - 8*i))
	}
}
