package inspect

import (
	"bytes"
	"strconv"
	"strings"
	"time"
)

// A span is a time that a server wrote as text: as Go does, or, for uptimes and
// idle times, with days and years (nats-server, monitor.go: myUptime). What
// cannot be read is 0: it is one detail of many.
type span time.Duration

func (s *span) UnmarshalJSON(data []byte) error {
	text := string(bytes.Trim(data, `"`))
	const day = 24 * time.Hour
	var long time.Duration
	for _, unit := range []struct {
		letter string
		length time.Duration
	}{{"y", 365 * day}, {"d", day}} {
		if head, tail, ok := strings.Cut(text, unit.letter); ok {
			n, err := strconv.ParseUint(head, 10, 16)
			if err != nil {
				return nil //nolint:nilerr // see span
			}
			long, text = long+time.Duration(n)*unit.length, tail
		}
	}
	if rest, err := time.ParseDuration(text); err == nil && rest >= 0 {
		*s = span(max(0, long+rest))
	}
	return nil
}
