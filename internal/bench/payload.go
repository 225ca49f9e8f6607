package bench

import (
	"encoding/binary"
	"math/rand/v2"
)

// PayloadKind says what messages are filled with.
type PayloadKind string

// Random bytes cannot be compressed, as most real payloads nearly cannot; zeros
// flatter a link or a store that compresses; a file is sent as it is.
const (
	RandomPayload PayloadKind = "random"
	ZeroPayload   PayloadKind = "zero"
	FilePayload   PayloadKind = "file"
)

// A Payload is what messages are filled with.
type Payload struct {
	Kind PayloadKind
	Name string // the file's
	Data []byte // the file's
}

func (p Payload) String() string {
	if p.Kind == FilePayload {
		return p.Name
	}
	return string(p.Kind)
}

// body returns what sender i sends, with room for the stamp at the end where
// messages are stamped. All messages of a sender have the same body; two
// senders' differ.
func (c Config) body(i int) []byte {
	body := make([]byte, c.Size)
	switch c.Payload.Kind {
	case FilePayload:
		copy(body, c.Payload.Data)
	case RandomPayload:
		var seed [32]byte
		binary.LittleEndian.PutUint64(seed[:], c.Seed)
		binary.LittleEndian.PutUint64(seed[8:], uint64(i))
		_, _ = rand.NewChaCha8(seed).Read(body) // never fails
	case ZeroPayload:
	}
	return body
}
