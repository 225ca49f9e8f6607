package wire

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"io"

	"github.com/klauspost/compress/s2"
)

// The encodings that servers offer for answers to $SYS.REQ requests
// (nats-server, events.go: getAcceptEncoding).
const (
	Snappy = "snappy"
	Gzip   = "gzip"
)

// maxDecoded bounds what an answer may grow to, in bytes.
const maxDecoded = 1 << 30

// Data returns the answer, decoded. It takes time for large answers.
func (r Reply) Data() ([]byte, error) {
	var from io.Reader
	switch encoding := r.Header.Get("Content-Encoding"); encoding {
	case "":
		return r.body, nil
	case Snappy, "s2":
		from = s2.NewReader(bytes.NewReader(r.body))
	case Gzip:
		zipped, err := gzip.NewReader(bytes.NewReader(r.body))
		if err != nil {
			return nil, fmt.Errorf("decode the answer: %w", err)
		}
		from = zipped
	default:
		return nil, fmt.Errorf("the answer is encoded as %q, which was not asked for", encoding)
	}
	data, err := readAll(from, len(r.body))
	if err != nil {
		return nil, fmt.Errorf("decode the answer: %w", err)
	}
	return data, nil
}

// readAll reads an answer that came as size bytes, up to maxDecoded.
func readAll(from io.Reader, size int) ([]byte, error) {
	const usual = 8 // times smaller than what it decodes to
	into := bytes.NewBuffer(make([]byte, 0, usual*size+bytes.MinRead))
	n, err := into.ReadFrom(io.LimitReader(from, maxDecoded))
	if n == maxDecoded {
		return nil, fmt.Errorf("larger than %d bytes", maxDecoded)
	}
	return into.Bytes(), err
}
