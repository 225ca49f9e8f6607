package ledger

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"hash/crc32"
)

// A Stamper makes the messages of one publisher: a constant body, each time
// with another stamp. The body is checksummed once, so a message costs the same
// at any size. It is not safe for concurrent use.
type Stamper struct {
	message []byte
	bodySum uint32
}

// NewStamper returns a Stamper whose messages are copies of message with the
// last StampSize bytes replaced, so they have the size of message. It fails
// when message is shorter than StampSize.
func NewStamper(run, publisher uint16, message []byte) (*Stamper, error) {
	body := len(message) - StampSize
	if body < 0 {
		return nil, fmt.Errorf("message of %d bytes cannot be accounted for: the least is %d", len(message), StampSize)
	}
	s := &Stamper{message: bytes.Clone(message), bodySum: checksum(message[:body])}
	trailer := s.message[body:]
	binary.BigEndian.PutUint16(trailer[4:], publisher)
	binary.BigEndian.PutUint16(trailer[6:], run)
	return s, nil
}

// Next returns the message with number seq and a time in ns. The slice is
// overwritten by the next call and never allocated anew: whoever keeps a message
// after handing it on must clone it. (nats.go copies on Publish, but keeps the
// message of an asynchronous JetStream publish for its retries.)
func (s *Stamper) Next(seq uint64, at int64) []byte {
	trailer := s.message[len(s.message)-StampSize:]
	binary.BigEndian.PutUint64(trailer[8:], seq)
	binary.BigEndian.PutUint64(trailer[16:], uint64(at))
	sum := crc32.Update(s.bodySum, castagnoli, trailer[4:])
	binary.BigEndian.PutUint32(trailer, sum)
	return s.message
}
