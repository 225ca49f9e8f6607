package history

import (
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// hole takes what lies strictly between two moments away.
func hole(at []time.Duration, from, to time.Duration) []time.Duration {
	return slices.DeleteFunc(slices.Clone(at), func(d time.Duration) bool { return d > from && d < to })
}

// A drill of 40 s: servers n1 and n2, one publisher on each and one on any; the
// fault is from 10 s to 20 s. Each is acknowledged each 100 ms but in its holes.
func drilled(holes map[int][]Span) Record {
	r := Record{
		Publishers: []Publisher{{Name: "n1", Server: "n1"}, {Name: "n2", Server: "n2"}, {Name: "any"}},
		Period:     100 * ms, Stopped: 40 * time.Second,
	}
	for i := range r.Publishers {
		at := steady(50*ms, 40*time.Second)
		for _, h := range holes[i] {
			at = hole(at, h.From, h.To)
		}
		acks := beats(uint16(i), at...)
		acks[0].Outcome, acks[0].Class, acks[0].Ended = Acked, "", 50*ms
		r.Attempts = append(r.Attempts, acks...)
	}
	return r
}

var tenToTwenty = Span{From: 10 * time.Second, To: 20 * time.Second}

// fared is an impact without availability.
func fared(i Impact) Impact {
	i.Availability = nil
	return i
}

// well is the impact of nothing.
func well() Impact {
	return Impact{Recover: new(0 * ms), OutageMax: new(0 * ms), OutageTotal: new(0 * ms), FirstOutage: new(0 * ms), SecondOutage: new(0 * ms)}
}

func TestAFaultThatNobodyFeltHasNoOutage(t *testing.T) {
	got := Recover(drilled(nil), tenToTwenty, 40*time.Second, []string{"n1"})
	one := 1.0
	want := well()
	want.Availability = &one
	if diff := cmp.Diff(Recovery{Impact: want, Bystanders: want, Victims: want}, got); diff != "" {
		t.Errorf("want -, got +:\n%s", diff)
	}
}

func TestVictimsAreThoseWhoConnectToWhatWasHitOnly(t *testing.T) {
	// n1 is out from the fault until after the heal, the others for 4 s, and any
	// once more.
	r := drilled(map[int][]Span{
		0: {{From: 9950 * ms, To: 21050 * ms}},
		1: {{From: 9950 * ms, To: 14050 * ms}},
		2: {{From: 9950 * ms, To: 14050 * ms}, {From: 16050 * ms, To: 17050 * ms}},
	})
	got := Recover(r, tenToTwenty, 40*time.Second, []string{"n1", ""})
	victims, bystanders := well(), well()
	victims.Recover, victims.OutageMax = new(11050*ms), new(11100*ms)
	victims.OutageTotal, victims.FirstOutage = victims.OutageMax, victims.OutageMax
	bystanders.Recover, bystanders.OutageMax = new(7050*ms), new(4100*ms)
	bystanders.OutageTotal, bystanders.FirstOutage = new(5100*ms), bystanders.OutageMax
	for who, pair := range map[string][2]Impact{
		"victims": {victims, got.Victims}, "bystanders": {bystanders, got.Bystanders}, "all": {victims, got.Impact},
	} {
		if diff := cmp.Diff(pair[0], fared(pair[1])); diff != "" {
			t.Errorf("%s: want -, got +:\n%s", who, diff)
		}
	}
	none := Recover(r, tenToTwenty, 40*time.Second, nil)
	if diff := cmp.Diff(Impact{}, none.Victims); diff != "" {
		t.Errorf("victims where there are none: want -, got +:\n%s", diff)
	}
	if diff := cmp.Diff(none.Impact, none.Bystanders); diff != "" {
		t.Errorf("all are bystanders: all -, bystanders +:\n%s", diff)
	}
}

func TestASecondOutageBeginsAfterTheHeal(t *testing.T) {
	const s = time.Second
	for name, c := range map[string]struct {
		hole          Span
		fault         Span // the zero value: ten to twenty
		first, second time.Duration
	}{
		"over before the fault":                         {hole: Span{8050 * ms, 9050 * ms}},
		"begins long before the fault and lasts":        {hole: Span{8050 * ms, 12050 * ms}, first: 4 * s},
		"last acknowledgement just before the fault":    {hole: Span{9950 * ms, 14050 * ms}, first: 4100 * ms},
		"begins in the fault, ends in it":               {hole: Span{15050 * ms, 16050 * ms}, first: s},
		"begins in the fault, ends long after the heal": {hole: Span{15050 * ms, 30050 * ms}, first: 15 * s},
		"was one at the heal":                           {hole: Span{19450 * ms, 24050 * ms}, first: 4600 * ms},
		"was none yet at the heal":                      {hole: Span{19550 * ms, 24050 * ms}, second: 4500 * ms},
		"last acknowledgement just before the heal":     {hole: Span{19950 * ms, 24950 * ms}, second: 5 * s},
		"begins after the heal":                         {hole: Span{25050 * ms, 26050 * ms}, second: s},
		"begins after the time looked at":               {hole: Span{35050 * ms, 39050 * ms}},
		"begins before its end and lasts longer":        {hole: Span{34950 * ms, 39050 * ms}, second: 4100 * ms},
		"a short fault's own":                           {hole: Span{10050 * ms, 14050 * ms}, fault: Span{10 * s, 10010 * ms}, first: 4 * s},
		"at the latest":                                 {hole: Span{10450 * ms, 14050 * ms}, fault: Span{10 * s, 10010 * ms}, first: 3600 * ms},
		"and later":                                     {hole: Span{10550 * ms, 14050 * ms}, fault: Span{10 * s, 10010 * ms}, second: 3500 * ms},
	} {
		if c.fault == (Span{}) {
			c.fault = tenToTwenty
		}
		got := Recover(drilled(map[int][]Span{2: {c.hole}}), c.fault, 35*s, []string{"n1"}).Bystanders
		want := well()
		want.FirstOutage, want.SecondOutage = &c.first, &c.second
		if longest := max(c.first, c.second); longest > 0 {
			want.OutageMax, want.OutageTotal, want.Recover = &longest, &longest, new(c.hole.To-c.fault.From)
		}
		if diff := cmp.Diff(want, fared(got)); diff != "" {
			t.Errorf("%s: want -, got +:\n%s", name, diff)
		}
	}
}

func TestWhatIsNotKnownOfARecoveryIsAbsent(t *testing.T) {
	healthy := drilled(nil)
	for name, c := range map[string]struct {
		record Record
		fault  Span
		until  time.Duration
		want   Impact
	}{
		"nothing was looked at": {record: healthy, fault: tenToTwenty, until: 9 * time.Second},
		"nobody sent anything":  {record: Record{Publishers: healthy.Publishers, Stopped: healthy.Stopped}, fault: tenToTwenty, until: 40 * time.Second},
		"there is no publisher": {fault: tenToTwenty, until: 40 * time.Second},
		"looked up to the heal": {record: healthy, fault: tenToTwenty, until: 20 * time.Second, want: Impact{Recover: new(0 * ms), OutageMax: new(0 * ms), OutageTotal: new(0 * ms), FirstOutage: new(0 * ms)}},
		"it was not healed":     {record: healthy, fault: Span{From: 10 * time.Second}, until: 40 * time.Second, want: Impact{Recover: new(0 * ms), OutageMax: new(0 * ms), OutageTotal: new(0 * ms), FirstOutage: new(0 * ms)}},
		"it was not healed, and went out late": {
			record: drilled(map[int][]Span{1: {{From: 25050 * ms, To: 26050 * ms}}}), fault: Span{From: 10 * time.Second}, until: 40 * time.Second,
			want: Impact{Recover: new(16050 * ms), OutageMax: new(time.Second), OutageTotal: new(time.Second), FirstOutage: new(time.Second)},
		},
		"healed when injected": {record: healthy, fault: Span{From: 10 * time.Second, To: 10 * time.Second}, until: 40 * time.Second, want: well()},
		"still out": {
			record: drilled(map[int][]Span{1: {{From: 35050 * ms, To: time.Hour}}}), fault: tenToTwenty, until: 40 * time.Second,
			want: Impact{OutageMax: new(4950 * ms), OutageTotal: new(4950 * ms), FirstOutage: new(0 * ms), SecondOutage: new(4950 * ms), Open: true},
		},
	} {
		if diff := cmp.Diff(c.want, fared(Recover(c.record, c.fault, c.until, nil).Impact)); diff != "" {
			t.Errorf("%s: want -, got +:\n%s", name, diff)
		}
	}
}

func TestAvailabilityIsTheShareOfFirstAttempts(t *testing.T) {
	at := func(began time.Duration, o Outcome, n uint16, publisher uint16) Attempt {
		return Attempt{Publisher: publisher, Try: n, Began: began, Ended: began, Outcome: o}
	}
	second := time.Second
	r := Record{Publishers: []Publisher{{Server: "n1"}, {Server: "n2"}}, Stopped: 40 * second, Attempts: []Attempt{
		at(10*second-1, Unknown, 1, 0), // before
		at(10*second, Acked, 1, 0),
		at(11*second, Refused, 1, 0), at(12*second, Acked, 2, 0), // a retry does not count
		at(13*second, Unknown, 1, 0),
		at(14*second, Acked, 1, 0), at(30*second, Acked, 1, 1),
		at(30*second+1, Unknown, 1, 1), // after
		at(20*second, Unknown, 1, 5),   // of nobody
		classed(InProcess, at(15*second, Acked, 1, 1)),
	}}
	got := Recover(r, tenToTwenty, 30*second, []string{"n1"})
	for who, pair := range map[string][2]*float64{
		"all":     {new(3.0 / 6.0), got.Availability},
		"victims": {new(2.0 / 4.0), got.Victims.Availability}, "bystanders": {new(1.0 / 2.0), got.Bystanders.Availability},
	} {
		if diff := cmp.Diff(pair[0], pair[1]); diff != "" {
			t.Errorf("%s: want -, got +:\n%s", who, diff)
		}
	}
	if got := Recover(r, Span{From: 31 * second, To: 32 * second}, 33*second, nil).Availability; got != nil {
		t.Errorf("of nothing: %v", *got)
	}
}

func TestAFaultIsDetectedByItsFirstSign(t *testing.T) {
	fails := func(ended time.Duration, o Outcome) func(*Record) {
		return func(r *Record) {
			r.Attempts = append(r.Attempts, Attempt{Try: 1, Seq: 9999, Began: ended - 2*time.Second, Ended: ended, Outcome: o})
		}
	}
	event := func(at time.Duration, kind EventKind) func(*Record) {
		return func(r *Record) { r.Events = append(r.Events, Event{At: at, Who: "consumer-1", Kind: kind}) }
	}
	for name, c := range map[string]struct {
		change func(*Record)
		want   *time.Duration
	}{
		"nothing":                  {change: func(*Record) {}},
		"refused":                  {fails(11*time.Second, Refused), new(time.Second)},
		"no answer":                {fails(11*time.Second, Unknown), new(time.Second)},
		"acked":                    {change: fails(11*time.Second, Acked)},
		"at the injection":         {fails(10*time.Second, Unknown), new(0 * ms)},
		"before":                   {change: fails(10*time.Second-1, Unknown)},
		"after the time looked at": {change: event(35*time.Second+1, EventClosed)},
		"at its end":               {event(35*time.Second, EventClosed), new(25 * time.Second)},
		"disconnected":             {event(12*time.Second, EventDisconnected), new(2 * time.Second)},
		"closed":                   {event(12*time.Second, EventClosed), new(2 * time.Second)},
		"lame duck":                {event(12*time.Second, EventLameDuck), new(2 * time.Second)},
		"asynchronous error":       {event(12*time.Second, EventError), new(2 * time.Second)},
		"reconnected is no sign":   {change: event(12*time.Second, EventReconnected)},
		"the earliest": {func(r *Record) {
			event(13*time.Second, EventError)(r)
			event(12*time.Second, EventError)(r)
			fails(14*time.Second, Unknown)(r)
		}, new(2 * time.Second)},
		"silence, once it is an outage": {func(r *Record) {
			*r = drilled(map[int][]Span{1: {{From: 9950 * ms, To: 12050 * ms}}})
		}, new(450 * ms)},
		"silence that was one before": {func(r *Record) {
			*r = drilled(map[int][]Span{1: {{From: 8050 * ms, To: 12050 * ms}}})
		}, new(0 * ms)},
	} {
		r := drilled(nil)
		c.change(&r)
		if diff := cmp.Diff(c.want, Recover(r, tenToTwenty, 35*time.Second, nil).Detect); diff != "" {
			t.Errorf("%s: want -, got +:\n%s", name, diff)
		}
	}
}

func TestTheConsumerGapIsTheLongestOfAny(t *testing.T) {
	deliver := func(r Record, holes ...Span) Record {
		for consumer, h := range holes {
			r.Consumers = append(r.Consumers, "consumer")
			for _, at := range hole(steady(50*ms, 39950*ms), h.From, h.To) {
				r.Deliveries = append(r.Deliveries, Delivery{Consumer: uint16(consumer), At: at})
			}
		}
		return r
	}
	for name, c := range map[string]struct {
		holes []Span
		want  *time.Duration
		open  bool
	}{
		"no consumer":           {},
		"no gap":                {holes: []Span{{}, {}}, want: new(0 * ms)},
		"before":                {holes: []Span{{From: 8050 * ms, To: 9050 * ms}}, want: new(0 * ms)},
		"the longest":           {holes: []Span{{From: 9950 * ms, To: 14050 * ms}, {From: 20050 * ms, To: 29050 * ms}}, want: new(9 * time.Second)},
		"one that did not end":  {holes: []Span{{From: 30050 * ms, To: time.Hour}}, want: new(9950 * ms), open: true},
		"after the time looked": {holes: []Span{{From: 35050 * ms, To: 36050 * ms}}, want: new(0 * ms)},
	} {
		got := Recover(deliver(drilled(nil), c.holes...), tenToTwenty, 35*time.Second, nil)
		if diff := cmp.Diff(c.want, got.ConsumerGap); diff != "" || got.ConsumerOpen != c.open {
			t.Errorf("%s: open %t, want -, got +:\n%s", name, got.ConsumerOpen, diff)
		}
	}
	r := Record{Publishers: []Publisher{{}}, Consumers: []string{"consumer"}, Stopped: time.Hour}
	if got := Recover(r, tenToTwenty, time.Hour, nil).ConsumerGap; got != nil {
		t.Errorf("nothing was sent, and the gap is %v", *got)
	}
}
