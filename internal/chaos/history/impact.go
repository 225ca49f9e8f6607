package history

import "time"

// An Impact is what a fault did to some publishers. All of it is nil when none of
// these sent anything, or there was no time to look at.
//
// Outages count that had not ended at the injection and have their last
// acknowledgement before the end of the time looked at, each with its full
// length. That acknowledgement comes before the cause, so an outage is taken to
// begin when it has lasted as long as [Threshold]. It is a second one if that is
// after the heal, unless its last acknowledgement is within Threshold of the
// injection: then it is of the fault itself, be the fault ever so short.
type Impact struct {
	// Recover is from the injection to the end of the last outage; 0: there was
	// none; nil also when one is open.
	Recover     *time.Duration
	OutageMax   *time.Duration // the longest; 0: none
	OutageTotal *time.Duration // of the publisher that was out for the longest time in all
	// FirstOutage is the longest that began before the heal, up to its end.
	FirstOutage *time.Duration
	// SecondOutage is the longest that began after the heal; nil also when there
	// was no heal, or nobody looked after it.
	SecondOutage *time.Duration
	// Availability is the share of messages, of those first tried in the time
	// looked at, that were acknowledged at that attempt; nil also when there were none.
	Availability *float64
	Open         bool // an outage had not ended, and the lengths above are the least that they were
}

// A share is how many first attempts were acknowledged.
type share struct{ acked, all uint64 }

// sufferers are publishers of which an [Impact] is told.
type sufferers struct {
	watch  *watch
	some   bool
	open   bool
	last   time.Duration // end of the last outage, after the injection
	most   time.Duration // all outages of one publisher
	first  time.Duration // the longest of each kind
	second time.Duration
	share  share
}

// add takes a publisher in.
func (s *sufferers) add(outages []Outage, firsts share) {
	s.some = true
	s.share.acked += firsts.acked
	s.share.all += firsts.all
	var total time.Duration
	for _, o := range outages {
		total += o.Length()
		s.open = s.open || o.Open
		s.last = max(s.last, o.To-s.watch.fault.From)
		if s.watch.second(o) {
			s.second = max(s.second, o.Length())
		} else {
			s.first = max(s.first, o.Length())
		}
	}
	s.most = max(s.most, total)
}

func (s *sufferers) impact() Impact {
	if !s.some {
		return Impact{}
	}
	longest := max(s.first, s.second)
	out := Impact{OutageMax: &longest, OutageTotal: &s.most, FirstOutage: &s.first, Open: s.open}
	if !s.open {
		out.Recover = &s.last
	}
	if s.watch.healed() && s.watch.until > s.watch.fault.To {
		out.SecondOutage = &s.second
	}
	if s.share.all > 0 {
		part := float64(s.share.acked) / float64(s.share.all)
		out.Availability = &part
	}
	return out
}
