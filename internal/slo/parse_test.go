package slo

import (
	"math"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func metrics() []Metric {
	return []Metric{
		{"p99", Duration},
		{"p99.9", Duration},
		{"rate", Rate},
		{"lost", Count},
		{"message_size", Bytes},
		{"throughput", BytesPerSecond},
		{"fairness", Ratio},
	}
}

func TestObjectivesAreParsed(t *testing.T) {
	tests := map[string][]Objective{
		"p99<5ms,rate>=100k/s,lost==0": {
			{"p99", Less, 5e6, Duration}, {"rate", GreaterEqual, 1e5, Rate}, {"lost", Equal, 0, Count},
		},
		"  p99.9 <= 1.5 s , lost != 10k ": {{"p99.9", LessEqual, 1.5e9, Duration}, {"lost", NotEqual, 10_000, Count}},
		"rate > 1M":                       {{"rate", Greater, 1e6, Rate}},
		"message_size==4KiB":              {{"message_size", Equal, 4096, Bytes}},
		"throughput>=1MiB/s":              {{"throughput", GreaterEqual, 1 << 20, BytesPerSecond}},
		"fairness>=95%,fairness<=1":       {{"fairness", GreaterEqual, 0.95, Ratio}, {"fairness", LessEqual, 1, Ratio}},
		"p99<5ms,p99<5ms":                 {{"p99", Less, 5e6, Duration}, {"p99", Less, 5e6, Duration}},
	}
	for expr, want := range tests {
		got, err := Parse(expr, metrics())
		if err != nil {
			t.Errorf("%q: %v", expr, err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%q (-want +got):\n%s", expr, diff)
		}
	}
}

func TestErrorsNameTheObjectiveAndWhatFits(t *testing.T) {
	const (
		form  = `: want a metric, one of < <= > >= == !=, and a value, such as p99<5ms`
		known = `, want one of: p99, p99.9, rate, lost, message_size, throughput, fairness`
		dur   = `: want a duration with ns, us, ms, s, m or h, such as 5ms`
	)
	tests := map[string]string{
		"":               "no objective: want a metric, a comparison and a value, such as p99<5ms",
		" \n ":           "no objective: want a metric, a comparison and a value, such as p99<5ms",
		"p99<5ms,":       `objective ""` + form,
		"p99":            `objective "p99"` + form,
		"lost=0":         `objective "lost=0"` + form,
		"p99=<5ms":       `objective "p99=<5ms": unknown metric "p99=", did you mean "p99"?`,
		"p99<5":          `objective "p99<5": cannot read "5"` + dur,
		"p99<":           `objective "p99<": cannot read ""` + dur,
		"lost==0,p99<5k": `objective "p99<5k": cannot read "5k"` + dur,
		"p99<>5ms":       `objective "p99<>5ms": cannot read ">5ms"` + dur,
		"p99<-5ms":       `objective "p99<-5ms": cannot read "-5ms"` + dur,
		"lost==0/s":      `objective "lost==0/s": cannot read "0/s": want a whole number, with k, M or G if need be, such as 10k`,
		"rat>5":          `objective "rat>5": unknown metric "rat", did you mean "rate"?`,
		"P99<5ms":        `objective "P99<5ms": unknown metric "P99", did you mean "p99"?`,
		"throughptu>1":   `objective "throughptu>1": unknown metric "throughptu", did you mean "throughput"?`,
		"latency<5ms":    `objective "latency<5ms": unknown metric "latency"` + known,
		"<5ms":           `objective "<5ms": unknown metric ""` + known,
		"a\nb<1":         `objective "a\nb<1": unknown metric "a\nb"` + known,
	}
	for expr, want := range tests {
		if got, err := Parse(expr, metrics()); err == nil || err.Error() != want {
			t.Errorf("%q: got %v, %v\nwant %s", expr, got, err, want)
		}
	}
}

func TestSuggestionsShareSomethingWithWhatWasTyped(t *testing.T) {
	_, err := Parse("xy<1", []Metric{{"up", Count}})
	if want := `objective "xy<1": unknown metric "xy", want one of: up`; err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
}

func FuzzParsedObjectivesReadBackTheSame(f *testing.F) {
	for _, expr := range []string{
		"p99<5ms,rate>=100k/s,lost==0", "fairness >= 95%", "message_size==4KiB", "throughput!=1.5MiB/s", "p99.9<=1m30s", "x<1", "p99<-1", "",
	} {
		f.Add(expr)
	}
	f.Fuzz(func(t *testing.T, expr string) {
		objectives, err := Parse(expr, metrics())
		if err != nil {
			if strings.ContainsAny(err.Error(), "\r\n") {
				t.Errorf("%q: error of several lines: %v", expr, err)
			}
			return
		}
		for _, o := range objectives {
			if o.Want > 0 && o.Want < 1e-9 {
				continue // more digits than are read
			}
			again, err := Parse(o.String(), metrics())
			if err != nil || len(again) != 1 || again[0] != o {
				t.Errorf("%q: %+v is written %q, is read back as %+v, %v", expr, o, o, again, err)
			}
		}
		for _, v := range Judge(objectives, func(string) (float64, bool) { return float64(len(expr)), true }) {
			if text := v.String(); text == "" || v.Got == nil || math.IsNaN(v.Want) {
				t.Errorf("%q is judged %+v: %s", expr, v, text)
			}
		}
	})
}
