package lag

import (
	"time"

	"github.com/natsops/natsops/internal/inspect"
)

// Alarms remember since when consumers have been in alarm (Warn or worse), so
// that one can be raised only when it lasts. It is a value that can be stored.
type Alarms struct {
	Looked time.Time `json:"looked"` // the last time
	Since  []Alarm   `json:"since"`
}

// An Alarm is a consumer that is warn or worse, without a break since then.
type Alarm struct {
	inspect.Key
	Since time.Time `json:"since"`
}

// After returns the alarms after one more look. An alarm goes on if nobody looked
// away for longer than lasting: whether it lasts as long as that could then not
// be told. Where nothing is known now, what was known stays.
func (a Alarms) After(at time.Time, verdicts []Verdict, lasting time.Duration) Alarms {
	before := map[inspect.Key]time.Time{}
	if away := at.Sub(a.Looked); away >= 0 && away <= lasting {
		for _, alarm := range a.Since {
			before[alarm.Key] = alarm.Since
		}
	}
	next := Alarms{Looked: at}
	for _, v := range verdicts {
		since, lasts := before[v.Key]
		switch {
		case v.Status == Unsampled && !lasts, v.Status != Unsampled && v.Severity < inspect.Warn:
			continue
		case !lasts:
			since = at
		}
		next.Since = append(next.Since, Alarm{v.Key, since})
	}
	return next
}

// Lasted returns for how long each alarm has lasted.
func (a Alarms) Lasted(at time.Time) map[inspect.Key]time.Duration {
	lasted := make(map[inspect.Key]time.Duration, len(a.Since))
	for _, alarm := range a.Since {
		lasted[alarm.Key] = at.Sub(alarm.Since)
	}
	return lasted
}
