package sample

import (
	"fmt"
	"time"
)

// stored: the first backlog of so many messages is in the stream.
func stored(n int) condition {
	return condition{fmt.Sprintf("%d messages stored", n), func(s state) bool {
		return s.stream.State.LastSeq >= uint64(scaled(n, s.scale))
	}}
}

// delivered: there were so many deliveries, repeated ones included.
func delivered(n uint64) condition {
	return condition{fmt.Sprintf("%d deliveries", n), func(s state) bool { return s.consumer.Delivered.Consumer >= n }}
}

// pending: so many messages or more wait to be delivered.
func pending(n uint64) condition {
	return condition{fmt.Sprintf("%d messages pending", n), func(s state) bool { return s.consumer.NumPending >= n }}
}

// behind: so many messages or more of the backlog wait to be delivered.
func behind(n int) condition {
	return condition{fmt.Sprintf("%d messages behind", n), func(s state) bool {
		return s.consumer.NumPending >= uint64(scaled(n, s.scale))
	}}
}

// unacked: so many messages are in hand.
func unacked(n int) condition {
	return condition{fmt.Sprintf("%d messages unacknowledged", n), func(s state) bool { return s.consumer.NumAckPending == n }}
}

func nothingUnacked() condition { return unacked(0) }

// acked: the first n deliveries are finished.
func acked(n uint64) condition {
	return condition{fmt.Sprintf("%d messages acknowledged", n), func(s state) bool { return s.consumer.AckFloor.Consumer >= n }}
}

// redelivered: so many unfinished messages were delivered more than once.
func redelivered(n int) condition {
	return condition{fmt.Sprintf("%d messages redelivered", n), func(s state) bool { return s.consumer.NumRedelivered >= n }}
}

// givenUp: the first n messages of the stream were given up, and others pass.
func givenUp(n int) []condition {
	return []condition{
		delivered(uint64(3 * n)),
		{fmt.Sprintf("%d messages given up", n), func(s state) bool {
			return s.consumer.NumRedelivered-s.consumer.NumAckPending >= n && s.consumer.AckFloor.Stream >= uint64(n)
		}},
	}
}

// nobodyAsks: no request for messages is open.
func nobodyAsks() condition {
	return condition{"no open requests", func(s state) bool { return s.consumer.NumWaiting == 0 }}
}

func nothingLeft() condition {
	return condition{"an empty backlog", func(s state) bool { return s.consumer.NumPending+uint64(s.consumer.NumAckPending) == 0 }}
}

// silentFor: so long nothing was delivered or acknowledged.
func silentFor(d time.Duration) condition {
	return condition{fmt.Sprintf("silence for %s", d), func(s state) bool {
		for _, last := range []*time.Time{s.consumer.Delivered.Last, s.consumer.AckFloor.Last} {
			if last != nil && s.consumer.TimeStamp.Sub(*last) < d {
				return false
			}
		}
		return true
	}}
}

// oldest: the first message of the stream is so old.
func oldest(d time.Duration) condition {
	return condition{fmt.Sprintf("a message %s old", d), func(s state) bool {
		return s.stream.State.Msgs > 0 && s.consumer.TimeStamp.Sub(s.stream.State.FirstTime) >= d
	}}
}

// keepsUp: messages come, and few of them wait.
func keepsUp() []condition {
	return []condition{
		delivered(10),
		{"a backlog below 50", func(s state) bool { return s.consumer.NumPending+uint64(s.consumer.NumAckPending) < 50 }},
	}
}
