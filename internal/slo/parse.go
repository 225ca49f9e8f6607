package slo

import (
	"errors"
	"fmt"
	"strings"

	"github.com/natsops/natsops/internal/hint"
)

// Parse reads objectives, separated by commas, for the metrics given. Each is a
// metric, one of < <= > >= == !=, and a value with the unit of the metric, in the
// forms of package quantity; spaces may stand between them. An error is one line
// that names the objective at fault.
func Parse(expr string, metrics []Metric) ([]Objective, error) {
	if strings.TrimSpace(expr) == "" {
		return nil, errors.New("no objective: want a metric, a comparison and a value, such as p99<5ms")
	}
	var objectives []Objective
	for term := range strings.SplitSeq(expr, ",") {
		o, err := parseTerm(term, metrics)
		if err != nil {
			return nil, fmt.Errorf("objective %q: %w", strings.TrimSpace(term), err)
		}
		objectives = append(objectives, o)
	}
	return objectives, nil
}

func parseTerm(term string, metrics []Metric) (Objective, error) {
	name, op, value, ok := cut(term)
	if !ok {
		return Objective{}, errors.New("want a metric, one of < <= > >= == !=, and a value, such as p99<5ms")
	}
	for _, m := range metrics {
		if m.Name != name {
			continue
		}
		want, err := m.Unit.parse(value)
		return Objective{Metric: name, Op: op, Want: want, Unit: m.Unit}, err
	}
	return Objective{}, unknownMetric(name, metrics)
}

// cut splits a term at its comparison.
func cut(term string) (name string, op Op, value string, ok bool) {
	for _, op := range []Op{LessEqual, GreaterEqual, Equal, NotEqual, Less, Greater} { // the longer first
		if name, value, found := strings.Cut(term, string(op)); found {
			return strings.TrimSpace(name), op, strings.TrimSpace(value), true
		}
	}
	return "", "", "", false
}

// unknownMetric suggests the known metric that is closest to name, or else all.
func unknownMetric(name string, metrics []Metric) error {
	names := make([]string, len(metrics))
	for i, m := range metrics {
		names[i] = m.Name
	}
	if near, found := hint.Nearest(name, names); found {
		return fmt.Errorf("unknown metric %q, did you mean %q?", name, near)
	}
	return fmt.Errorf("unknown metric %q, want one of: %s", name, strings.Join(names, ", "))
}
