package slo

import (
	"math"
	"strconv"
)

// A Verdict says whether an objective was met.
type Verdict struct {
	Objective
	Got *float64 `json:"got"` // in base units; nil: not measured
	Met bool     `json:"met"` // never without a measurement
}

// Judge compares every objective with what lookup knows of its metric, in base
// units. What lookup does not know, or gives as no finite number, was not
// measured, and its objective not met.
func Judge(objectives []Objective, lookup func(metric string) (float64, bool)) []Verdict {
	verdicts := make([]Verdict, len(objectives))
	for i, o := range objectives {
		verdicts[i].Objective = o
		got, known := lookup(o.Metric)
		if known && !math.IsNaN(got) && !math.IsInf(got, 0) {
			verdicts[i].Got, verdicts[i].Met = &got, o.Op.holds(got, o.Want)
		}
	}
	return verdicts
}

// String returns the verdict for people, and by how much an objective was missed:
// "p99 < 5ms: got 7.31ms (46% over)", or "p99 < 5ms: not measured".
func (v Verdict) String() string {
	if v.Got == nil {
		return v.Objective.String() + ": not measured"
	}
	got := v.Unit.format(*v.Got)
	if *v.Got != v.Want && got == v.Unit.format(v.Want) {
		got = v.Unit.exact(*v.Got) // 3 digits do not show the difference
	}
	return v.Objective.String() + ": got " + got + v.excess()
}

// excess tells by how much a limit was missed, in percent of it.
func (v Verdict) excess() string {
	if v.Met || v.Op == Equal || v.Op == NotEqual || v.Want == 0 || *v.Got == v.Want {
		return ""
	}
	side := "over"
	if *v.Got < v.Want {
		side = "under"
	}
	return " (" + percent(math.Abs(*v.Got-v.Want)/v.Want*100) + " " + side + ")"
}

// percent writes a percentage with two digits, as far as they say something.
func percent(v float64) string {
	switch {
	case v < 0.01:
		return "less than 0.01%"
	case v < 10:
		return strconv.FormatFloat(v, 'g', 2, 64) + "%"
	default:
		return strconv.FormatFloat(v, 'f', 0, 64) + "%"
	}
}
