package ledger

import (
	"encoding/binary"
	"errors"
	"hash/crc32"
)

// StampSize is the length in bytes of the stamp that ends every message.
const StampSize = 24

// ProbeSeq is the sequence number of messages that are not accounted for, such
// as the probes that wait for a subscription to work. Accounted messages start
// at 1.
const ProbeSeq = 0

// Errors of [Read].
var (
	ErrTooShort = errors.New("message is too short to carry a stamp")
	ErrCorrupt  = errors.New("message is corrupt or carries no stamp")
)

// A Stamp identifies one message. It is the last StampSize bytes of the
// message, so that the first bytes stay the user's payload. Layout, in network
// byte order:
//
//	 0  uint32  CRC-32C (Castagnoli) of everything else: body, then bytes 4-23
//	 4  uint16  publisher
//	 6  uint16  run
//	 8  uint64  sequence
//	16  int64   time
//
// A CRC-32C finds every error of up to 32 bits in a row; a random message
// passes for a stamped one once in 2^32.
type Stamp struct {
	Run       uint16
	Publisher uint16
	Seq       uint64 // 1, 2, 3, … per publisher; ProbeSeq is not accounted for
	Time      int64  // in ns, on the clock of the sender: due or send time, as it chose
}

// castagnoli is never written to. Asking for it anew costs a lock-free look-up,
// three times a message, which is a tenth of what a stamp costs altogether.
var castagnoli = crc32.MakeTable(crc32.Castagnoli) //nolint:gochecknoglobals // a constant that Go cannot write as one

// Read returns the stamp of a message. It neither copies nor allocates. The
// error is ErrTooShort or ErrCorrupt.
func Read(message []byte) (Stamp, error) {
	if len(message) < StampSize {
		return Stamp{}, ErrTooShort
	}
	body, trailer := message[:len(message)-StampSize], message[len(message)-StampSize:]
	sum := crc32.Update(checksum(body), castagnoli, trailer[4:])
	if sum != binary.BigEndian.Uint32(trailer) {
		return Stamp{}, ErrCorrupt
	}
	return Stamp{
		Publisher: binary.BigEndian.Uint16(trailer[4:]),
		Run:       binary.BigEndian.Uint16(trailer[6:]),
		Seq:       binary.BigEndian.Uint64(trailer[8:]),
		Time:      int64(binary.BigEndian.Uint64(trailer[16:])),
	}, nil
}

func checksum(body []byte) uint32 {
	return crc32.Checksum(body, castagnoli)
}
