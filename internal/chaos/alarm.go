package chaos

import (
	"context"
	"time"

	"github.com/natsops/natsops/internal/inspect"
	"github.com/natsops/natsops/internal/inspect/lag"
)

const (
	// alarmEvery and alarmWindow are those of natsops lag --watch 1s.
	alarmEvery  = time.Second
	alarmWindow = 10
)

// An Alarm is the moment when somebody who watches with natsops lag would have
// been told.
type Alarm struct {
	At     time.Duration
	Status lag.Status
	Advice string
}

// A sentry looks at the consumer that a drill is about as natsops lag does.
type sentry struct {
	r      *run
	window []*inspect.Snapshot
}

// look takes a sample, and gives alarm when the verdict is one, once and not
// before something is broken.
func (s *sentry) look(ctx context.Context) {
	stream, consumer := s.r.subject()
	if s.r.env.Eye == nil || consumer == "" {
		return
	}
	now, err := s.r.env.Eye.Collect(ctx, s.r.env.Eye.Route().Can(inspect.Need{Consumers: true, Events: true}))
	if err != nil {
		return
	}
	s.window = append(s.window, now)
	s.window = s.window[max(0, len(s.window)-alarmWindow):]
	for _, v := range lag.Judge(s.window, nil, lag.DefaultThresholds()) {
		if v.Key.Stream == stream && v.Key.Consumer == consumer && v.Severity >= inspect.Warn {
			s.r.alarm(v)
		}
	}
}

// alarm notes the first alarm since something was broken.
func (r *run) alarm(v lag.Verdict) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.result.Alarm != nil || len(r.result.Faults) == 0 {
		return
	}
	r.result.Alarm = &Alarm{At: r.since(), Status: v.Status, Advice: v.Advice}
	r.timeline = append(r.timeline, Event{At: r.result.Alarm.At, Kind: "alarm", Who: v.Key.String(), Text: string(v.Status)})
}
