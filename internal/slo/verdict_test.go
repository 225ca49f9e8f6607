package slo

import (
	"encoding/json"
	"math"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func lookup(values map[string]float64) func(string) (float64, bool) {
	return func(metric string) (float64, bool) {
		v, ok := values[metric]
		return v, ok
	}
}

func judge(t *testing.T, expr string, got map[string]float64) Verdict {
	t.Helper()
	objectives, err := Parse(expr, metrics())
	if err != nil {
		t.Fatal(err)
	}
	return Judge(objectives, lookup(got))[0]
}

func TestComparisonsHoldAtTheirLimits(t *testing.T) {
	met := map[Op][3]bool{ // for a value below, at and above what is wanted
		Less: {true, false, false}, LessEqual: {true, true, false}, Greater: {false, false, true},
		GreaterEqual: {false, true, true}, Equal: {false, true, false}, NotEqual: {true, false, true},
	}
	for op, want := range met {
		for i, got := range []float64{9, 10, 11} {
			if v := judge(t, "lost"+string(op)+"10", map[string]float64{"lost": got}); v.Met != want[i] {
				t.Errorf("%s is met: %v, want %v", v, v.Met, want[i])
			}
		}
	}
}

func TestWhatWasNotMeasuredIsNotMet(t *testing.T) {
	for name, got := range map[string]map[string]float64{
		"unknown": nil, "not a number": {"lost": math.NaN()}, "infinite": {"lost": math.Inf(-1)},
	} {
		for _, op := range []Op{Less, LessEqual, Greater, GreaterEqual, Equal, NotEqual} {
			v := judge(t, "lost"+string(op)+"0", got)
			if v.Met || v.Got != nil || v.String() != "lost "+string(op)+" 0: not measured" {
				t.Errorf("%s: %s is met: %v", name, v, v.Met)
			}
		}
	}
}

func TestVerdictSaysByHowMuchItWasMissed(t *testing.T) {
	tests := []struct {
		expr string
		got  float64
		want string
	}{
		{"p99<5ms", 7.3149e6, "p99 < 5ms: got 7.31ms (46% over)"},
		{"p99<5ms", 3.2e6, "p99 < 5ms: got 3.2ms"},
		{"p99<5ms", 4_999_999, "p99 < 5ms: got 4999999ns"},
		{"p99<1ns", 1.6, "p99 < 1ns: got 2ns (60% over)"},
		{"p99<5ms", 5e6, "p99 < 5ms: got 5ms"},
		{"p99<=5ms", 5_000_001, "p99 <= 5ms: got 5000001ns (less than 0.01% over)"},
		{"p99<5ms", 1.2e9, "p99 < 5ms: got 1.2s (23900% over)"},
		{"p99<5ms", 1e19, "p99 < 5ms: got 2562047h47m (199999999999900% over)"},
		{"p99<5000001ns", 6e6, "p99 < 5000001ns: got 6ms (20% over)"},
		{"p99<=0ns", 5e6, "p99 <= 0ns: got 5ms"},
		{"rate>=100k/s", 99_990, "rate >= 100k/s: got 99990/s (0.01% under)"},
		{"rate>100k", 95_500, "rate > 100k/s: got 95.5k/s (4.5% under)"},
		{"lost==0", 12, "lost == 0: got 12"},
		{"lost==1M", 1_000_001, "lost == 1M: got 1000001"},
		{"lost!=5", 5, "lost != 5: got 5"},
		{"fairness>=95%", 0.9, "fairness >= 95%: got 90% (5.3% under)"},
		{"message_size<1KiB", 1025, "message_size < 1 KiB: got 1025 B (0.098% over)"},
		{"throughput>1.5MiB/s", 0, "throughput > 1.5 MiB/s: got 0 B/s (100% under)"},
	}
	for _, tt := range tests {
		v := judge(t, tt.expr, map[string]float64{
			"p99": tt.got, "rate": tt.got, "lost": tt.got, "fairness": tt.got, "message_size": tt.got, "throughput": tt.got,
		})
		if got := v.String(); got != tt.want {
			t.Errorf("got  %s\nwant %s", got, tt.want)
		}
	}
}

func TestVerdictJSONHasNullForWhatWasNotMeasured(t *testing.T) {
	objectives, err := Parse("p99<5ms,lost==0", metrics())
	if err != nil {
		t.Fatal(err)
	}
	verdicts := Judge(objectives, lookup(map[string]float64{"p99": 7e6}))
	got, err := json.Marshal(verdicts)
	want := `[{"metric":"p99","op":"\u003c","want":5000000,"unit":"ns","got":7000000,"met":false},` +
		`{"metric":"lost","op":"==","want":0,"unit":"count","got":null,"met":false}]`
	if err != nil || string(got) != want {
		t.Errorf("got  %s, %v\nwant %s", got, err, want)
	}
	var back []Verdict
	if err := json.Unmarshal(got, &back); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(verdicts, back); diff != "" {
		t.Errorf("read back (-want +got):\n%s", diff)
	}
}
