package chaosreport

import (
	"bytes"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/natsops/natsops/internal/chaos"
	"github.com/natsops/natsops/internal/chaos/history"
	"github.com/natsops/natsops/internal/report"
)

// An outage of a fault begins, by the last success, a little before the fault,
// and one of the heal a little before the heal.
func TestAnOutageCountsToWhatCausedIt(t *testing.T) {
	at := moments{injected: 10 * second, healed: 25 * second, broke: true, whole: true}
	unhealed, calm := at, moments{}
	unhealed.whole = false
	const threshold = 500 * ms
	for _, test := range []struct {
		about    string
		at       moments
		from, to time.Duration
		want     part
	}{
		{"over before the fault", at, 2 * second, 9 * second, partBefore},
		{"from just before the fault", at, 9990 * ms, 14 * second, partFault},
		{"in the fault", at, 15 * second, 17 * second, partFault},
		{"from the fault to long after the heal", at, 9990 * ms, 60 * second, partFault},
		{"from just before the heal", at, 24990 * ms, 30 * second, partAfter},
		{"after the heal", at, 40 * second, 45 * second, partAfter},
		{"late, and never healed", unhealed, 40 * second, 45 * second, partFault},
		{"of a fault over at once", moments{injected: 10 * second, healed: 10 * second, broke: true, whole: true}, 9990 * ms, 14 * second, partFault},
		{"without a fault", calm, 40 * second, 45 * second, partBefore},
	} {
		if got := test.at.part(history.Outage{From: test.from, To: test.to}, threshold); got != test.want {
			t.Errorf("%s: got %s, want %s", test.about, got, test.want)
		}
	}
}

// What the table calls after the heal is what the engine measures as the second
// outage.
func TestPartsAgreeWithTheMetricOfSecondOutages(t *testing.T) {
	record := history.Record{Publishers: []history.Publisher{{Name: "any"}}, Period: 10 * ms, Stopped: 60 * second}
	out := []history.Outage{{From: 9990 * ms, To: 14 * second}, {From: 24990 * ms, To: 30 * second}}
	for at := time.Duration(0); at < record.Stopped; at += record.Period {
		outcome := history.Acked
		for _, o := range out {
			if at > o.From && at < o.To {
				outcome = history.Unknown
			}
		}
		record.Attempts = append(record.Attempts, history.Attempt{Seq: uint64(len(record.Attempts) + 1), Try: 1, Began: at, Ended: at, Outcome: outcome})
	}
	want := history.Recover(record, history.Span{From: 10 * second, To: 25 * second}, record.Stopped, nil).SecondOutage
	r := chaos.Result{
		Faults: []chaos.FaultResult{{Kind: "kill", Injected: 10 * second, Healed: 25 * second}}, Record: record, Account: history.Check(record),
	}
	var got time.Duration
	for _, o := range New("", r).Placements[0].Outages {
		if o.Part == partAfter {
			got = max(got, time.Duration(o.ToNS-o.FromNS))
		}
	}
	if want == nil || got != *want {
		t.Errorf("got %v, want %v", got, want)
	}
}

func TestAHealThatFailedIsNeverToldAsHealed(t *testing.T) {
	r := passed() // whose faults are all healed
	r.Verdict = chaos.HealFailed
	if doc := New("", r); doc.State.Healed == nil || *doc.State.Healed {
		t.Errorf("got %+v", doc.State)
	}
	r.Faults = nil
	if doc := New("", r); doc.State.Healed == nil || *doc.State.Healed {
		t.Errorf("without a fault: got %+v", doc.State)
	}
}

func TestOutagesAfterTheHealAreNotKnownWithoutLoad(t *testing.T) {
	outages := []Outage{{ToNS: 5, Part: partAfter}}
	if got := New("", passed()).afterText(outages); got == unknown {
		t.Error("with load: not known")
	}
	for name, r := range map[string]chaos.Result{"aborted": aborted(), "never healed": healFailed()} {
		if got := New("", r).afterText(outages); got != unknown {
			t.Errorf("%s: got %s, want %s", name, got, unknown)
		}
	}
}

func TestNumbersThatJSONDoesNotHaveAreNotKnown(t *testing.T) {
	r := passed()
	r.Metrics["recover"], r.Metrics["detect"] = math.Inf(1), math.NaN()
	r.Expected[0].Got = new(math.NaN())
	doc := New("", r)
	if doc.Metrics["recover"].Value != nil || doc.Metrics["detect"].Value != nil || doc.Expectations[0].Got != nil || doc.Expectations[0].Met {
		t.Errorf("got %+v, %+v", doc.Metrics["recover"], doc.Expectations[0])
	}
	written(t, "json", doc, report.Style{})
}

func TestAHistoryClaimsNothingOfAReplicaThatDidNotAnswer(t *testing.T) {
	r := chaos.Result{Record: history.Record{Replicas: []history.Replica{{Server: "n2", Unread: "no answer"}}}}
	var b bytes.Buffer
	if err := WriteHistory(&b, r); err != nil {
		t.Fatal(err)
	}
	if got, want := b.String(), `{"record":"replica","unread":"no answer","server":"n2"}`; !strings.Contains(got, want) {
		t.Errorf("got %s, want a line %s", got, want)
	}
}
