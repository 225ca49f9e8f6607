package history

import (
	"math"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

const ms = time.Millisecond

// beats is a publisher that gets acknowledgements at these moments. It begins
// at 0.
func beats(publisher uint16, at ...time.Duration) []Attempt {
	out := []Attempt{{Publisher: publisher, Try: 1, Seq: 1, Ended: 10 * time.Second, Class: Timeout}}
	for i, end := range at {
		out = append(out, Attempt{Publisher: publisher, Try: 1, Seq: uint64(i + 2), Began: end - min(end, ms), Ended: end, Outcome: Acked})
	}
	return out
}

// steady are moments from from on to to, 100 ms apart.
func steady(from, to time.Duration) []time.Duration {
	var out []time.Duration
	for at := from; at <= to; at += 100 * ms {
		out = append(out, at)
	}
	return out
}

func TestThresholdIsHalfASecondOrFiveMessages(t *testing.T) {
	for period, want := range map[time.Duration]time.Duration{
		0: 500 * ms, -time.Hour: 500 * ms, 20 * ms: 500 * ms, 100 * ms: 500 * ms, 101 * ms: 505 * ms, time.Second: 5 * time.Second,
		math.MaxInt64: math.MaxInt64, math.MinInt64: 500 * ms, math.MaxInt64 / 5: math.MaxInt64/5*5 + 0,
	} {
		if got := Threshold(period); got != want {
			t.Errorf("Threshold(%d) = %d, want %d", period, got, want)
		}
	}
}

func TestAnOutageIsAGapLongerThanTheThreshold(t *testing.T) {
	for name, c := range map[string]struct {
		acks    []time.Duration
		stopped time.Duration
		period  time.Duration
		want    []Outage
	}{
		"as long as the threshold":       {acks: []time.Duration{100 * ms, 600 * ms}, stopped: 700 * ms},
		"longer":                         {acks: []time.Duration{100 * ms, 601 * ms}, stopped: 700 * ms, want: []Outage{{From: 100 * ms, To: 601 * ms}}},
		"five messages":                  {acks: []time.Duration{100 * ms, 1100 * ms}, stopped: 1200 * ms, period: 200 * ms},
		"more than five messages":        {acks: []time.Duration{100 * ms, 1101 * ms}, stopped: 1200 * ms, period: 200 * ms, want: []Outage{{From: 100 * ms, To: 1101 * ms}}},
		"acknowledgements out of order":  {acks: []time.Duration{900 * ms, 100 * ms, 500 * ms}, stopped: time.Second},
		"from the beginning":             {acks: []time.Duration{700 * ms}, stopped: 800 * ms, want: []Outage{{To: 700 * ms}}},
		"never acknowledged":             {stopped: 800 * ms, want: []Outage{{To: 800 * ms, Open: true}}},
		"open at the stop":               {acks: []time.Duration{100 * ms}, stopped: 601 * ms, want: []Outage{{From: 100 * ms, To: 601 * ms, Open: true}}},
		"not yet an outage at the stop":  {acks: []time.Duration{100 * ms}, stopped: 600 * ms},
		"ends after the stop":            {acks: []time.Duration{100 * ms, 5000 * ms}, stopped: 800 * ms, want: []Outage{{From: 100 * ms, To: 800 * ms, Open: true}}},
		"ends at the stop":               {acks: []time.Duration{100 * ms, 800 * ms}, stopped: 800 * ms, want: []Outage{{From: 100 * ms, To: 800 * ms}}},
		"never stopped: to the last":     {acks: []time.Duration{100 * ms}, want: []Outage{{From: 100 * ms, To: 10 * time.Second, Open: true}}},
		"two, parted by one that worked": {acks: []time.Duration{100 * ms, 700 * ms, 1300 * ms}, stopped: 1400 * ms, want: []Outage{{From: 100 * ms, To: 700 * ms}, {From: 700 * ms, To: 1300 * ms}}},
	} {
		r := Record{Publishers: []Publisher{{}, {}}, Period: c.period, Stopped: c.stopped, Attempts: append(beats(0, c.acks...), beats(1, steady(0, 10*time.Second)...)...)}
		if diff := cmp.Diff(c.want, Outages(r, 0)); diff != "" {
			t.Errorf("%s: want -, got +:\n%s", name, diff)
		}
		if diff := cmp.Diff(Outages(r, 0), Check(r).Placements[0].Outages); diff != "" {
			t.Errorf("%s: Check has others:\n%s", name, diff)
		}
	}
}

func TestOnlyAnAcknowledgementEndsAnOutage(t *testing.T) {
	r := Record{Publishers: []Publisher{{}}, Stopped: time.Second, Attempts: beats(0, 100*ms, 400*ms, 900*ms)}
	if got := Outages(r, 0); got != nil {
		t.Fatalf("with three: %v", got)
	}
	for name, change := range map[string]func(*Attempt){
		"refused":    func(a *Attempt) { a.Outcome = Refused },
		"unknown":    func(a *Attempt) { a.Outcome = Unknown },
		"in process": func(a *Attempt) { a.Class = InProcess },
	} {
		r.Attempts = beats(0, 100*ms, 400*ms, 900*ms)
		change(&r.Attempts[2])
		if diff := cmp.Diff([]Outage{{From: 100 * ms, To: 900 * ms}}, Outages(r, 0)); diff != "" {
			t.Errorf("%s: want -, got +:\n%s", name, diff)
		}
	}
}

func TestThereAreNoOutagesOfNobody(t *testing.T) {
	r := Record{Publishers: []Publisher{{}, {}}, Consumers: []string{"consumer-1"}, Stopped: time.Hour, Attempts: beats(7, time.Second)}
	for _, publisher := range []int{-1, 0, 1, 2, 7} {
		if got := Outages(r, publisher); got != nil {
			t.Errorf("publisher %d: %v", publisher, got)
		}
	}
	for _, consumer := range []int{-1, 1} {
		if got := DeliveryGaps(r, consumer); got != nil {
			t.Errorf("consumer %d: %v", consumer, got)
		}
	}
	r.Attempts = nil
	if got := DeliveryGaps(r, 0); got != nil {
		t.Errorf("when nothing was sent: %v", got)
	}
}

func TestDeliveryGapsAreOutagesOfAConsumer(t *testing.T) {
	r := Record{
		Publishers: []Publisher{{}}, Consumers: []string{"consumer-1", "consumer-2", "consumer-3"}, Stopped: 2 * time.Second,
		Attempts: beats(0, steady(0, 2*time.Second)...),
		Deliveries: []Delivery{
			{At: 400 * ms}, {At: 500 * ms, Consumer: 1}, {At: 901 * ms}, {At: 1000 * ms, Consumer: 1}, {At: 1400 * ms}, {At: 1500 * ms, Consumer: 1}, {At: 1800 * ms}, {At: 3000 * ms, Consumer: 9},
		},
	}
	for consumer, want := range [][]Outage{
		{{From: 400 * ms, To: 901 * ms}},
		nil,
		{{To: 2 * time.Second, Open: true}},
	} {
		if diff := cmp.Diff(want, DeliveryGaps(r, consumer)); diff != "" {
			t.Errorf("consumer %d: want -, got +:\n%s", consumer, diff)
		}
	}
}

func TestABrokenClockMakesNoOutage(t *testing.T) {
	r := Record{Publishers: []Publisher{{}}, Stopped: time.Second, Attempts: []Attempt{
		{Began: math.MaxInt64, Ended: -time.Second, Outcome: Acked}, // the difference overflows
	}}
	if got := Outages(r, 0); got != nil {
		t.Error(got)
	}
}
