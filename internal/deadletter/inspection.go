package deadletter

import (
	"context"
	"fmt"
	"slices"

	"github.com/nats-io/nats.go/jetstream"
)

// What the leader of a consumer says about a message, measured on nats-server
// 2.15.2: one that was given up counts neither as num_ack_pending nor, with
// max_deliver 1, as num_redelivered. The ack floor may stay below it for good,
// even when nothing is pending. Terminated messages count as acknowledged.

// inspectConsumers infers from the state of consumers what they gave up.
func (s *search) inspectConsumers(ctx context.Context) {
	var streams []*jetstream.StreamInfo
	for _, name := range s.names() {
		if info := s.all[name]; glob(s.query.Stream).selects(name) && info.State.Consumers > 0 {
			streams = append(streams, info)
		}
	}
	parallel(ctx, len(streams), func(i int) {
		info := streams[i]
		consumers, gaps, err := s.consumers(ctx, info.Config.Name)
		if err != nil && ctx.Err() == nil {
			s.gap("the consumers of stream "+shown(info.Config.Name), err)
		}
		s.mu.Lock()
		s.result.Gaps = append(s.result.Gaps, gaps...)
		s.mu.Unlock()
		whole := err == nil && len(gaps) == 0
		for _, c := range consumers {
			if s.query.wants(keyOf(c)) && mayGiveUp(c) {
				s.inspectConsumer(ctx, info, c, others(consumers, c), whole)
			}
		}
	})
}

// mayGiveUp reports whether c can have given up a message that is still stored.
func mayGiveUp(c *jetstream.ConsumerInfo) bool {
	return c.Config.AckPolicy != jetstream.AckNonePolicy && (c.Config.MaxDeliver > 0 || counted(c) > 0)
}

// counted returns how many messages c gave up at least: those that it delivered
// more than once and no longer waits for. A consumer with max_deliver 1 does
// not count them.
func counted(c *jetstream.ConsumerInfo) uint64 {
	return uint64(max(0, c.NumRedelivered-c.NumAckPending))
}

func others(all []*jetstream.ConsumerInfo, c *jetstream.ConsumerInfo) []*jetstream.ConsumerInfo {
	return slices.DeleteFunc(slices.Clone(all), func(o *jetstream.ConsumerInfo) bool { return o.Name == c.Name })
}

// inspectConsumer names what c gave up where that can be told, and counts it
// elsewhere. whole says that others are all the other consumers.
func (s *search) inspectConsumer(ctx context.Context, info *jetstream.StreamInfo, c *jetstream.ConsumerInfo, others []*jetstream.ConsumerInfo, whole bool) {
	key := keyOf(c)
	count := Unidentified{Key: key, AtLeast: counted(c)}
	switch keepsAll := info.Config.Retention == jetstream.LimitsPolicy; {
	case keepsAll && c.Config.MaxDeliver == 1 && len(s.result.Captures) == 0:
		s.gap("what "+shown(key.String())+" gave up", fmt.Errorf("a consumer with max_deliver 1 does not count it, and no stream keeps advisories"))
		return
	case keepsAll:
		count.Why = "its stream keeps all messages, and the advisories that named them were not kept"
	case !whole:
		count.Why = "not all consumers of its stream could be asked"
	default:
		named, doubtful := s.inspectStored(ctx, info, c, others)
		count.AtLeast = max(count.AtLeast, named+doubtful)
		count.Why = fmt.Sprintf("they are among messages of which %d are still being worked on", c.NumAckPending)
		if c.NumAckPending == 0 {
			count.Why = "other consumers may keep them in the stream, too"
		}
	}
	if count.AtLeast > 0 {
		s.mu.Lock()
		s.counts[key] = count
		s.mu.Unlock()
	}
}

// inspectStored looks at the messages that c was given and that are stored all
// the same, though the stream deletes what nobody needs any more. Where none of
// the others can be the reason, c is: it gave up those that it does not wait for.
// It returns how many letters it wrote and how many more there are at least.
func (s *search) inspectStored(ctx context.Context, info *jetstream.StreamInfo, c *jetstream.ConsumerInfo, others []*jetstream.ConsumerInfo) (named, doubtful uint64) {
	settled := c.AckFloor.Stream // nothing up to here is being worked on
	if c.NumAckPending == 0 {
		settled = c.Delivered.Stream
	}
	var letters []Letter
	visit := func(m *stored) {
		certainly, _ := meant(c, m)
		if !certainly || slices.ContainsFunc(others, func(o *jetstream.ConsumerInfo) bool { return mayHold(o, m) }) {
			return
		}
		if m.Seq > settled {
			doubtful++
			return
		}
		letters = append(letters, Letter{
			Key: keyOf(c), Seq: m.Seq, Cause: MaxDeliver, Source: Inspection,
			Deliveries: max(0, c.Config.MaxDeliver), // unless it was changed since
			Presence:   Present, Message: m.message(),
		})
	}
	for _, filter := range filters(c) {
		all := span{stream: info.Config.Name, filter: filter, from: max(1, info.State.FirstSeq), to: c.Delivered.Stream, expected: info.State.Msgs}
		err := s.walk(ctx, all, s.reads, visit, func() bool { return len(letters) >= s.query.Limit })
		if err != nil && ctx.Err() == nil {
			s.gap("the messages in stream "+shown(info.Config.Name), err)
		}
	}
	s.mu.Lock()
	for _, l := range letters {
		if !l.Stored.Before(s.query.Since) {
			s.letters = append(s.letters, l)
		}
	}
	s.mu.Unlock()
	return uint64(len(letters)), doubtful - min(doubtful, uint64(c.NumAckPending))
}

// mayHold reports whether o can be why m is stored: it is waiting for m, working
// on it, or gave it up.
func mayHold(o *jetstream.ConsumerInfo, m *stored) bool {
	if _, never := meant(o, m); never || !takes(o, m.Subject) {
		return false
	}
	working := o.NumAckPending > 0 && m.Seq > o.AckFloor.Stream
	return m.Seq > o.Delivered.Stream || working || mayGiveUp(o)
}

// meant reports whether o, by where it began, was certainly or certainly not to
// be given m. Of the last messages at its beginning neither can be said.
func meant(o *jetstream.ConsumerInfo, m *stored) (certainly, never bool) {
	if !m.Time.Before(o.Created) {
		return true, false
	}
	switch o.Config.DeliverPolicy {
	case jetstream.DeliverAllPolicy:
		certainly = true
	case jetstream.DeliverNewPolicy:
		never = true
	case jetstream.DeliverByStartSequencePolicy:
		certainly = m.Seq >= o.Config.OptStartSeq
		never = !certainly
	case jetstream.DeliverByStartTimePolicy:
		certainly = o.Config.OptStartTime != nil && !m.Time.Before(*o.Config.OptStartTime)
		never = !certainly
	case jetstream.DeliverLastPolicy, jetstream.DeliverLastPerSubjectPolicy:
	}
	return certainly, never
}
