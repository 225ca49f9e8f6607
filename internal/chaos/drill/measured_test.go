package drill

import (
	"encoding/json"
	"slices"
	"testing"
)

func TestWhatWasMeasuredIsOfDrillsThatExist(t *testing.T) {
	var all []Measurement
	if err := json.Unmarshal(measuredFile, &all); err != nil {
		t.Fatal(err)
	}
	known := slices.Concat(Names(), ControlNames())
	var metrics []string
	for _, m := range Metrics() {
		metrics = append(metrics, m.Name)
	}
	for _, m := range all {
		if !slices.Contains(known, m.Drill) || len(m.Runs) == 0 || m.Server == "" {
			t.Errorf("%+v", m)
		}
		for _, r := range m.Runs {
			for name := range r.Metrics {
				if !slices.Contains(metrics, name) {
					t.Errorf("%s has a metric %s, which there is not", m.Drill, name)
				}
			}
		}
	}
}

func TestTheSpreadIsOfTheRunsThatHaveTheMetric(t *testing.T) {
	run := func(v ...float64) Run {
		r := Run{Metrics: map[string]float64{}}
		if len(v) > 0 {
			r.Metrics["recover"] = v[0]
		}
		return r
	}
	for _, c := range []struct {
		runs                []Run
		least, median, most float64
		n                   int
	}{
		{nil, 0, 0, 0, 0},
		{[]Run{run()}, 0, 0, 0, 0},
		{[]Run{run(5)}, 5, 5, 5, 1},
		{[]Run{run(7), run(), run(5), run(6)}, 5, 6, 7, 3},
		{[]Run{run(7), run(5)}, 5, 5, 7, 2},
	} {
		least, median, most, n := Measurement{Runs: c.runs}.Spread("recover")
		if least != c.least || median != c.median || most != c.most || n != c.n {
			t.Errorf("%v: got %g %g %g of %d", c.runs, least, median, most, n)
		}
	}
}
