package lag

import (
	"fmt"
	"slices"
	"time"

	"github.com/natsops/natsops/internal/inspect"
)

// StatusInfo says what a status means and when it holds.
type StatusInfo struct {
	Status   Status
	Severity inspect.Severity // usually
	Least    inspect.Severity
	Worst    inspect.Severity
	Meaning  string // in words
	Rule     string // exactly when it holds, provided that none before it does
	Needs    string // what it takes to decide that
	Do       string // what to do then
}

// What it takes to decide that a status or a tag holds.
const (
	oneSample  = "one sample"
	twoSamples = "two samples"
)

// A rule is a status, and how it is found out whether it holds.
type rule struct {
	StatusInfo
	holds func(*series) (finding, bool)
}

// A finding is what a rule concludes.
type finding struct {
	graded   bool // severity is not the usual one
	severity inspect.Severity
	fact     bool // one sample proves it
	assumed  bool // something had to be assumed
	blind    bool // nothing is known
	advice   string
	evidence []Evidence
	next     []string
}

func (f *finding) grade(s inspect.Severity) { f.graded, f.severity = true, s }

// rules lists all statuses in the order in which they are tried. A worker that is
// slow, restarts or pulls now and then must not raise an alarm that the next sample
// takes back; what each rule does about that is in its text.
func rules() []rule {
	return slices.Concat(reachRules(), workerRules(), stallRules(), paceRules())
}

// Statuses describes all statuses in the order in which they are tried.
func Statuses() []StatusInfo {
	var infos []StatusInfo
	for _, r := range rules() {
		infos = append(infos, r.StatusInfo)
	}
	return infos
}

// About describes a status.
func About(status Status) (StatusInfo, bool) {
	for _, r := range rules() {
		if r.Status == status {
			return r.StatusInfo, true
		}
	}
	return StatusInfo{}, false
}

// What rules have in common.

// sampled reports whether there is a window, so that changes can be seen.
func (s *series) sampled() bool { return s.change.span > 0 }

// over reports whether the backlog is over a threshold, and nobody has forgotten
// the consumer.
func (s *series) over() bool {
	return (s.overBacklog() || s.overAge()) && !s.unused()
}

func (s *series) overBacklog() bool { return s.v.Backlog.Value > float64(s.limit.Backlog) }

func (s *series) overAge() bool {
	return s.v.Backlog.Value > 0 && s.v.OldestAge.Known && s.v.OldestAge.Value > s.limit.Age.Seconds()
}

// recovered reports whether the backlog was within the thresholds within the
// window, which forgives what it is now. Burrow (LinkedIn) has this rule.
func (s *series) recovered() bool {
	limit := float64(s.limit.Backlog)
	if s.overAge() {
		limit = 0 // an old message is forgiven only if it was not there
	}
	return !s.every(func(p sample) bool { return p.backlog() > limit })
}

// acks reports whether acknowledgements are wanted.
func (s *series) acks() bool { return s.cfg != nil && s.cfg.Acks() }

func (s *series) push() bool { return s.cfg != nil && s.cfg.DeliverSubject != "" }

// replicated reports whether another server can lead it.
func (s *series) replicated() bool {
	return s.now.Cluster != nil && len(s.now.Cluster.Replicas) > 0
}

// still reports whether nothing was delivered within the window; and also true of
// a single sample.
func (s *series) still() bool { return s.change.deliveries == 0 }

// unacknowledging reports whether nothing was acknowledged within the window.
func (s *series) unacknowledging() bool {
	first, last := s.samples[0].c, s.now
	if s.change.done > 0 || first.AckFloor.Consumer < last.AckFloor.Consumer {
		return false
	}
	// Every replica remembers the time by its own clock.
	return s.moved || last.AckFloor.Last == nil || first.AckFloor.Last != nil && !last.AckFloor.Last.After(*first.AckFloor.Last)
}

// ackWait is after how long an unacknowledged message is delivered again. Without
// one (flow control), it is what others have by default.
func (s *series) ackWait() time.Duration {
	wait := s.cfg.AckWait
	for _, b := range s.cfg.BackOff {
		wait = max(wait, b)
	}
	if wait <= 0 {
		wait = 30 * time.Second
	}
	return wait
}

// silent is for how long nothing has been delivered or acknowledged. After a
// restart of the server that is not known, but not less than the window.
func (s *series) silent() (d time.Duration, known bool) {
	at, ok := lastActive(s.now)
	switch {
	case ok:
		return max(0, s.at().Sub(at)), true
	case s.now.Delivered.Consumer == 0 && !s.now.Created.IsZero():
		return max(0, s.at().Sub(s.now.Created)), true
	default:
		return s.change.span, false
	}
}

// lastDelivery says in words what silent found.
func (s *series) lastDelivery() string {
	switch d, known := s.silent(); {
	case !known:
		return "when it was last active is not known (a restart forgets it)"
	case s.now.Delivered.Consumer == 0:
		return "nothing has been delivered since it was created " + span(d) + " ago"
	default:
		return "last delivery or acknowledgement " + span(d) + " ago"
	}
}

func (s *series) all() string {
	if n := len(s.samples); n > 1 {
		return fmt.Sprintf("in all %d samples", n)
	}
	return "in the one sample"
}

// silence says why nothing is known of the consumer.
func (s *series) silence() string {
	if s.last.Why != "" {
		return s.last.Why
	}
	return "its leader did not answer"
}
